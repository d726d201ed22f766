package panos

import (
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// A box is a system with management, interfaces and virtual systems: this one, or what a template of Panorama states.
// Each kind of statement may stand in several places.
type box struct {
	name    string // of the template
	scope   string // of what is no virtual system's
	mgt     []int32
	system  []int32 // deviceconfig
	network []int32
	shared  []int32
	vsyses  []*vsys
}

// A vsys is a place with rules and objects of its own: a virtual system, or a device group of Panorama.
type vsys struct {
	name    string
	scope   string
	group   bool // a device group
	roots   []int32
	space   *space
	zones   []string // names of its device zones, in order
	known   map[string]bool
	outside bool // a zone of it leads to another virtual system
	parent  *vsys
	local   bool // of a template: no rules but its own
	span    evidence.Span
}

// A layout is where everything stands.
type layout struct {
	box      *box
	boxes    []*box  // this system, then templates
	groups   []*vsys // device groups
	pushed   []int32 // what Panorama pushed to a firewall: policy panorama
	panorama bool
	top      *space            // the shared objects
	parents  map[string]string // device group to the one above it

}

// layout finds the places: below config and devices, or at the top.
func (p *parser) layout() {
	p.lay = layout{box: &box{}, parents: map[string]string{}}
	p.lay.boxes = []*box{p.lay.box}
	p.place(none, p.lay.box, 0)
	for _, b := range p.lay.boxes {
		single := len(b.vsyses) == 1 && b.vsyses[0].name == "vsys1"
		for _, v := range b.vsyses {
			switch {
			case single:
				v.scope = b.scope
			case b.scope != "":
				v.scope = b.scope + " " + v.name
			default:
				v.scope = v.name
			}
		}
	}
	for _, g := range p.lay.groups {
		name := p.lay.parents[g.name]
		for _, k := range p.lay.groups {
			if k.name == name && k != g {
				g.parent = k
			}
		}
	}
	for _, g := range p.lay.groups { // a ring of groups has no top
		n := 0
		for k := g.parent; k != nil; k = k.parent {
			if n++; n > len(p.lay.groups) {
				g.parent = nil
				break
			}
		}
	}
}

// maxWrap is how deep config, devices, response and the like may lie in one another.
const maxWrap = 8

// place finds what is right below n.
func (p *parser) place(n int32, b *box, depth int) {
	if depth > maxWrap {
		return
	}
	first := p.t.First
	if n != none {
		first = p.first(n)
	}
	for c := first; c != none; c = p.next(c) {
		switch string(p.t.Text(c)) {
		case "config", "response", "result":
			p.ok(c)
			p.version(c)
			p.place(c, b, depth+1)
		case "devices":
			p.ok(c)
			for k := p.first(c); k != none; k = p.next(k) {
				p.ok(k)
				p.place(k, b, depth+1)
			}
		case "mgt-config":
			b.mgt = append(b.mgt, c)
		case "deviceconfig":
			b.system = append(b.system, c)
		case "network":
			b.network = append(b.network, c)
		case "shared":
			b.shared = append(b.shared, c)
		case "panorama":
			if n == none || !p.is(n, "policy") {
				p.lay.panorama = p.lay.panorama || b == p.lay.box
				b.shared = append(b.shared, c)
			}
		case "vsys":
			p.ok(c)
			for k := p.first(c); k != none; k = p.next(k) {
				p.ok(k)
				v := b.vsys(p.text(k))
				v.roots = append(v.roots, k)
			}
		case "policy":
			p.policyRoot(c)
		case "readonly":
			p.readonly(c)
		case "device-group":
			p.lay.panorama = p.lay.panorama || b == p.lay.box
			p.deviceGroups(c)
		case "template", "template-stack":
			p.templates(c, b, depth)
		case "log-collector-group", "log-collector":
			p.lay.panorama = p.lay.panorama || b == p.lay.box
		default:
			if vsysWord(p.t.Text(c)) { // of the only virtual system
				v := b.vsys("vsys1")
				if len(v.roots) == 0 || v.roots[len(v.roots)-1] != n {
					v.roots = append(v.roots, n)
				}
			}
		}
	}
}

// vsys is b's virtual system of that name.
func (b *box) vsys(name string) *vsys {
	for _, v := range b.vsyses {
		if v.name == name {
			return v
		}
	}
	v := &vsys{name: name, known: map[string]bool{}}
	b.vsyses = append(b.vsyses, v)
	return v
}

// vsysWord reports whether a statement belongs to a virtual system.
func vsysWord(w []byte) bool {
	switch string(w) {
	case "address", "address-group", "application", "application-group", "application-filter", "service", "service-group",
		"zone", "rulebase", "pre-rulebase", "post-rulebase", "schedule", "tag", "region", "external-list", "import", "profiles",
		"profile-group", "log-settings", "server-profile", "setting", "display-name", "certificate", "local-user-database",
		"authentication-profile", "authentication-sequence", "certificate-profile", "ssl-tls-service-profile", "global-protect",
		"user-id-collector", "captive-portal", "group-mapping", "reports", "report-group", "email-scheduler", "threats",
		"dynamic-user-group", "vm-info-source", "ts-agent", "url-admin-override", "route", "ocsp-responder", "scep",
		"application-status", "application-tag", "device-object", "authentication-object", "response-page", "ssl-decrypt",
		"pdf-summary-report", "sdwan-interface-profile", "user", "user-group", "redistribution-agent", "dns-proxy",
		"redistribution-collector", "user-id-agent", "user-id-ssl-auth", "url-content-types":
		return true
	}
	return false
}

// policyRoot reads "policy": what Panorama pushed to a firewall.
func (p *parser) policyRoot(c int32) {
	p.ok(c)
	for k := p.first(c); k != none; k = p.next(k) {
		switch string(p.t.Text(k)) {
		case "panorama", "shared":
			p.ok(k)
			p.lay.pushed = append(p.lay.pushed, k)
		}
	}
}

// deviceGroups reads "device-group": rules and objects for the firewalls in it. Below readonly it says which is above which.
func (p *parser) deviceGroups(c int32) {
	p.ok(c)
	for k := p.first(c); k != none; k = p.next(k) {
		p.ok(k)
		name := p.text(k)
		if parent := p.leaf(k, "parent-dg"); parent != "" {
			p.lay.parents[name] = parent
		}
		var g *vsys
		for _, have := range p.lay.groups {
			if have.name == name {
				g = have
			}
		}
		if g == nil {
			g = &vsys{name: name, scope: name, group: true, known: map[string]bool{}}
			p.lay.groups = append(p.lay.groups, g)
		}
		g.roots = append(g.roots, k)
	}
}

// readonly is what Panorama keeps about its groups and devices beside what it was told.
func (p *parser) readonly(c int32) {
	p.ok(c)
	devices := p.kid(c, "devices")
	for d := p.first(devices); d != none; d = p.next(d) {
		groups := p.kid(d, "device-group")
		for g := p.first(groups); g != none; g = p.next(g) {
			if parent := p.leaf(g, "parent-dg"); parent != "" {
				p.lay.parents[p.text(g)] = parent
			}
		}
	}
	for k := p.first(c); k != none; k = p.next(k) {
		p.irrelevant(k, "readonly")
	}
}

// under puts what t states below what b states itself: of two that say the same the later one counts.
func (b *box) under(t *box) {
	b.mgt, b.system = append(t.mgt, b.mgt...), append(t.system, b.system...)
	b.network, b.shared = append(t.network, b.network...), append(t.shared, b.shared...)
	for _, v := range t.vsyses {
		own := b.vsys(v.name)
		own.roots = append(own.roots, v.roots...) // a name of an object has its first meaning
	}
}

// templates reads "template" and "template-stack". On a firewall a template is what Panorama pushed: the same system, whose
// own statements count before it ("Override a Template Setting", Panorama Admin Guide).
func (p *parser) templates(c int32, b *box, depth int) {
	p.ok(c)
	stack := p.is(c, "template-stack")
	for k := p.first(c); k != none; k = p.next(k) {
		if p.is(k, "config") {
			p.ok(k)
			var pushed box
			p.place(k, &pushed, depth+1)
			b.under(&pushed)
			continue
		}
		if b != p.lay.box {
			return
		}
		p.ok(k)
		p.lay.panorama = true
		for s := p.first(k); s != none; s = p.next(s) {
			switch string(p.t.Text(s)) {
			case "config":
				name := p.text(k)
				scope := "template " + name
				if stack {
					scope = "template-stack " + name
				}
				t := p.template(name, scope)
				p.ok(s)
				p.place(s, t, depth+1)
			default:
				p.other("template", s)
			}
		}
	}
}

// template is the box of a template.
func (p *parser) template(name, scope string) *box {
	for _, b := range p.lay.boxes {
		if b.scope == scope && b != p.lay.box {
			return b
		}
	}
	b := &box{name: name, scope: scope}
	p.lay.boxes = append(p.lay.boxes, b)
	return b
}

// version reads the attributes of the root element: the release the configuration was written by. That it is one of
// 10.1, detail-version tells more exactly.
func (p *parser) version(c int32) {
	if p.shape != xmlShape || p.d.Version.Known() {
		return
	}
	for _, name := range [...]string{"detail-version", "version"} {
		if v, ok := p.t.Attr(c, name); ok && len(v) > 0 && len(v) < 32 {
			p.d.Version = facts.Say(p.intern(v), p.span(c))
			return
		}
	}
}
