package strictyaml

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// scalar is the text of a key's value; a list or mapping there is a mistake. ok is false when there is none.
func (m *Map) scalar(key string) (text string, at Pos, ok bool) {
	n := m.get(key)
	if n == nil || null(n) {
		return "", m.at, false
	}
	at = place(n)
	if n.Kind != yaml.ScalarNode {
		if n.Kind != yaml.AliasNode { // refused already
			m.d.fail(at, fmt.Sprintf("%q must be one value", key))
		}
		return "", at, false
	}
	return n.Value, at, n.Value != ""
}

// String is a text; empty when absent.
func (m *Map) String(key string) string {
	s, _, _ := m.scalar(key)
	return s
}

// Enum is one of the given words; the first when absent.
func (m *Map) Enum(key string, words ...string) string {
	s, at, ok := m.scalar(key)
	if !ok {
		return words[0]
	}
	if !slices.Contains(words, s) {
		msg := fmt.Sprintf("%q must be one of %s", key, strings.Join(slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" }), ", "))
		if near := Nearest(s, words); near != "" {
			msg += fmt.Sprintf(": did you mean %q?", near)
		}
		m.d.fail(at, msg)
		return words[0]
	}
	return s
}

// Bool is true or false; false when absent. The other words YAML has had for them are a mistake.
func (m *Map) Bool(key string) bool {
	s, at, ok := m.scalar(key)
	if ok && s != "true" && s != "false" {
		m.d.fail(at, fmt.Sprintf("%q must be true or false", key))
	}
	return s == "true"
}

// Int is a whole number within bounds; 0 when absent.
func (m *Map) Int(key string, least, most int64) int64 {
	s, at, ok := m.scalar(key)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < least || n > most {
		m.d.fail(at, fmt.Sprintf("%q must be a whole number from %d to %d", key, least, most))
		return 0
	}
	return n
}

// Float is a number within bounds; 0 when absent.
func (m *Map) Float(key string, least, most float64) float64 {
	s, at, ok := m.scalar(key)
	if !ok {
		return 0
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n >= least && n <= most) { // not a number is out of bounds
		m.d.fail(at, fmt.Sprintf("%q must be a number from %g to %g", key, least, most))
		return 0
	}
	return n
}

// Bytes is a number of bytes with an optional unit (kB, MB, GB of 1,000; KiB, MiB, GiB of 1,024); 0 when absent.
func (m *Map) Bytes(key string) int64 {
	s, at, ok := m.scalar(key)
	if !ok {
		return 0
	}
	number := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	unit, known := map[string]float64{
		"": 1, "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	}[strings.TrimSpace(s[len(number):])]
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !known || !(n >= 0 && n*unit <= 1<<60) {
		m.d.fail(at, fmt.Sprintf("%q must be a number of bytes, such as 10MB or 64KiB", key))
		return 0
	}
	return int64(n * unit)
}

// maxSpan bounds a time span: a hundred years.
const maxSpan = 100 * 366 * 24 * time.Hour

// Duration is a time span such as 90s, 15m, 24h or 7d; 0 when absent.
func (m *Map) Duration(key string) time.Duration {
	s, at, ok := m.scalar(key)
	if !ok {
		return 0
	}
	text, scale := s, time.Duration(1)
	if days, is := strings.CutSuffix(s, "d"); is {
		text, scale = days+"h", 24
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > maxSpan/scale {
		m.d.fail(at, fmt.Sprintf("%q must be a time span, such as 90s, 24h or 7d", key))
		return 0
	}
	return d * scale
}

// Date is a day such as 2027-01-31, or an instant in RFC 3339; the zero time when absent.
func (m *Map) Date(key string) time.Time {
	return m.time(key, "date, such as 2027-01-31", time.DateOnly, time.RFC3339)
}

// Time is an instant in RFC 3339; the zero time when absent.
func (m *Map) Time(key string) time.Time {
	return m.time(key, "time, such as 2027-01-31T08:00:00Z", time.RFC3339)
}

func (m *Map) time(key, what string, layouts ...string) time.Time {
	s, at, ok := m.scalar(key)
	if !ok {
		return time.Time{}
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	m.d.fail(at, fmt.Sprintf("%q: %q is no %s", key, clip(s), what))
	return time.Time{}
}

// clip keeps a value that is repeated in a message short.
func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "..."
	}
	return s
}

// Strings is a list of texts, or one text.
func (m *Map) Strings(key string) []string {
	var out []string
	m.Each(key, func(s string, _ Pos) { out = append(out, s) })
	return out
}

// Each calls f with every text of a list, or with the one text, and its place.
func (m *Map) Each(key string, f func(s string, at Pos)) {
	n := m.get(key)
	if n == nil || null(n) {
		return
	}
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		nodes = n.Content
	}
	for _, c := range nodes {
		switch {
		case c.Kind == yaml.AliasNode: // refused already
		case c.Kind != yaml.ScalarNode, null(c):
			m.d.fail(place(c), fmt.Sprintf("%q must be a text or a list of texts", key))
		default:
			f(c.Value, place(c))
		}
	}
}

// Prefixes is a list of networks in CIDR form, or addresses.
func (m *Map) Prefixes(key string) []netip.Prefix {
	var out []netip.Prefix
	m.Each(key, func(s string, at Pos) {
		p, err := ParsePrefix(s)
		if err != nil {
			m.d.fail(at, fmt.Sprintf("%q: %v", key, err))
			return
		}
		out = append(out, p)
	})
	return out
}

// ParsePrefix reads a network in CIDR form, or an address. Host bits are a mistake: they hide a typing error.
func ParsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		if a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q has a zone: a network has none", clip(s))
		}
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is no network, such as 10.0.0.0/8", clip(s))
	}
	if p != p.Masked() {
		return p, fmt.Errorf("%q has host bits set: did you mean %q?", s, p.Masked())
	}
	return p, nil
}
