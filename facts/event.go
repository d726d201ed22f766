package facts

import (
	"net/netip"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
)

// A StampQuality says how far a time may be trusted.
type StampQuality uint8

const (
	NoTime       StampQuality = iota
	UptimeOnly                // the device gave its uptime: only differences within one source mean anything
	Unsynced                  // the device said its clock is not synchronised
	ZoneAssumed               // no zone in the text: UTC, or the source's zone, was assumed
	YearInferred              // no year in the text
	Exact                     // an absolute instant was stated
)

// A Stamp is a time as the evidence gives it, resolved to UTC as well as can be.
type Stamp struct {
	Unix    int64 // seconds, UTC
	Nanos   int32
	Quality StampQuality
}

// Time is the instant in UTC; the zero time when there is none.
func (s Stamp) Time() time.Time {
	if s.Quality == NoTime {
		return time.Time{}
	}
	return time.Unix(s.Unix, int64(s.Nanos)).UTC()
}

// Before orders stamps by instant.
func (s Stamp) Before(t Stamp) bool { return s.Unix < t.Unix || s.Unix == t.Unix && s.Nanos < t.Nanos }

// An Op is what a transfer did, seen from the client.
type Op uint8

const (
	OpUnknown Op = iota
	OpGet        // server to client
	OpPut        // client to server
	OpDelete
	OpList
	OpSession // a session without a named operation
)

var opNames = [...]string{"", "get", "put", "delete", "list", "session"}

// String is the operation as the facts output spells it; empty when unknown.
func (o Op) String() string { return opNames[min(int(o), len(opNames)-1)] }

// An Outcome is how a transfer or a login ended.
type Outcome uint8

const (
	OutcomeUnknown Outcome = iota
	Allowed
	Denied // a filter refused it
	Failed // an end refused it, or it broke
)

// String is the outcome as the facts output spells it.
func (o Outcome) String() string {
	return [...]string{"unknown", "allowed", "denied", "failed"}[min(int(o), 3)]
}

// A By says what a protocol was told by.
type By uint8

const (
	ByPortNumber By = iota
	ByAppID
	ByDPI
	ByLog // the service's own log, or a command that names it
)

// String is the evidence as the facts output spells it.
func (b By) String() string { return [...]string{"port", "app-id", "dpi", "log"}[min(int(b), 3)] }

// A Tri is a yes, a no, or unknown.
type Tri uint8

const (
	TriUnknown Tri = iota
	TriFalse
	TriTrue
)

// String is true, false or unknown.
func (t Tri) String() string { return [...]string{"unknown", "false", "true"}[min(int(t), 2)] }

// A Half says which half of a joined record an event is.
type Half uint8

const (
	Whole    Half = iota
	Build         // ASA 302013/302015: who opened it, no bytes
	Teardown      // ASA 302014/302016: bytes, no direction
)

// An Opener says how it is known who opened a session.
type Opener uint8

const (
	OpenerStated  Opener = iota // the source says so
	OpenerByPort                // the source names two ends; the one whose port is a transfer protocol's is taken for the server
	OpenerUnknown               // two ends, of which neither or both have such a port: Client is the smaller, no more is known
)

// String is how the opener is known, as a word.
func (o Opener) String() string { return [...]string{"stated", "port", "unknown"}[min(int(o), 2)] }

// Absent marks a count the source does not carry. It is never zero.
const Absent = int64(-1)

// A Transfer is a transfer session or operation that a source recorded. Client is who opened the session. Strings and
// byte slices are valid only until the call returns.
type Transfer struct {
	Time           Stamp
	Device         string // who recorded it: the log's sender; empty when unknown
	Format         string
	Platform       string
	Vantage        string // the sensor or log source: Device and Format
	Client, Server netip.Addr
	ClientPort     uint16 // 0 when absent
	ServerPort     uint16
	Transport      uint8
	PortProtocol   Protocol
	Protocol       Protocol
	By             By
	Op             Op
	Outcome        Outcome
	Out, In, Total int64         // bytes client to server, server to client, both; Absent when not carried
	Duration       time.Duration // -1 when not carried
	User, File     string
	Complete       Tri
	Half           Half
	Opener         Opener // Client opened the session: how that is known
	Conn           uint64 // connection id to join halves by; 0 none
	Encrypted      bool   // an audit event says TLS was used or requested
	Path           string
	Span           evidence.Span
}

// A Command is something typed or executed on a device.
type Command struct {
	Time     Stamp
	Device   string
	Format   string
	Platform string
	User     string
	Source   netip.Addr // where the user came from
	Line     string     // secrets masked by the parser
	Outcome  Outcome
	Span     evidence.Span
	// Copy is the transfer the command asks for, when it asks for one.
	Copy *CommandCopy
}

// A CommandCopy is the transfer a command names.
type CommandCopy struct {
	Protocol Protocol
	Host     string
	Addr     netip.Addr
	Out      bool   // from the device to Host
	What     string // running-config, startup-config, a file, output
	Config   bool   // What is configuration, keys or logs
	URL      string // without credentials
}

// An Auth is a login attempt.
type Auth struct {
	Time     Stamp
	Device   string
	Format   string
	Platform string
	Protocol Protocol // ftp ..., ProtocolUnknown for device logins
	User     string
	Source   netip.Addr
	Outcome  Outcome
	Span     evidence.Span
}

// A Change is a configuration change, or a service switched.
type Change struct {
	Time     Stamp
	Device   string
	Format   string
	Platform string
	What     string // config, config-from-network, service-start, service-stop, firewall, restart, smart-install
	Subject  string // the service, the URL, or where from (console, vty0, snmp)
	User     string
	Source   netip.Addr
	Span     evidence.Span
}

// A Beat says a source was alive: one log line of one message class.
type Beat struct {
	Time     Stamp
	Device   string
	Format   string
	Platform string
	Class    string // mnemonic or message id: "SYS-5-CONFIG_I", "ASA-302013"
	Sequence uint64 // the sender's own numbering; 0 none
	Span     evidence.Span
}

// A Sample is one counter reading.
type Sample struct {
	Time   Stamp
	Device string
	Name   string // "ifHCOutOctets"
	Entity string // interface
	Value  uint64
	Epoch  uint64 // changes when the counter restarted
	Span   evidence.Span
}

// A Message is one record of a framed log, before its dialect is known.
type Message struct {
	Time  Stamp
	Relay Stamp  // the relay's own time, when it differs
	Host  string // the sender; valid until the call returns
	Tag   string
	Pid   string
	ID    string // RFC 5424 MSGID; empty when none
	Data  []byte // RFC 5424 structured data as written, "[id k=\"v\"]..."; nil when none
	Body  []byte
	// BodyPos is where Body[0] lies, so that a dialect can give the exact span of a secret. Data lies in the same record.
	BodyPos evidence.Pos
	Seq     uint64
	PRI     int16 // facility*8+severity; -1 when absent
	Span    evidence.Span
	Repeat  uint32 // how often it occurred; 0 and 1 are once
	File    *evidence.File
}

// A NoteKind says what a note does to a result.
type NoteKind uint8

const (
	NoteInfo       NoteKind = iota // worth telling
	NoteLimit                      // something was cut at a stated limit
	NoteUnread                     // evidence not understood; lowers coverage
	NoteIncomplete                 // evidence lost or broken: the run is incomplete
)

// A Note is evidence that was not understood, or something to say about it. It is in the report and lowers coverage.
type Note struct {
	Kind    NoteKind
	Path    string
	Span    evidence.Span
	Message string // one sentence, lower case, no device text unless quoted with %q
	Hint    string
	Count   int // how many like it; 0 is 1
}
