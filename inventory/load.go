package inventory

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/internal/strictyaml"
)

// A Device is one entry of an inventory, defaults resolved.
type Device struct {
	Target
	// Collectors are those that read it, in order.
	Collectors []string
	// Ports and Credentials are those of one collector where they differ from the device's.
	Ports       map[string]uint16
	Credentials map[string]Credential
}

// An Inventory is a loaded file: devices sorted by name.
type Inventory struct {
	Path    string
	Devices []Device
}

// Collectors an inventory may name, with the port each uses unless told otherwise.
var defaultPorts = map[string]uint16{"ssh": 22, "vsphere": 443, "snmp": 161}

// Platforms an inventory may name: those a collector has commands for.
func platforms() []string {
	return []string{"cisco_ios", "cisco_asa", "juniper_junos", "vmware_esxi", "frr", "linux", "other"}
}

// options an inventory may state, by collector.
var options = map[string][]string{
	"ssh":     {"known_hosts", "host_key"},
	"vsphere": {"tls_fingerprint", "ca_file"},
	"snmp":    {"repetitions", "timeout"},
}

// Load reads an inventory. The error holds every mistake with its line and column.
func Load(path string) (*Inventory, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read inventory: %w", err)
	}
	return Parse(path, src)
}

// Parse reads an inventory's text.
func Parse(path string, src []byte) (*Inventory, error) {
	doc := strictyaml.Parse(path, src)
	root := doc.Root()
	if v := root.String("version"); v != "" && v != "1" {
		root.Fail("version", "version %q is not known: this program reads version 1", v)
	}
	credentials := map[string]Credential{}
	all := root.Map("credentials")
	for _, name := range all.Keys() {
		credentials[name] = credential(doc, name, all.Map(name))
	}
	l := &loader{doc: doc, credentials: credentials}
	defaults := root.Map("defaults")
	base := l.device(defaults, Device{}, true)
	defaults.Done()
	inv := &Inventory{Path: path}
	lines := map[string]int{}
	for _, m := range root.Maps("devices", "a device") {
		m.Need("name")
		d := l.device(m, base, false)
		m.Done()
		if first, twice := lines[d.Name]; twice && d.Name != "" {
			m.Fail("name", "device %q is here twice, first in line %d", d.Name, first)
			continue
		}
		lines[d.Name] = d.Line
		inv.Devices = append(inv.Devices, d)
	}
	root.Done()
	if err := doc.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(inv.Devices, func(a, b Device) int { return strings.Compare(a.Name, b.Name) })
	return inv, nil
}

type loader struct {
	doc         *strictyaml.Doc
	credentials map[string]Credential
}

// device reads the keys of a device, or those that defaults may hold.
func (l *loader) device(m *strictyaml.Map, base Device, defaults bool) Device {
	d := base
	d.Options = map[string]string{}
	for k, v := range base.Options {
		d.Options[k] = v
	}
	d.Line = m.At().Line
	if !defaults {
		d.Name, d.Address = m.String("name"), m.String("address")
		if d.Address == "" {
			d.Address = d.Name
		}
		d.Ports = map[string]uint16{}
		if m.IsMap("port") {
			ports := m.Map("port")
			for _, c := range ports.Keys() {
				l.known(ports, c)
				d.Ports[c] = uint16(ports.Int(c, 1, 65535))
			}
		} else {
			d.Port = uint16(m.Int("port", 1, 65535))
		}
	}
	set := func(to *string, key string) {
		if m.Has(key) {
			*to = m.String(key)
		}
	}
	set(&d.Role, "role")
	set(&d.Zone, "zone")
	set(&d.Site, "site")
	if m.Has("platform") {
		d.Platform = m.Enum("platform", append([]string{""}, platforms()...)...)
	}
	if m.Has("tags") {
		d.Tags = m.Strings("tags")
	}
	if m.Has("timeout") {
		d.Timeout = m.Duration("timeout")
	}
	l.collectors(m, &d)
	if m.IsMap("credential") {
		d.Credentials = map[string]Credential{}
		each := m.Map("credential")
		for _, c := range each.Keys() {
			l.known(each, c)
			d.Credentials[c] = l.named(each, c)
		}
	} else if m.Has("credential") {
		d.Credential, d.Credentials = l.named(m, "credential"), nil
	}
	l.options(m, &d)
	return d
}

// known reports a collector that does not exist.
func (l *loader) known(m *strictyaml.Map, collector string) {
	if _, ok := defaultPorts[collector]; !ok {
		l.doc.Fail(m.KeyAt(collector), "collector %q is not ssh, vsphere or snmp", collector)
	}
}

// named is the credential that a key names.
func (l *loader) named(m *strictyaml.Map, key string) Credential {
	name := m.String(key)
	c, ok := l.credentials[name]
	if !ok {
		msg := fmt.Sprintf("credential %q is not defined under credentials", name)
		if near := strictyaml.Nearest(name, keys(l.credentials)); near != "" {
			msg += fmt.Sprintf(": did you mean %q?", near)
		}
		m.Fail(key, "%s", msg)
	}
	return c
}

func keys(m map[string]Credential) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

func (l *loader) collectors(m *strictyaml.Map, d *Device) {
	if m.Has("collector") {
		d.Collectors = nil
		m.Each("collector", func(s string, at strictyaml.Pos) {
			if _, ok := defaultPorts[s]; !ok {
				l.doc.Fail(at, "collector %q is not ssh, vsphere or snmp", s)
				return
			}
			d.Collectors = append(d.Collectors, s)
		})
	}
	if len(d.Collectors) == 0 && d.Name != "" {
		d.Collectors = []string{"ssh"}
		if d.Platform == "vmware_esxi" {
			d.Collectors = []string{"vsphere"}
		}
	}
}

func (l *loader) options(m *strictyaml.Map, d *Device) {
	if !m.Has("options") {
		return
	}
	o := m.Map("options")
	for _, collector := range []string{"ssh", "vsphere", "snmp"} {
		for _, name := range options[collector] {
			if o.Has(name) {
				d.Options[name] = o.String(name)
			}
		}
	}
	o.Done()
}

// credential reads one credential: names and references, never values.
func credential(doc *strictyaml.Doc, name string, m *strictyaml.Map) Credential {
	c := Credential{Name: name, User: m.String("user")}
	for key, to := range map[string]*string{
		"password": &c.Password, "enable": &c.Enable, "key": &c.Key, "passphrase": &c.Passphrase,
		"community": &c.Community, "auth_pass": &c.AuthPass, "priv_pass": &c.PrivPass,
	} {
		if !m.Has(key) {
			continue
		}
		ref := m.String(key)
		if err := checkReference(ref); err != nil {
			doc.Hide(ref)
			m.Fail(key, "%q of credential %q: %v", key, name, err)
			continue
		}
		*to = ref
	}
	c.AuthProtocol, c.PrivProtocol = m.String("auth_protocol"), m.String("priv_protocol")
	m.Done()
	return c
}

// checkReference refuses a literal secret. The text itself is in no message: it may be one.
func checkReference(ref string) error {
	kind, rest, ok := strings.Cut(ref, ":")
	if ok && rest != "" && slices.Contains([]string{"env", "file", "systemd"}, kind) || ref == "prompt" {
		return nil
	}
	return fmt.Errorf("a secret must be a reference: env:NAME, file:PATH, systemd:NAME or prompt; if this is a literal secret, it is known to everyone who can read the file: change it")
}

// Targets are the targets of one collector each, those of names only when any are given.
func (inv *Inventory) Targets(names ...string) []Target {
	var out []Target
	for _, d := range inv.Devices {
		if len(names) > 0 && !slices.Contains(names, d.Name) {
			continue
		}
		for _, c := range d.Collectors {
			t := d.Target
			t.Collector = c
			if p, ok := d.Ports[c]; ok {
				t.Port = p
			}
			if t.Port == 0 || d.Ports[c] == 0 && c != d.Collectors[0] {
				t.Port = defaultPorts[c] // a single port is the first collector's
			}
			if own, ok := d.Credentials[c]; ok {
				t.Credential = own
			}
			out = append(out, t)
		}
	}
	return out
}

// Addr is the device's management address, when the inventory states one.
func (d *Device) Addr() (netip.Addr, bool) {
	a, err := netip.ParseAddr(d.Address)
	return a, err == nil
}
