package ciscoios

import (
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// callHome reads "call-home": profiles that report to a management server, the configuration among what they report when
// it is subscribed to.
func (p *parser) callHome(n int32) {
	if p.negated {
		p.skip(n)
		return
	}
	p.ok(n)
	p.children(n, func(c int32) {
		if !p.is(0, "profile") {
			p.skip(c)
			return
		}
		p.ok(c)
		name := "call-home profile " + p.said(p.rest(c, 1))
		first := len(p.d.Clients)
		active := facts.Assume(false) // a profile is inactive until "active"
		config := false
		p.children(c, func(k int32) {
			switch {
			case p.is(0, "active"):
				active = facts.Say(!p.negated, p.span(k))
			case p.is(0, "subscribe-to-alert-group"):
				config = config || !p.negated && (p.is(1, "configuration") || p.is(1, "all"))
			case p.is(0, "destination") && p.is(1, "address") && p.is(2, "http") && !p.negated:
				if l, ok := p.link(3); ok {
					p.client("log-upload", name, l, p.span(k))
				}
			default:
				p.skip(k)
				return
			}
			p.ok(k)
		})
		for i := first; i < len(p.d.Clients); i++ {
			k := &p.d.Clients[i]
			k.Enabled, k.Automatic = active, true
			if config {
				k.Use = "archive" // the report holds the configuration
			}
		}
	})
}

// capture reads "monitor capture NAME file|export ... URL": packets written to another host. Other "monitor" statements
// copy frames to ports.
func (p *parser) capture(n int32) {
	if l, ok := p.findLink(2); ok && p.is(1, "capture") && !p.negated {
		p.ok(n)
		p.client("log-upload", "monitor capture", l, p.span(n))
		return
	}
	p.references(n, "monitor session")
	p.skip(n)
}

// container reads "virtual-service NAME" with "activate": a machine beside the device's own software.
func (p *parser) container(n int32) {
	if p.word(1) == nil || p.is(1, "signing") || p.negated {
		p.skip(n)
		return
	}
	p.ok(n)
	on := facts.Assume(false) // nothing runs before "activate"
	name := p.said(p.t.Text(n))
	p.children(n, func(c int32) {
		if p.is(0, "activate") {
			p.ok(c)
			on = facts.Say(!p.negated, p.span(c))
			return
		}
		p.skip(c)
	})
	p.d.Services = append(p.d.Services, facts.Service{Name: name, Role: facts.RoleShell, Enabled: on, Span: p.span(n)})
}

// overlayController reads "vbond HOST" of the "system" block: who configures an SD-WAN router.
func (p *parser) overlayController(n int32) {
	for c := p.t.Nodes[n].First; c != tree.None; c = p.t.Nodes[c].Next {
		if p.t.Nodes[c].Flags&tree.Raw != 0 {
			continue
		}
		p.read(c)
		if p.is(0, "vbond") && p.word(1) != nil && !p.negated {
			p.ok(c)
			p.trust("controller", "vbond", p.word(1), p.span(c))
		}
	}
	p.skip(n)
}
