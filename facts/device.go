package facts

import (
	"net/netip"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
)

// A Kind is a kind of evidence about a device, as a bit. Values are written to json-v1 by name.
type Kind uint32

const (
	HasConfig    Kind = 1 << iota // a running or stored configuration
	HasESXi                       // ESXi host state
	HasSNMP                       // SNMP tables
	HasSyslog                     // log lines the device sent
	HasTransfers                  // records of transfers seen by or on it
	HasCommands                   // command accounting or history
	HasListeners                  // the listening sockets of a host, all of them
)

var kindNames = []string{"config", "esxi-state", "snmp", "syslog", "transfers", "commands", "listeners"}

// Names are the names of the kinds set in k.
func (k Kind) Names() []string {
	var out []string
	for i, n := range kindNames {
		if k&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return out
}

// A Tool is the backup tool whose marks are in the evidence.
type Tool uint8

const (
	NoTool Tool = iota
	Oxidized
	RANCID
)

// String is the tool's name.
func (t Tool) String() string {
	switch t {
	case Oxidized:
		return "Oxidized"
	case RANCID:
		return "RANCID"
	case NoTool:
	}
	return ""
}

// A Device is what the evidence states about one box. A parser gives one part per file; [Merge] assembles the parts.
// Slices keep the order of the evidence; Merge makes it independent of the order of parts.
type Device struct {
	// ID is set by assembly: inventory name, else manifest host, else hostname in the evidence, else path.
	ID string
	// Path is the evidence file of this part, Format the reader that understood it; joined parts keep every one in Parts.
	Path, Format string
	Parts        []Part
	// Aspect is what of a host this part is about, when many files make one host's configuration: the file's place on the
	// host ("etc/vsftpd.conf"). Only parts of one aspect repeat one another. Empty: the part is about the whole device.
	Aspect string

	Hostname V[string]
	Platform string // one of the constants above; empty when unknown
	Model    V[string]
	Version  V[string]
	Taken    time.Time // when the evidence was taken; zero unknown
	Tool     Tool
	Has      Kind

	Services   []Service
	Clients    []Client
	Secrets    []Secret
	SNMP       []SNMPAccess
	SNMPLimits []SNMPLimit
	Logging    Logging
	Interfaces []Interface
	Routes     []Route
	Filters    []Filter
	Groups     []Group
	Bindings   []Binding // everywhere but interfaces, which hold their own
	Zoning     Zoning
	NAT        []NAT
	ESXi       *ESXi
	Counters   []Counter
	Hooks      []Hook
	Accounts   []Account
	Access     []Access
	Trusts     []Trust
	Sockets    []Socket
	Hits       []Hit
	Stored     []Stored
	Packages   []Package
	References []Reference
	Markers    []Marker

	// Removed are facts that the backup tool is known to delete or mask and that this evidence can therefore not deny.
	Removed []Removal
	Lines   Lines
	// Unread are the lines nobody understood: unsupported and unrecognised. At most MaxUnread are kept; Lines counts all.
	Unread []Unread
}

// MaxUnread bounds Device.Unread per part.
const MaxUnread = 10_000

// A Part is one file that contributed to a device.
type Part struct {
	Path, Format, Platform string
	Taken                  time.Time
	Lines                  Lines
}

// A Service is something the device serves, or is able to serve.
type Service struct {
	Protocol Protocol
	// Name is the service in the platform's words: "tftp-server", "system services ftp", "TSM-SSH".
	Name    string
	Role    ServiceRole
	Enabled V[bool]
	// Policy says whether it starts with the device (ESXi: on, off, automatic).
	Policy V[string]
	Port   uint16 // 0 is the protocol's own
	Bind   string // address or interface; empty is every one
	Path   string // file or directory published; empty when not stated
	Alias  string // name it is published under, when another
	// ACL is the filter that limits clients. Unknown: none stated and the platform has no other place to state it
	// (then anyone may connect); Masked: the statement was cut.
	ACL       V[string]
	Scope     string
	Writable  V[bool]
	Anonymous V[bool]
	// AnonymousWrite says whether clients without an account may store files.
	AnonymousWrite V[bool]
	// Confined says whether clients are kept below Path or their home directories.
	Confined V[bool]
	// Encryption says how far sessions are encrypted; Logged whether each transfer is written to a log.
	Encryption V[Encryption]
	Logged     V[bool]
	// Dialect is the lowest version of the protocol that is taken, in the platform's words (Samba "SMB2_02"), Signing what
	// is said of signed packets.
	Dialect, Signing V[string]
	// Fragment: the part says some of what the service is, and other files of the host say the rest. Merge joins services
	// of one name and protocol of which one is a fragment.
	Fragment bool
	Span     evidence.Span
}

// Encryption is how far the sessions of a service are encrypted.
type Encryption uint8

const (
	Cleartext         Encryption = iota // never
	Negotiated                          // when the client asks for it
	EncryptedLogin                      // logins are, files need not be
	EncryptedSessions                   // sessions that are not are refused
	ImplicitTLS                         // from the first byte on
)

// String is the encryption as outputs spell it.
func (e Encryption) String() string {
	switch e {
	case Negotiated:
		return "negotiated"
	case EncryptedLogin:
		return "login only"
	case EncryptedSessions:
		return "required"
	case ImplicitTLS:
		return "implicit"
	case Cleartext:
	}
	return "none"
}

// A ServiceRole says what a service does with files.
type ServiceRole uint8

const (
	RoleServer ServiceRole = iota // answers clients
	RoleProxy                     // forwards to a server elsewhere
	RoleShell                     // a shell from which transfers can be started
	RoleALG                       // opens the data channels of sessions passing through; serves nothing itself
)

// A Client is a transfer the device makes, or is configured to make, by itself or on command.
type Client struct {
	// Use says what for: archive, boot-system, boot-config, core-dump, ip-sla, dhcp-option, pki, scheduler, event,
	// log-upload, write-net, mount, script, settings; other is a transfer URL in a statement that is not modelled.
	Use      string
	Name     string // the statement in the platform's words
	Protocol Protocol
	URL      string     // without credentials; empty when only settings are stated
	Host     string     // name or address; empty when not stated
	Addr     netip.Addr // when Host is an address
	Path     string
	User     string
	// Password says whether a password is stored with it: Explicit true, Explicit false, Masked.
	Password V[bool]
	Enabled  V[bool]
	// Automatic: it happens without anyone typing (timer, on save, at boot, on event).
	Automatic bool
	Period    time.Duration // 0 when not periodic
	Scope     string        // VRF
	Source    string        // source interface
	Span      evidence.Span
}

// An SNMPAccess is a community or v3 group.
type SNMPAccess struct {
	Version  uint8  // 1 for v1 and v2c communities, 3 for v3 groups
	Name     string // v3 group; never a community
	Write    V[bool]
	ReadView string
	// WriteView is the view limiting writes; empty is everything.
	WriteView string
	// CoversCopy says whether the write view includes the config copy tables (1.3.6.1.4.1.9.9.96, 1.3.6.1.4.1.9.2.1.53,
	// .55 on Cisco). Unknown when the view is not defined in the evidence.
	CoversCopy V[bool]
	ACL        V[string]
	Clients    []netip.Prefix // Junos clients; empty when not stated
	Scope      string
	Span       evidence.Span
}

// An SNMPLimit restricts the servers an SNMP-triggered copy may use (IOS snmp-server file-transfer access-group,
// tftp-server-list).
type SNMPLimit struct {
	ACL       string
	Protocols []Protocol // empty is every one
	Span      evidence.Span
}

// Logging is what the device tells others about itself.
type Logging struct {
	// Enabled is the master switch: IOS "no logging on", ASA "logging enable".
	Enabled V[bool]
	// Remote is known when the platform's way of stating remote syslog was seen or would have been seen: Explicit true
	// with a destination, Default false when the whole configuration states none.
	Remote   V[bool]
	Hosts    []LogHost
	Severity V[string]
	// CommandAccounting says whether typed commands leave the device.
	CommandAccounting V[bool]
	ConfigChanges     V[bool]
	FlowExport        V[bool]
	FlowHosts         []FlowHost
	// FlowSampling is N when one packet or flow of N is looked at, 1 when all are.
	FlowSampling V[int]
	Sequence     V[bool]
	// Timestamps says whether messages carry a date and time of a clock. Logins says whether logins are logged.
	Timestamps V[bool]
	Logins     V[bool]
	NTP        []string
	// NTPAuth says whether time sources are authenticated.
	NTPAuth V[bool]
	// KeysHidden says whether passwords are left out of the changes that are logged (IOS hidekeys).
	KeysHidden V[bool]
	// Suppressed are the messages that are switched off or moved below what leaves the device, by id (ASA "no logging
	// message 302013").
	Suppressed []string
}

// A LogHost is a remote syslog destination.
type LogHost struct {
	Host      string
	Addr      netip.Addr
	Port      uint16
	Transport string // udp, tcp, tls; empty when not stated
	Scope     string
	Severity  string
	Span      evidence.Span
}

// An Interface is a layer-3 interface, or the part of one a filter is applied to.
type Interface struct {
	Name string
	// Alias is the name policies use (ASA nameif).
	Alias    string
	Addrs    []netip.Prefix
	Scope    string // VRF, routing instance
	Zone     string // device zone; ASA: the nameif
	Level    V[int] // ASA security level
	Shutdown V[bool]
	// Bindings apply in order; each must permit.
	Bindings    []Binding
	HostInbound []string // SRX host-inbound-traffic system services
	// Inspect: a stateful inspection leaving (Out) or entering here lets answers back; names the rule set.
	Inspect []string
	// Lists are further names that rules may call it by: interface lists and groups.
	Lists  []string
	Tunnel *Tunnel
	// Flow says whether flow records are made of its traffic.
	Flow       V[bool]
	DHCP       bool // address from DHCP
	Unnumbered string
	Span       evidence.Span
}

// A Tunnel is what makes an interface one.
type Tunnel struct {
	Mode             string // in the platform's words: "gre ip", "ipsec ipv4", "vxlan"
	Source           string // interface or address
	Destination      string // name or address; empty when any peer may be (multipoint)
	Addr             netip.Addr
	Protected        V[bool] // encrypted
	Span             evidence.Span
	DestinationScope string // VRF the tunnel itself is carried in
}

// A FlowHost is a collector of flow records.
type FlowHost struct {
	Host  string
	Addr  netip.Addr
	Port  uint16
	Scope string
	Span  evidence.Span
}

// A Route is a static route.
type Route struct {
	Prefix    netip.Prefix
	NextHop   netip.Addr
	Interface string
	Scope     string
	Span      evidence.Span
}

// A Counter is one sample of an interface's counters from SNMP (RFC 2863).
type Counter struct {
	Interface     string
	Index         uint32
	Taken         time.Time
	InOctets      V[uint64]
	OutOctets     V[uint64]
	HC            bool          // 64-bit counters
	Discontinuity V[uint64]     // ifCounterDiscontinuityTime, hundredths of a second of sysUpTime
	UpTime        V[uint64]     // sysUpTime, hundredths of a second
	Span          evidence.Span // the record of OutOctets, else of the row
}

// ESXi is the state of one host beside services and filters.
type ESXi struct {
	Connection     V[string] // connected, disconnected, notResponding
	FirewallLoaded V[bool]
	IncomingBlock  V[bool] // defaultPolicy.incomingBlocked
	OutgoingBlock  V[bool]
	Rulesets       []Ruleset
	Lockdown       V[string]
	Missing        []string // property paths the host did not give, with the fault
}

// A Ruleset is an ESXi firewall ruleset.
type Ruleset struct {
	Key     string
	Label   string
	Enabled V[bool]
	Service string
	AllIP   V[bool]
	Allowed []netip.Prefix
	Rules   []RulesetPort
	Span    evidence.Span
}

// A RulesetPort is one port rule of a ruleset.
type RulesetPort struct {
	Direction Direction
	Transport uint8
	// Remote says Ports are the other side's (srcPort of an inbound rule); else the destination's.
	Source bool
	Ports  PortRange
}

// A Removal is a statement the backup tool deletes or masks.
type Removal struct {
	// Fact is what can no longer be denied: "tftp-server", "snmp-community-access", "ftp-password", "filter-order".
	Fact   string
	Reason string        // "RANCID deletes 'tftp-server flash' lines"
	Span   evidence.Span // the mark by which the tool was recognised
}

// A LineState is how a configuration line is accounted for.
type LineState uint8

const (
	Unrecognised LineState = iota // nobody knows the statement
	Understood                    // became facts, or structure around them
	Irrelevant                    // in the platform's table of statements that cannot bear on transfers, with its reason
	Unsupported                   // known, bears on transfers, not modelled
)

// String is the state as json-v1 spells it.
func (s LineState) String() string {
	switch s {
	case Understood:
		return "understood"
	case Irrelevant:
		return "irrelevant"
	case Unsupported:
		return "unsupported"
	case Unrecognised:
	}
	return "unrecognised"
}

// Lines counts a part's non-blank lines by state.
type Lines struct{ Understood, Irrelevant, Unsupported, Unrecognised int }

// Total is the number of lines accounted for.
func (l Lines) Total() int { return l.Understood + l.Irrelevant + l.Unsupported + l.Unrecognised }

// Add counts m into l.
func (l *Lines) Add(m Lines) {
	l.Understood += m.Understood
	l.Irrelevant += m.Irrelevant
	l.Unsupported += m.Unsupported
	l.Unrecognised += m.Unrecognised
}

// An Unread is a line that was not understood.
type Unread struct {
	State LineState
	// Transfer is the transfer word the line contains ("tftp", "445", "ftp://"); empty when none.
	Transfer string
	Filter   string // the filter the line is in; empty when none
	Reason   string
	Span     evidence.Span
}
