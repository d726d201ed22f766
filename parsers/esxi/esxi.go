// Package esxi reads the state of an ESXi host from a document of format esxi-objects-v1: the properties vSphere gives of
// the host, as raw vim25 ObjectContent in VMware's JSON (docs/formats/esxi-objects-v1.md).
//
// One document is one host. A property the host did not give is listed in the document's "missing" with its fault and
// becomes a gap: nothing is assumed in its place. Rulesets are stated with their ports, since names say little: six stock
// rulesets open every outbound TCP port (reference: the ruleset dump VMware ships with govmomi's simulator).
package esxi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/jsontree"
)

// FormatName is the document's own name of its format.
const FormatName = "esxi-objects-v1"

// MaxDocument bounds a document; a host with every advanced option takes under 1 MiB.
const MaxDocument = 64 << 20

// Format reads esxi-objects-v1 documents.
func Format() facts.Format {
	return facts.Format{Name: FormatName, Platform: facts.VMwareESX, Detect: detect, Parse: parse}
}

func detect(_ string, head []byte) facts.Confidence {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(head) == 0 || head[0] != '{' {
		return facts.No
	}
	if i := bytes.Index(head[:min(len(head), 512)], []byte(`"`+FormatName+`"`)); i > 0 {
		return facts.Certain
	}
	return facts.No
}

func parse(ctx context.Context, p evidence.Piece, s facts.Sink) error {
	r, err := p.Open(0)
	if err != nil {
		return fmt.Errorf("open %s: %w", p.Path, err)
	}
	defer r.Close()
	src, err := io.ReadAll(io.LimitReader(r, MaxDocument+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", p.Path, err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(src) > MaxDocument {
		s.Note(facts.Note{Kind: facts.NoteIncomplete, Message: fmt.Sprintf("the document is larger than %d MiB and was not read", MaxDocument>>20)})
		return nil
	}
	doc, err := jsontree.Parse(src)
	if err != nil {
		s.Note(facts.Note{Kind: facts.NoteIncomplete, Message: "the document is not whole JSON: " + err.Error(), Hint: "collect the host again"})
		return nil
	}
	h := &host{file: p.File, src: src, sink: s, dev: &facts.Device{Platform: facts.VMwareESX, Has: facts.HasESXi, ESXi: &facts.ESXi{}}}
	h.read(doc)
	s.Device(h.dev)
	return nil
}

// A host is one document being read.
type host struct {
	file *evidence.File
	src  []byte
	sink facts.Sink
	dev  *facts.Device
}

func (h *host) span(v jsontree.Value) evidence.Span {
	off, end := v.MemberRange()
	return h.file.Span(int64(off), end-off)
}

// head is the span of a value's first line: an object of fifty lines is shown by the line that names it.
func (h *host) head(v jsontree.Value) evidence.Span {
	off, end := v.MemberRange()
	if i := bytes.IndexByte(h.src[off:end], '\n'); i >= 0 {
		end = off + i
	}
	return h.file.Span(int64(off), end-off)
}

func (h *host) read(doc jsontree.Value) {
	if t, err := time.Parse(time.RFC3339, doc.Get("taken").Text()); err == nil {
		h.dev.Taken = t.UTC()
	} else {
		h.dev.Taken = h.file.Mod
	}
	for object := range doc.Get("objects").All {
		if object.Get("obj").Get("type").Text() != "HostSystem" {
			continue
		}
		for prop := range object.Get("propSet").All {
			h.property(prop.Get("name").Text(), prop.Get("val"))
		}
		for miss := range object.Get("missingSet").All {
			h.missing(miss.Get("path").Text(), miss.Get("fault").Get("fault").Get("_typeName").Text(), miss)
		}
	}
	for miss := range doc.Get("missing").All {
		h.missing(miss.Get("path").Text(), miss.Get("fault").Text(), miss)
	}
	h.logging()
	if c := h.dev.ESXi.Connection; c.Known() && c.Val != "connected" {
		h.sink.Note(facts.Note{
			Kind: facts.NoteIncomplete, Span: c.Span,
			Message: fmt.Sprintf("the host was %q: what vCenter says of it is old or missing", c.Val),
			Hint:    "collect again when the host is connected",
		})
	}
}

func (h *host) missing(path, fault string, at jsontree.Value) {
	if path == "" {
		return
	}
	h.dev.ESXi.Missing = append(h.dev.ESXi.Missing, path)
	why := "was not given"
	if fault != "" {
		why = "was not given: " + fault
	}
	h.sink.Note(facts.Note{
		Kind: facts.NoteIncomplete, Span: h.span(at), Message: fmt.Sprintf("property %q of the host %s", path, why),
		Hint: "the account needs System.Read on the host and, for options and services, System.View",
	})
}

// scalar is the value of a boxed primitive: {"_typeName":"string","_value":"x"} or the value itself.
func scalar(v jsontree.Value) jsontree.Value {
	if x := v.Get("_value"); x.OK() {
		return x
	}
	return v
}

// elements are those of a boxed array.
func elements(v jsontree.Value) jsontree.Value { return scalar(v) }

func (h *host) text(v jsontree.Value) facts.V[string] {
	if x := scalar(v); x.Kind() == jsontree.String {
		return facts.Say(x.Text(), h.span(x))
	}
	return facts.V[string]{}
}

func (h *host) truth(v jsontree.Value) facts.V[bool] {
	x := scalar(v)
	if b, ok := x.Bool(); ok {
		return facts.Say(b, h.span(x))
	}
	return facts.V[bool]{}
}

// property states one property of HostSystem (vSphere Web Services API, HostSystem data object).
func (h *host) property(name string, val jsontree.Value) {
	switch name {
	case "name":
		h.dev.Hostname = h.text(val)
	case "runtime.connectionState":
		h.dev.ESXi.Connection = h.text(val)
	case "config.product", "config.product.version":
		version, build := val.Get("version"), val.Get("build").Text()
		if !version.OK() {
			version = scalar(val)
		}
		h.dev.Version = h.text(version)
		if build != "" && h.dev.Version.Known() {
			h.dev.Version.Val += " build-" + build
		}
	case "config.product.build":
		if b := scalar(val).Text(); b != "" && h.dev.Version.Known() {
			h.dev.Version.Val += " build-" + b
		}
	case "hardware.systemInfo.model", "summary.hardware.model":
		h.dev.Model = h.text(val)
	case "config.lockdownMode":
		h.dev.ESXi.Lockdown = h.text(val)
	case "config.service.service":
		for s := range elements(val).All {
			h.service(s)
		}
	case "config.firewall.defaultPolicy":
		h.dev.ESXi.IncomingBlock = h.truth(val.Get("incomingBlocked"))
		h.dev.ESXi.OutgoingBlock = h.truth(val.Get("outgoingBlocked"))
	case "config.firewall.ruleset":
		for r := range elements(val).All {
			h.ruleset(r)
		}
	case "config.option":
		for o := range elements(val).All {
			h.option(o)
		}
	case "config.network.vnic":
		for n := range elements(val).All {
			h.vnic(n)
		}
	}
}

// service states one HostService. Running and policy are two facts: a stopped service whose policy is "on" starts with
// the host.
func (h *host) service(v jsontree.Value) {
	key := v.Get("key")
	s := facts.Service{
		Name: key.Text(), Enabled: h.truth(v.Get("running")), Policy: h.text(v.Get("policy")),
		Writable: facts.V[bool]{}, Span: h.span(key),
	}
	switch s.Name {
	case "TSM-SSH": // SSH, and scp and sftp with it
		s.Protocol, s.Role, s.Port = facts.SCP, facts.RoleShell, 22
	case "TSM": // the ESXi shell
		s.Role = facts.RoleShell
	case "":
		return
	}
	h.dev.Services = append(h.dev.Services, s)
}

// ruleset states one HostFirewallRuleset.
func (h *host) ruleset(v jsontree.Value) {
	key := v.Get("key")
	r := facts.Ruleset{
		Key: key.Text(), Label: v.Get("label").Text(), Enabled: h.truth(v.Get("enabled")), Service: v.Get("service").Text(),
		Span: h.span(key),
	}
	allowed := v.Get("allowedHosts")
	r.AllIP = h.truth(allowed.Get("allIp"))
	for a := range allowed.Get("ipAddress").All {
		if ip, err := netip.ParseAddr(a.Text()); err == nil {
			r.Allowed = append(r.Allowed, netip.PrefixFrom(ip, ip.BitLen()))
		}
	}
	for n := range allowed.Get("ipNetwork").All {
		bits, ok := n.Get("prefixLength").Int()
		ip, err := netip.ParseAddr(n.Get("network").Text())
		if err == nil && ok && bits >= 0 && bits <= int64(ip.BitLen()) {
			r.Allowed = append(r.Allowed, netip.PrefixFrom(ip, int(bits)))
		}
	}
	for rule := range v.Get("rule").All {
		if p, ok := rulesetPort(rule); ok {
			r.Rules = append(r.Rules, p)
		}
	}
	h.dev.ESXi.Rulesets = append(h.dev.ESXi.Rulesets, r)
}

// rulesetPort reads a HostFirewallRule. A rule without endPort is one port.
func rulesetPort(v jsontree.Value) (facts.RulesetPort, bool) {
	var p facts.RulesetPort
	first, ok := v.Get("port").Int()
	if !ok || first < 0 || first > 65535 {
		return p, false
	}
	last, ok := v.Get("endPort").Int()
	if !ok || last < first || last > 65535 {
		last = first
	}
	p.Ports = facts.PortRange{First: uint16(first), Last: uint16(last)}
	if v.Get("direction").Text() == "outbound" {
		p.Direction = facts.Out
	}
	p.Source = v.Get("portType").Text() == "src"
	switch v.Get("protocol").Text() {
	case "tcp":
		p.Transport = facts.TCP
	case "udp":
		p.Transport = facts.UDP
	}
	return p, true
}

// option states an OptionValue that bears on telemetry.
func (h *host) option(v jsontree.Value) {
	value := scalar(v.Get("value"))
	switch v.Get("key").Text() {
	case "Syslog.global.logHost":
		h.dev.Logging.Remote = facts.Say(false, h.span(value))
		for one := range strings.SplitSeq(value.Text(), ",") {
			if host, ok := logHost(strings.TrimSpace(one)); ok {
				host.Span = h.span(value)
				h.dev.Logging.Hosts = append(h.dev.Logging.Hosts, host)
				h.dev.Logging.Remote = facts.Say(true, h.span(value))
			}
		}
	case "Syslog.global.auditRecord.remoteEnable":
		if b, ok := value.Bool(); ok {
			h.dev.Logging.CommandAccounting = facts.Say(b, h.span(value))
		} else if value.Kind() == jsontree.String {
			h.dev.Logging.CommandAccounting = facts.Say(strings.EqualFold(value.Text(), "true"), h.span(value))
		}
	}
}

// logHost reads udp://host:514, tcp://host, ssl://host:1514 with or without ?parameters (VMware, Configure Syslog on ESXi
// Hosts). The default is UDP 514.
func logHost(s string) (facts.LogHost, bool) {
	if s == "" {
		return facts.LogHost{}, false
	}
	h := facts.LogHost{Transport: "udp", Port: 514}
	if scheme, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
		switch scheme {
		case "tcp":
			h.Transport = "tcp"
		case "ssl":
			h.Transport, h.Port = "tls", 1514
		}
	}
	s, _, _ = strings.Cut(s, "?")
	h.Host = s
	if i := strings.LastIndexByte(s, ':'); i > 0 && (strings.Count(s, ":") == 1 || s[i-1] == ']') {
		if n, err := strconv.ParseUint(s[i+1:], 10, 16); err == nil {
			h.Host, h.Port = s[:i], uint16(n)
		}
	}
	h.Host = strings.Trim(h.Host, "[]")
	h.Addr, _ = netip.ParseAddr(h.Host)
	return h, h.Host != ""
}

// logging: with all options given and no Syslog.global.logHost among them, nothing is sent anywhere (undefined by default,
// VMware Security Configuration Guide 8, esxi-8.logs-remote).
func (h *host) logging() {
	if h.dev.Logging.Remote.Origin != facts.Unknown {
		return
	}
	if !bytes.Contains(h.src, []byte(`"config.option"`)) || bytes.Contains(h.src, []byte(`"path": "config.option"`)) {
		return
	}
	h.dev.Logging.Remote = facts.Assume(false)
}

// vnic states a vmkernel interface.
func (h *host) vnic(v jsontree.Value) {
	i := facts.Interface{Name: v.Get("device").Text(), Span: h.head(v.Get("device"))}
	ip := v.Get("spec").Get("ip")
	i.DHCP, _ = ip.Get("dhcp").Bool()
	addr, err := netip.ParseAddr(ip.Get("ipAddress").Text())
	mask, merr := netip.ParseAddr(ip.Get("subnetMask").Text())
	if err == nil && merr == nil && addr.Is4() && mask.Is4() {
		bits := 0
		for _, b := range mask.As4() {
			for ; b&0x80 != 0; b <<= 1 {
				bits++
			}
		}
		i.Addrs = append(i.Addrs, netip.PrefixFrom(addr, bits))
	}
	h.dev.Interfaces = append(h.dev.Interfaces, i)
}
