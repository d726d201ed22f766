package fortios

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/facts"
)

// policies reads the lists of policies of a VDOM and applies them.
func (p *parser) policies(root *node) {
	times := p.schedules(root)
	six := len(root.configs("firewall policy6")) > 0
	fam := facts.AnyFamily
	if six {
		fam = facts.IPv4
	}
	for _, l := range []struct {
		path, name string
		family     facts.Family
	}{{"firewall policy", "policy", fam}, {"firewall consolidated policy", "policy", facts.AnyFamily}, {"firewall policy6", "policy6", facts.IPv6}} {
		blocks := root.configs(l.path)
		if len(blocks) == 0 {
			continue
		}
		f := facts.Filter{Name: l.name, Scope: p.scope, Kind: "firewall policy", Family: l.family, Default: facts.Deny, Stateful: true, Span: p.span(blocks[0])}
		edits, inside := root.edits(l.path), p.intrazone(root)
		f.Rules = append(make([]facts.Rule, 0, len(edits)+len(inside)), inside...)
		for _, n := range edits {
			f.Rules = append(f.Rules, facts.Rule{})
			p.policy(&f.Rules[len(f.Rules)-1], n, l.family, times)
		}
		p.d.Filters = append(p.d.Filters, f)
		p.d.Bindings = append(p.d.Bindings, facts.Binding{Filters: []string{l.name}, Family: l.family, Where: facts.WhereTransit, Scope: p.scope, Span: f.Span})
	}
	for _, l := range []struct {
		path   string
		family facts.Family
	}{{"firewall local-in-policy", facts.IPv4}, {"firewall local-in-policy6", facts.IPv6}} {
		edits := root.edits(l.path)
		if len(edits) == 0 {
			continue
		}
		name := strings.TrimPrefix(l.path, "firewall ")
		// What no policy denies, the interfaces' allowaccess decides.
		f := facts.Filter{Name: name, Scope: p.scope, Kind: "local-in policy", Family: l.family, Default: facts.Permit, Stateful: true, Span: p.span(root.configs(l.path)[0])}
		for _, n := range edits {
			if in := n.set("intf"); in != nil && n.set("srcintf") == nil {
				in.key = "srcintf"
			}
			f.Rules = append(f.Rules, facts.Rule{})
			p.policy(&f.Rules[len(f.Rules)-1], n, l.family, times)
		}
		p.d.Filters = append(p.d.Filters, f)
		p.d.Bindings = append(p.d.Bindings, facts.Binding{Filters: []string{name}, Family: l.family, Where: facts.WhereControlPlane, Direction: facts.In, Scope: p.scope, Span: f.Span})
	}
}

// intrazone are rules for zones that let their own interfaces talk: "set intrazone allow"; the default is deny.
func (p *parser) intrazone(root *node) []facts.Rule {
	var out []facts.Rule
	for _, z := range root.edits("system zone") {
		if z.value("intrazone") == "allow" {
			in := facts.Places{Names: []string{z.key}, Present: true}
			out = append(out, facts.Rule{Name: "intrazone " + z.key, Action: facts.Permit, Match: facts.Match{In: in, Out: in}, Span: p.span(z.set("intrazone"))})
		}
	}
	return out
}

// plain are keys of a policy that decide nothing about what passes.
var plain = func() map[string]bool {
	all := map[string]bool{}
	for _, key := range [...]string{
		"uuid", "nat", "ippool", "poolname", "fixedport", "utm-status", "inspection-mode", "profile-type", "profile-group", "profile-protocol-options",
		"ssl-ssh-profile", "av-profile", "webfilter-profile", "dnsfilter-profile", "emailfilter-profile", "dlp-sensor", "dlp-profile", "file-filter-profile",
		"ips-sensor", "application-list", "voip-profile", "icap-profile", "waf-profile", "casb-profile", "spamfilter-profile", "session-ttl", "traffic-shaper",
		"traffic-shaper-reverse", "per-ip-shaper", "logtraffic-start", "auto-asic-offload", "tcp-mss-sender", "tcp-mss-receiver", "label", "global-label", "comments",
		"passive-wan-health-measurement", "np-acceleration", "capture-packet", "match-vip", "block-notification", "diffserv-forward", "diffservcode-forward",
		"diffserv-reverse", "diffservcode-rev", "permit-any-host", "natip", "inbound", "outbound", "vpntunnel", "wccp", "schedule-timeout", "geoip-match", "anti-replay",
		"tcp-session-without-syn", "send-deny-packet", "replacemsg-override-group", "wanopt", "webcache", "dynamic-shaping", "delay-tcp-npu-session", "timeout-send-rst",
		"virtual-patch", "ha-mgmt-intf-only", "deep-inspection-options", "central-nat", "http-policy-redirect", "ssh-policy-redirect", "tos-negate", "match-vip-only", "email-collect",
	} {
		all[key] = true
	}
	return all
}()

// conditions are keys of a policy whose answer is not in a packet.
var conditions = func() map[string]bool {
	all := map[string]bool{}
	for _, key := range [...]string{
		"groups", "users", "fsso-groups", "devices", "srcaddr-mac", "ztna-tags", "ztna-ems-tag", "ztna-geo-tag", "rtp-addr", "rtp-nat", "reputation-minimum",
		"vlan-filter", "tos", "tos-mask", "sgt", "vlan-cos-fwd",
	} {
		all[key] = true
	}
	return all
}()

// policy reads one entry. Without an action it denies (FortiOS CLI reference, firewall policy).
func (p *parser) policy(r *facts.Rule, n *node, fam facts.Family, times map[string]*facts.TimeRange) {
	r.Name, r.Action, r.Span, r.Remark = n.key, facts.Deny, p.span(n), clip(strings.TrimSpace(n.value("name")+" "+n.value("comments")))
	switch a := n.value("action"); a {
	case "accept", "ipsec", "ssl-vpn":
		r.Action = facts.Permit
	case "", "deny":
	default:
		r.Action = facts.ActionUnknown
	}
	if n.value("status") == "disable" {
		r.Inactive = facts.Say(true, p.span(n.set("status")))
	}
	m := &r.Match
	m.In, m.Out = p.ways(n, "srcintf"), p.ways(n, "dstintf")
	p.ends(n, m, fam)
	p.services(n, m)
	if s := n.value("schedule"); s != "" && s != "always" {
		if r.Times = times[s]; r.Times == nil {
			r.Times = &facts.TimeRange{Name: s, Unread: "schedule " + s}
		}
	}
	if v := n.values("application"); len(v) > 0 {
		m.Apps = v
	}
	switch log := n.set("logtraffic"); {
	case log != nil:
		r.Log = facts.Say(n.value("logtraffic") == "all", p.span(log)) // utm: sessions without an event are not logged
	case r.Action == facts.Permit:
		r.Log = facts.Assume(false)
	}
	for _, k := range n.kids {
		if k.kind == isSet && k.state == facts.Unrecognised {
			if plain[k.key] {
				k.state = facts.Understood
				continue
			}
			if conditions[k.key] {
				k.state = facts.Understood
				if len(k.words) > 0 && (k.key != "rtp-nat" || k.words[0].text == "enable") {
					m.Unread = append(m.Unread, clip(k.key+" "+join(k.words)))
				}
				continue
			}
			m.Unread = append(m.Unread, clip(k.key+" "+join(k.words)))
			k.state, k.reason = facts.Unsupported, "a condition of a policy that is not modelled"
		}
	}
}

func clip(s string) string { return s[:min(len(s), 512)] }

func (p *parser) ways(n *node, key string) facts.Places {
	names := n.values(key)
	not := n.value(key+"-negate") == "enable"
	if len(names) == 0 || slices.Contains(names, "any") {
		return facts.Places{}
	}
	return facts.Places{Names: names, Present: true, Not: not}
}

// ends reads the source and destination. A policy's IPv4 and IPv6 addresses are stated apart; one that states none of a
// version does not match it.
func (p *parser) ends(n *node, m *facts.Match, fam facts.Family) {
	for _, e := range []struct {
		to       *facts.Addrs
		key      string
		internet string
	}{{&m.Src, "srcaddr", "internet-service-src"}, {&m.Dst, "dstaddr", "internet-service"}} {
		net := false
		for _, k := range n.kids {
			if k.kind == isSet && (k.key == e.internet || strings.HasPrefix(k.key, e.internet+"-")) &&
				(e.internet == "internet-service-src" || !strings.HasPrefix(k.key, "internet-service-src")) {
				k.state = facts.Understood
				net = net || len(k.words) > 0 && k.words[0].text != "disable"
			}
		}
		if net {
			e.to.Present = true
			e.to.Items = append(e.to.Items, facts.AddrItem{Unread: e.internet, Span: p.span(n)})
			if e.key == "dstaddr" {
				m.Unread = append(m.Unread, "internet-service")
			}
			continue
		}
		before := ""
		if fam == facts.IPv6 {
			before = v6
		}
		four, sixes := n.values(e.key), n.values(e.key+"6")
		if len(four)+len(sixes) == 0 {
			continue
		}
		e.to.Present = true
		e.to.Items = make([]facts.AddrItem, 0, len(four)+len(sixes))
		for _, name := range four {
			e.to.Items = append(e.to.Items, facts.AddrItem{Group: before + name, Span: p.span(n.set(e.key))})
		}
		for _, name := range sixes {
			e.to.Items = append(e.to.Items, facts.AddrItem{Group: v6 + name, Span: p.span(n.set(e.key + "6"))})
		}
		if n.value(e.key+"-negate") == "enable" {
			e.to.Not = true
			if before == "" && len(sixes) == 0 { // the complement is of the same version
				only := facts.Addrs{Present: true, Items: []facts.AddrItem{{Any: true, Family: facts.IPv4}}}
				if e.key == "srcaddr" {
					m.AllOf = append(m.AllOf, facts.Match{Src: only})
				} else {
					m.AllOf = append(m.AllOf, facts.Match{Dst: only})
				}
			}
		}
	}
}

func (p *parser) services(n *node, m *facts.Match) {
	names := n.values("service")
	if len(names) == 0 {
		return
	}
	var items []facts.ServiceItem
	for _, s := range names {
		items = append(items, facts.ServiceItem{Group: s, Span: p.span(n.set("service"))})
	}
	if n.value("service-negate") == "enable" {
		m.AllOf = append(m.AllOf, facts.Match{Not: true, HasServices: true, Services: items})
		return
	}
	m.HasServices, m.Services = true, items
}

var weekdays = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// schedules are the times that policies name.
func (p *parser) schedules(root *node) map[string]*facts.TimeRange {
	out := map[string]*facts.TimeRange{"always": nil}
	for _, n := range root.edits("firewall schedule recurring") {
		t := &facts.TimeRange{Name: n.key, Span: p.span(n)}
		w := facts.Window{From: minutes(n.value("start")), To: minutes(n.value("end"))}
		if w.To == 0 {
			w.To = 24 * 60
		}
		for _, d := range n.values("day") {
			if i := slices.Index(weekdays, d); i >= 0 {
				w.Days |= 1 << i
			}
		}
		p.quiet(n)
		t.Periodic = []facts.Window{w}
		if w.Days == 0 { // "none": it is never in force
			t.Periodic, t.Unread = nil, ""
			t.To = time.Unix(0, 0).UTC()
		}
		if n.key != "always" {
			out[n.key] = t
		}
	}
	for _, n := range root.edits("firewall schedule onetime") {
		t := &facts.TimeRange{Name: n.key, Span: p.span(n)}
		var ok1, ok2 bool
		t.From, ok1 = moment(n.values("start"))
		t.To, ok2 = moment(n.values("end"))
		if !ok1 || !ok2 {
			t.Unread = "a moment that is none"
		}
		n.value("expiration-days")
		n.value("start-utc")
		n.value("end-utc")
		p.quiet(n)
		out[n.key] = t
	}
	for _, n := range root.edits("firewall schedule group") {
		n.values("member")
		p.quiet(n)
	}
	return out
}

func minutes(s string) uint16 {
	h, m, _ := strings.Cut(s, ":")
	a, err1 := strconv.ParseUint(h, 10, 8)
	b, err2 := strconv.ParseUint(m, 10, 8)
	if err1 != nil || err2 != nil || a > 24 || b > 59 {
		return 0
	}
	return uint16(a*60 + b)
}

// moment reads "08:00 2026/03/01"; nothing is no bound.
func moment(v []string) (time.Time, bool) {
	if len(v) == 0 {
		return time.Time{}, true
	}
	t, err := time.Parse("15:04 2006/01/02", strings.Join(v, " "))
	return t, err == nil
}
