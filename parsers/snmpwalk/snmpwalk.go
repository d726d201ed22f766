// Package snmpwalk reads what an SNMP agent said of itself: identity, interface counters and listening ports.
//
// Two shapes are read: the snmp-walk-v1 document (JSON lines, docs/formats/snmp-walk-v1.md), several polls appended, and
// the output of net-snmp's snmpbulkwalk -One. Interfaces are named by ifName, never by index alone: indexes move at a
// reboot. A counter keeps its discontinuity and the agent's uptime beside it, since without them a difference means
// nothing.
package snmpwalk

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/jsontree"
)

// FormatName is the document's own name of its format.
const FormatName = "snmp-walk-v1"

// maxLine bounds a line; longer ones are passed and counted.
const maxLine = 1 << 20

// Format reads SNMP walks.
func Format() facts.Format {
	return facts.Format{Name: FormatName, Detect: detect, Parse: parse}
}

func detect(_ string, head []byte) facts.Confidence {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	line, _, _ := bytes.Cut(head, []byte("\n"))
	if bytes.HasPrefix(line, []byte("{")) && bytes.Contains(line, []byte(`"`+FormatName+`"`)) {
		return facts.Certain
	}
	fit, lines := 0, 0
	for l := range bytes.SplitSeq(head[:min(len(head), 4096)], []byte("\n")) {
		if lines++; lines > 10 {
			break
		}
		if bytes.HasPrefix(l, []byte(".1.3.6.1.")) && bytes.Contains(l, []byte(" = ")) {
			fit++
		}
	}
	if fit >= 2 || fit == 1 && lines <= 2 {
		return facts.Strong
	}
	return facts.No
}

// Object identifiers read here (RFC 3418, RFC 2863, RFC 1213, RFC 4022, RFC 4113).
const (
	sysDescr         = "1.3.6.1.2.1.1.1.0"
	sysUpTime        = "1.3.6.1.2.1.1.3.0"
	sysName          = "1.3.6.1.2.1.1.5.0"
	ifDescr          = "1.3.6.1.2.1.2.2.1.2."
	ifInOctets       = "1.3.6.1.2.1.2.2.1.10."
	ifOutOctets      = "1.3.6.1.2.1.2.2.1.16."
	ifName           = "1.3.6.1.2.1.31.1.1.1.1."
	ifHCInOctets     = "1.3.6.1.2.1.31.1.1.1.6."
	ifHCOutOctets    = "1.3.6.1.2.1.31.1.1.1.10."
	ifDiscontinuity  = "1.3.6.1.2.1.31.1.1.1.19."
	ipAdEntIfIndex   = "1.3.6.1.2.1.4.20.1.2."
	ipAdEntNetMask   = "1.3.6.1.2.1.4.20.1.3."
	tcpListener      = "1.3.6.1.2.1.6.20.1.4."
	tcpConnState     = "1.3.6.1.2.1.6.13.1.1."
	udpEndpoint      = "1.3.6.1.2.1.7.7.1.8."
	udpLocalPort     = "1.3.6.1.2.1.7.5.1.2."
	tcpStateListen   = "2"
	addressTypeIPv4  = "1"
	addressTypeIPv6  = "2"
	wildcardAddrType = "0"
)

// A poll is one reading of the agent.
type poll struct {
	taken      time.Time
	upTime     facts.V[uint64]
	name, desc map[string]string // by ifIndex
	rows       map[string]*row
	mask       map[string]string // by address
	ifOf       map[string]string // by address
}

type row struct {
	in, out, hcIn, hcOut, gap facts.V[uint64]
}

type reader struct {
	file    *evidence.File
	sink    facts.Sink
	dev     *facts.Device
	polls   []*poll
	unread  int
	where   evidence.Span
	long    int
	seen    map[string]bool // listeners
	partial bool
}

func (r *reader) poll() *poll {
	if len(r.polls) == 0 {
		r.next(r.file.Mod)
	}
	return r.polls[len(r.polls)-1]
}

func (r *reader) next(taken time.Time) {
	r.polls = append(r.polls, &poll{
		taken: taken, name: map[string]string{}, desc: map[string]string{}, rows: map[string]*row{},
		mask: map[string]string{}, ifOf: map[string]string{},
	})
}

func parse(ctx context.Context, p evidence.Piece, s facts.Sink) error {
	in, err := p.Open(0)
	if err != nil {
		return fmt.Errorf("open %s: %w", p.Path, err)
	}
	defer in.Close()
	r := &reader{file: p.File, sink: s, dev: &facts.Device{Has: facts.HasSNMP, Platform: p.Platform}, seen: map[string]bool{}}
	if err := r.lines(ctx, in); err != nil {
		return fmt.Errorf("read %s: %w", p.Path, err)
	}
	r.finish()
	s.Device(r.dev)
	return nil
}

func (r *reader) lines(ctx context.Context, in io.Reader) error {
	b := bufio.NewReaderSize(in, 64<<10)
	var off int64
	for n := 0; ; n++ {
		if n%65536 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		line, size, cut, err := readLine(b)
		if len(line) > 0 || size > 0 {
			span := r.file.Span(off, len(line))
			if cut {
				r.long++
			} else {
				r.line(bytes.TrimRight(line, "\r\n"), span)
			}
			off += int64(size)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// readLine is the next line with its end, the bytes it took, and whether it was over maxLine (then it is empty).
func readLine(b *bufio.Reader) (line []byte, size int, cut bool, err error) {
	for {
		part, e := b.ReadSlice('\n')
		size += len(part)
		if size > maxLine {
			cut, line = true, nil
		} else {
			line = append(line, part...)
		}
		if errors.Is(e, bufio.ErrBufferFull) {
			continue
		}
		return line, size, cut, e
	}
}

func (r *reader) line(line []byte, span evidence.Span) {
	span.Len = uint32(len(line))
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")))
	switch {
	case len(trimmed) == 0:
	case trimmed[0] == '{':
		v, err := jsontree.Parse(trimmed)
		if err != nil {
			r.skip(span)
			return
		}
		r.object(v, span)
	default:
		r.walked(string(trimmed), span)
	}
}

func (r *reader) skip(span evidence.Span) {
	if r.unread++; r.unread == 1 {
		r.where = span
	}
}

// object reads one line of a snmp-walk-v1 document.
func (r *reader) object(v jsontree.Value, span evidence.Span) {
	switch {
	case v.Get("format").OK():
		taken, err := time.Parse(time.RFC3339Nano, v.Get("taken").Text())
		if err != nil {
			taken = r.file.Mod
		}
		r.next(taken.UTC())
	case v.Get("table").OK():
		if whole, ok := v.Get("complete").Bool(); ok && !whole {
			r.partial = true
			r.sink.Note(facts.Note{
				Kind: facts.NoteIncomplete, Span: span,
				Message: fmt.Sprintf("table %q is truncated: %s", v.Get("table").Text(), v.Get("reason").Text()),
				Hint:    "collect the device again; fewer repetitions help some agents",
			})
		}
	case v.Get("oid").OK():
		value := v.Get("value").Text()
		if v.Get("value").Kind() == jsontree.Number {
			value = number(v.Get("value"))
		}
		r.variable(strings.TrimPrefix(v.Get("oid").Text(), "."), v.Get("type").Text(), value, span)
	default:
		r.skip(span)
	}
}

func number(v jsontree.Value) string {
	if n, ok := v.Int(); ok {
		return strconv.FormatInt(n, 10)
	}
	return v.Digits()
}

// walked reads a line of snmpbulkwalk -One: .1.3.6... = TYPE: value.
func (r *reader) walked(line string, span evidence.Span) {
	oid, rest, ok := strings.Cut(line, " = ")
	if !ok || !strings.HasPrefix(oid, ".1.3.6.1.") {
		r.skip(span)
		return
	}
	kind, value, ok := strings.Cut(rest, ": ")
	if !ok {
		kind, value = "", rest
	}
	if kind == "Timeticks" { // (12345) 0:02:03.45
		if a, b := strings.IndexByte(value, '('), strings.IndexByte(value, ')'); a >= 0 && b > a {
			value = value[a+1 : b]
		}
	}
	if kind == "INTEGER" { // listen(2)
		if a := strings.IndexByte(value, '('); a >= 0 && strings.HasSuffix(value, ")") {
			value = value[a+1 : len(value)-1]
		}
	}
	if kind == "Hex-STRING" {
		value = strings.ReplaceAll(strings.TrimSpace(value), " ", "")
	}
	r.variable(oid[1:], kind, strings.Trim(value, `"`), span)
}

func (r *reader) variable(oid, kind, value string, span evidence.Span) {
	p := r.poll()
	if kind == "Hex-STRING" {
		if b, err := hex.DecodeString(value); err == nil {
			value = string(b)
		}
	}
	switch oid {
	case sysName:
		r.dev.Hostname = facts.Say(value, span)
		return
	case sysDescr:
		r.describe(value, span)
		return
	case sysUpTime:
		p.upTime = counter(value, span)
		return
	}
	switch {
	case strings.HasPrefix(oid, ifName):
		p.name[oid[len(ifName):]] = value
	case strings.HasPrefix(oid, ifDescr):
		p.desc[oid[len(ifDescr):]] = value
	case strings.HasPrefix(oid, ifHCInOctets):
		p.row(oid[len(ifHCInOctets):]).hcIn = counter(value, span)
	case strings.HasPrefix(oid, ifHCOutOctets):
		p.row(oid[len(ifHCOutOctets):]).hcOut = counter(value, span)
	case strings.HasPrefix(oid, ifInOctets):
		p.row(oid[len(ifInOctets):]).in = counter(value, span)
	case strings.HasPrefix(oid, ifOutOctets):
		p.row(oid[len(ifOutOctets):]).out = counter(value, span)
	case strings.HasPrefix(oid, ifDiscontinuity):
		p.row(oid[len(ifDiscontinuity):]).gap = counter(value, span)
	case strings.HasPrefix(oid, ipAdEntIfIndex):
		p.ifOf[oid[len(ipAdEntIfIndex):]] = value
	case strings.HasPrefix(oid, ipAdEntNetMask):
		p.mask[oid[len(ipAdEntNetMask):]] = value
	case strings.HasPrefix(oid, tcpListener):
		r.endpoint(facts.TCP, oid[len(tcpListener):], span)
	case strings.HasPrefix(oid, tcpConnState):
		if value == tcpStateListen {
			r.legacy(facts.TCP, oid[len(tcpConnState):], span)
		}
	case strings.HasPrefix(oid, udpEndpoint):
		r.endpoint(facts.UDP, oid[len(udpEndpoint):], span)
	case strings.HasPrefix(oid, udpLocalPort):
		r.legacy(facts.UDP, oid[len(udpLocalPort):], span)
	}
}

func (p *poll) row(index string) *row {
	x := p.rows[index]
	if x == nil {
		x = &row{}
		p.rows[index] = x
	}
	return x
}

func counter(value string, span evidence.Span) facts.V[uint64] {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		return facts.V[uint64]{}
	}
	return facts.Say(n, span)
}

// describe takes platform and version from sysDescr where the vendor writes them plainly.
func (r *reader) describe(text string, span evidence.Span) {
	platform, after := "", ""
	switch {
	case strings.HasPrefix(text, "Cisco Adaptive Security Appliance"):
		platform, after = facts.CiscoASA, "Version "
	case strings.Contains(text, "Cisco IOS") && !strings.Contains(text, "IOS XR"):
		platform, after = facts.CiscoIOS, "Version "
	case strings.Contains(text, "VMware ESXi"):
		platform, after = facts.VMwareESX, "ESXi "
	}
	if r.dev.Platform == "" {
		r.dev.Platform = platform
	}
	if _, v, ok := strings.Cut(text, after); ok && after != "" {
		if i := strings.IndexAny(v, ", \r\n"); i > 0 {
			v = v[:i]
		}
		r.dev.Version = facts.Say(v, span)
	}
}

// endpoint reads an index of tcpListenerTable or udpEndpointTable: type.length.address.port and, for UDP, the remote end.
func (r *reader) endpoint(transport uint8, index string, span evidence.Span) {
	parts := strings.Split(index, ".")
	if len(parts) < 3 {
		return
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil || n < 0 || len(parts) < 3+n {
		return
	}
	addr := ""
	switch {
	case parts[0] == addressTypeIPv4 && n == 4:
		addr = strings.Join(parts[2:6], ".")
	case parts[0] == addressTypeIPv6 && n == 16:
		var b [16]byte
		for i := range b {
			x, _ := strconv.ParseUint(parts[2+i], 10, 8)
			b[i] = byte(x)
		}
		addr = netip.AddrFrom16(b).String()
	case parts[0] == wildcardAddrType && n == 0:
	default:
		return
	}
	if transport == facts.UDP && len(parts) > 3+n {
		// a connected socket is no listener: its remote port is not 0
		rest := parts[3+n:]
		if len(rest) >= 3 {
			if m, err := strconv.Atoi(rest[1]); err == nil && len(rest) > 2+m && rest[2+m] != "0" {
				return
			}
		}
	}
	r.listener(transport, addr, parts[2+n], span)
}

// legacy reads an index of tcpConnTable or udpTable: address.port, and for TCP the remote end.
func (r *reader) legacy(transport uint8, index string, span evidence.Span) {
	parts := strings.Split(index, ".")
	if len(parts) < 5 {
		return
	}
	r.listener(transport, strings.Join(parts[:4], "."), parts[4], span)
}

// listener states a service for ports of transfer protocols; other listeners are not the subject here.
func (r *reader) listener(transport uint8, addr, port string, span evidence.Span) {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return
	}
	proto := facts.ByPort(transport, uint16(n))
	if proto == facts.ProtocolUnknown || transport == facts.TCP && n == 20 {
		return
	}
	if a, err := netip.ParseAddr(addr); err == nil && a.IsUnspecified() {
		addr = ""
	}
	name := map[uint8]string{facts.TCP: "listener tcp/", facts.UDP: "listener udp/"}[transport] + port
	if r.seen[name+addr] {
		return
	}
	r.seen[name+addr] = true
	r.dev.Services = append(r.dev.Services, facts.Service{
		Protocol: proto, Name: name, Enabled: facts.Say(true, span), Port: uint16(n), Bind: addr, Span: span,
	})
}

// finish turns the polls into interfaces and counters.
func (r *reader) finish() {
	if r.unread > 0 || r.long > 0 {
		r.sink.Note(facts.Note{
			Kind: facts.NoteUnread, Span: r.where, Count: r.unread + r.long,
			Message: fmt.Sprintf("%d lines are no SNMP variables", r.unread+r.long), Hint: "expected snmp-walk-v1 or the output of snmpbulkwalk -One",
		})
	}
	for _, p := range r.polls {
		if p.taken.After(r.dev.Taken) {
			r.dev.Taken = p.taken
		}
		r.counters(p)
	}
	if n := len(r.polls); n > 0 {
		r.interfaces(r.polls[n-1])
	}
}

func (p *poll) label(index string) string {
	return cmp.Or(p.name[index], p.desc[index], "ifIndex "+index)
}

func (r *reader) counters(p *poll) {
	indexes := make([]string, 0, len(p.rows))
	for i := range p.rows {
		indexes = append(indexes, i)
	}
	slices.SortFunc(indexes, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	for _, i := range indexes {
		x := p.rows[i]
		c := facts.Counter{Interface: p.label(i), Taken: p.taken, InOctets: x.in, OutOctets: x.out, Discontinuity: x.gap, UpTime: p.upTime}
		if x.hcOut.Known() || x.hcIn.Known() {
			c.InOctets, c.OutOctets, c.HC = x.hcIn, x.hcOut, true
		}
		if n, err := strconv.ParseUint(i, 10, 32); err == nil {
			c.Index = uint32(n)
		}
		c.Span = c.OutOctets.Span
		r.dev.Counters = append(r.dev.Counters, c)
		if c.OutOctets.Known() {
			r.sample(p, &c, "ifHCOutOctets", c.OutOctets)
		}
		if c.InOctets.Known() {
			r.sample(p, &c, "ifHCInOctets", c.InOctets)
		}
	}
}

func (r *reader) sample(p *poll, c *facts.Counter, name string, v facts.V[uint64]) {
	if !c.HC {
		name = strings.Replace(name, "HC", "", 1)
	}
	r.sink.Sample(&facts.Sample{
		Time:   facts.Stamp{Unix: p.taken.Unix(), Nanos: int32(p.taken.Nanosecond()), Quality: facts.Exact},
		Device: r.dev.Hostname.Val, Name: name, Entity: c.Interface, Value: v.Val, Epoch: c.Discontinuity.Val, Span: v.Span,
	})
}

func (r *reader) interfaces(p *poll) {
	addrs := make([]string, 0, len(p.ifOf))
	for a := range p.ifOf {
		addrs = append(addrs, a)
	}
	slices.Sort(addrs)
	for _, a := range addrs {
		ip, err := netip.ParseAddr(a)
		if err != nil {
			continue
		}
		bits := 32
		if m, err := netip.ParseAddr(p.mask[a]); err == nil && m.Is4() {
			bits = 0
			for _, b := range m.As4() {
				for ; b&0x80 != 0; b <<= 1 {
					bits++
				}
			}
		}
		name := p.label(p.ifOf[a])
		i := slices.IndexFunc(r.dev.Interfaces, func(x facts.Interface) bool { return x.Name == name })
		if i < 0 {
			r.dev.Interfaces = append(r.dev.Interfaces, facts.Interface{Name: name})
			i = len(r.dev.Interfaces) - 1
		}
		r.dev.Interfaces[i].Addrs = append(r.dev.Interfaces[i].Addrs, netip.PrefixFrom(ip, bits))
	}
}
