package hostsvc

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/hostfile"
)

// Sockets reads what "ss -lntup" prints, with its heading or without (ss(8)): protocol, state, two queues, the local and the
// peer's end, the process.
func Sockets() facts.Format {
	return format("ss-sockets", hostfile.Syntax{}, func(name string, head []byte) facts.Confidence {
		return hostfile.Scan(head, "", func(line []byte) (bool, bool) {
			w := hostfile.Part{Text: line}.Fields()
			if len(w) > 2 && w[0].Is("Netid") && w[1].Is("State") {
				return true, true
			}
			_, _, _, ok := socket(w)
			return ok, ok
		}).Confidence(hostfile.Named(name, "listeners.txt"))
	}, func(f *hostfile.File, _ string) { readSockets(f) })
}

// socket reads the fields of a line.
func socket(w []hostfile.Part) (transport uint8, local, peer netip.AddrPort, ok bool) {
	if len(w) < 6 {
		return 0, local, peer, false
	}
	switch string(w[0].Text) {
	case "tcp":
		transport = facts.TCP
	case "udp":
		transport = facts.UDP
	default:
		return 0, local, peer, false
	}
	local, ok = end(w[4].String())
	if !ok {
		return 0, local, peer, false
	}
	if peer, ok = end(w[5].String()); !ok {
		peer = netip.AddrPort{} // "0.0.0.0:*": none
	}
	return transport, local, peer, true
}

// end reads "address:port", "*:port", "[address]:port" and "address%interface:port".
func end(s string) (netip.AddrPort, bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return netip.AddrPort{}, false
	}
	n := port(hostfile.Part{Text: []byte(s[i+1:])})
	host, _, _ := strings.Cut(strings.Trim(s[:i], "[]"), "%")
	host = strings.TrimSuffix(host, "]")
	a := netip.IPv6Unspecified()
	if host != "*" {
		a = addr(host)
	}
	return netip.AddrPortFrom(a, n), n != 0 && a.IsValid()
}

// readSockets states every socket, and a service for each listener at a port of a transfer protocol, named as SNMP's are.
func readSockets(f *hostfile.File) {
	d := f.Device
	d.Has, d.Aspect = facts.HasListeners, ""
	seen := map[string]bool{}
	for i := range f.Lines {
		l := &f.Lines[i]
		w := l.Fields()
		if len(w) > 0 && w[0].Is("Netid") {
			l.OK()
			continue
		}
		transport, local, peer, ok := socket(w)
		if !ok {
			continue
		}
		l.OK()
		listening := w[1].Is("LISTEN") || w[1].Is("UNCONN")
		s := facts.Socket{Transport: transport, Local: local, Listening: listening, Process: process(l.Part), Taken: d.Taken, Span: f.Span(l.Part)}
		if !listening {
			s.Remote = peer
		}
		d.Sockets = append(d.Sockets, s)
		proto := facts.ByPort(transport, local.Port())
		if !listening || proto == facts.ProtocolUnknown || local.Addr().IsLoopback() {
			continue
		}
		x := facts.Service{
			Protocol: proto, Name: fmt.Sprintf("listener %s/%d", w[0], local.Port()), Enabled: facts.Say(true, f.Span(l.Part)), Port: local.Port(),
			Bind: hostfile.Bind(local.Addr().String()), Span: f.Span(l.Part),
		}
		if !seen[x.Name+x.Bind] {
			seen[x.Name+x.Bind] = true
			d.Services = append(d.Services, x)
		}
	}
}

// process is the first name in users:(("name",pid=1,fd=3)).
func process(l hostfile.Part) string {
	_, rest, ok := bytes.Cut(l.Text, []byte(`users:(("`))
	if !ok {
		return ""
	}
	name, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(bytes.ToValidUTF8(name, []byte("?")))
}
