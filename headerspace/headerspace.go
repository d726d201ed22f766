// Package headerspace decides exactly which packets a device's filters pass.
//
// Rules are folded first match wins over sets of packet headers: IPv4 and IPv6 addresses, protocol, ports, TCP state,
// fragments, ICMP types. What was not understood is carried as a third value: a verdict is unknown exactly when a line
// that was not understood could change it. Lines are taken to be independent: each may match any part of what the rest of
// it allows.
//
// What is decided, and how: rules and groups as facts describes them; a name nobody defined, an empty group and a
// reference of a group to itself match nothing. Packets are whole datagrams or first fragments unless Query.Fragments
// says otherwise; of later fragments IOS permits what a permit's addresses admit and lets no deny with ports match
// (reference table of config semantics), ASA and SRX treat them as their datagram, elsewhere they are unknown. TCP means
// an opening SYN unless Query.Established. Time and application are fields of the header: a question that names none is
// about every time and every application, so a rule that is in force at times only makes the answer partial. Both
// versions of IP are asked when both can be meant; a filter of one version answers for that one. Static destination NAT
// is followed; other NAT makes the answer unknown where it could change it.
//
// A Model holds hash-consed decision diagrams (docs/adr/0010), at most 400 MB of them and for small filters a few
// kilobytes; beyond that a filter is called too complex and its answer unknown. Close gives the memory to the next Model.
package headerspace

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// A Verdict on a set of packets.
type Verdict string

const (
	Permit  Verdict = "permit"
	Deny    Verdict = "deny"
	Partial Verdict = "partial" // the set is not treated alike
	Unknown Verdict = "unknown"
)

// A Query asks about a set of packets at one place of a device. Exactly one place is set: Filter, Service, Group,
// FromZone with ToZone, In and/or Out, or Self (with Out: sent by the device).
type Query struct {
	Scope            string
	Filter           string
	In, Out          string
	Self             bool
	FromZone, ToZone string
	Service, Group   string

	Src, Dst    Set     // zero is any
	Protocols   []uint8 // empty is any
	SrcPorts    []facts.PortRange
	DstPorts    []facts.PortRange
	NotDstPorts bool
	ICMP        []facts.ICMPType
	// Established asks about packets of a session already open; otherwise TCP means an opening SYN.
	Established bool
	App         string
	Family      facts.Family
	// Fragments asks about fragments with an offset above 0 instead; they carry no ports.
	Fragments bool
	At        time.Time // for time ranges; zero: rules with one are undecided and the verdict is partial over time
}

// A Set of addresses is the union of prefixes and ranges, or everything else when Not, less Except; the zero Set is any.
type Set struct {
	Prefixes []netip.Prefix
	Ranges   [][2]netip.Addr
	Not      bool
	Except   []netip.Prefix
}

// A Packet is one witness.
type Packet struct {
	Src, Dst         netip.Addr
	Protocol         uint8
	SrcPort, DstPort uint16          // 0 for protocols without ports
	ICMP             *facts.ICMPType // type and code when Protocol is ICMP
	Established      bool
	// In and Out are a way in and out such as the one the packet takes, where rules tell ways apart and the question leaves
	// it open; empty for a way that no rule names.
	In, Out string
}

// A Stage is one decision on the way through a device.
type Stage struct {
	What    string // `inbound filter of "Gi1"`
	Verdict Verdict
}

// An Answer to a Query.
type Answer struct {
	Verdict Verdict
	// Rule is the deciding rule's name or text position of the witness that matters (permitted first); Span its line.
	Rule    string
	Span    evidence.Span
	Filters []string // asked, in order
	// Stages are the decisions in order, each by itself, of the way the first witness takes.
	Stages []Stage
	Reason string // one sentence
	// Uncertain says that which rule matched is not certain, although the verdict is (facts.Filter.OrderLost).
	Uncertain bool
	// Permitted and Denied are one packet each of the asked set, when some is permitted or denied.
	Permitted, Denied *Packet
	// Undecided is a packet whose fate a line that was not understood decides, when the verdict is unknown.
	Undecided *Packet
	// Culprits are the lines that contribute: deciding rules, their groups, the bindings; primary first.
	Culprits []evidence.Span
}

// A Model is a device's filters, compiled. It is safe for concurrent use.
type Model struct {
	d        *facts.Device
	platform string // what d runs, whatever shape its configuration has

	mu       sync.Mutex
	ix       *index
	g        *table
	swapped  bool // destination addresses above source addresses
	opens    map[openKey]ref
	sets     map[groupKey]bounds
	places   map[placeKey]outcome
	asked    []askedSet
	wants    [wants]*services
	hopeless map[any]bool // what was too complex
	gaveUp   bool         // something hopeless was asked since this was last cleared
	busy     map[int32]bool
	depth    int
	folds    []*fold
	pins     []ref
	size     int // rules of the largest filter, groups counted in; 0 not counted
}

// New prepares d's filters; compilation is done when first asked.
func New(d *facts.Device) *Model { return &Model{d: d, platform: facts.PlatformFamily(d.Platform)} }

// Close gives the model's memory to the next one. It may be asked again afterwards, from nothing.
func (m *Model) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.g != nil {
		tables.put(m.g)
	}
	m.g, m.ix = nil, nil
	m.opens, m.sets, m.places, m.asked, m.hopeless, m.wants = nil, nil, nil, nil, nil, [wants]*services{}
}

// Test answers q. The error says what is wrong with the question (unknown filter or interface, no place).
func (m *Model) Test(q Query) (Answer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begin()
	return m.test(&q, m.wantOf(&q))
}

// Search looks for packets of q's set with the wanted verdict (Permit or Deny) and gives a witness and the culprits. The
// verdict is the wanted one when there is such a packet, else unknown when there may be, else the other.
func (m *Model) Search(q Query, want Verdict) (Answer, error) {
	if want != Permit && want != Deny {
		return Answer{}, fmt.Errorf("search is for packets that are permitted or denied, not %q", want)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begin()
	a, err := m.test(&q, m.wantOf(&q))
	if err != nil || a.Verdict != Partial && a.Verdict != Unknown {
		return a, err
	}
	switch {
	case want == Permit && a.Permitted != nil:
		a.Verdict, a.Denied = Permit, nil
	case want == Deny && a.Denied != nil:
		a.Verdict, a.Permitted = Deny, nil
	default:
		a.Verdict = Unknown
	}
	return a, nil
}
