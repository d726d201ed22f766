package judge

import (
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// narrow is the most ports that a range about a protocol holds: more is about ports in general.
const narrow = 100

// NamesTransfers are the transfer protocols whose ports, or whose names as applications, a rule's match is about, in the
// order of facts.TransferPorts; none for a match that is about everything. Groups are looked into.
func NamesTransfers(d *facts.Device, f *facts.Filter, m *facts.Match) []facts.Protocol {
	var out []facts.Protocol
	add := func(p facts.Protocol) {
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	names(d, f, m, func(l facts.Listener) { add(l.Protocol) }, add)
	return out
}

// Covers reports whether a rule's match names a port of a listener, in its transport.
func Covers(d *facts.Device, f *facts.Filter, m *facts.Match, l facts.Listener) bool {
	found := false
	names(d, f, m, func(o facts.Listener) { found = found || o == l }, func(p facts.Protocol) { found = found || p == l.Protocol })
	return found
}

// names visits the listeners whose ports, and the protocols whose applications, a match names.
func names(d *facts.Device, f *facts.Filter, m *facts.Match, port func(facts.Listener), app func(facts.Protocol)) {
	named := func(protocols []uint8, ports *facts.Ports) {
		if ports.Not {
			return
		}
		for _, l := range facts.TransferPorts() {
			if len(protocols) > 0 && !slices.Contains(protocols, l.Transport) {
				continue
			}
			for _, r := range ports.Ranges {
				if r.Last-r.First < narrow && r.First <= l.Ports.Last && l.Ports.First <= r.Last {
					port(l)
				}
			}
		}
	}
	var service func(items []facts.ServiceItem, scope string, depth int)
	service = func(items []facts.ServiceItem, scope string, depth int) {
		for i := range items {
			it := &items[i]
			switch {
			case it.Except || depth > 8:
			case it.Group == "":
				named(it.Protocols, &it.Dst)
			default:
				for k := range d.Groups {
					g := &d.Groups[k]
					if g.Name != it.Group || g.Kind == facts.NetworkGroup || g.Scope != scope && g.Scope != "" {
						continue
					}
					service(g.Services, g.Scope, depth+1)
					named(g.Protocols, &facts.Ports{Ranges: g.Ports})
					for _, x := range g.Members {
						service([]facts.ServiceItem{{Group: x}}, g.Scope, depth+1)
					}
				}
			}
		}
	}
	var walk func(m *facts.Match)
	walk = func(m *facts.Match) {
		if m.Not {
			return
		}
		protocols := m.Protocols
		if m.NotProtocols {
			protocols = nil
		}
		named(protocols, &m.DstPorts)
		named(protocols, &m.EitherPorts)
		for _, name := range m.DstPorts.Groups {
			service([]facts.ServiceItem{{Group: name}}, f.Scope, 0)
		}
		service(m.Services, f.Scope, 0)
		for _, name := range m.Apps {
			switch name {
			case "ftp":
				app(facts.FTP)
			case "tftp":
				app(facts.TFTP)
			case "ms-ds-smb", "ms-ds-smbv1", "ms-ds-smbv2", "ms-ds-smbv3", "smb":
				app(facts.SMB)
			}
		}
		for i := range m.AnyOf {
			walk(&m.AnyOf[i])
		}
		for i := range m.AllOf {
			walk(&m.AllOf[i])
		}
	}
	walk(m)
}
