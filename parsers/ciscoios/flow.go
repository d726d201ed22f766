package ciscoios

import (
	"slices"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// A sampling looks at one packet of n.
type sampling struct {
	n    int
	span evidence.Span
}

// A samplerUse is an interface whose flows are sampled; without a name by what the device says for all of them.
type samplerUse struct {
	name string
	span evidence.Span
}

// flow reads "flow exporter X" and "flow monitor X".
func (p *parser) flow(n int32) {
	name := p.str(p.word(2))
	switch {
	case p.negated:
		p.skip(n)
	case p.is(1, "exporter") && len(p.w) == 3:
		p.ok(n)
		var h facts.FlowHost
		p.children(n, func(c int32) {
			p.ok(c)
			switch {
			case p.is(0, "destination") && !p.negated && p.word(1) != nil: // destination HOST [vrf V]
				h.Host, h.Span = p.str(p.word(1)), p.span(c)
				h.Addr, _ = field.Addr(p.word(1))
				if p.is(2, "vrf") {
					h.Scope = p.str(p.word(3))
				}
			case p.is(0, "transport") && p.is(1, "udp"):
				h.Port, _ = field.Port(p.word(2))
			}
		})
		if h.Host != "" {
			if p.log.exporters == nil {
				p.log.exporters = map[string]*facts.FlowHost{}
			}
			p.log.exporters[name] = &h
			p.d.Logging.FlowHosts = append(p.d.Logging.FlowHosts, h)
		}
	case p.is(1, "monitor") && len(p.w) == 3:
		p.ok(n)
		p.children(n, func(c int32) {
			p.ok(c)
			if p.is(0, "exporter") && !p.negated {
				if p.log.monitors == nil {
					p.log.monitors = map[string][]string{}
				}
				p.log.monitors[name] = append(p.log.monitors[name], p.str(p.word(1)))
			}
		})
	default:
		p.skip(n) // records: what is measured
	}
}

// flowExport reads "ip flow-export destination HOST PORT [vrf V]".
func (p *parser) flowExport(n int32) {
	p.ok(n)
	if !p.is(2, "destination") || p.negated || p.word(3) == nil {
		return
	}
	h := facts.FlowHost{Host: p.str(p.word(3)), Span: p.span(n)}
	h.Addr, _ = field.Addr(p.word(3))
	h.Port, _ = field.Port(p.word(4))
	if p.is(5, "vrf") {
		h.Scope = p.str(p.word(6))
	}
	p.d.Logging.FlowHosts = append(p.d.Logging.FlowHosts, h)
	if p.log.legacy.IsZero() {
		p.log.legacy = mark{p.span(n)}
	}
}

// ifaceFlow reads "ip flow monitor M [sampler S] input|output" and "ip flow ingress|egress".
func (p *parser) ifaceFlow(f *facts.Interface, c int32) bool {
	switch string(p.word(2)) {
	case "monitor":
		p.ok(c)
		if p.negated || p.word(3) == nil {
			return true
		}
		p.useMonitor(p.str(p.word(3)), p.span(c))
		f.Flow = facts.Say(true, p.span(c))
		if p.is(4, "sampler") && p.word(5) != nil {
			p.sampledBy(p.str(p.word(5)), p.span(c))
		}
	case "ingress", "egress":
		p.ok(c)
		p.log.flowHere = p.log.flowHere || !p.negated
		f.Flow = facts.Say(!p.negated, p.span(c))
	default:
		return false
	}
	return true
}

func (p *parser) useMonitor(name string, span evidence.Span) {
	if p.log.used == nil {
		p.log.used = map[string]evidence.Span{}
	}
	if _, known := p.log.used[name]; !known {
		p.log.used[name] = span
	}
}

func (p *parser) sampledBy(name string, span evidence.Span) {
	if len(p.log.samplersFor) < maxPlanes {
		p.log.samplersFor = append(p.log.samplersFor, samplerUse{name, span})
	}
}

// samplerMap reads "sampler S" with "mode random|deterministic 1 out-of N", and "flow-sampler-map S" with "mode random
// one-out-of N".
func (p *parser) samplerMap(n int32) {
	if p.negated || p.word(1) == nil {
		p.skip(n)
		return
	}
	p.ok(n)
	name := p.str(p.word(1))
	p.children(n, func(c int32) {
		i := max(p.has(1, "out-of"), p.has(1, "one-out-of"))
		if !p.is(0, "mode") || i < 0 {
			p.skip(c)
			return
		}
		p.ok(c)
		if one, ok := number(p.word(i + 1)); ok && one > 0 {
			if p.log.samplers == nil {
				p.log.samplers = map[string]sampling{}
			}
			p.log.samplers[name] = sampling{one, p.span(c)}
		}
	})
}

// finishFlow states whether flows leave the device and how many packets they are made of.
func (p *parser) finishFlow(whole bool) {
	l := &p.d.Logging
	l.FlowExport = p.exports()
	if l.FlowExport.Origin == facts.Unknown && whole {
		l.FlowExport = facts.Assume(false)
	}
	if whole {
		for i := range p.d.Interfaces { // nothing is measured unless it is asked for
			if f := &p.d.Interfaces[i]; f.Flow.Origin == facts.Unknown {
				f.Flow = facts.Assume(false)
			}
		}
	}
	if !p.log.flowOn && len(p.log.used) == 0 {
		return
	}
	if len(p.log.samplersFor) == 0 {
		l.FlowSampling = facts.Assume(1) // every packet unless a sampler is named
		return
	}
	for _, u := range p.log.samplersFor {
		s, known := p.log.samplers[u.name]
		if !known {
			l.FlowSampling = facts.V[int]{}
			return
		}
		if s.n > l.FlowSampling.Val {
			l.FlowSampling = facts.Say(s.n, s.span)
		}
	}
}

// exports reports whether flows leave the device.
func (p *parser) exports() facts.V[bool] {
	if !p.log.legacy.IsZero() && p.log.flowOn {
		return facts.Say(true, p.log.legacy.Span)
	}
	var names []string
	for name := range p.log.used {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, e := range p.log.monitors[name] {
			if h, ok := p.log.exporters[e]; ok {
				return facts.Say(true, h.Span)
			}
		}
	}
	return facts.V[bool]{}
}
