package engine

import (
	"cmp"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/facts"
)

// A group is the parts of one device.
type group struct {
	id    string
	parts []*part
	info  *audit.DeviceInfo
	// sender is what logs say of it; nil when no log names it.
	sender *sender
}

// A fleet is the groups of a run and the names that lead to them.
type fleet struct {
	groups []*group // sorted by id
	byID   map[string]*group
	owners map[netip.Addr]string
	alias  map[string]string // lower-case sender name to ID
	notes  []facts.Note
}

// assemble decides which part belongs to which device. ID is the inventory's name, else the manifest's host, else the
// hostname in the evidence, else the path. Two whole configurations that only share a hostname ("Router") stay two
// devices, told apart by path: joining them would hide one.
func assemble(o *Options, r *reader) *fleet {
	f := &fleet{byID: map[string]*group{}, owners: map[netip.Addr]string{}, alias: map[string]string{}}
	parts := r.parts()
	known := inventoryNames(o)
	clash := map[string]int{}
	for i := range parts {
		p := &parts[i]
		if p.src.file.Host == "" && known.find(p) == "" && p.hostname != "" && p.has&(facts.HasConfig|facts.HasESXi) != 0 {
			clash[p.hostname]++
		}
	}
	for i := range parts {
		p := &parts[i]
		id := known.id(p)
		if clash[p.hostname] > 1 && id == p.hostname && p.src.file.Host == "" && known.find(p) == "" {
			id = fmt.Sprintf("%s (%s)", p.hostname, p.src.file.Path)
		}
		g := f.group(id)
		g.parts = append(g.parts, p)
	}
	for name, n := range clash {
		if n > 1 {
			f.notes = append(f.notes, facts.Note{
				Kind:    facts.NoteInfo,
				Message: fmt.Sprintf("%d configurations state the hostname %q; they are judged as different devices", n, name),
				Hint:    "name the devices in an inventory if they are one",
			})
		}
	}
	f.addresses(known)
	f.logs(r)
	f.groups = make([]*group, 0, len(f.byID))
	for _, g := range f.byID {
		f.groups = append(f.groups, g)
	}
	slices.SortFunc(f.groups, func(a, b *group) int { return cmp.Compare(a.id, b.id) })
	f.groups = slices.DeleteFunc(f.groups, func(g *group) bool { return !wanted(o.Devices, g.id) || !changed(o.Changed, g) })
	slices.SortFunc(f.notes, compareNotes)
	return f
}

func (f *fleet) group(id string) *group {
	g := f.byID[id]
	if g == nil {
		g = &group{id: id, info: &audit.DeviceInfo{ID: id}}
		f.byID[id] = g
	}
	return g
}

// addresses says whose every interface and management address is. An address of two devices belongs to neither.
func (f *fleet) addresses(known *names) {
	shared := map[netip.Addr]bool{}
	own := func(a netip.Addr, id string) {
		a = a.Unmap()
		if !a.IsValid() || a.IsUnspecified() || a.IsLoopback() {
			return
		}
		if was, ok := f.owners[a]; ok && was != id {
			shared[a] = true
		}
		f.owners[a] = id
	}
	for id, g := range f.byID {
		for _, p := range g.parts {
			for _, a := range p.addrs {
				own(a, id)
			}
		}
	}
	for a, id := range known.addrs {
		own(a, id)
	}
	for a := range shared {
		delete(f.owners, a)
	}
	for id, g := range f.byID {
		f.name(id, id)
		for _, p := range g.parts {
			f.name(p.hostname, id)
		}
	}
	for lower, id := range known.lower {
		f.alias[lower] = id
	}
}

// name leads a log sender's name to a device; a name that leads to two leads nowhere.
func (f *fleet) name(name, id string) {
	if name == "" {
		return
	}
	lower := strings.ToLower(name)
	if was, ok := f.alias[lower]; ok && was != id {
		id = ""
	}
	f.alias[lower] = id
	if short, _, ok := strings.Cut(lower, "."); ok && net4(lower) {
		if _, taken := f.alias[short]; !taken {
			f.alias[short] = id
		}
	}
}

// net4 reports whether name is no address, so that its first label is a name.
func net4(name string) bool {
	_, err := netip.ParseAddr(name)
	return err != nil
}

// resolve is the device a log sender's name or address means; the name itself when no evidence describes it.
func (f *fleet) resolve(name string) string {
	lower := strings.ToLower(name)
	if id := f.alias[lower]; id != "" {
		return id
	}
	if a, err := netip.ParseAddr(name); err == nil {
		if id, ok := f.owners[a.Unmap()]; ok {
			return id
		}
		return name
	}
	if short, _, ok := strings.Cut(lower, "."); ok {
		if id := f.alias[short]; id != "" {
			return id
		}
	}
	return name
}

// logs adds what log lines say of their senders. Senders nobody describes become devices known by their logs alone.
func (f *fleet) logs(r *reader) {
	for _, s := range r.shares {
		for name, x := range s.senders {
			g := f.group(f.resolve(name))
			if g.sender == nil {
				g.sender = &sender{name: name}
			}
			g.sender.has |= x.has
			if g.sender.platform == "" || x.platform != "" && x.platform < g.sender.platform {
				g.sender.platform = x.platform
			}
		}
	}
}

// names are the devices an inventory names.
type names struct {
	lower map[string]string
	addrs map[netip.Addr]string
}

func inventoryNames(o *Options) *names {
	n := &names{map[string]string{}, map[netip.Addr]string{}}
	if o.Inventory == nil {
		return n
	}
	for _, d := range o.Inventory.Devices {
		n.lower[strings.ToLower(d.Name)] = d.Name
		if a, err := netip.ParseAddr(d.Address); err == nil {
			n.addrs[a.Unmap()] = d.Name
		}
	}
	return n
}

// id is the device a part belongs to, unless others state its hostname too.
func (n *names) id(p *part) string {
	if id := cmp.Or(n.find(p), p.src.file.Host, p.hostname); id != "" {
		return id
	}
	if p.nth > 0 {
		return fmt.Sprintf("%s#%d", p.src.file.Path, p.nth+1)
	}
	return p.src.file.Path
}

// find is the inventory's name of a part, empty when it names none.
func (n *names) find(p *part) string {
	if id := n.lower[strings.ToLower(p.src.file.Host)]; id != "" && p.src.file.Host != "" {
		return id
	}
	if id := n.lower[strings.ToLower(p.hostname)]; id != "" && p.hostname != "" {
		return id
	}
	base := path.Base(p.src.file.Path)
	return n.lower[strings.ToLower(strings.TrimSuffix(base, path.Ext(base)))]
}

// changed reports whether a part of g is in a changed file.
func changed(paths map[string]bool, g *group) bool {
	return paths == nil || slices.ContainsFunc(g.parts, func(p *part) bool { return paths[p.src.file.Path] })
}

func wanted(globs []string, id string) bool {
	if len(globs) == 0 {
		return true
	}
	return slices.ContainsFunc(globs, func(g string) bool {
		ok, err := path.Match(g, id)
		return ok && err == nil || g == id
	})
}
