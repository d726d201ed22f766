package inventory

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// A Remark is something of a valid inventory that will not work, or not as its author may think.
type Remark struct {
	Line int
	Text string // one sentence, lower case
}

// Lint looks at what a valid inventory says, and at the files it names; it resolves no secret and reaches no device.
func (inv *Inventory) Lint() []Remark {
	var out []Remark
	say := func(line int, format string, args ...any) {
		out = append(out, Remark{line, fmt.Sprintf(format, args...)})
	}
	used := map[string]bool{}
	reached := map[string]string{}
	for i := range inv.Devices {
		d := &inv.Devices[i]
		if len(d.Collectors) == 0 && d.Role == "" && d.Zone == "" {
			say(d.Line, "device %q is read by no collector and has neither a role nor a zone: it says nothing", d.Name)
		}
		for _, t := range d.Targets() {
			used[t.Credential.Name] = true
			where := fmt.Sprintf("%s %s port %d", t.Collector, strings.ToLower(t.Address), t.Port)
			if other, twice := reached[where]; twice {
				say(d.Line, "devices %q and %q are one: both are %s", other, d.Name, where)
			}
			reached[where] = d.Name
			if why := lacks(t); why != "" {
				say(d.Line, "device %q cannot be read by %s: %s", d.Name, t.Collector, why)
			}
		}
		for _, name := range []string{"known_hosts", "ca_file"} {
			if file := d.Options[name]; file != "" {
				if _, err := os.Stat(file); err != nil {
					say(d.Line, "%s of device %q: %v", name, d.Name, err)
				}
			}
		}
	}
	for name, c := range inv.credentials {
		line := inv.lines[name]
		if !used[name] {
			say(line, "credential %q is used by no device", name)
		}
		for _, p := range c.parts() {
			if file, ok := strings.CutPrefix(*p.ref, "file:"); ok {
				if err := checkPrivate(file); errors.Is(err, fs.ErrNotExist) {
					say(line, "%s of credential %q: %s does not exist on this machine", p.key, name, file)
				} else if err != nil {
					say(line, "%s of credential %q: %v", p.key, name, err)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b Remark) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Text, b.Text)) })
	return slices.Compact(out)
}

// lacks is what a target's credential does not state though its collector needs it; empty when nothing is missing.
func lacks(t Target) string {
	c := t.Credential
	switch {
	case c.Name == "":
		return "it has no credential"
	case t.Collector == "snmp" && c.Community == "" && c.User == "":
		return fmt.Sprintf("credential %q has neither a community (v2c) nor a user (v3)", c.Name)
	case t.Collector == "snmp":
		return ""
	case c.User == "":
		return fmt.Sprintf("credential %q has no user", c.Name)
	case t.Collector == "ssh" && c.Password == "" && c.Key == "":
		return fmt.Sprintf("credential %q has neither a password nor a key", c.Name)
	case t.Collector == "vsphere" && c.Password == "":
		return fmt.Sprintf("credential %q has no password", c.Name)
	}
	return ""
}
