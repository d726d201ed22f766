package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/strictyaml"
	"github.com/quaymaster/quaymaster/inventory"
)

// Elements are DET0416's mutable elements by analytic: the keys thresholds may hold.
func Elements() map[string][]string {
	return map[string][]string{
		"AN1169": {"ProcessImageFilter", "DataFlowDirectionThreshold", "FilenamePattern"},
		"AN1170": {"TransferSizeThreshold", "CommandLinePatternMatch"},
		"AN1171": {"FilePathAccessed", "NetworkPortAnomaly"},
		"AN1172": {"TransferTargetDomainOrIP", "SourceDirectoryFilter"},
		"AN1173": {"AppLayerProtocolMatch", "OutboundDataRateThreshold"},
	}
}

// Load reads a policy file. inv may be nil; with one, workflows may name its devices. The error holds every mistake with
// its line and column.
func Load(path string, inv *inventory.Inventory) (*Policy, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	return Parse(path, src, inv)
}

// Parse reads a policy's text.
func Parse(path string, src []byte, inv *inventory.Inventory) (*Policy, error) {
	doc := strictyaml.Parse(path, src)
	l := &loader{doc: doc, inv: inv, p: &Policy{Path: path, Thresholds: map[string]map[string]string{}}}
	root := doc.Root()
	if v := root.String("version"); v != "" && v != "1" {
		root.Fail("version", "version %q is not known: this program reads version 1", v)
	}
	l.zones(root.Map("zones"))
	l.roles(root.Map("roles"))
	l.workflows(root)
	l.exceptions(root)
	l.matrix(root)
	l.p.Servers = root.Prefixes("servers")
	l.destinations(root.Map("destinations"))
	l.p.Collectors = root.Prefixes("collectors")
	for _, m := range root.Maps("change_windows", "a change window") {
		l.p.ChangeWindows = append(l.p.ChangeWindows, l.window(m))
	}
	l.required(root)
	l.p.Ignore = root.Strings("ignore")
	l.thresholds(root.Map("thresholds"))
	root.Done()
	if err := doc.Err(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(src)
	l.p.Digest = hex.EncodeToString(sum[:])
	return l.p.index(), nil
}

type loader struct {
	doc *strictyaml.Doc
	inv *inventory.Inventory
	p   *Policy
}

func (l *loader) line(at strictyaml.Pos) Line { return Line{l.p.Path, at.Line, at.Column} }

func (l *loader) zones(all *strictyaml.Map) {
	owner := map[netip.Prefix]string{}
	for _, name := range all.Keys() {
		m := all.Map(name)
		z := Zone{Name: name, CIDRs: m.Prefixes("cidrs"), Kind: m.Enum("kind", "", "management", "hypervisor", "server", "user", "dmz"), Line: l.line(all.KeyAt(name))}
		switch m.Enum("trust", "internal", "partner", "external") {
		case "partner":
			z.Trust = Partner
		case "internal":
			z.Trust = Internal
		}
		m.Need("cidrs")
		m.Done()
		for _, c := range z.CIDRs {
			if other, twice := owner[c]; twice {
				m.Fail("cidrs", "%s is in zone %q too: an address has one zone", c, other)
			}
			owner[c] = name
		}
		l.p.Zones = append(l.p.Zones, z)
	}
	if len(l.p.Zones) == 0 {
		l.p.Zones = Builtin().Zones
	}
}

func (l *loader) roles(all *strictyaml.Map) {
	for _, name := range all.Keys() {
		m := all.Map(name)
		l.p.Roles = append(l.p.Roles, Role{Name: name, Devices: m.Strings("devices"), CIDRs: m.Prefixes("cidrs"), Line: l.line(all.KeyAt(name))})
		m.Done()
	}
}

// approval reads what workflows and exceptions share.
func approval(m *strictyaml.Map, what string) (id, owner, approver, ticket, reason string, starts, expires time.Time) {
	m.Need("id", "owner", "approver", "ticket", "reason", "expires")
	id, owner, approver, ticket, reason = m.String("id"), m.String("owner"), m.String("approver"), m.String("ticket"), m.String("reason")
	starts, expires = m.Date("starts"), m.Date("expires")
	if m.Has("expires") && !expires.IsZero() && !starts.IsZero() && !starts.Before(expires) {
		m.Fail("expires", "%s %s ends before it starts", what, id)
	}
	if approver != "" && approver == owner {
		m.Fail("approver", "%s %s is approved by its own owner", what, id)
	}
	return id, owner, approver, ticket, reason, starts, endOfDay(m, "expires", expires)
}

// endOfDay makes a date without a time inclusive: approved until that day ends.
func endOfDay(m *strictyaml.Map, key string, t time.Time) time.Time {
	if len(m.String(key)) == len(time.DateOnly) {
		return t.AddDate(0, 0, 1)
	}
	return t
}

func (l *loader) workflows(root *strictyaml.Map) {
	seen := map[string]bool{}
	for _, m := range root.Maps("workflows", "a workflow") {
		w := Workflow{Line: l.line(m.At())}
		w.ID, w.Owner, w.Approver, w.Ticket, w.Reason, w.Starts, w.Expires = approval(m, "workflow")
		if seen[w.ID] {
			m.Fail("id", "workflow %q is here twice", w.ID)
		}
		seen[w.ID] = true
		m.Need("protocol", "from", "to")
		w.Protocols = l.protocols(m, "protocol")
		w.From, w.To = l.ends(m, "from"), l.ends(m, "to")
		w.Direction = m.Enum("direction", "both", "upload", "download")
		if m.Has("window") {
			w.Window = l.window(m.Map("window"))
		}
		limits := m.Map("limits")
		w.MaxBytes = limits.Bytes("bytes")
		limits.Done()
		w.File = m.String("file")
		w.MonitoredBy, w.Evidence = m.Strings("monitored_by"), m.Strings("evidence")
		m.Done()
		l.p.Workflows = append(l.p.Workflows, w)
	}
}

func (l *loader) protocols(m *strictyaml.Map, key string) []facts.Protocol {
	var out []facts.Protocol
	m.Each(key, func(s string, at strictyaml.Pos) {
		p, ok := facts.ParseProtocol(s)
		if !ok || p == facts.ProtocolUnknown {
			var names []string
			for _, x := range facts.Protocols()[1:] {
				names = append(names, x.String())
			}
			msg := fmt.Sprintf("protocol %q is not one of %s", s, strings.Join(names, ", "))
			if near := strictyaml.Nearest(s, names); near != "" {
				msg += fmt.Sprintf(": did you mean %q?", near)
			}
			l.doc.Fail(at, "%s", msg)
			return
		}
		out = append(out, p)
	})
	return out
}

// ends resolves zones, roles, devices and networks.
func (l *loader) ends(m *strictyaml.Map, key string) Ends {
	var e Ends
	m.Each(key, func(s string, at strictyaml.Pos) {
		e.Names = append(e.Names, s)
		if i := slices.IndexFunc(l.p.Zones, func(z Zone) bool { return z.Name == s }); i >= 0 {
			e.Zones = append(e.Zones, s)
			return
		}
		if i := slices.IndexFunc(l.p.Roles, func(r Role) bool { return r.Name == s }); i >= 0 {
			e.Prefixes = append(e.Prefixes, l.p.Roles[i].CIDRs...)
			return
		}
		if l.inv != nil {
			if i := slices.IndexFunc(l.inv.Devices, func(d inventory.Device) bool { return d.Name == s }); i >= 0 {
				if a, ok := l.inv.Devices[i].Addr(); ok {
					e.Prefixes = append(e.Prefixes, netip.PrefixFrom(a, a.BitLen()))
				}
				return
			}
		}
		p, err := strictyaml.ParsePrefix(s)
		if err != nil {
			l.doc.Fail(at, "%s", l.unknownEnd(s))
			return
		}
		e.Prefixes = append(e.Prefixes, p)
	})
	return e
}

func (l *loader) unknownEnd(s string) string {
	var known []string
	for _, z := range l.p.Zones {
		known = append(known, z.Name)
	}
	for _, r := range l.p.Roles {
		known = append(known, r.Name)
	}
	if l.inv != nil {
		for _, d := range l.inv.Devices {
			known = append(known, d.Name)
		}
	}
	msg := fmt.Sprintf("%q is no zone, role, device of the inventory, or network", s)
	if near := strictyaml.Nearest(s, known); near != "" {
		msg += fmt.Sprintf(": did you mean %q?", near)
	}
	return msg
}

// window reads days, from, to and zone.
func (l *loader) window(m *strictyaml.Map) Window {
	w := Window{Zone: time.UTC}
	names := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	m.Each("days", func(s string, at strictyaml.Pos) {
		switch s = strings.ToLower(s); {
		case s == "daily":
			w.Days |= 0x7f
		case s == "weekdays":
			w.Days |= 0x3e
		case s == "weekend":
			w.Days |= 0x41
		case slices.Contains(names, s):
			w.Days |= 1 << slices.Index(names, s)
		default:
			l.doc.Fail(at, "%q is no day: sun, mon, tue, wed, thu, fri, sat, weekdays, weekend or daily", s)
		}
	})
	w.From, w.To = l.clock(m, "from"), l.clock(m, "to")
	if z := m.String("zone"); z != "" {
		loc, err := time.LoadLocation(z)
		if err != nil {
			m.Fail("zone", "%q is no time zone of the IANA database, such as Europe/Vienna", z)
		} else {
			w.Zone = loc
		}
	}
	m.Done()
	return w
}

// clock reads 02:30 as minutes of the day; 24:00 is the day's end.
func (l *loader) clock(m *strictyaml.Map, key string) int {
	s := m.String(key)
	if s == "" {
		return 0
	}
	h, min, ok := strings.Cut(s, ":")
	hours, err1 := strconv.Atoi(h)
	minutes, err2 := strconv.Atoi(min)
	if !ok || err1 != nil || err2 != nil || hours < 0 || minutes < 0 || minutes > 59 || hours*60+minutes > 1440 {
		m.Fail(key, "%q: %q is no time of day, such as \"02:30\" (in quotes)", key, s)
		return 0
	}
	return hours*60 + minutes
}

func (l *loader) exceptions(root *strictyaml.Map) {
	seen := map[string]bool{}
	for _, m := range root.Maps("exceptions", "an exception") {
		x := Exception{Line: l.line(m.At())}
		x.ID, x.Owner, x.Approver, x.Ticket, x.Reason, x.Starts, x.Expires = approval(m, "exception")
		if seen[x.ID] {
			m.Fail("id", "exception %q is here twice", x.ID)
		}
		seen[x.ID] = true
		m.Need("check")
		x.Check, x.Device, x.Subject, x.Fingerprint = m.String("check"), m.String("device"), m.String("subject"), m.String("fingerprint")
		if x.Device == "" && x.Subject == "" && x.Fingerprint == "" {
			m.Fail("check", "exception %s accepts every finding of its check: name a device, a subject or a fingerprint", x.ID)
		}
		x.MonitoredBy, x.Evidence = m.Strings("monitored_by"), m.Strings("evidence")
		m.Done()
		l.p.Exceptions = append(l.p.Exceptions, x)
	}
}

func (l *loader) matrix(root *strictyaml.Map) {
	for _, m := range root.Maps("matrix", "a matrix entry") {
		m.Need("from", "to", "protocols")
		c := Cell{From: m.String("from"), To: m.String("to"), Protocols: l.protocols(m, "protocols"), Line: l.line(m.At())}
		for _, key := range []string{"from", "to"} {
			if s := m.String(key); s != "" && !slices.ContainsFunc(l.p.Zones, func(z Zone) bool { return z.Name == s }) {
				m.Fail(key, "%s", l.unknownEnd(s))
			}
		}
		m.Done()
		l.p.Matrix = append(l.p.Matrix, c)
	}
}

func (l *loader) destinations(m *strictyaml.Map) {
	l.p.Allow, l.p.Deny = m.Prefixes("allow"), m.Prefixes("deny")
	m.Done()
}

func (l *loader) required(root *strictyaml.Map) {
	names := (facts.HasConfig | facts.HasESXi | facts.HasSNMP | facts.HasSyslog | facts.HasTransfers | facts.HasCommands).Names()
	for _, m := range root.Maps("required", "a requirement") {
		m.Need("evidence")
		r := Requirement{MaxAge: m.Duration("max_age"), Line: l.line(m.At())}
		if i := slices.Index(names, m.Enum("evidence", append([]string{""}, names...)...)); i >= 0 {
			r.Kind = 1 << i
		}
		m.Done()
		l.p.Required = append(l.p.Required, r)
	}
}

func (l *loader) thresholds(all *strictyaml.Map) {
	for _, analytic := range slices.Sorted(mapKeys(Elements())) {
		if !all.Has(analytic) {
			continue
		}
		m := all.Map(analytic)
		for _, key := range Elements()[analytic] {
			if m.Has(key) {
				if l.p.Thresholds[analytic] == nil {
					l.p.Thresholds[analytic] = map[string]string{}
				}
				l.p.Thresholds[analytic][key] = strings.Join(m.Strings(key), "\n")
			}
		}
		m.Done()
	}
	all.Done()
}

func mapKeys(m map[string][]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
