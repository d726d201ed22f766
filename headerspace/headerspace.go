// Package headerspace decides exactly which packets a device's filters pass.
//
// Rules are folded first match wins over sets of packet headers: IPv4 and IPv6 addresses, protocol, ports, TCP state,
// fragments, ICMP types. What was not understood is carried as a third value: a verdict is unknown exactly when a line
// that was not understood could change it.
package headerspace

import (
	"net/netip"
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
	At          time.Time // for time ranges; zero: rules with one are undecided and the verdict is partial over time
}

// A Set of addresses is the union of prefixes and ranges; the zero Set is any.
type Set struct {
	Prefixes []netip.Prefix
	Ranges   [][2]netip.Addr
	Not      bool
}

// A Packet is one witness.
type Packet struct {
	Src, Dst         netip.Addr
	Protocol         uint8
	SrcPort, DstPort uint16
	Established      bool
}

// An Answer to a Query.
type Answer struct {
	Verdict Verdict
	// Rule is the deciding rule's name or text position of the witness that matters (permitted first); Span its line.
	Rule    string
	Span    evidence.Span
	Filters []string // asked, in order
	Reason  string   // one sentence
	// Permitted and Denied are one packet each of the asked set, when some is permitted or denied.
	Permitted, Denied *Packet
	// Culprits are the lines that contribute: deciding rules, their groups, the bindings; primary first.
	Culprits []evidence.Span
}

// A Model is a device's filters, compiled. It is safe for concurrent use.
type Model struct{ d *facts.Device }

// New prepares d's filters; compilation is done when first asked.
func New(d *facts.Device) *Model { return &Model{d} }

// Test answers q. The error says what is wrong with the question (unknown filter or interface, no place).
func (m *Model) Test(q Query) (Answer, error) { panic("stub") }

// Search looks for packets of q's set with the wanted verdict (Permit or Deny) and gives a witness and the culprits.
func (m *Model) Search(q Query, want Verdict) (Answer, error) { panic("stub") }
