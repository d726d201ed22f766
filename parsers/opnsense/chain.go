package opnsense

import (
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// Names of the filters that are no interface's own.
const (
	natPass     = "port forwards that pass"
	lockout     = "anti-lockout rule"
	floatingIn  = "floating rules in"
	floatingOut = "floating rules out"
	lateIn      = "rules without quick in"
	lateOut     = "rules without quick out"
)

// chains makes filters of the rules and binds them to every interface.
func (p *parser) chains() {
	own := map[string]*facts.Filter{}
	var names []string
	add := func(name, kind string, r facts.Rule) {
		f := own[name]
		if f == nil {
			f = &facts.Filter{Name: name, Kind: kind, Default: facts.Next, Stateful: true, Span: r.Span}
			own[name] = f
			names = append(names, name)
		}
		f.Rules = append(f.Rules, r)
	}
	p.passes(add)
	p.antiLockout(add)
	for _, r := range p.rules {
		if !r.quick {
			continue
		}
		if r.in {
			p.place(r, facts.In, floatingIn, add)
		}
		if r.out {
			p.place(r, facts.Out, floatingOut, add)
		}
	}
	for i := len(p.rules) - 1; i >= 0; i-- {
		if r := p.rules[i]; !r.quick && r.in {
			add(lateIn, "rules without quick, the last first", r.restricted(facts.In))
		}
	}
	for i := len(p.rules) - 1; i >= 0; i-- {
		if r := p.rules[i]; !r.quick && r.out {
			add(lateOut, "rules without quick, the last first", r.restricted(facts.Out))
		}
	}
	// What leaves and no rule decides passes: "let out anything from firewall host itself" (filter.inc, filter.lib.inc).
	names = append(names, "out")
	own["out"] = &facts.Filter{Name: "out", Kind: "default of what leaves", Default: facts.Permit, Stateful: true, Synthetic: true}
	p.blocked(add)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		p.D.Filters = append(p.D.Filters, *own[name])
	}
	if p.has(p.system, "disablefilter") {
		return // "Disable all packet filtering": the rules are there and decide nothing
	}
	for i := range p.D.Interfaces {
		p.bind(&p.D.Interfaces[i], own)
	}
}

// place puts a quick rule into the filter of floating rules, of its group, or of its interface.
func (p *parser) place(r *rule, dir facts.Direction, floating string, add func(string, string, facts.Rule)) {
	suffix := ""
	if dir == facts.Out {
		suffix = " out"
	}
	switch {
	case r.floating || len(r.ifaces) != 1 || r.notIface:
		add(floating, "floating rules", r.restricted(dir))
	default:
		add(r.ifaces[0]+suffix, "rules of an interface", r.Rule)
	}
}

// restricted is the rule for filters of more than its interfaces.
func (r *rule) restricted(dir facts.Direction) facts.Rule {
	out := r.Rule
	if len(r.ifaces) == 0 {
		return out
	}
	places := facts.Places{Names: r.ifaces, Present: true, Not: r.notIface}
	if dir == facts.In {
		out.Match.In = places
	} else {
		out.Match.Out = places
	}
	return out
}

// bind applies the filters to an interface, in the order pf meets them.
func (p *parser) bind(x *facts.Interface, own map[string]*facts.Filter) {
	in := []string{natPass, x.Name + " refused", lockout, floatingIn}
	out := []string{floatingOut}
	for _, g := range x.Lists {
		if p.groups[g] {
			in, out = append(in, g), append(out, g+" out")
		}
	}
	in, out = append(in, x.Name, lateIn), append(out, x.Name+" out", lateOut, "out")
	keep := func(list []string) []string {
		return slices.DeleteFunc(list, func(s string) bool { return own[s] == nil })
	}
	in, out = keep(in), keep(out)
	if len(in) == 0 { // pf blocks what no rule passes
		if own["in"] == nil {
			own["in"] = &facts.Filter{Name: "in", Kind: "default of what enters", Default: facts.Deny, Stateful: true, Synthetic: true}
			p.D.Filters = append(p.D.Filters, *own["in"])
		}
		in = []string{"in"}
	}
	x.Bindings = append(x.Bindings,
		facts.Binding{Filters: in, Where: x.Name, Direction: facts.In, Span: x.Span},
		facts.Binding{Filters: out, Where: x.Name, Direction: facts.Out, Span: x.Span})
}

// blocked are the networks an interface refuses: private ones (RFC 1918, RFC 6598, loopback, RFC 4193), and those that are
// nobody's, a list the device fetches.
func (p *parser) blocked(add func(string, string, facts.Rule)) {
	for c := p.First(p.interfaces); c != none; c = p.Next(c) {
		name := p.Text(c)
		if p.pf && p.whole && p.Kid(p.system, "ipv6allow") == none { // pfSense: "Allow IPv6" is off (filter.inc, Block all IPv6)
			r := facts.Rule{Name: "no ipv6allow", Action: facts.Deny, Span: p.Span(p.system)}
			r.Match.Src = facts.Addrs{Present: true, Items: []facts.AddrItem{{Any: true, Family: facts.IPv6}}}
			add(name+" refused", "networks an interface refuses", r)
		}
		if p.on(c, "blockpriv") {
			k := p.Kid(c, "blockpriv")
			r := facts.Rule{Name: "blockpriv", Action: facts.Deny, Span: p.Span(k)}
			r.Match.Src.Present = true
			for _, s := range [...]string{"10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"} {
				r.Match.Src.Items = append(r.Match.Src.Items, facts.AddrItem{Prefix: netip.MustParsePrefix(s)})
			}
			add(name+" refused", "networks an interface refuses", r)
		}
		if p.on(c, "blockbogons") {
			k := p.Kid(c, "blockbogons")
			r := facts.Rule{Name: "blockbogons", Action: facts.Deny, Span: p.Span(k)}
			r.Match.Src = facts.Addrs{Present: true, Items: bogons()}
			add(name+" refused", "networks an interface refuses", r)
		}
	}
}

// bogons are reserved networks that are in the list every device fetches and that RFC 6890 and RFC 5735 reserve for good. Of
// other addresses nobody holds it cannot be told; taken as passing, as a list that is not loaded would let them.
func bogons() []facts.AddrItem {
	var out []facts.AddrItem
	for _, s := range [...]string{"0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"} {
		out = append(out, facts.AddrItem{Prefix: netip.MustParsePrefix(s)})
	}
	return out
}

// antiLockout is the rule that keeps administrators in: on LAN, or on the only interface, to the web interface and SSH
// (filter.inc, filter_core_antilockout_ports). pfSense has it on the port of the web interface and 80, and SSH's.
func (p *parser) antiLockout(add func(string, string, facts.Rule)) {
	gui := p.Kid(p.system, "webgui")
	if !p.whole || p.has(gui, "noantilockout") {
		return
	}
	where := "lan"
	if _, ok := p.nets[where]; !ok {
		if len(p.order) == 0 {
			return
		}
		where = p.order[0]
	}
	r := facts.Rule{Name: lockout, Action: facts.Permit, Span: p.Span(gui)}
	r.Match.Protocols = []uint8{facts.TCP}
	r.Match.In = facts.Places{Names: []string{where}, Present: true}
	r.Match.Dst = facts.Addrs{Present: true, Items: p.item("(self)")}
	if p.pf {
		r.Match.Dst.Items = p.addrsOf(where)
	}
	r.Match.DstPorts.Present = true
	one := func(n uint16) {
		r.Match.DstPorts.Ranges = append(r.Match.DstPorts.Ranges, facts.PortRange{First: n, Last: n})
	}
	web := wordtree.Port(p.String(gui, "port"))
	https := p.String(gui, "protocol") != "http"
	switch {
	case web != 0:
		one(web)
	case https:
		one(443)
	default:
		one(80)
	}
	if https && !p.has(gui, "disablehttpredirect") {
		one(80)
	}
	if ssh := p.Kid(p.system, "ssh"); p.sshOn(ssh) {
		port := wordtree.Port(p.String(ssh, "port"))
		if port == 0 {
			port = 22
		}
		one(port)
	}
	add(lockout, "anti-lockout rule", r)
}

// passes are the port forwards that pass what they translate without asking the rules ("rdr pass").
func (p *parser) passes(add func(string, string, facts.Rule)) {
	for _, r := range p.passed {
		add(natPass, "port forwards that pass", r.rule)
	}
	if s, v := p.Leaf(p.system, "tftpinterface"); s != "" { // the TFTP proxy: "rdr pass", whatever the rules say
		r := facts.Rule{Name: "tftpinterface", Action: facts.Permit, Span: p.Span(v)}
		r.Match.Protocols = []uint8{facts.UDP}
		r.Match.DstPorts = facts.Ports{Present: true, Ranges: []facts.PortRange{{First: 69, Last: 69}}}
		r.Match.In = facts.Places{Names: fields(s), Present: true}
		add(natPass, "port forwards that pass", r)
	}
}
