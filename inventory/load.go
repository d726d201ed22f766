package inventory

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/internal/strictyaml"
)

// A Device is one entry of an inventory, defaults resolved.
type Device struct {
	Target
	// Collectors are those that read it, in order; none when it is only known.
	Collectors []string
	// Ports and Credentials are those of one collector where they differ from the device's.
	Ports       map[string]uint16
	Credentials map[string]Credential
}

// An Inventory is a loaded file: devices sorted by name.
type Inventory struct {
	Path    string
	Devices []Device

	credentials map[string]Credential
	lines       map[string]int // of the credentials
}

// Collectors are those an inventory may name.
func Collectors() []string { return []string{"ssh", "vsphere", "snmp"} }

// defaultPort is the port a collector uses unless told otherwise.
func defaultPort(collector string) uint16 {
	switch collector {
	case "ssh":
		return 22 // RFC 4251
	case "vsphere":
		return 443
	case "snmp":
		return 161 // RFC 3417
	}
	return 0
}

// Platforms are those an inventory may name. "other" is known to the audit and read by SNMP at most.
func Platforms() []string {
	return []string{"cisco_ios", "cisco_asa", "juniper_junos", "vmware_esxi", "frr", "linux", "other"}
}

// optionNames are what an inventory may state for a collector.
func optionNames(collector string) []string {
	switch collector {
	case "ssh":
		return []string{"known_hosts", "host_key", "connect_timeout", "idle_timeout"}
	case "vsphere":
		return []string{"tls_fingerprint", "ca_file"}
	case "snmp":
		return []string{"repetitions", "timeout"}
	}
	return nil
}

// maxSize bounds an inventory: some fifty thousand devices.
const maxSize = 16 << 20

// Load reads an inventory. The error holds every mistake with its line and column.
func Load(path string) (*Inventory, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read inventory: %w", err)
	}
	return Parse(path, src)
}

// Parse reads an inventory's text. Files it names are relative to the folder of path. No message shows what stands where a
// secret may have been written.
func Parse(path string, src []byte) (*Inventory, error) {
	doc := strictyaml.ParseWith(path, src, strictyaml.Options{MaxSize: maxSize, Guarded: true})
	root := doc.Root()
	root.Need("version")
	if v := root.String("version"); v != "" && v != "1" {
		root.Fail("version", "version %q is not known: this program reads version 1", v)
	}
	l := &loader{doc: doc, dir: filepath.Dir(path), inv: &Inventory{
		Path: path, credentials: map[string]Credential{}, lines: map[string]int{},
	}}
	all := root.Map("credentials")
	for _, name := range all.Keys() {
		l.inv.credentials[name] = l.credential(name, all.Map(name))
		l.inv.lines[name] = all.KeyAt(name).Line
	}
	defaults := root.Map("defaults")
	base := l.common(defaults, Device{})
	defaults.Done()
	lines := map[string]int{}
	for _, m := range root.Maps("devices", "a device") {
		d := l.device(m, base)
		m.Done()
		if first, twice := lines[d.Name]; twice && d.Name != "" {
			m.Fail("name", "device %q is here twice, first in line %d", d.Name, first)
			continue
		}
		lines[d.Name] = d.Line
		l.inv.Devices = append(l.inv.Devices, d)
	}
	root.Done()
	if err := doc.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(l.inv.Devices, func(a, b Device) int { return strings.Compare(a.Name, b.Name) })
	return l.inv, nil
}

type loader struct {
	doc *strictyaml.Doc
	dir string // what relative paths are relative to
	inv *Inventory
}

// device reads one entry of devices.
func (l *loader) device(m *strictyaml.Map, base Device) Device {
	m.Need("name")
	d := l.common(m, base)
	d.Name, d.Address = m.String("name"), m.String("address")
	if d.Address == "" {
		d.Address = d.Name
	}
	l.address(m, d.Address)
	d.Ports = map[string]uint16{}
	if m.IsMap("port") {
		ports := m.Map("port")
		for _, c := range ports.Keys() {
			l.known(c, ports.KeyAt(c))
			d.Ports[c] = uint16(ports.Int(c, 1, 65535))
		}
	} else {
		d.Port = uint16(m.Int("port", 1, 65535))
	}
	if !m.Has("collector") && d.Collectors == nil {
		d.Collectors = []string{"ssh"}
		if d.Platform == "vmware_esxi" {
			d.Collectors = []string{"vsphere"}
		}
	}
	if slices.Contains(d.Collectors, "ssh") && slices.Contains([]string{"", "vmware_esxi", "other"}, d.Platform) {
		l.doc.Fail(m.At(), "device %q is read over ssh: its platform must be one of cisco_ios, cisco_asa, juniper_junos, frr, linux", d.Name)
	}
	return d
}

// address refuses what is neither an address nor a host name.
func (l *loader) address(m *strictyaml.Map, s string) {
	if _, err := netip.ParseAddr(s); err == nil || s == "" {
		return
	}
	at := m.ValueAt("address")
	if !m.Has("address") {
		at = m.ValueAt("name")
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		l.doc.Fail(at, "address %q has a port: state %q and port: %d", s, ap.Addr(), ap.Port())
		return
	}
	if strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_')
	}) || s[0] == '-' {
		l.doc.Fail(at, "%q is neither an address nor a host name", s)
	}
}

// common reads the keys that both a device and the defaults may hold.
func (l *loader) common(m *strictyaml.Map, base Device) Device {
	d := base
	d.Options = maps.Clone(base.Options)
	if d.Options == nil {
		d.Options = map[string]string{}
	}
	d.Line = m.At().Line
	set := func(to *string, key string) {
		if m.Has(key) {
			*to = m.String(key)
		}
	}
	set(&d.Role, "role")
	set(&d.Zone, "zone")
	set(&d.Site, "site")
	if m.Has("platform") {
		d.Platform = m.Enum("platform", append([]string{""}, Platforms()...)...)
	}
	if m.Has("tags") {
		d.Tags = m.Strings("tags")
	}
	if m.Has("timeout") {
		d.Timeout = m.Duration("timeout")
	}
	if m.Has("collector") {
		d.Collectors = l.collectors(m)
	}
	switch {
	case m.IsMap("credential"):
		d.Credentials = map[string]Credential{}
		each := m.Map("credential")
		for _, c := range each.Keys() {
			l.known(c, each.KeyAt(c))
			d.Credentials[c] = l.named(each, c)
		}
	case m.Has("credential"):
		d.Credential, d.Credentials = l.named(m, "credential"), nil
	}
	l.options(m, &d)
	return d
}

// known reports a collector that does not exist.
func (l *loader) known(collector string, at strictyaml.Pos) bool {
	if slices.Contains(Collectors(), collector) {
		return true
	}
	l.doc.Fail(at, "collector %q is not ssh, vsphere or snmp", collector)
	return false
}

// named is the credential that a key names.
func (l *loader) named(m *strictyaml.Map, key string) Credential {
	name := m.String(key)
	c, ok := l.inv.credentials[name]
	if !ok {
		m.Hide(key) // a password may have been written here
		msg := "no credential of this name is defined under credentials"
		if near := strictyaml.Nearest(name, slices.Collect(maps.Keys(l.inv.credentials))); near != "" {
			msg += fmt.Sprintf(": did you mean %q?", near)
		}
		m.Fail(key, "%s", msg)
	}
	return c
}

// collectors reads who reads a device: a list, one, or none.
func (l *loader) collectors(m *strictyaml.Map) []string {
	out := []string{}
	m.Each("collector", func(s string, at strictyaml.Pos) {
		switch {
		case s == "none":
		case slices.Contains(out, s):
			l.doc.Fail(at, "collector %q is here twice", s)
		case l.known(s, at):
			out = append(out, s)
		}
	})
	return out
}

func (l *loader) options(m *strictyaml.Map, d *Device) {
	if !m.Has("options") {
		return
	}
	o := m.Map("options")
	for _, collector := range Collectors() {
		for _, name := range optionNames(collector) {
			if !o.Has(name) {
				continue
			}
			switch name {
			case "connect_timeout", "idle_timeout", "timeout":
				d.Options[name] = o.Duration(name).String()
			case "repetitions":
				d.Options[name] = fmt.Sprint(o.Int(name, 1, 127))
			case "known_hosts", "ca_file":
				d.Options[name] = l.path(o.String(name))
			default:
				d.Options[name] = o.String(name)
			}
		}
	}
	o.Done()
}

// path is a file named by the inventory.
func (l *loader) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(l.dir, name)
}

// credential reads one credential: names and references, never values.
func (l *loader) credential(name string, m *strictyaml.Map) Credential {
	c := Credential{Name: name, User: m.String("user")}
	for _, part := range c.parts() {
		if !m.Has(part.key) {
			continue
		}
		ref := m.String(part.key)
		kind, rest, _ := strings.Cut(ref, ":")
		switch {
		case checkReference(ref) != nil:
			m.Hide(part.key)
			m.Fail(part.key, "%q of credential %q: %v", part.key, name, checkReference(ref))
		case part.key == "key" && kind == "prompt":
			m.Fail(part.key, "%q of credential %q: a key cannot be asked for: file:PATH names its file", part.key, name)
		case kind == "file":
			*part.ref = "file:" + l.path(rest)
		case kind == "prompt":
			*part.ref = "prompt:" + part.key
		default:
			*part.ref = ref
		}
	}
	c.AuthProtocol = m.Enum("auth_protocol", "", "MD5", "SHA", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512")
	c.PrivProtocol = m.Enum("priv_protocol", "", "DES", "AES", "AES-128", "AES-192", "AES-256", "AES-192C", "AES-256C")
	m.Done()
	return c
}

type part struct {
	key string
	ref *string
}

// parts are the references of a credential by their keys.
func (c *Credential) parts() []part {
	return []part{
		{"password", &c.Password}, {"enable", &c.Enable}, {"key", &c.Key}, {"passphrase", &c.Passphrase},
		{"community", &c.Community}, {"auth_pass", &c.AuthPass}, {"priv_pass", &c.PrivPass},
	}
}

// Targets are the targets of one collector each, those of names only when any are given.
func (inv *Inventory) Targets(names ...string) []Target {
	var out []Target
	for i := range inv.Devices {
		if d := &inv.Devices[i]; len(names) == 0 || slices.Contains(names, d.Name) {
			out = append(out, d.Targets()...)
		}
	}
	return out
}

// Targets are the targets of one device, one for each collector.
func (d *Device) Targets() []Target {
	var out []Target
	for i, c := range d.Collectors {
		t := d.Target
		t.Collector = c
		switch p, ok := d.Ports[c]; {
		case ok:
			t.Port = p
		case t.Port == 0 || i > 0: // a single port is the first collector's
			t.Port = defaultPort(c)
		}
		if own, ok := d.Credentials[c]; ok {
			t.Credential = own
		}
		out = append(out, t)
	}
	return out
}

// Addr is the device's management address, when the inventory states one.
func (d *Device) Addr() (netip.Addr, bool) {
	a, err := netip.ParseAddr(d.Address)
	return a.Unmap(), err == nil
}
