package facts

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Merge assembles the parts of one device. The result does not depend on the order of parts: Explicit beats Masked beats
// Default beats Unknown, two Explicit values keep the younger, and a part of a kind of evidence that a younger part
// repeats whole (two configurations) is set aside and noted. Parts are not changed; at least one is needed.
func Merge(id string, parts []*Device) (*Device, []Note) {
	parts = slices.Clone(parts)
	slices.SortFunc(parts, func(a, b *Device) int {
		return cmp.Or(a.Taken.Compare(b.Taken), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Format, b.Format))
	})
	var notes []Note
	kept := parts[:0:0]
	for i, p := range parts {
		if j := slices.IndexFunc(parts[i+1:], func(q *Device) bool { return repeats(q, p) }); j >= 0 {
			younger := parts[i+1+j]
			notes = append(notes, Note{
				Kind: NoteInfo, Path: p.Path,
				Message: fmt.Sprintf("older %s of %s was not judged: %s is younger", p.Format, id, younger.Path),
				Hint:    "audit the older file alone, or compare the two with --against",
			})
			continue
		}
		kept = append(kept, p)
	}
	out := *kept[len(kept)-1]
	out.ID = id
	out.Parts = nil
	for _, p := range parts {
		out.Parts = append(out.Parts, partOf(p)...)
	}
	slices.SortFunc(out.Parts, func(a, b Part) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Format, b.Format))
	})
	if len(kept) == 1 {
		return &out, notes
	}
	slices.SortFunc(kept, func(a, b *Device) int {
		return cmp.Or(cmp.Compare(a.Has, b.Has), a.Taken.Compare(b.Taken), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Format, b.Format))
	})
	out = Device{ID: id, Parts: out.Parts}
	for _, p := range kept {
		join(&out, p)
	}
	return &out, notes
}

// repeats reports whether q is whole evidence of the same kind as p, taken later.
func repeats(q, p *Device) bool {
	const whole = HasConfig | HasESXi
	return q.Has&whole != 0 && q.Has&whole == p.Has&whole && q.Path != p.Path && q.Aspect == p.Aspect
}

func partOf(d *Device) []Part {
	if len(d.Parts) > 0 {
		return d.Parts
	}
	return []Part{{Path: d.Path, Format: d.Format, Platform: d.Platform, Taken: d.Taken, Lines: d.Lines}}
}

// join adds p to d. Parts come in one order, so the result has one order.
func join(d, p *Device) {
	older := p.Taken.Before(d.Taken)
	d.Hostname = better(d.Hostname, p.Hostname, older)
	d.Model = better(d.Model, p.Model, older)
	d.Version = better(d.Version, p.Version, older)
	if p.Has&(HasConfig|HasESXi) != 0 || d.Platform == "" {
		if p.Platform != "" && !hostOnly(d, p) {
			d.Platform, d.Path, d.Format = p.Platform, p.Path, p.Format
		}
	}
	d.Taken = later(d.Taken, p.Taken)
	d.Has |= p.Has
	if p.Tool != NoTool {
		d.Tool = p.Tool
	}
	d.Services = joinServices(d.Services, p.Services, older)
	d.Clients = append(d.Clients, p.Clients...)
	d.Secrets = append(d.Secrets, p.Secrets...)
	d.SNMP = append(d.SNMP, p.SNMP...)
	d.SNMPLimits = append(d.SNMPLimits, p.SNMPLimits...)
	joinLogging(&d.Logging, &p.Logging, older)
	d.Interfaces = joinInterfaces(d.Interfaces, p.Interfaces)
	d.Routes = append(d.Routes, p.Routes...)
	d.Filters = append(d.Filters, p.Filters...)
	d.Groups = append(d.Groups, p.Groups...)
	d.Bindings = append(d.Bindings, p.Bindings...)
	if p.Zoning.Model != NoZoning {
		d.Zoning = p.Zoning
	}
	d.NAT = append(d.NAT, p.NAT...)
	if p.ESXi != nil {
		d.ESXi = p.ESXi
	}
	d.Counters = append(d.Counters, p.Counters...)
	d.Hooks = append(d.Hooks, p.Hooks...)
	d.Accounts = append(d.Accounts, p.Accounts...)
	d.Access = append(d.Access, p.Access...)
	d.Trusts = append(d.Trusts, p.Trusts...)
	d.Sockets = append(d.Sockets, p.Sockets...)
	d.Hits = append(d.Hits, p.Hits...)
	d.Stored = append(d.Stored, p.Stored...)
	d.Packages = append(d.Packages, p.Packages...)
	d.References = append(d.References, p.References...)
	d.Markers = append(d.Markers, p.Markers...)
	d.Removed = append(d.Removed, p.Removed...)
	d.Lines.Add(p.Lines)
	d.Unread = append(d.Unread, p.Unread...)
}

// hostOnly reports whether p is one of many files of a host, and d is already known by more: a network device's
// configuration, or another such file. The files of a Linux host that has filters too are of one platform.
func hostOnly(d, p *Device) bool {
	if d.Platform == "" || p.Aspect == "" {
		return false
	}
	if PlatformFamily(d.Platform) == Linux && PlatformFamily(p.Platform) == Linux {
		d.Platform = Linux
	}
	return true
}

// joinServices adds services; one that other files of the host say more of is stated once.
func joinServices(have, more []Service, older bool) []Service {
	for _, m := range more {
		i := slices.IndexFunc(have, func(h Service) bool {
			return (h.Fragment || m.Fragment) && h.Name == m.Name && h.Protocol == m.Protocol && h.Scope == m.Scope
		})
		if i < 0 {
			have = append(have, m)
			continue
		}
		h := have[i]
		h.Enabled = better(h.Enabled, m.Enabled, older)
		h.Policy = better(h.Policy, m.Policy, older)
		h.Port, h.Bind = cmp.Or(h.Port, m.Port), cmp.Or(h.Bind, m.Bind)
		h.Path, h.Alias = cmp.Or(h.Path, m.Path), cmp.Or(h.Alias, m.Alias)
		h.ACL = better(h.ACL, m.ACL, older)
		h.Writable = better(h.Writable, m.Writable, older)
		h.Anonymous = better(h.Anonymous, m.Anonymous, older)
		h.AnonymousWrite = better(h.AnonymousWrite, m.AnonymousWrite, older)
		h.Confined = better(h.Confined, m.Confined, older)
		h.Encryption = better(h.Encryption, m.Encryption, older)
		h.Logged = better(h.Logged, m.Logged, older)
		h.Dialect = better(h.Dialect, m.Dialect, older)
		h.Signing = better(h.Signing, m.Signing, older)
		if h.Fragment && !m.Fragment {
			h.Span = m.Span
		}
		h.Fragment = h.Fragment && m.Fragment
		have = slices.Clone(have)
		have[i] = h
	}
	return have
}

func joinLogging(d, p *Logging, older bool) {
	d.Enabled = better(d.Enabled, p.Enabled, older)
	d.Remote = better(d.Remote, p.Remote, older)
	d.Severity = better(d.Severity, p.Severity, older)
	d.CommandAccounting = better(d.CommandAccounting, p.CommandAccounting, older)
	d.ConfigChanges = better(d.ConfigChanges, p.ConfigChanges, older)
	d.FlowExport = better(d.FlowExport, p.FlowExport, older)
	d.FlowSampling = better(d.FlowSampling, p.FlowSampling, older)
	d.Timestamps = better(d.Timestamps, p.Timestamps, older)
	d.Logins = better(d.Logins, p.Logins, older)
	d.NTPAuth = better(d.NTPAuth, p.NTPAuth, older)
	d.KeysHidden = better(d.KeysHidden, p.KeysHidden, older)
	d.FlowHosts = append(d.FlowHosts, p.FlowHosts...)
	d.Sequence = better(d.Sequence, p.Sequence, older)
	d.Hosts = append(d.Hosts, p.Hosts...)
	d.NTP = append(d.NTP, p.NTP...)
	d.Suppressed = append(d.Suppressed, p.Suppressed...)
}

// joinInterfaces adds interfaces another part knows by the same name: addresses are united, the rest stays with the part
// that stated filters.
func joinInterfaces(have, more []Interface) []Interface {
	for _, m := range more {
		i := slices.IndexFunc(have, func(h Interface) bool { return h.Name == m.Name && h.Scope == m.Scope })
		if i < 0 {
			have = append(have, m)
			continue
		}
		h := have[i]
		h.Addrs = slices.Clone(h.Addrs)
		for _, a := range m.Addrs {
			if !slices.Contains(h.Addrs, a) {
				h.Addrs = append(h.Addrs, a)
			}
		}
		h.Bindings = append(slices.Clone(h.Bindings), m.Bindings...)
		h.Shutdown = better(h.Shutdown, m.Shutdown, false)
		h.Level = better(h.Level, m.Level, false)
		h.Flow = better(h.Flow, m.Flow, false)
		if h.Tunnel == nil {
			h.Tunnel = m.Tunnel
		}
		h.Lists = appendNew(h.Lists, m.Lists)
		h.Alias, h.Zone = cmp.Or(h.Alias, m.Alias), cmp.Or(h.Zone, m.Zone)
		have[i] = h
	}
	return have
}

// appendNew is have with those of more that it lacks.
func appendNew(have, more []string) []string {
	for _, m := range more {
		if !slices.Contains(have, m) {
			have = append(slices.Clip(have), m)
		}
	}
	return have
}

// better is the value that wins: the stronger origin; of two explicit ones b, unless b is older.
func better[T any](a, b V[T], bOlder bool) V[T] {
	switch {
	case b.Origin > a.Origin:
		return b
	case b.Origin < a.Origin || bOlder:
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
