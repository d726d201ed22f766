package facts

import (
	"net/netip"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
)

// A HookKind is what makes a hook run.
type HookKind string

// Hooks run something without anyone typing it, or hide what somebody types.
const (
	HookApplet    HookKind = "applet"    // IOS EEM applets, EOS event-handlers, Junos event policies, FortiOS stitches
	HookScheduler HookKind = "scheduler" // IOS kron, NX-OS and EOS schedules, RouterOS and Gaia jobs
	HookScript    HookKind = "script"    // Tcl, Python, commit and op scripts, daemons: loaded from a file or URL
	HookAlias     HookKind = "alias"     // a name that stands for commands
	HookMenu      HookKind = "menu"
	HookPrivilege HookKind = "privilege" // a command moved to another level
	HookCron      HookKind = "cron"
	HookTimer     HookKind = "timer" // systemd
	HookUnit      HookKind = "unit"  // systemd service, path and socket units
	HookLaunchd   HookKind = "launchd"
	HookBoot      HookKind = "boot" // rc.local, ESXi local.sh
)

// A Hook is a stored command, script or job.
type Hook struct {
	Kind HookKind
	Name string
	// Trigger is when it runs, in the platform's words: "event timer cron 0 3 * * *"; empty when someone calls it.
	Trigger string
	Period  time.Duration // 0 when not periodic or not stated
	Enabled V[bool]
	// User is whose rights it runs with; empty when not stated.
	User     string
	Commands []HookCommand
	// Source is the file or URL the script is loaded from, without credentials; Protocol that URL's.
	Source   string
	Protocol Protocol
	// Unread says that what it runs is not in the evidence, or was not understood.
	Unread string
	Scope  string
	Span   evidence.Span
}

// A HookCommand is one line of a hook. Protocol and URL are of the transfer it makes; unknown when it makes none.
type HookCommand struct {
	Text     string // secrets removed
	Protocol Protocol
	URL      string // without credentials
	Host     string
	Span     evidence.Span
}

// An Account is a local user.
type Account struct {
	Name string
	// Role is in the platform's words: "privilege 15", "network-admin", "super-user".
	Role  string
	Admin V[bool] // may change the configuration
	Shell string  // login shell, where the platform has one
	Keys  int     // SSH public keys
	Scope string
	Span  evidence.Span
}

// An Access is a way to log in to the device: terminal lines, a management service.
type Access struct {
	Name string // in the platform's words: "line vty 0 4", "ip http server", "config system interface"
	// In are the protocols taken ("ssh", "telnet", "http", "all"; none when nothing is), Out those it lets its user leave
	// by (IOS transport output).
	In, Out V[[]string]
	// ACL names the filter of clients, or Clients their addresses. ACL unknown and no Clients: anyone may connect.
	ACL     V[string]
	Clients []netip.Prefix
	Enabled V[bool]
	Where   string // interface or zone it is taken on; empty is every one
	Scope   string
	Span    evidence.Span
}

// A Trust is a party whose word the device takes: who may log in, who decides about it, who configures it.
type Trust struct {
	// Kind is tacacs, radius, ldap, kerberos, ssh-key, snmp-user, certificate, controller, rcmd-host.
	Kind string
	Name string
	Host string
	Addr netip.Addr
	Span evidence.Span
}

// A Socket is one listener or session of live state.
type Socket struct {
	Transport uint8 // IANA number
	Local     netip.AddrPort
	Remote    netip.AddrPort // not valid for a listener
	Listening bool
	Process   string // empty when not known
	User      string
	Scope     string
	Taken     time.Time
	Span      evidence.Span
}

// A Stored is a file in the device's own storage.
type Stored struct {
	Path  string
	Size  int64 // -1 unknown
	Mod   time.Time
	Owner string
	Span  evidence.Span
}

// A Package is software installed on a host (ESXi VIB).
type Package struct {
	Name, Version, Vendor string
	Acceptance            string // ESXi: VMwareCertified, VMwareAccepted, PartnerSupported, CommunitySupported
	Installed             time.Time
	Span                  evidence.Span
}
