package hostsvc

import (
	"fmt"
	"math/bits"
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/hostfile"
)

// This file makes filters out of the lists of clients that services keep.

// clientList is a filter under construction.
type clientList struct {
	f    *hostfile.File
	kind string
	out  facts.Filter
}

// newList begins a list; end decides about clients that no rule names.
func newList(f *hostfile.File, name, kind string, end facts.Action) *clientList {
	return &clientList{f: f, kind: kind, out: facts.Filter{Name: name, Kind: kind, Default: end, Synthetic: true}}
}

// rule adds a rule about the clients of a list; where is the statement.
func (c *clientList) rule(action facts.Action, src facts.Addrs, where hostfile.Part) {
	src.Present = true
	c.out.Rules = append(c.out.Rules, facts.Rule{
		Name: fmt.Sprintf("#%d", len(c.out.Rules)+1), Action: action, Match: facts.Match{Src: src}, Span: c.f.Span(where),
	})
	if c.out.Span.IsZero() {
		c.out.Span = c.f.Span(where)
	}
}

// state adds the filter to the device and is what a service names it by.
func (c *clientList) state() facts.V[string] {
	c.f.Device.Filters = append(c.f.Device.Filters, c.out)
	return facts.V[string]{Val: c.out.Name, Origin: facts.Explicit, Span: c.out.Span}
}

// everyone is the word for every client.
func everyone(p hostfile.Part) bool {
	return p.Fold("all") || p.Fold("any") || p.Is("0.0.0.0/0") || p.Is("::/0") || p.Is("*")
}

// client reads one client of a list: an address, a prefix with a length or a mask, the beginning of an address ("10.1."). A
// name cannot be told.
func client(f *hostfile.File, p hostfile.Part) facts.AddrItem {
	item := facts.AddrItem{Span: f.Span(p)}
	text := p.String()
	if everyone(p) {
		item.Any = true
		return item
	}
	if begin, ok := beginning(text); ok {
		item.Prefix = begin
		return item
	}
	host, mask, masked := strings.Cut(text, "/")
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil || a.Zone() != "" {
		item.Unread = "the name " + text
		return item
	}
	a = a.Unmap()
	if !masked {
		item.Prefix = netip.PrefixFrom(a, a.BitLen())
		return item
	}
	if n, ok := length(mask, a); ok {
		item.Prefix = netip.PrefixFrom(a, n).Masked()
		return item
	}
	item.Unread = "the mask " + mask
	return item
}

// length is the length of a prefix from a number or a mask whose ones come first.
func length(mask string, a netip.Addr) (int, bool) {
	if m, err := netip.ParseAddr(mask); err == nil && m.Is4() && a.Is4() {
		b := m.As4()
		v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		n := bits.LeadingZeros32(^v)
		return n, v<<n == 0
	}
	n := 0
	for _, c := range mask {
		if c < '0' || c > '9' || n > 128 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, mask != "" && n <= a.BitLen()
}

// beginning reads "10.", "10.1." and "10.1.2.": every address that begins so.
func beginning(text string) (netip.Prefix, bool) {
	n := strings.Count(text, ".")
	if !strings.HasSuffix(text, ".") || n > 3 {
		return netip.Prefix{}, false
	}
	a, err := netip.ParseAddr(text + strings.TrimSuffix(strings.Repeat("0.", 4-n), "."))
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, 8*n), true
}
