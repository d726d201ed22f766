package facts

import (
	"net/netip"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
)

// An Action is what a rule does with a packet it matches.
type Action uint8

const (
	ActionUnknown Action = iota // not understood: the verdict is unknown for what it matches
	Permit
	Deny
	Next // go on with the next rule, or the next filter of the chain (Junos next term, a fall-through default)
	// Jump asks the filter named Rule.To; what that one leaves undecided (its Default Next, or Return) goes on with the next
	// rule. Goto asks it in the place of the rest: what it leaves undecided leaves this filter undecided too. Return leaves
	// this filter undecided. Undecided means that the one who asked goes on, or that Default decides when nobody did.
	Jump
	Goto
	Return
)

// String is the action as filters test spells it.
func (a Action) String() string {
	switch a {
	case Permit:
		return "permit"
	case Deny:
		return "deny"
	case Next:
		return "next"
	case Jump:
		return "jump"
	case Goto:
		return "goto"
	case Return:
		return "return"
	case ActionUnknown:
	}
	return "unknown"
}

// A Family restricts a filter to one version of IP.
type Family uint8

const (
	AnyFamily Family = iota
	IPv4
	IPv6
)

// A Filter is a packet-deciding object: first matching rule wins, Default decides the rest.
type Filter struct {
	Name   string
	Scope  string // VRF, VDOM, VSYS, context, routing instance; empty is the global one
	Kind   string // in the platform's words: "ip access-list extended", "firewall filter", "security policy"
	Family Family
	Rules  []Rule
	// Default decides what no rule matched. Next falls through to the following filter of a chain.
	Default Action
	// End is the line that states Default; zero when none does.
	End evidence.Span
	// WhenEmpty decides everything when Rules is empty and differs from Default: Permit on IOS (Catalyst 2960 guide:
	// "empty access list ... permits all"). ActionUnknown means Default applies.
	WhenEmpty Action
	// Synthetic filters were made by the parser out of other statements (zone pairs, chains); they are not user objects.
	Synthetic bool
	// Stateful filters let the answers of a permitted session back.
	Stateful bool
	// OrderLost says a backup tool re-sorted the rules, so that which rule matched is not certain (RANCID ACLSORT).
	OrderLost bool
	// Unread, when not empty, says why the whole content is unknown ("contents removed by ACLFILTERREGEX").
	Unread string
	Span   evidence.Span // the defining line
}

// A Reference is a use of a filter that is no Binding: to sort traffic, to choose routes, addresses to translate, clients
// of a service that is not modelled.
type Reference struct {
	Filter, Scope string
	By            string // the statement in the platform's words: "route-map LAN match ip address"
	Span          evidence.Span
}

// A Hit is a filter's counter in live state.
type Hit struct {
	Filter, Scope string
	Rule          string // Rule.Name
	Family        Family
	Packets       uint64
	Taken         time.Time
	Span          evidence.Span
}

// A Rule is one line (or term) of a filter.
type Rule struct {
	Name   string // sequence number, term or policy name; empty when the platform gives none
	Action Action
	To     string // the filter of the same scope that Jump and Goto ask
	Match  Match
	// Inactive rules are in the evidence and not in force: ASA inactive, Junos inactive:.
	Inactive V[bool]
	// Times restricts when the rule is in force. Nil is always.
	Times *TimeRange
	Log   V[bool]
	// Return rules only admit answers (IOS evaluate, reflexive state): they open nothing by themselves.
	Return bool
	Remark string // the owner's own words beside the rule; device text, hostile
	Span   evidence.Span
}

// A TimeRange is an ACL's time restriction (IOS and ASA time-range). Several periodic windows are a union; the
// absolute bounds restrict them. Times are the device's local time.
type TimeRange struct {
	Name      string
	Undefined bool // referenced, not defined: IOS treats the rule as always in force
	From, To  time.Time
	Periodic  []Window
	Unread    string // not understood: whether the rule is in force is unknown
	Span      evidence.Span
}

// A Window is a weekly recurring interval. Days has bit 0 for Sunday. From and To are minutes of the day; To may be
// 1440, and less than From when the window crosses midnight.
type Window struct {
	Days     uint8
	From, To uint16
}

// A Match is a conjunction: every part that is present must hold. The zero Match matches every packet.
type Match struct {
	Src, Dst Addrs
	// Either matches when source or destination does (Junos from address).
	Either Addrs
	// Protocols are IANA numbers; empty is any. Negated by NotProtocols.
	Protocols    []uint8
	NotProtocols bool
	SrcPorts     Ports
	DstPorts     Ports
	EitherPorts  Ports // source or destination (Junos from port)
	// Services is a union of protocol and port combinations (service object groups, applications).
	Services []ServiceItem
	// HasServices tells an empty union (matches nothing) from none stated (matches anything).
	HasServices bool
	// Flags restricts TCP packets by their flags; it implies TCP.
	Flags TCPState
	// Fragments restricts by fragmentation.
	Fragments Fragments
	ICMP      []ICMPType // ICMP or ICMPv6 types, union; implies ICMP of the filter's family
	// AnyOf holds when one member does, AllOf when all do (class maps, nested groups). HasAnyOf tells an empty AnyOf
	// (matches nothing) from none.
	AnyOf    []Match
	HasAnyOf bool
	AllOf    []Match
	// PermittedBy names a filter of the same scope that must permit the packet (IOS class-map match access-group).
	PermittedBy string
	Not         bool // the whole match is negated
	Apps        []string
	// In and Out restrict where the packet comes in and leaves.
	In, Out Places
	// Conn restricts the state of the session the packet belongs to; 0 is any.
	Conn ConnState
	// Unread lists conditions that were not understood, in the platform's words. Such a rule may match less than the
	// rest of the Match says: what it decides is unknown.
	Unread []string
}

// Places is a set of places a packet comes in or leaves by. The zero Places is any. What the device itself sends comes in
// nowhere, and what it is sent leaves nowhere: that is in no set but a negated one.
type Places struct {
	// Names are names, aliases, device zones or lists of interfaces of the filter's scope; one that ends in "*" is of every
	// name that begins so.
	Names   []string
	Present bool // stated; with no Names it matches nothing
	Not     bool
}

// A ConnState is a set of connection tracking states (iptables conntrack, RouterOS connection-state, nftables ct state).
type ConnState uint8

const (
	ConnNew         ConnState = 1 << iota // opens a session
	ConnEstablished                       // belongs to an open one
	ConnRelated                           // opens one that an open one announced: an FTP data channel; never a session by itself
	ConnInvalid                           // belongs to none and opens none
	ConnUntracked                         // excepted from tracking
)

// Addrs is a set of addresses. The zero Addrs is any.
type Addrs struct {
	Items []AddrItem
	// Present tells "an empty set" from "not stated": an empty object group matches nothing.
	Present bool
	// LongestPrefix: the most specific item that contains the address decides, Except items exclude (Junos
	// source-address ... except). Otherwise Except items are subtracted from the union of the others.
	LongestPrefix bool
	Not           bool // the whole set is negated
}

// An AddrItem is one member of a set; exactly one of the kinds is used.
type AddrItem struct {
	Prefix   netip.Prefix // when valid
	From, To netip.Addr   // inclusive range, when valid
	// Wildcard: address and the bits that matter (1 = must be equal), for non-contiguous masks. IPv4 only.
	Wild *Wildcard
	// Group names an object group or address book entry of the filter's scope, resolved by headerspace.
	Group string
	// Any matches every address (of the filter's family, or of Family).
	Any    bool
	Family Family
	// Unread is a member that cannot be resolved offline (fqdn, dynamic): membership is unknown.
	Unread string
	Except bool
	Span   evidence.Span
}

// A Wildcard matches addresses equal to Addr in the bits set in Care.
type Wildcard struct{ Addr, Care [4]byte }

// Ports is a set of ports. The zero Ports is any.
type Ports struct {
	Ranges  []PortRange
	Groups  []string // port object groups
	Present bool     // stated; with no Ranges and no Groups it matches nothing
	Not     bool
}

// A ServiceItem is a protocol with its ports, or a named group of such.
type ServiceItem struct {
	Protocols []uint8 // empty is any protocol
	Src, Dst  Ports
	ICMP      []ICMPType
	Group     string // a service group of the filter's scope; the rest is unused
	Except    bool
	Unread    string
	Span      evidence.Span
}

// An ICMPType is a type, or a type and code. Code is -1 for any.
type ICMPType struct {
	Type uint8
	Code int16
}

// TCPState restricts TCP packets.
type TCPState uint8

const (
	AnyTCP      TCPState = iota
	Established          // ACK or RST set: answers, never a new session
	Initial              // SYN without ACK
)

// Fragments restricts by fragment offset.
type Fragments uint8

const (
	AnyFragment  Fragments = iota
	NonInitial             // fragment offset > 0: no ports
	Unfragmented           // offset 0
)

// A GroupKind says what a group holds.
type GroupKind uint8

const (
	NetworkGroup GroupKind = iota
	ServiceGroup
	PortGroup
	ProtocolGroup
	ICMPGroup
)

// A Group is a named object: an object, an object group, an address book entry, an application (set), a prefix list.
type Group struct {
	Name      string
	Scope     string // the filter scope, for Junos address books "zone:NAME" before "" (global)
	Kind      GroupKind
	Addrs     []AddrItem
	Services  []ServiceItem
	Ports     []PortRange
	Protocols []uint8
	ICMP      []ICMPType
	Members   []string // other groups of the same kind, resolved by headerspace; cycles add nothing
	Builtin   bool     // predefined by the platform; no line
	Unread    string   // content not known
	Span      evidence.Span
}

// A Direction is relative to the device: In is entering it.
type Direction uint8

const (
	In Direction = iota
	Out
)

// A Binding applies filters somewhere.
type Binding struct {
	// Filters are evaluated as one list: what one leaves undecided (Default Next) the following decides; after the last
	// its Default counts, Next meaning Deny. Names in the device's scope.
	Filters []string
	Family  Family
	// Where is the interface's name, or one of the words below for the management plane.
	Where     string
	Direction Direction
	// Plane restricts the binding to packets that pass through the device, or to its own.
	Plane Plane
	// Scope is the one (VDOM, vsys) a transit or control plane binding is of; an interface's bindings are of its scope.
	Scope string
	Span  evidence.Span
	// Undefined says what the platform does when a named filter does not exist; ActionUnknown when undocumented.
	Undefined Action
}

// Where a Binding may apply beside interfaces.
const (
	WhereVTY        = "vty"
	WhereSNMP       = "snmp"
	WhereHTTP       = "http"
	WhereSSH        = "ssh"
	WhereTFTPServer = "tftp-server"
	// WhereControlPlane is the device's own traffic: In what it is sent (iptables INPUT, FortiOS local-in policy), Out what
	// it sends (iptables OUTPUT).
	WhereControlPlane = "control-plane"
	WhereGlobal       = "global" // every interface (ASA access-group global)
	// WhereTransit is asked once about what passes through, between the filters of the two interfaces (iptables FORWARD, a
	// firewall's one list of policies). Direction means nothing.
	WhereTransit = "transit"
)

// A Plane is which packets a binding is about.
type Plane uint8

const (
	EveryPlane   Plane = iota
	TransitPlane       // what passes through the device (VyOS 1.3 "in" and "out")
	LocalPlane         // what the device sends or is sent (VyOS 1.3 "local")
)

// Zoning is how a device decides between its interfaces beside bindings. The zero Zoning decides nothing.
type Zoning struct {
	Model ZoningModel
	// Pairs are the policies between device zones, most specific first is not implied: look the exact pair up.
	Pairs []ZonePair
	// IntraZone and InterZone decide pairs without an entry in Pairs; Mixed decides between a zone and an interface
	// that is in none.
	IntraZone, InterZone, Mixed Action
	// Global names filters asked after a pair's own (SRX global policies), before the fallback.
	Global []string
	// SelfOut and SelfIn decide traffic the device itself sends and receives, where no pair names the self zone.
	SelfOut, SelfIn Action
	// SamePermitInter and SamePermitIntra are ASA same-security-traffic permit inter-interface and intra-interface.
	SamePermitInter, SamePermitIntra V[bool]
}

// A ZoningModel says which rules of Zoning apply.
type ZoningModel uint8

const (
	NoZoning ZoningModel = iota
	Zones                // zone pairs: IOS-XE ZBF, SRX
	Levels               // ASA security levels: an inbound filter on the ingress interface replaces the level rule
)

// A ZonePair is the policy from one device zone to another. Filters chain like a Binding's. From or To "self" is the device.
type ZonePair struct {
	From, To string
	Filters  []string
	Span     evidence.Span
}

// A NAT rule that may change what a filter question means.
type NAT struct {
	Kind     string // source, destination, static
	Static   bool   // one to one with both ends stated: can be followed
	Original netip.Prefix
	Mapped   netip.Prefix
	// Transport and ports restrict it; 0 and empty are any. Mapped ports are those of the real server; of equal number.
	Transport                  uint8
	OriginalPorts, MappedPorts PortRange
	In, Out                    string // interfaces or zones; empty any
	Unread                     string
	Span                       evidence.Span
}
