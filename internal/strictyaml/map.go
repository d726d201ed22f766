package strictyaml

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Root is the file's mapping.
func (d *Doc) Root() *Map {
	if d.root == nil {
		return &Map{d: d, what: "the file", at: Pos{1, 1}}
	}
	return d.mapping("the file", d.root)
}

func (d *Doc) mapping(what string, n *yaml.Node) *Map {
	m := &Map{d: d, what: what, at: place(n)}
	if null(n) {
		return m
	}
	if n.Kind != yaml.MappingNode {
		d.fail(m.at, fmt.Sprintf("%s must be a mapping of keys to values", what))
		d.guard(n)
		return m
	}
	m.entries = make(map[string]entry, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if _, twice := m.entries[k.Value]; twice || k.Kind != yaml.ScalarNode {
			continue // refused already
		}
		m.order = append(m.order, k.Value)
		m.entries[k.Value] = entry{n.Content[i+1], place(k)}
	}
	return m
}

// null reports whether a value was left out.
func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// A Map is a mapping being read. Every key that is asked for counts as known.
type Map struct {
	d       *Doc
	what    string
	at      Pos
	order   []string
	entries map[string]entry
	asked   []string // in the order of asking, each once
	all     bool     // every key is known
}

type entry struct {
	value *yaml.Node
	at    Pos // of the key
}

// At is where the mapping begins.
func (m *Map) At() Pos { return m.at }

// KeyAt is where a key stands, the mapping's place when it is absent.
func (m *Map) KeyAt(key string) Pos {
	if e, ok := m.entries[key]; ok {
		return e.at
	}
	return m.at
}

// ValueAt is where a key's value stands, the mapping's place when it is absent.
func (m *Map) ValueAt(key string) Pos {
	if e, ok := m.entries[key]; ok {
		return place(e.value)
	}
	return m.at
}

// Has reports whether the key is there; it counts as asked for.
func (m *Map) Has(key string) bool { return m.get(key) != nil }

// IsMap reports whether the key's value is a mapping.
func (m *Map) IsMap(key string) bool {
	n := m.get(key)
	return n != nil && n.Kind == yaml.MappingNode
}

// Keys are all keys in order, counting as asked for: for mappings from names.
func (m *Map) Keys() []string {
	m.all = true
	return m.order
}

func (m *Map) get(key string) *yaml.Node {
	if !m.all && !slices.Contains(m.asked, key) {
		m.asked = append(m.asked, key)
	}
	return m.entries[key].value
}

// Need reports a mistake for every key that is absent or without a value.
func (m *Map) Need(keys ...string) {
	for _, k := range keys {
		if n := m.get(k); n == nil || n.Kind == yaml.ScalarNode && n.Value == "" {
			m.d.fail(m.at, fmt.Sprintf("%s lacks %q", m.what, k))
		}
	}
}

// Done reports the keys nobody asked for, with the known one that is nearest.
func (m *Map) Done() {
	if m.all {
		return
	}
	for _, k := range m.order {
		if slices.Contains(m.asked, k) {
			continue
		}
		m.d.guard(m.entries[k].value)
		if k == "<<" {
			continue // refused already
		}
		msg := fmt.Sprintf("unknown key %q in %s", k, m.what)
		if near := Nearest(k, m.asked); near != "" {
			msg += fmt.Sprintf(": did you mean %q?", near)
		}
		m.d.fail(m.entries[k].at, msg)
	}
}

// Hide masks a key's value, and its place to the next, in every message of a guarded file: it may be a secret.
func (m *Map) Hide(key string) {
	if n := m.get(key); n != nil {
		m.d.hide(n)
	}
}

// Fail adds a mistake at a key's value.
func (m *Map) Fail(key, format string, args ...any) {
	m.d.fail(m.ValueAt(key), fmt.Sprintf(format, args...))
}

// Map is a mapping below key; an empty one when absent.
func (m *Map) Map(key string) *Map {
	n := m.get(key)
	if n == nil {
		return &Map{d: m.d, what: fmt.Sprintf("%q", key), at: m.at}
	}
	return m.d.mapping(fmt.Sprintf("%q", key), n)
}

// Maps is a list of mappings below key. what names one of them in messages.
func (m *Map) Maps(key, what string) []*Map {
	n := m.get(key)
	if n == nil || null(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		m.d.fail(place(n), fmt.Sprintf("%q must be a list", key))
		return nil
	}
	out := make([]*Map, len(n.Content))
	for i, c := range n.Content {
		out[i] = m.d.mapping(what, c)
	}
	return out
}

// Nearest is the known word at most two edits from word; empty when none is. A word must keep something of itself.
func Nearest(word string, known []string) string {
	best, at := "", 3
	for _, k := range slices.Sorted(slices.Values(known)) {
		if len(k)-len(word) >= at || len(word)-len(k) >= at {
			continue
		}
		if d := edits(strings.ToLower(word), strings.ToLower(k)); d < at && d < max(len(k), len(word)) {
			best, at = k, d
		}
	}
	return best
}

// edits is how many letters must be put in, left out, changed or swapped with their neighbour.
func edits(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
