package main

import (
	"net/netip"

	"github.com/quaymaster/quaymaster/facts"
)

// A value is a fact with its origin and the line that says so.
type value struct {
	Value  any    `json:"value"`
	Origin string `json:"origin"`
	Line   int    `json:"line,omitempty"`
}

// stated makes a value; what is not known is null.
func stated[T any](f *factWriter, v facts.V[T]) value {
	out := value{Origin: v.Origin.String(), Line: f.line(v.Span)}
	if v.Known() {
		out.Value = v.Val
	}
	return out
}

// device is the published shape of a device part.
func (f *factWriter) device(d *facts.Device) map[string]any {
	id := d.Hostname.Val
	if f.file.Host != "" {
		id = f.file.Host
	}
	if id == "" {
		id = d.Path
	}
	lines := map[string]int{
		"understood": d.Lines.Understood, "irrelevant": d.Lines.Irrelevant,
		"unsupported": d.Lines.Unsupported, "unrecognised": d.Lines.Unrecognised,
	}
	out := map[string]any{
		"kind": "device", "id": id, "platform": d.Platform, "version": d.Version.Val, "model": d.Model.Val, "format": d.Format,
		"path": d.Path, "lines": lines, "evidence": d.Has.Names(),
		"services": f.services(d), "clients": f.clients(d), "filters": f.filters(d), "interfaces": f.interfaces(d),
		"logging": f.logging(d), "hooks": f.hooks(d), "secrets": f.secrets(d), "snmp": f.snmp(d),
	}
	if d.Tool != facts.NoTool {
		out["backup_tool"] = d.Tool.String()
	}
	return out
}

func (f *factWriter) services(d *facts.Device) []map[string]any {
	out := []map[string]any{}
	for _, s := range d.Services {
		m := map[string]any{
			"protocol": s.Protocol.String(), "role": [...]string{"server", "proxy", "shell"}[min(int(s.Role), 2)], "name": s.Name,
			"enabled": stated(f, s.Enabled), "bind": s.Bind, "acl": stated(f, s.ACL), "scope": s.Scope,
			"writable": stated(f, s.Writable), "anonymous": stated(f, s.Anonymous), "line": f.line(s.Span),
		}
		if s.Path != "" {
			m["path"] = s.Path
		}
		if s.Port != 0 {
			m["port"] = s.Port
		}
		if s.Policy.Origin != facts.Unknown {
			m["policy"] = stated(f, s.Policy)
		}
		out = append(out, m)
	}
	return out
}

func (f *factWriter) clients(d *facts.Device) []map[string]any {
	out := []map[string]any{}
	for _, c := range d.Clients {
		out = append(out, map[string]any{
			"use": c.Use, "name": c.Name, "protocol": c.Protocol.String(), "url": c.URL, "host": c.Host, "path": c.Path, "user": c.User,
			"password": stated(f, c.Password), "enabled": stated(f, c.Enabled), "automatic": c.Automatic, "scope": c.Scope, "line": f.line(c.Span),
		})
	}
	return out
}

// hooks are the clients that something other than a person starts.
func (f *factWriter) hooks(d *facts.Device) []map[string]any {
	out := []map[string]any{}
	for _, c := range d.Clients {
		switch c.Use {
		case "scheduler", "event", "script":
			out = append(out, map[string]any{"use": c.Use, "name": c.Name, "protocol": c.Protocol.String(), "url": c.URL, "line": f.line(c.Span)})
		}
	}
	return out
}

func (f *factWriter) filters(d *facts.Device) []map[string]any {
	out := []map[string]any{}
	for i := range d.Filters {
		x := &d.Filters[i]
		if x.Synthetic {
			continue
		}
		unread := 0
		for j := range x.Rules {
			if x.Rules[j].Action == facts.ActionUnknown || len(x.Rules[j].Match.Unread) > 0 {
				unread++
			}
		}
		out = append(out, map[string]any{
			"name": x.Name, "kind": x.Kind, "scope": x.Scope, "rules": len(x.Rules), "unread_rules": unread, "default": x.Default.String(), "line": f.line(x.Span),
		})
	}
	return out
}

func (f *factWriter) interfaces(d *facts.Device) []map[string]any {
	out := []map[string]any{}
	for i := range d.Interfaces {
		x := &d.Interfaces[i]
		applied := []map[string]any{}
		for _, b := range x.Bindings {
			applied = append(applied, map[string]any{"filters": b.Filters, "direction": [...]string{"in", "out"}[min(int(b.Direction), 1)], "line": f.line(b.Span)})
		}
		out = append(out, map[string]any{
			"name": x.Name, "alias": x.Alias, "addresses": prefixes(x.Addrs), "scope": x.Scope, "zone": x.Zone,
			"shutdown": stated(f, x.Shutdown), "filters": applied, "line": f.line(x.Span),
		})
	}
	return out
}

func prefixes(in []netip.Prefix) []string {
	out := []string{}
	for _, p := range in {
		out = append(out, p.String())
	}
	return out
}

func (f *factWriter) logging(d *facts.Device) map[string]any {
	hosts := []map[string]any{}
	for _, h := range d.Logging.Hosts {
		hosts = append(hosts, map[string]any{"host": h.Host, "port": h.Port, "transport": h.Transport, "scope": h.Scope, "line": f.line(h.Span)})
	}
	l := &d.Logging
	return map[string]any{
		"enabled": stated(f, l.Enabled), "remote": stated(f, l.Remote), "severity": stated(f, l.Severity), "hosts": hosts,
		"command_accounting": stated(f, l.CommandAccounting), "config_changes": stated(f, l.ConfigChanges), "flow_export": stated(f, l.FlowExport),
	}
}

// secrets says where secrets lie and how they are kept, never what they are.
func (f *factWriter) secrets(d *facts.Device) []map[string]any {
	out := []map[string]any{}
	for _, s := range d.Secrets {
		out = append(out, map[string]any{"name": s.Name, "user": s.User, "storage": s.Storage.String(), "line": f.line(s.Span)})
	}
	return out
}

func (f *factWriter) snmp(d *facts.Device) []map[string]any {
	out := []map[string]any{}
	for _, s := range d.SNMP {
		out = append(out, map[string]any{
			"version": s.Version, "group": s.Name, "write": stated(f, s.Write), "acl": stated(f, s.ACL), "covers_config_copy": stated(f, s.CoversCopy), "line": f.line(s.Span),
		})
	}
	return out
}
