// Package strictyaml reads configuration files in YAML so that every mistake is found at once, each with its line, its
// column and what was probably meant.
//
// A file is walked, not decoded into structs: the caller asks a [Map] for the keys it knows, and [Map.Done] reports those
// nobody asked for. Aliases, anchors, merge keys, tags and duplicate keys are refused: two readers must see one meaning.
// Dates stay text. Files are at most MaxSize bytes.
package strictyaml

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// MaxSize bounds a file.
const MaxSize = 1 << 20

// A Pos is a place in a file, from 1.
type Pos struct{ Line, Column int }

// An Error is one mistake.
type Error struct {
	Path string
	Pos
	Msg  string
	line string // the source line
}

// Error is path:line:column: message, the source line, and a caret.
func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Path, e.Msg)
	}
	head := fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, e.Msg)
	if e.line == "" {
		return head
	}
	caret := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string([]rune(e.line)[:min(max(e.Column-1, 0), len([]rune(e.line)))]))
	return fmt.Sprintf("%s\n%5d | %s\n      | %s^", head, e.Line, e.line, caret)
}

// A Doc is a file being read. It collects mistakes; Err gives them all.
type Doc struct {
	Path string
	root *yaml.Node
	src  [][]byte
	errs []*Error
	// hidden are texts that no message may show.
	hidden []string
}

// Hide keeps a text out of the source lines that mistakes show: it may be a secret.
func (d *Doc) Hide(text string) {
	if text != "" {
		d.hidden = append(d.hidden, text)
	}
}

// Parse reads a file's text. A mistake of syntax is in Err, and Map is empty.
func Parse(path string, src []byte) *Doc {
	d := &Doc{Path: path, src: bytes.Split(src, []byte("\n"))}
	if len(src) > MaxSize {
		d.fail(Pos{}, fmt.Sprintf("the file is larger than %d KiB", MaxSize>>10))
		return d
	}
	var root yaml.Node
	if err := yaml.Unmarshal(src, &root); err != nil {
		d.syntax(err)
		return d
	}
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		d.root = root.Content[0]
		d.refuse(d.root)
	}
	return d
}

// syntax turns the library's error, which names a line, into one of ours.
func (d *Doc) syntax(err error) {
	msg := strings.TrimPrefix(strings.Split(err.Error(), "\n")[0], "yaml: ")
	at := Pos{}
	if i := strings.Index(msg, "line "); i >= 0 {
		digits := msg[i+5:]
		end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(digits)
		}
		if n, e := strconv.Atoi(digits[:end]); e == nil {
			at = Pos{n, 1}
		}
	}
	d.fail(at, "this is not YAML: "+msg)
}

// refuse finds what strict files may not use.
func (d *Doc) refuse(n *yaml.Node) {
	at := Pos{n.Line, n.Column}
	switch {
	case n.Kind == yaml.AliasNode:
		d.fail(at, "aliases are not allowed: write the value out")
		return
	case n.Anchor != "":
		d.fail(at, "anchors are not allowed: write the value out")
	case n.Style&yaml.TaggedStyle != 0:
		d.fail(at, "tags are not allowed")
	}
	if n.Kind == yaml.MappingNode {
		seen := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			switch first, twice := seen[k.Value]; {
			case k.Value == "<<":
				d.fail(Pos{k.Line, k.Column}, "merge keys are not allowed: write the values out")
			case twice:
				d.fail(Pos{k.Line, k.Column}, fmt.Sprintf("key %q is here twice, first in line %d", k.Value, first))
			default:
				seen[k.Value] = k.Line
			}
		}
	}
	for _, c := range n.Content {
		d.refuse(c)
	}
}

func (d *Doc) fail(at Pos, msg string) {
	e := &Error{Path: d.Path, Pos: at, Msg: msg}
	if at.Line > 0 && at.Line <= len(d.src) {
		e.line = strings.TrimRight(string(d.src[at.Line-1]), "\r")
	}
	d.errs = append(d.errs, e)
}

// Fail adds a mistake the caller found.
func (d *Doc) Fail(at Pos, format string, args ...any) { d.fail(at, fmt.Sprintf(format, args...)) }

// Errors are all mistakes, in order of place.
func (d *Doc) Errors() []*Error {
	out := make([]*Error, len(d.errs))
	for i, e := range d.errs {
		c := *e
		for _, h := range d.hidden {
			c.line = strings.ReplaceAll(c.line, h, strings.Repeat("*", 8))
		}
		out[i] = &c
	}
	slices.SortStableFunc(out, func(a, b *Error) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) })
	return slices.CompactFunc(out, func(a, b *Error) bool { return *a == *b })
}

// Err is all mistakes as one error, nil when there is none.
func (d *Doc) Err() error {
	all := d.Errors()
	if len(all) == 0 {
		return nil
	}
	errs := make([]error, len(all), len(all)+1)
	for i, e := range all {
		errs[i] = e
	}
	if len(all) > 1 {
		errs = append(errs, fmt.Errorf("%d errors in %s", len(all), d.Path))
	}
	return errors.Join(errs...)
}

// Root is the file's mapping.
func (d *Doc) Root() *Map {
	if d.root == nil {
		return &Map{d: d, at: Pos{1, 1}}
	}
	return d.mapping("the file", d.root)
}

func (d *Doc) mapping(what string, n *yaml.Node) *Map {
	m := &Map{d: d, what: what, at: Pos{n.Line, n.Column}, values: map[string]*yaml.Node{}, keys: map[string]Pos{}}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return m
	}
	if n.Kind != yaml.MappingNode {
		d.fail(m.at, fmt.Sprintf("%s must be a mapping of keys to values", what))
		return m
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if _, twice := m.values[k.Value]; twice {
			continue
		}
		m.order = append(m.order, k.Value)
		m.values[k.Value] = n.Content[i+1]
		m.keys[k.Value] = Pos{k.Line, k.Column}
	}
	return m
}

// A Map is a mapping being read. Every key that is asked for counts as known.
type Map struct {
	d      *Doc
	what   string
	at     Pos
	order  []string
	values map[string]*yaml.Node
	keys   map[string]Pos
	asked  []string
}

// At is where the mapping begins.
func (m *Map) At() Pos { return m.at }

// KeyAt is where a key stands, the mapping's place when it is absent.
func (m *Map) KeyAt(key string) Pos {
	if p, ok := m.keys[key]; ok {
		return p
	}
	return m.at
}

// ValueAt is where a key's value stands.
func (m *Map) ValueAt(key string) Pos {
	if n := m.values[key]; n != nil {
		return Pos{n.Line, n.Column}
	}
	return m.at
}

// Has reports whether the key is there; it counts as asked for.
func (m *Map) Has(key string) bool { return m.get(key) != nil }

// Keys are all keys in order, counting as asked for: for mappings from names.
func (m *Map) Keys() []string {
	m.asked = append(m.asked, m.order...)
	return m.order
}

func (m *Map) get(key string) *yaml.Node {
	if !slices.Contains(m.asked, key) {
		m.asked = append(m.asked, key)
	}
	return m.values[key]
}

// Need reports a mistake for every absent key.
func (m *Map) Need(keys ...string) {
	for _, k := range keys {
		if n := m.get(k); n == nil || n.Kind == yaml.ScalarNode && n.Value == "" {
			m.d.fail(m.at, fmt.Sprintf("%s lacks %q", m.what, k))
		}
	}
}

// Done reports the keys nobody asked for, with the known one that is nearest.
func (m *Map) Done() {
	for _, k := range m.order {
		if slices.Contains(m.asked, k) {
			continue
		}
		msg := fmt.Sprintf("unknown key %q in %s", k, m.what)
		if near := Nearest(k, m.asked); near != "" {
			msg += fmt.Sprintf(": did you mean %q?", near)
		}
		m.d.fail(m.keys[k], msg)
	}
}

// Nearest is the known word at most two edits from word; empty when none is.
func Nearest(word string, known []string) string {
	best, at := "", 3
	for _, k := range slices.Sorted(slices.Values(known)) {
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

// scalar is the text of a key's value; a list or mapping there is a mistake.
func (m *Map) scalar(key string) (text string, at Pos, ok bool) {
	n := m.get(key)
	if n == nil || n.Kind == yaml.ScalarNode && n.Tag == "!!null" && n.Value != "" {
		return "", m.at, false
	}
	at = Pos{n.Line, n.Column}
	if n.Kind != yaml.ScalarNode {
		m.d.fail(at, fmt.Sprintf("%q must be one value", key))
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

// Bool is true or false; false when absent.
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
	if err != nil || !known || n < 0 || n*unit > 1<<60 {
		m.d.fail(at, fmt.Sprintf("%q must be a number of bytes, such as 10MB or 64KiB", key))
		return 0
	}
	return int64(n * unit)
}

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
	if err != nil || d < 0 {
		m.d.fail(at, fmt.Sprintf("%q must be a time span, such as 90s, 24h or 7d", key))
		return 0
	}
	return d * scale
}

// Date is a day such as 2027-01-31, or an instant in RFC 3339; the zero time when absent.
func (m *Map) Date(key string) time.Time {
	s, at, ok := m.scalar(key)
	if !ok {
		return time.Time{}
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	m.d.fail(at, fmt.Sprintf("%q: %q is no date, such as 2027-01-31", key, s))
	return time.Time{}
}

// Strings is a list of texts, or one text.
func (m *Map) Strings(key string) []string {
	var out []string
	m.each(key, func(s string, _ Pos) { out = append(out, s) })
	return out
}

// Each calls f with every text of a list, or with the one text, and its place.
func (m *Map) Each(key string, f func(s string, at Pos)) { m.each(key, f) }

func (m *Map) each(key string, f func(string, Pos)) {
	n := m.get(key)
	if n == nil || n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		nodes = n.Content
	}
	for _, c := range nodes {
		if c.Kind != yaml.ScalarNode {
			m.d.fail(Pos{c.Line, c.Column}, fmt.Sprintf("%q must be a text or a list of texts", key))
			continue
		}
		f(c.Value, Pos{c.Line, c.Column})
	}
}

// Prefixes is a list of networks in CIDR form, or addresses.
func (m *Map) Prefixes(key string) []netip.Prefix {
	var out []netip.Prefix
	m.each(key, func(s string, at Pos) {
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
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is no network, such as 10.0.0.0/8", s)
	}
	if p != p.Masked() {
		return p, fmt.Errorf("%q has host bits set: did you mean %q?", s, p.Masked())
	}
	return p, nil
}

// IsMap reports whether the key's value is a mapping.
func (m *Map) IsMap(key string) bool {
	n := m.get(key)
	return n != nil && n.Kind == yaml.MappingNode
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
	if n == nil || n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		m.d.fail(Pos{n.Line, n.Column}, fmt.Sprintf("%q must be a list", key))
		return nil
	}
	var out []*Map
	for _, c := range n.Content {
		out = append(out, m.d.mapping(what, c))
	}
	return out
}

// Fail adds a mistake at a key's value.
func (m *Map) Fail(key, format string, args ...any) {
	m.d.fail(m.ValueAt(key), fmt.Sprintf(format, args...))
}
