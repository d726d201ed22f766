package facts

// A Protocol is a file transfer protocol, or another one a fact had to name. Values are written to tallies: append only.
type Protocol uint8

const (
	ProtocolUnknown Protocol = iota
	FTP
	FTPS
	TFTP
	SMB
	SCP
	SFTP
	RCP
	SmartInstall // Cisco Smart Install, TCP 4786
	HTTP
	HTTPS
	Telnet // management, never a transfer
	SSH    // a shell; transfers over it are SCP or SFTP
	NFS
	protocolCount
)

var protocolNames = [...]string{"unknown", "ftp", "ftps", "tftp", "smb", "scp", "sftp", "rcp", "smi", "http", "https", "telnet", "ssh", "nfs"}

// String is the protocol as every output spells it.
func (p Protocol) String() string {
	if int(p) < len(protocolNames) {
		return protocolNames[p]
	}
	return "unknown"
}

// Protocols are those a protocol name can be, ProtocolUnknown first.
func Protocols() []Protocol {
	all := make([]Protocol, protocolCount)
	for i := range all {
		all[i] = Protocol(i)
	}
	return all
}

// ParseProtocol reads a name as String writes it; unknown names give ProtocolUnknown and false.
func ParseProtocol(name string) (Protocol, bool) {
	for i, n := range protocolNames {
		if n == name {
			return Protocol(i), true
		}
	}
	return ProtocolUnknown, false
}

// Cleartext reports whether the protocol sends credentials or content readable on the wire.
func (p Protocol) Cleartext() bool {
	switch p {
	case FTP, TFTP, RCP, HTTP, SmartInstall, Telnet, NFS:
		return true
	case ProtocolUnknown, FTPS, SMB, SCP, SFTP, HTTPS, SSH, protocolCount:
	}
	return false
}

// A PortRange is inclusive at both ends.
type PortRange struct{ First, Last uint16 }

// A Listener is where a protocol is served.
type Listener struct {
	Protocol  Protocol
	Transport uint8 // IANA protocol number: 6 TCP, 17 UDP
	Ports     PortRange
}

// Transports.
const (
	TCP uint8 = 6
	UDP uint8 = 17
)

// TransferPorts are the ports T1071.002 names, from the IANA Service Name and Transport Protocol Port Number Registry,
// and Cisco Smart Install's. A server port of an FTP data channel is not among them: it is negotiated.
func TransferPorts() []Listener {
	return []Listener{
		{FTP, TCP, PortRange{20, 21}},
		{FTPS, TCP, PortRange{989, 990}},
		{TFTP, UDP, PortRange{69, 69}},
		{SMB, TCP, PortRange{139, 139}},
		{SMB, TCP, PortRange{445, 445}},
		{SMB, UDP, PortRange{137, 138}},
		{SmartInstall, TCP, PortRange{4786, 4786}},
	}
}

// ByPort is the protocol a server port suggests; ProtocolUnknown when none.
func ByPort(transport uint8, port uint16) Protocol {
	switch transport {
	case TCP:
		switch port {
		case 20, 21:
			return FTP
		case 989, 990:
			return FTPS
		case 139, 445:
			return SMB
		case 4786:
			return SmartInstall
		case 22:
			return ProtocolUnknown // SSH: a transfer only when the log says so
		}
	case UDP:
		switch port {
		case 69:
			return TFTP
		case 137, 138:
			return SMB
		}
	}
	return ProtocolUnknown
}
