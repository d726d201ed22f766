package vyos

import (
	"net/netip"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// zoneLists are where zones stand: "zone-policy zone" up to 1.3 and on EdgeOS, "firewall zone" from 1.4.
func (p *parser) zoneLists() []int32 {
	return []int32{p.Under(root, "zone-policy", "zone"), p.Kid(p.firewall, "zone")}
}

// zoneNames notes which interface is in which zone.
func (p *parser) zoneNames() {
	for _, list := range p.zoneLists() {
		p.Each(list, "", func(z int32) {
			for _, at := range [...]int32{p.Kid(z, "interface"), p.Under(z, "member", "interface")} {
				p.OKAll(at)
				p.Each(at, "", func(v int32) { p.zones[p.Text(v)] = p.Text(z) })
			}
		})
	}
}

// self is what a zone with local-zone is called: the device.
const self = "self"

// zonePolicy reads what may pass between zones: within one everything, between two what the rule set says that the zone packets
// go to names for the one they come from, else nothing ("Zone Policy", VyOS documentation). What a zone's interfaces and others
// say to each other is told in more than one way; that is unknown.
func (p *parser) zonePolicy() {
	z := &p.D.Zoning
	name := func(n int32) string {
		if p.Kid(n, "local-zone") != none {
			return self
		}
		return p.Text(n)
	}
	names := map[string]string{}
	any, local := false, false
	for _, list := range p.zoneLists() {
		p.Each(list, "", func(n int32) {
			any = true
			names[p.Text(n)] = name(n)
			local = local || name(n) == self
		})
	}
	if !any {
		return
	}
	z.Model, z.IntraZone, z.InterZone, z.Mixed = facts.Zones, facts.Permit, facts.Deny, facts.ActionUnknown
	z.SelfIn, z.SelfOut = facts.Permit, facts.Permit
	if local {
		z.SelfIn, z.SelfOut = facts.Deny, facts.Deny
	}
	for _, list := range p.zoneLists() {
		p.Each(list, "", func(n int32) {
			p.OK(n)
			p.OKAll(p.Kid(n, "local-zone"))
			p.OKAll(p.Kid(n, "member"))
			if k := p.Kid(n, "default-action"); k != none {
				if s, _ := p.ValueOf(k); s != "drop" && s != "reject" {
					p.Unsupported(k, "a default action of a zone that is not modelled")
					z.InterZone = facts.ActionUnknown
				}
			}
			if k := p.Kid(n, "intra-zone-filtering"); k != none {
				p.Unsupported(k, "filters within a zone are not modelled")
				z.IntraZone = facts.ActionUnknown
			}
			if k := p.Kid(n, "default-firewall"); k != none {
				p.Unsupported(k, "a zone's rule set for every other zone is not modelled")
				z.InterZone = facts.ActionUnknown
			}
			p.OKAll(p.Kid(n, "enable-default-log"))
			p.OKAll(p.Kid(n, "default-log"))
			p.Each(p.Kid(n, "from"), "", func(from int32) {
				p.OKAll(from)
				pair := facts.ZonePair{From: p.Text(from), To: name(n), Span: p.Span(from)}
				if known, ok := names[pair.From]; ok {
					pair.From = known
				}
				fw := p.Kid(from, "firewall")
				for _, w := range [...]struct {
					word   string
					family facts.Family
				}{{"name", facts.IPv4}, {"ipv6-name", facts.IPv6}} {
					if s := p.String(fw, w.word); s != "" {
						pair.Filters = append(pair.Filters, p.chain(s, w.family)...)
					}
				}
				z.Pairs = append(z.Pairs, pair)
			})
		})
	}
}

// nat reads translations: destination before, source behind the filters, static both.
func (p *parser) nat() {
	at := p.Kid(root, "nat")
	for _, kind := range [...]string{"destination", "source", "static"} {
		p.Each(p.Under(at, kind, "rule"), "", func(r int32) { p.natRule(r, kind) })
	}
	p.Each(p.Under(p.service, "nat", "rule"), "", func(r int32) { // EdgeOS
		kind := p.String(r, "type")
		if kind == "masquerade" {
			kind = "source"
		}
		p.natRule(r, kind)
	})
	if k := p.Kid(root, "nat66"); k != none {
		p.Unsupported(k, "translations of IPv6 are not modelled")
		p.D.NAT = append(p.D.NAT, facts.NAT{Kind: "static", Unread: "translations of IPv6 are not modelled", Span: p.Span(k)})
	}
}

// natIface reads the interface of a rule, in every spelling.
func (p *parser) natIface(r int32, word string) string {
	k := p.Kid(r, word)
	if k == none {
		return ""
	}
	for _, w := range [...]string{"name", "interface-name", "group"} {
		if s := p.String(k, w); s != "" {
			return s
		}
	}
	s, _ := p.ValueOf(k)
	if s == "any" {
		return ""
	}
	return s
}

func (p *parser) natRule(r int32, kind string) {
	p.OKAll(r)
	if p.off(r) || p.Kid(r, "exclude") != none {
		return
	}
	x := facts.NAT{Kind: kind, Span: p.Span(r), In: p.natIface(r, "inbound-interface"), Out: p.natIface(r, "outbound-interface")}
	to := p.Kid(r, "translation")
	target, targetPort := p.String(to, "address"), p.String(to, "port")
	if inside := p.Kid(r, "inside-address"); inside != none {
		target, targetPort = p.String(inside, "address"), p.String(inside, "port")
	}
	if kind == "source" {
		p.D.NAT = append(p.D.NAT, facts.NAT{Kind: "source", Out: x.Out, Span: x.Span})
		return
	}
	dst := p.Kid(r, "destination")
	original, _, ok1 := wordtree.Prefix([]byte(p.String(dst, "address")))
	mapped, _, ok2 := wordtree.Prefix([]byte(target))
	x.Original, x.Mapped = original, mapped
	if s := p.String(dst, "port"); s != "" {
		ports, ok := portSet(s)
		if ok && len(ports.Ranges) == 1 && !ports.Not {
			x.OriginalPorts, x.MappedPorts = ports.Ranges[0], ports.Ranges[0]
		} else {
			x.Unread = "it depends on several ports"
		}
	}
	switch {
	case x.Unread != "":
	case targetPort != "" && targetPort != p.String(dst, "port"):
		x.Unread = "it changes the port"
	case p.Kid(r, "source") != none:
		x.Unread = "it depends on the source"
	case p.Kid(dst, "group") != none:
		x.Unread = "it depends on a group"
	case !ok1:
		x.Unread = "which addresses it translates"
	case !ok2:
		x.Unread = "the target " + target
	case original.Bits() != mapped.Bits():
		x.Unread = "networks of different size"
	}
	x.Static = x.Unread == ""
	var m facts.Match
	p.protocol(p.String(r, "protocol"), &m)
	if len(m.Protocols) == 0 {
		p.D.NAT = append(p.D.NAT, x)
	}
	for _, proto := range m.Protocols {
		y := x
		y.Transport = proto
		p.D.NAT = append(p.D.NAT, y)
	}
}

// weekdays in the order of facts.Window.Days.
var weekdays = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// times reads the times of a rule: days of the week, hours, dates.
func (p *parser) times(n int32) *facts.TimeRange {
	t := &facts.TimeRange{Name: "time", Span: p.Span(n)}
	w := facts.Window{Days: 1<<7 - 1, To: 1440}
	for c := p.First(n); c != none; c = p.Next(c) {
		s, v := p.ValueOf(c)
		switch word := p.Text(c); word {
		case "starttime", "stoptime":
			m, ok := clock(s)
			switch {
			case !ok:
				t.Unread = "a time that is not understood"
			case word == "starttime":
				w.From = m
			default:
				w.To = m
			}
		case "weekdays":
			plain, not := strings.CutPrefix(s, "!")
			w.Days = 0
			for d := range strings.FieldsFuncSeq(strings.ToLower(plain), func(c rune) bool { return c == ',' || c == ' ' }) {
				for i, name := range weekdays {
					if strings.HasPrefix(d, name) {
						w.Days |= 1 << i
					}
				}
			}
			if not {
				w.Days ^= 1<<7 - 1
			}
		case "startdate", "stopdate":
			day, err := time.Parse("2006-01-02", s)
			switch {
			case err != nil:
				t.Unread = "a date that is not understood"
			case word == "startdate":
				t.From = day
			default:
				t.To = day
			}
		case "utc":
			p.OKAll(c)
		default:
			t.Unread = "days of a month"
		}
		_ = v
	}
	t.Periodic = append(t.Periodic, w)
	return t
}

func clock(s string) (uint16, bool) {
	parts := strings.Split(s, ":")
	if len(parts) < 2 {
		return 0, false
	}
	h, ok1 := field.Uint([]byte(parts[0]))
	m, ok2 := field.Uint([]byte(parts[1]))
	return uint16(h*60 + m), ok1 && ok2 && h <= 24 && m < 60
}

// addrOf is the address s is, if it is one.
func addrOf(s string) netip.Addr {
	a, _ := field.Addr([]byte(s))
	return a
}
