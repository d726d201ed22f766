package ciscoasa

import (
	"bytes"
	"net/netip"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// A parser turns the statements of one file into a device.
type parser struct {
	t    *tree.Tree
	f    *evidence.File
	sink facts.Sink
	d    *facts.Device

	w       []tree.Word // words of the statement being read, without a leading "no"
	buf, w2 []tree.Word // what w is cut from; words of a statement looked at beside it
	negated bool        // the statement began with "no"
	strs    map[string]string
	reasons map[int32]string // why a statement is unsupported
	*space
	spaces []*space // in the order of the file

	// whole says that a version line was seen: this is a device's configuration, not a fragment, so a statement that is
	// not there is at its default.
	whole        bool
	major, minor int // software version; 0 unknown
	saved, ended bool
	shownVersion bool          // the comments hold "show version"
	marked       evidence.Span // where the backup tool was recognised
	placed       []placedNAT   // of the space being finished
	zoned        bool          // Device.Zoning is stated
	firepower    bool          // Firepower Threat Defense in the form of an ASA

	shared sharedItems
	six    bool // the entry being read is of an "ipv6 access-list": its "any" is IPv6
	items  tree.Slab[facts.AddrItem]
	ranges tree.Slab[facts.PortRange]
	svcs   tree.Slab[facts.ServiceItem]
	icmps  tree.Slab[facts.ICMPType]
	texts  tree.Slab[string]
	// numbers[n] is n: one-protocol lists are cut out of it. It is apart, so that facts do not keep the parser.
	numbers *[256]uint8
}

// A space is one execution space: the whole device, or one context of a device in multiple mode whose configurations
// were put into one file. Names are known within their space only.
type space struct {
	scope  string
	from   uint32                // source offset of its first statement
	names  map[string]netip.Addr // name ADDRESS NAME
	groups map[string]int        // object or object group: index in Device.Groups
	first  int                   // Device.Groups before it belong to other spaces
	// transports are the protocols of port groups, by index in Device.Groups: "object-group service X tcp".
	transports map[int][]uint8
	nameif     map[string]int // interface alias: index in Device.Interfaces
	times      map[string]*facts.TimeRange

	acls    []*acl
	aclBy   map[string]*acl
	lastACL *acl
	entries []int32 // nodes of access-list entries, read once everything they name is known

	applied  []accessGroup
	natNodes []natNode
	manage   [manageCount]management
	snmp     snmpState
	log      logState
	clients  clientState
	policies map[string]*policyMap
	vpn      vpnState

	inter, intra facts.V[bool]       // same-security-traffic permit
	managed      []managedOnly       // interfaces that pass nothing through
	planed       bool                // the filter behind control-plane lists is made
	firstIface   int                 // Device.Interfaces before it belong to other spaces
	hardware     map[string]int      // PIX 6: interface by its own name
	protocols    map[int]protocolSet // what protocol groups expand to, by index in Device.Groups
	icmpTypes    map[int][]facts.ICMPType
}

func newSpace(scope string) *space {
	return &space{
		scope: scope,
		names: map[string]netip.Addr{}, groups: map[string]int{}, nameif: map[string]int{}, transports: map[int][]uint8{}, hardware: map[string]int{},
		protocols: map[int]protocolSet{}, icmpTypes: map[int][]facts.ICMPType{},
		times: map[string]*facts.TimeRange{}, aclBy: map[string]*acl{}, policies: map[string]*policyMap{},
		log: logState{lists: map[string]int{}},
	}
}

// sharedItems are address operands that many entries have alike. Facts are read only, so the entries may share them.
type sharedItems struct {
	any, any4, any6 []facts.AddrItem
	groups          [][]facts.AddrItem // of Device.Groups from space.first on
}

// proto is the list of protocol n alone.
func (p *parser) proto(n uint8) []uint8 { return p.numbers[n : int(n)+1 : int(n)+1] }

// read splits statement n into words.
func (p *parser) read(n int32) {
	p.buf = p.split(p.buf, n)
	p.w = p.buf
	p.negated = len(p.w) > 1 && p.t.Is(p.w[0], "no")
	if p.negated {
		p.w = p.w[1:]
	}
}

// split cuts statement n at blanks. The ASA gives quotes no meaning outside applet actions, so they bind nothing here: a
// password that begins with one is one word.
func (p *parser) split(dst []tree.Word, n int32) []tree.Word {
	node := &p.t.Nodes[n]
	dst = dst[:0]
	start := -1
	text := p.t.Source[node.Off : node.Off+node.Len]
	for i, c := range text {
		if c > ' ' || c != ' ' && c != '\t' && c != '\r' {
			if start < 0 {
				start = i
			}
		} else if start >= 0 {
			dst = append(dst, tree.Word{Off: node.Off + uint32(start), Len: uint32(i - start)})
			start = -1
		}
	}
	if start >= 0 {
		dst = append(dst, tree.Word{Off: node.Off + uint32(start), Len: uint32(len(text) - start)})
	}
	return dst
}

// word is word i of the statement; nil beyond its end.
func (p *parser) word(i int) []byte {
	if i < 0 || i >= len(p.w) {
		return nil
	}
	return p.t.At(p.w[i])
}

func (p *parser) is(i int, s string) bool { return string(p.word(i)) == s }

// text is the statement from word i to its end.
func (p *parser) text(n int32, i int) []byte {
	if i >= len(p.w) {
		return nil
	}
	node := &p.t.Nodes[n]
	return bytes.TrimRight(p.t.Source[p.w[i].Off:node.Off+node.Len], " \t\r")
}

// str is b as a string; equal ones share their bytes.
func (p *parser) str(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if s, ok := p.strs[string(b)]; ok {
		return s
	}
	s := string(b)
	p.strs[s] = s
	return s
}

// ref is the name of an object or object group.
func (p *parser) ref(b []byte) string {
	if i, ok := p.groups[string(b)]; ok {
		return p.d.Groups[i].Name
	}
	return p.str(b)
}

// kind is what the object or object group of that name holds.
func (p *parser) kind(name []byte) (facts.GroupKind, bool) {
	i, ok := p.groups[string(name)]
	if !ok {
		return 0, false
	}
	return p.d.Groups[i].Kind, true
}

// span is where statement n is.
func (p *parser) span(n int32) evidence.Span {
	node := &p.t.Nodes[n]
	return p.f.Span(p.t.Base+int64(node.Off), int(node.Len))
}

// at is where word w is.
func (p *parser) at(w tree.Word) evidence.Span { return p.f.Span(p.t.Base+int64(w.Off), int(w.Len)) }

func (p *parser) understood(n int32) { p.t.Mark(n, facts.Understood) }

// unsupported accounts for a statement that bears on transfers and has no place in the model.
func (p *parser) unsupported(n int32, why string) {
	p.t.Mark(n, facts.Unsupported)
	p.reasons[n] = why
}

// irrelevant accounts for n and everything below it as unable to bear on transfers. Secrets are still looked for.
func (p *parser) irrelevant(n int32) {
	if p.t.Nodes[n].State == facts.Unrecognised {
		p.t.Mark(n, facts.Irrelevant)
	}
	p.anySecrets(n)
	for c := p.t.Nodes[n].First; c != tree.None; c = p.t.Nodes[c].Next {
		p.irrelevant(c)
	}
}

// unknownBelow looks for secrets in a statement nobody understands and everything below it.
func (p *parser) unknownBelow(n int32) {
	p.anySecrets(n)
	for c := p.t.Nodes[n].First; c != tree.None; c = p.t.Nodes[c].Next {
		p.unknownBelow(c)
	}
}

// children calls f for each statement directly below n, read and not a comment.
func (p *parser) children(n int32, f func(c int32)) {
	for c := p.t.Nodes[n].First; c != tree.None; c = p.t.Nodes[c].Next {
		if p.t.Nodes[c].Flags&(tree.Comment|tree.Raw) != 0 {
			continue
		}
		p.read(c)
		if len(p.w) == 0 || p.word(0)[0] == '!' {
			p.t.Mark(c, facts.Irrelevant)
			continue
		}
		f(c)
	}
}

// note tells something about the evidence.
func (p *parser) note(kind facts.NoteKind, span evidence.Span, message, hint string) {
	p.sink.Note(facts.Note{Kind: kind, Path: p.f.Path, Span: span, Message: message, Hint: hint})
}

// before reports whether the software is known to be older than major.minor.
func (p *parser) before(major, minor int) bool {
	return p.major != 0 && (p.major < major || p.major == major && p.minor < minor)
}
