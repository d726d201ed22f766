package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/engine"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/spf13/cobra"
)

// filterFlags are a filter question as it is typed.
type filterFlags struct {
	device, scope    string
	filter           string
	in, out          string
	self             bool
	fromZone, toZone string
	service, group   string
	proto            string
	src, dst         string
	sport, dport     string
	established      bool
	app              string
	at               string
	verdict          string
	asJSON           bool
}

func (f *filterFlags) bind(c *cobra.Command) {
	s := c.Flags()
	s.StringVar(&f.device, "device", "", "the device, when PATH holds several")
	s.StringVar(&f.scope, "scope", "", "VRF, VDOM, VSYS or context")
	s.StringVar(&f.filter, "filter", "", "ask one filter by name")
	s.StringVar(&f.in, "in", "", "entering this interface")
	s.StringVar(&f.out, "out", "", "leaving by this interface")
	s.BoolVar(&f.self, "self", false, "sent by the device itself")
	s.StringVar(&f.fromZone, "from-zone", "", "from this device zone (with --to-zone)")
	s.StringVar(&f.toZone, "to-zone", "", "to this device zone")
	s.StringVar(&f.service, "service", "", "ask a service object")
	s.StringVar(&f.group, "group", "", "ask an object group")
	s.StringVar(&f.proto, "proto", "ip", "tcp, udp, icmp, ip, another protocol's name, or a number")
	s.StringVar(&f.src, "src", "any", "address, prefix, range A-B or any; several with commas")
	s.StringVar(&f.dst, "dst", "any", "the same for the destination")
	s.StringVar(&f.sport, "sport", "", "source ports: 20, 1024-65535, several with commas, ! before all negates")
	s.StringVar(&f.dport, "dport", "", "destination ports")
	s.BoolVar(&f.established, "established", false, "packets of a session already open")
	s.StringVar(&f.app, "app", "", "application, for filters that know them")
	s.StringVar(&f.at, "at", "", "decide time ranges at this time, RFC 3339 in the device's zone")
	s.BoolVar(&f.asJSON, "json", false, "JSON")
}

func (p *program) filtersCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "filters", Short: "Ask what filters let through, exactly", GroupID: "ask",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.filtersAsk("test"), p.filtersAsk("search"), p.filtersUnreachable(), p.filtersCompare())
	return c
}

func (p *program) filtersAsk(verb string) *cobra.Command {
	var f filterFlags
	c := &cobra.Command{
		Use: verb + " PATH...", Args: cobra.MinimumNArgs(1),
		Short:   "Is this traffic permitted?",
		Example: "  quaymaster filters test edge.cfg --filter EGRESS --proto tcp --src 10.1.0.0/16 --dst 203.0.113.9 --dport 445",
		RunE:    func(c *cobra.Command, paths []string) error { return p.filters(c.Context(), verb, &f, paths) },
	}
	if verb == "search" {
		c.Short = "Find traffic with a verdict, and the lines that cause it"
		c.Example = "  quaymaster filters search edge.cfg --in Gi0/1 --proto udp --dport 69 --verdict permit"
		c.Flags().StringVar(&f.verdict, "verdict", "permit", "permit or deny")
	}
	c.Long = c.Short + "\n\nExit codes: 0 answered, 2 usage, 3 unknown (a line that was not understood could change the answer)."
	f.bind(c)
	return c
}

func (p *program) filters(ctx context.Context, verb string, f *filterFlags, paths []string) error {
	q, err := f.query()
	if err != nil {
		return usage(err)
	}
	if verb == "search" && f.verdict != "permit" && f.verdict != "deny" {
		return usage(fmt.Errorf("--verdict: %q is not permit or deny", f.verdict))
	}
	set, err := evidence.Open(ctx, evidence.Options{Stdin: p.stdin}, paths...)
	if err != nil {
		return usage(err)
	}
	defer set.Close()
	d, err := p.oneDevice(ctx, set, f.device)
	if err != nil {
		return err
	}
	model := headerspace.New(d)
	var a headerspace.Answer
	if verb == "search" {
		a, err = model.Search(q, headerspace.Verdict(f.verdict))
	} else {
		a, err = model.Test(q)
	}
	if err != nil {
		return usage(err)
	}
	out := newFilterAnswer(set, &a, verb == "search")
	if f.asJSON {
		if err := json.NewEncoder(p.stdout).Encode(out); err != nil {
			return err
		}
	} else if err := out.print(p); err != nil {
		return err
	}
	if a.Verdict == headerspace.Unknown {
		return &exitError{code: audit.ExitIncomplete}
	}
	return nil
}

// oneDevice reads set and gives its only device, or the one that is named.
func (p *program) oneDevice(ctx context.Context, set *evidence.Set, name string) (*facts.Device, error) {
	devices, err := engine.Devices(ctx, engine.Options{Set: set, Now: p.now()})
	if err != nil {
		return nil, err
	}
	if len(devices) == 0 {
		for _, pr := range set.Problems {
			p.complain(fmt.Errorf("%s: %s", pr.Path, pr.Err))
		}
		return nil, &exitError{audit.ExitNothing, errors.New("no device configuration under the given paths")}
	}
	if name == "" && len(devices) == 1 {
		return devices[0], nil
	}
	var ids []string
	for _, d := range devices {
		if d.ID == name || name != "" && d.Hostname.Val == name {
			return d, nil
		}
		ids = append(ids, d.ID)
	}
	if name == "" {
		return nil, usage(fmt.Errorf("there are %d devices: name one with --device: %s", len(ids), listed(ids)))
	}
	return nil, usage(fmt.Errorf("no device %q: there is %s", name, listed(ids)))
}

func listed(s []string) string {
	if len(s) > 12 {
		return strings.Join(s[:12], ", ") + fmt.Sprintf(" and %d more", len(s)-12)
	}
	return strings.Join(s, ", ")
}

// query turns the flags into a question.
func (f *filterFlags) query() (headerspace.Query, error) {
	q := headerspace.Query{
		Scope: f.scope, Filter: f.filter, In: f.in, Out: f.out, Self: f.self, FromZone: f.fromZone, ToZone: f.toZone,
		Service: f.service, Group: f.group, Established: f.established, App: f.app,
	}
	places := 0
	for _, used := range []bool{f.filter != "", f.in != "" || f.out != "" || f.self, f.fromZone != "" || f.toZone != "", f.service != "", f.group != ""} {
		if used {
			places++
		}
	}
	if places != 1 {
		return q, errors.New("name exactly one place: --filter, --in and/or --out, --self, --from-zone with --to-zone, --service or --group")
	}
	if f.self && f.in != "" {
		return q, errors.New("--self is traffic the device sends: it has no --in")
	}
	if (f.fromZone == "") != (f.toZone == "") {
		return q, errors.New("--from-zone and --to-zone go together")
	}
	var err error
	if q.Protocols, q.ICMP, err = parseProto(f.proto); err != nil {
		return q, err
	}
	if q.Src, err = parseSet("--src", f.src); err != nil {
		return q, err
	}
	if q.Dst, err = parseSet("--dst", f.dst); err != nil {
		return q, err
	}
	if q.SrcPorts, _, err = parsePorts("--sport", f.sport, false); err != nil {
		return q, err
	}
	if q.DstPorts, q.NotDstPorts, err = parsePorts("--dport", f.dport, true); err != nil {
		return q, err
	}
	if len(q.SrcPorts)+len(q.DstPorts) > 0 && !slices.ContainsFunc(q.Protocols, func(n uint8) bool { return n == facts.TCP || n == facts.UDP || n == 132 }) {
		if len(q.Protocols) > 0 {
			return q, fmt.Errorf("--sport and --dport need --proto tcp, udp or sctp: %s has no ports", f.proto)
		}
		q.Protocols = []uint8{facts.TCP, facts.UDP}
	}
	if f.at != "" {
		if q.At, err = time.Parse(time.RFC3339, f.at); err != nil {
			return q, fmt.Errorf("--at: %q is not RFC 3339", f.at)
		}
	}
	return q, nil
}

// protocolNumbers are names of the IANA protocol number registry that filters use.
var protocolNumbers = map[string]uint8{
	"icmp": 1, "igmp": 2, "ipip": 4, "ipinip": 4, "tcp": 6, "egp": 8, "igp": 9, "udp": 17, "rsvp": 46, "gre": 47, "esp": 50,
	"ah": 51, "ahp": 51, "icmp6": 58, "icmpv6": 58, "eigrp": 88, "ospf": 89, "nos": 94, "pim": 103, "pcp": 108, "snp": 109,
	"vrrp": 112, "sctp": 132,
}

// icmpTypes are RFC 792 types by the names filters use, for --proto icmp-echo and the like.
var icmpTypes = map[string]uint8{"echo-reply": 0, "unreachable": 3, "source-quench": 4, "redirect": 5, "echo": 8, "time-exceeded": 11, "timestamp": 13}

func parseProto(s string) ([]uint8, []facts.ICMPType, error) {
	s = strings.ToLower(s)
	if s == "ip" || s == "any" || s == "" {
		return nil, nil, nil
	}
	if n, ok := protocolNumbers[s]; ok {
		return []uint8{n}, nil, nil
	}
	if name, ok := strings.CutPrefix(s, "icmp-"); ok {
		if t, ok := icmpTypes[name]; ok {
			return []uint8{1}, []facts.ICMPType{{Type: t, Code: -1}}, nil
		}
	}
	if n, err := strconv.ParseUint(s, 10, 8); err == nil {
		return []uint8{uint8(n)}, nil, nil
	}
	return nil, nil, fmt.Errorf("--proto: %q is no protocol name known here and no number from 0 to 255", s)
}

func parseSet(flag, s string) (headerspace.Set, error) {
	var set headerspace.Set
	if s == "" || s == "any" || s == "*" {
		return set, nil
	}
	s, set.Not = strings.CutPrefix(s, "!")
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		if a, b, ok := strings.Cut(part, "-"); ok {
			from, err1 := netip.ParseAddr(a)
			to, err2 := netip.ParseAddr(b)
			if err1 != nil || err2 != nil || from.Is4() != to.Is4() || to.Less(from) {
				return set, fmt.Errorf("%s: %q is no range of addresses, such as 10.0.0.1-10.0.0.9", flag, part)
			}
			set.Ranges = append(set.Ranges, [2]netip.Addr{from, to})
			continue
		}
		if a, err := netip.ParseAddr(part); err == nil {
			set.Prefixes = append(set.Prefixes, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		x, err := netip.ParsePrefix(part)
		if err != nil {
			return set, fmt.Errorf("%s: %q is no address, prefix or range", flag, part)
		}
		set.Prefixes = append(set.Prefixes, x.Masked())
	}
	return set, nil
}

// parsePorts reads 20, 20-21, several with commas; a leading ! negates them all.
func parsePorts(flag, s string, mayNegate bool) ([]facts.PortRange, bool, error) {
	if s == "" || s == "any" || s == "*" {
		return nil, false, nil
	}
	s, not := strings.CutPrefix(s, "!")
	var out []facts.PortRange
	for part := range strings.SplitSeq(s, ",") {
		a, b, ranged := strings.Cut(strings.TrimSpace(part), "-")
		if !ranged {
			b = a
		}
		first, err1 := strconv.ParseUint(a, 10, 16)
		last, err2 := strconv.ParseUint(b, 10, 16)
		if err1 != nil || err2 != nil || last < first {
			return nil, false, fmt.Errorf("%s: %q is no port or range of ports, such as 20-21", flag, part)
		}
		out = append(out, facts.PortRange{First: uint16(first), Last: uint16(last)})
	}
	if not && !mayNegate {
		return complement(out), false, nil
	}
	return out, not, nil
}

func complement(in []facts.PortRange) []facts.PortRange {
	slices.SortFunc(in, func(a, b facts.PortRange) int { return int(a.First) - int(b.First) })
	var out []facts.PortRange
	next := 0
	for _, r := range in {
		if int(r.First) > next {
			out = append(out, facts.PortRange{First: uint16(next), Last: r.First - 1})
		}
		next = max(next, int(r.Last)+1)
	}
	if next <= 65535 {
		out = append(out, facts.PortRange{First: uint16(next), Last: 65535})
	}
	return out
}

// A filterAnswer is what filters test and search print.
type filterAnswer struct {
	Verdict  headerspace.Verdict `json:"verdict"`
	Rule     string              `json:"rule"`
	Path     string              `json:"path"`
	Line     int                 `json:"line"`
	Filters  []string            `json:"filters"`
	Reason   string              `json:"reason"`
	Witness  map[string]any      `json:"witness"`
	Culprits []filterLine        `json:"culprits,omitempty"`
	text     string
}

type filterLine struct {
	Path string `json:"path"`
	Line int    `json:"line"`
	Text string `json:"text"`
}

type filterPacket struct {
	Proto       string `json:"proto"`
	Src         string `json:"src"`
	Sport       int    `json:"sport,omitempty"`
	Dst         string `json:"dst"`
	Dport       int    `json:"dport,omitempty"`
	Established bool   `json:"established,omitempty"`
	// In and Out are a way it takes, where rules tell ways apart and the question leaves them open.
	In  string `json:"in,omitempty"`
	Out string `json:"out,omitempty"`
}

// String is the packet as a line of text shows it.
func (w *filterPacket) String() string {
	s := w.Proto + " " + w.Src
	if w.Sport > 0 {
		s += fmt.Sprintf(":%d", w.Sport)
	}
	s += " -> " + w.Dst
	if w.Dport > 0 {
		s += fmt.Sprintf(":%d", w.Dport)
	}
	if w.Established {
		s += ", of an open session"
	}
	if w.In != "" {
		s += fmt.Sprintf(", in by %q", w.In)
	}
	if w.Out != "" {
		s += fmt.Sprintf(", out by %q", w.Out)
	}
	return s
}

func packet(w *headerspace.Packet) filterPacket {
	name := strconv.Itoa(int(w.Protocol))
	for _, n := range []string{"tcp", "udp", "icmp", "icmp6", "gre", "esp", "ospf"} {
		if protocolNumbers[n] == w.Protocol {
			name = n
		}
	}
	p := filterPacket{Proto: name, Src: w.Src.String(), Dst: w.Dst.String(), Established: w.Established, In: w.In, Out: w.Out}
	if w.Protocol == facts.TCP || w.Protocol == facts.UDP || w.Protocol == 132 {
		p.Sport, p.Dport = int(w.SrcPort), int(w.DstPort)
	}
	return p
}

func newFilterAnswer(set *evidence.Set, a *headerspace.Answer, culprits bool) *filterAnswer {
	out := &filterAnswer{Verdict: a.Verdict, Rule: a.Rule, Filters: some(a.Filters), Reason: a.Reason, Witness: map[string]any{}}
	if a.Permitted != nil {
		out.Witness["permitted"] = packet(a.Permitted)
	}
	if a.Denied != nil {
		out.Witness["denied"] = packet(a.Denied)
	}
	spans := append([]evidence.Span{a.Span}, a.Culprits...)
	places := resolve(set, spans)
	out.Path, out.Line, out.text = places[0].Path, places[0].Line, places[0].Text
	if culprits {
		out.Culprits = []filterLine{}
		for _, c := range places[1:] {
			if c.Path != "" && !slices.Contains(out.Culprits, c) {
				out.Culprits = append(out.Culprits, c)
			}
		}
	}
	return out
}

// print writes the answer for a reader.
func (a *filterAnswer) print(p *program) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", a.Verdict)
	if a.Reason != "" {
		fmt.Fprintf(&b, ": %s", a.Reason)
	}
	b.WriteByte('\n')
	if a.Path != "" {
		fmt.Fprintf(&b, "  %s:%d: %s\n", a.Path, a.Line, a.text)
	}
	for _, k := range []string{"permitted", "denied"} {
		if w, ok := a.Witness[k].(filterPacket); ok {
			fmt.Fprintf(&b, "  for example %s: %s\n", k, &w)
		}
	}
	if len(a.Filters) > 0 {
		fmt.Fprintf(&b, "  asked: %s\n", strings.Join(a.Filters, ", "))
	}
	for _, c := range a.Culprits {
		fmt.Fprintf(&b, "  %s:%d: %s\n", c.Path, c.Line, c.Text)
	}
	_, err := fmt.Fprint(p.stdout, printable(b.String()))
	return err
}
