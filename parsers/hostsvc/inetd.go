package hostsvc

import (
	"bytes"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/hostfile"
)

// Inetd reads inetd.conf: lines "[address:]service type protocol wait user program arguments" (inetd.conf(5)).
func Inetd() facts.Format {
	return format("inetd-config", hostfile.Syntax{Comments: "#"}, func(name string, head []byte) facts.Confidence {
		return hostfile.Scan(head, "#", func(line []byte) (bool, bool) {
			return inetdLine(bytes.Fields(line)), true
		}).Confidence(hostfile.Named(name, "inetd.conf"))
	}, func(f *hostfile.File, _ string) { readInetd(f) })
}

func inetdLine(w [][]byte) bool {
	if len(w) < 6 {
		return false
	}
	switch string(w[1]) {
	case "stream", "dgram", "raw", "rdm", "seqpacket":
	default:
		return false
	}
	for _, p := range []string{"tcp", "udp", "unix", "rpc/"} {
		if bytes.HasPrefix(w[2], []byte(p)) {
			return bytes.HasPrefix(w[3], []byte("wait")) || bytes.HasPrefix(w[3], []byte("nowait"))
		}
	}
	return false
}

func readInetd(f *hostfile.File) {
	for i := range f.Lines {
		l := &f.Lines[i]
		if l.Comment {
			continue
		}
		w := l.Fields()
		words := make([][]byte, len(w))
		for j := range w {
			words[j] = w[j].Text
		}
		if !inetdLine(words) {
			continue
		}
		l.OK()
		inetdService(f, l, w)
	}
}

func inetdService(f *hostfile.File, l *hostfile.Line, w []hostfile.Part) {
	args := append([]hostfile.Part{w[5]}, w[min(7, len(w)):]...) // the seventh is the program's own name
	wrapped := strings.HasSuffix(w[5].String(), "/tcpd")
	if wrapped {
		args = w[6:]
	}
	transport := facts.TCP
	if bytes.HasPrefix(w[2].Text, []byte("udp")) {
		transport = facts.UDP
	}
	service, host := w[0], ""
	if at := bytes.LastIndexByte(w[0].Text, ':'); at >= 0 {
		service, host = w[0].From(at+1), w[0].Slice(0, at).String()
	}
	n := port(service)
	s, ok := f.Daemon(args)
	if !ok {
		s.Protocol, ok = byName(service.String(), transport, n)
	}
	if !ok {
		return
	}
	s.Name, s.Fragment, s.Span = "inetd "+service.String(), false, f.Span(l.Part)
	s.Enabled = facts.Say(true, f.Span(l.Part))
	s.Bind = bind(host)
	if n != 0 && facts.ByPort(transport, n) != s.Protocol {
		s.Port = n
	}
	if wrapped {
		s.ACL = facts.Say("hosts.allow and hosts.deny", f.Span(w[5]))
	}
	f.Device.Services = append(f.Device.Services, s)
}
