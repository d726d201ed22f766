// Package hostsvc reads the configuration files of the services of Unix hosts that transfer files, and the jobs of cron: one
// file of code for each service, one format for each kind of file.
//
// A file says how a service answers, not that it runs. Where the service answers as soon as its daemon is started,
// Enabled is true as a default, since packages start what they install (Debian Policy 9.3.3); where the file leaves that to
// a super-server or to a socket unit it is unknown. Units, sockets and listeners, read from other files of the host, tell
// the rest. What other files may say, because this one includes them, is unknown here and not at its default, and the
// service is a fragment: [facts.Merge] joins it with what they say.
//
// Lists of clients become filters that the service names, so that who may connect is asked as of any filter.
package hostsvc

import (
	"context"
	"net/netip"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/hostfile"
)

// Formats are the formats read here.
func Formats() []facts.Format {
	return []facts.Format{
		Vsftpd(), PureFTPd(), PureFTPdValue(), TFTPDefaults(), Xinetd(), Inetd(), Dnsmasq(), Samba(), Usershare(), SSHD(), ProFTPD(), Crontab(), Sockets(),
	}
}

// format makes the format of a kind of file.
func format(name string, syntax hostfile.Syntax, detect func(string, []byte) facts.Confidence, read func(*hostfile.File, string)) facts.Format {
	return facts.Format{
		Name: name, Detect: detect,
		Parse: func(ctx context.Context, piece evidence.Piece, sink facts.Sink) error {
			f, err := hostfile.Read(ctx, piece, sink, name, syntax)
			if f == nil || err != nil {
				return err
			}
			read(f, piece.Path)
			f.Finish()
			return ctx.Err()
		},
	}
}

// port reads a port number; 0 when the part is none.
func port(p hostfile.Part) uint16 {
	n, err := strconv.ParseUint(string(p.Text), 10, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// number reads a decimal number.
func number(p hostfile.Part) (int, bool) {
	n, err := strconv.Atoi(string(p.Text))
	return n, err == nil
}

// addr is the address a host is; not valid for a name.
func addr(host string) netip.Addr {
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}

// bind is an address for Service.Bind: every address is none.
func bind(host string) string {
	if a := addr(host); a.IsUnspecified() || host == "*" {
		return ""
	}
	return strings.Trim(host, "[]")
}

// table is the words of each group, separated by commas, with the group's reason.
func table(groups map[string]string) map[string]string {
	t := map[string]string{}
	for why, words := range groups {
		for w := range strings.SplitSeq(words, ",") {
			t[strings.TrimSpace(w)] = why
		}
	}
	return t
}
