package ssh

import "slices"

// A Command is a line that may be typed at a device of one platform, exactly as it stands here.
type Command struct {
	Text string
	File string // name of the evidence it gives; empty for a setting of the session, which ends with it
	// Format is the evidence's format; empty: parsers detect it.
	Format   string
	Optional bool // its absence is a gap, not a failure
	// Instead names the command this one stands in for when the device does not know that one.
	Instead string
	// End is the last line of a whole answer; empty when the platform has none and the prompt or exit status decides.
	End string
}

// A platform is how devices of one kind are read.
type platform struct {
	name string
	// shellOnly devices run no command on a channel of its own, or close the connection after one.
	shellOnly bool
	// execOnly devices have no shell that could be told from its output: a user's own prompt may be anything.
	execOnly bool
	enable   bool   // an unprivileged prompt ends in ">", and "enable" asks for a password
	ends     string // characters a prompt may end in
	term     string // terminal type asked for
	// pagers are what asks for a key after a page, without blanks at the ends. '*' stands for any characters.
	pagers []string
	// rejects begin a line that says a command was not taken.
	rejects  []string
	commands []Command
}

// Platforms are those that can be read, by name.
func Platforms() []string {
	var names []string
	for _, p := range platforms() {
		names = append(names, p.name)
	}
	slices.Sort(names)
	return names
}

// Commands is everything that may be sent to devices of a platform, in order, nil when it cannot be read. A password is
// typed after "enable" alone. Besides these a device receives empty lines, and a space for each page.
func Commands(platform string) []Command {
	p, _ := platformOf(platform)
	if p.enable {
		return append([]Command{{Text: "enable"}}, p.commands...)
	}
	return p.commands
}

func platformOf(name string) (platform, bool) {
	for _, p := range platforms() {
		if p.name == name {
			return p, true
		}
	}
	return platform{}, false
}

// platforms is the table. Sources: the commands are those Oxidized (lib/oxidized/model), RANCID (rancid.types.base) and
// ntc-templates use for the same purpose; ends of answers are RANCID's found_end of each module.
func platforms() []platform {
	return []platform{ciscoIOS(), ciscoASA(), junos(), frr(), linux()}
}

// ciscoIOS is IOS and IOS-XE. Many releases close the connection after one exec channel, so a shell is used.
// "terminal length" is an EXEC command of the current session (Cisco IOS Terminal Services Command Reference).
// The running configuration is the dearest command and comes last.
func ciscoIOS() platform {
	return platform{
		name: "cisco_ios", shellOnly: true, enable: true, ends: "#>", term: "vt100",
		pagers:  []string{"--More--"},
		rejects: []string{"% Invalid input", "% Incomplete command", "% Ambiguous command", "% Unknown command", "% Authorization failed", "Command authorization failed", "% This command is not authorized", "% Access denied"},
		commands: []Command{
			{Text: "terminal length 0"},
			{Text: "show version", File: "version.txt"},
			{Text: "show logging", File: "logging.log", Optional: true},
			{Text: "show running-config", File: "running-config.cfg", End: "end"},
		},
	}
}

// ciscoASA runs no command on an exec channel. "terminal pager" holds for the session and is not saved; "pager" would be
// (Cisco ASA Series Command Reference, T to Z). "more system:running-config" shows keys in clear and is not used.
func ciscoASA() platform {
	return platform{
		name: "cisco_asa", shellOnly: true, enable: true, ends: "#>", term: "vt100",
		pagers:  []string{"<--- More --->"},
		rejects: []string{"ERROR: ", "Command authorization failed", "% Invalid input"},
		commands: []Command{
			{Text: "terminal pager 0"},
			{Text: "show version", File: "version.txt"},
			{Text: "show logging", File: "logging.log", Optional: true},
			{Text: "show running-config", File: "running-config.cfg", End: ": end"},
		},
	}
}

// junos runs commands on exec channels. "set cli screen-length" is an operational command of the session (Junos CLI
// User Guide). Statements that are marked to be left out are shown by "display omit"; old releases lack it.
func junos() platform {
	return platform{
		name: "juniper_junos", ends: ">#%", term: "vt100",
		pagers:  []string{"---(more)---", "---(more *%)---"},
		rejects: []string{"error: ", "unknown command", "syntax error", "permission denied", "could not "},
		commands: []Command{
			{Text: "set cli screen-length 0"},
			{Text: "show version", File: "version.txt"},
			{Text: "show log messages", File: "messages.log", Optional: true},
			{Text: "show configuration | display omit", File: "configuration.conf"},
			{Text: "show configuration", File: "configuration.conf", Instead: "show configuration | display omit"},
		},
	}
}

// frr is FRRouting whose users have vtysh as their shell, or a shell that can start it.
func frr() platform {
	return platform{
		name: "frr", ends: "#>", term: "dumb", // so that readline draws nothing
		pagers:  []string{"--More--"},
		rejects: []string{"% Unknown command", "% Command incomplete", "% Ambiguous command", "vtysh: ", "Exiting: failed to connect"},
		commands: []Command{
			{Text: "terminal length 0"},
			{Text: "show version", File: "version.txt"},
			{Text: "vtysh -c 'show version'", File: "version.txt", Instead: "show version"},
			{Text: "show running-config", File: "running-config.cfg", End: "end"},
			{Text: "vtysh -c 'show running-config'", File: "running-config.cfg", Instead: "show running-config", End: "end"},
		},
	}
}

// linux reads what file transfer services are set to. Each file exists where its service is installed.
func linux() platform {
	return platform{
		name: "linux", execOnly: true, ends: "$#%>", term: "dumb",
		commands: []Command{
			{Text: "uname -a", File: "uname.txt"},
			{Text: "ss -H -lntup", File: "listeners.txt", Optional: true},
			{Text: "cat /etc/vsftpd.conf", File: "vsftpd.conf", Optional: true},
			{Text: "cat /etc/vsftpd/vsftpd.conf", File: "vsftpd.conf", Instead: "cat /etc/vsftpd.conf", Optional: true},
			{Text: "cat /etc/samba/smb.conf", File: "smb.conf", Optional: true},
			{Text: "cat /etc/default/tftpd-hpa", File: "tftpd-hpa", Optional: true},
		},
	}
}
