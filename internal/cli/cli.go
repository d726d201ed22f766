// Package cli reads configurations of platforms whose command line looks like that of IOS: statements in indented blocks.
// It holds what those platforms have in common; each is a [Dialect] in a folder of parsers.
//
// A dialect reads a statement or says that it does not know it. What it does not know is irrelevant by an entry of its
// table, with the reason, or unrecognised; a statement that names a transfer protocol is never irrelevant, unless the
// table of look-alikes says so. Secrets and transfer URLs are looked for in every line, whatever the statement. Memory is
// the file, its statement tree and the facts.
package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/ace"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// A Dialect is how a platform writes, and what its statements mean.
type Dialect struct {
	Name     string // of the format
	Platform string
	Layout   tree.Indentation
	ACL      ace.Dialect
	// Implied6 are the messages of ICMPv6 that every IPv6 list permits at its end.
	Implied6 []facts.ICMPType
	// Top reads a statement outside every block, with what is below it; false when it does not know it.
	Top func(s *Stmt) bool
	// Irrelevant are statements outside every block that cannot bear on transfers, with all below them: the first words,
	// and the reason. The longest entry counts.
	Irrelevant map[string]string
	// LookAlikes are texts of statements that name a transfer protocol and make no transfer, or a filter and apply none, with
	// the reason; a statement begins with one of them, or has it behind a blank.
	LookAlikes map[string]string
	// NoSecrets are beginnings of statements that only look as if they held a secret.
	NoSecrets []string
	// Comment reads a comment: what the device or a backup tool says beside the configuration. May be nil.
	Comment func(r *Reader, n int32, text string)
	// Outside tells a line outside the configuration: a prompt, the device's own words. May be nil.
	Outside func(r *Reader, n int32, text string) bool
	// Finish states what needs the whole file, before lines are counted.
	Finish func(r *Reader)
}

// Format is the format of a dialect.
func (d *Dialect) Format(detect func(path string, head []byte) facts.Confidence) facts.Format {
	return facts.Format{Name: d.Name, Platform: d.Platform, Detect: detect, Parse: d.parse}
}

func (d *Dialect) parse(ctx context.Context, piece evidence.Piece, sink facts.Sink) error {
	if piece.From > 0 {
		return nil // a configuration is never split
	}
	src, more, err := tree.ReadSource(ctx, piece.File, sink)
	if err != nil {
		return err
	}
	t := tree.New()
	defer t.Free()
	r := &Reader{
		Dialect: d, File: piece.File, Sink: sink, T: t, text: string(src), Cut: more, kept: map[string]string{}, reasons: map[int32]string{}, inFilter: map[int32]string{},
		filters: map[filterKey]int{}, groups: map[groupKey]int{}, communities: map[string]int{}, accounts: map[string]int{}, times: map[string]*facts.TimeRange{},
		D: &facts.Device{Path: piece.Path, Format: d.Name, Platform: d.Platform, Taken: piece.Mod, Has: facts.HasConfig},
	}
	for _, f := range t.Indent(src, d.Layout) {
		r.Cut = r.Cut || f.Kind.Lost() && (f.Kind != tree.TooLong || r.cutStatement())
		sink.Note(facts.Note{
			Kind: facts.NoteUnread, Path: piece.Path, Count: f.Count, Span: r.File.Span(t.Base+int64(f.Off), 1),
			Message: fmt.Sprintf("the configuration is not as it should be: %s", f.Kind),
		})
	}
	if err := r.run(ctx); err != nil {
		return err
	}
	sink.Device(r.D)
	return ctx.Err()
}

// cutStatement reports whether a line that was too long was a statement: of a comment nothing is lost.
func (r *Reader) cutStatement() bool {
	return slices.ContainsFunc(r.T.Nodes, func(n tree.Node) bool { return n.Flags&tree.Cut != 0 && n.Flags&tree.Comment == 0 })
}

// A Reader is one file being read.
type Reader struct {
	Dialect *Dialect
	File    *evidence.File
	Sink    facts.Sink
	T       *tree.Tree
	D       *facts.Device

	Cut     bool // text was lost
	Partial bool // the device was asked for a part of its configuration
	Ended   bool // the statement that ends a configuration was met
	Stated  bool // a host name or version was stated

	text      string      // the source
	words     []tree.Word // of the statement read last
	strings   []string
	places    tree.Slab[tree.Word]
	spellings tree.Slab[string]
	kept      map[string]string
	reasons   map[int32]string
	inFilter  map[int32]string // lines of lists that were not understood

	filters map[filterKey]int
	common  []filterKey // lists that are asked before another
	order   []numbering // beside D.Filters
	groups  map[groupKey]int
	// communities and accounts are places in D.SNMP and D.Accounts. The names of the first are secrets: they stay here.
	communities, accounts map[string]int
	times                 map[string]*facts.TimeRange
	timed                 []timedRule
	flow                  flowState
}

// Whole reports whether the file is a whole configuration, so that what it does not state is at its default.
func (r *Reader) Whole() bool { return !r.Cut && !r.Partial && r.Stated }

// run reads all statements, then what lies across them.
func (r *Reader) run(ctx context.Context) error {
	t := r.T
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.Flags&tree.Comment != 0 && n.Flags&tree.Raw == 0 && r.Dialect.Comment != nil {
			r.Dialect.Comment(r, int32(i), strings.TrimLeft(r.Text(int32(i)), r.Dialect.Layout.Comments+" "))
		}
	}
	count := 0
	for n := t.First; n != tree.None; n = t.Nodes[n].Next {
		if count++; count%4096 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		r.top(n)
	}
	r.finishFilters()
	r.finishFlow()
	if r.Dialect.Finish != nil {
		r.Dialect.Finish(r)
	}
	r.secrets()
	r.D.Markers = facts.Markers(r.File, t.Source, t.Base)
	r.account()
	return ctx.Err()
}

func (r *Reader) top(n int32) {
	switch {
	case r.T.Nodes[n].State != facts.Unrecognised:
		return // an earlier statement took it
	case r.T.Nodes[n].Flags&tree.Raw != 0:
		r.T.Mark(n, facts.Irrelevant)
		return
	}
	s := r.stmt(n)
	switch {
	case len(s.W) == 0:
		r.T.Mark(n, facts.Irrelevant) // "no" alone
	case r.Dialect.Outside != nil && r.Dialect.Outside(r, n, r.Text(n)):
		r.T.Mark(n, facts.Irrelevant)
	case r.Dialect.Top(&s):
	case r.Dialect.reason(s.W) != "":
		s.Skip()
	default:
		s.Unknown()
	}
}

// reason is why a statement is irrelevant.
func (d *Dialect) reason(w []string) string {
	for n := min(len(w), 4); n > 0; n-- {
		if why := d.Irrelevant[strings.Join(w[:n], " ")]; why != "" {
			return why
		}
	}
	return ""
}

// Text is the text of a node.
func (r *Reader) Text(n int32) string {
	x := &r.T.Nodes[n]
	return r.text[x.Off : x.Off+x.Len]
}

// Span is where a node is.
func (r *Reader) Span(n int32) evidence.Span {
	x := &r.T.Nodes[n]
	return r.File.Span(r.T.Base+int64(x.Off), int(x.Len))
}

// Keep is s for facts: it does not hold on to the file, and equal ones share their bytes.
func (r *Reader) Keep(s string) string {
	if s == "" {
		return ""
	}
	if k, ok := r.kept[s]; ok {
		return k
	}
	s = strings.Clone(s)
	if len(s) <= 64 {
		r.kept[s] = s
	}
	return s
}

// Note tells something about the evidence.
func (r *Reader) Note(kind facts.NoteKind, span evidence.Span, message, hint string) {
	r.Sink.Note(facts.Note{Kind: kind, Path: r.File.Path, Span: span, Message: message, Hint: hint})
}

// A Stmt is one statement, its words without a leading "no".
type Stmt struct {
	R  *Reader
	N  int32
	W  []string
	No bool
	at []tree.Word
}

func (r *Reader) stmt(n int32) Stmt {
	r.words = r.T.Fields(r.words, n)
	r.strings = r.strings[:0]
	for _, f := range r.words {
		r.strings = append(r.strings, r.text[f.Off:f.Off+f.Len])
	}
	s := Stmt{R: r, N: n, at: r.places.Copy(r.words), W: r.spellings.Copy(r.strings)}
	if len(s.W) > 0 && s.W[0] == "no" {
		s.W, s.at, s.No = s.W[1:], s.at[1:], true
	}
	return s
}

// Word is word i; empty beyond the end.
func (s *Stmt) Word(i int) string {
	if i < 0 || i >= len(s.W) {
		return ""
	}
	return s.W[i]
}

// Is reports whether the words from i on begin with the given ones.
func (s *Stmt) Is(i int, words ...string) bool {
	for k, w := range words {
		if s.Word(i+k) != w {
			return false
		}
	}
	return true
}

// Find is the place of a word from i on; -1 when it is not there.
func (s *Stmt) Find(i int, word string) int {
	for ; i < len(s.W); i++ {
		if s.W[i] == word {
			return i
		}
	}
	return -1
}

// After is the word behind another one, from i on; empty when it is not there.
func (s *Stmt) After(i int, word string) string {
	if k := s.Find(i, word); k >= 0 {
		return s.Word(k + 1)
	}
	return ""
}

// Rest is the statement from word i on, as it is written.
func (s *Stmt) Rest(i int) string {
	if i < 0 || i >= len(s.W) {
		return ""
	}
	x := &s.R.T.Nodes[s.N]
	return s.R.text[s.at[i].Off : x.Off+x.Len]
}

// Span is where the statement is, At where one of its words is.
func (s *Stmt) Span() evidence.Span { return s.R.Span(s.N) }

// At is where word i is.
func (s *Stmt) At(i int) evidence.Span {
	if i < 0 || i >= len(s.at) {
		return s.Span()
	}
	return s.R.File.Span(s.R.T.Base+int64(s.at[i].Off), int(s.at[i].Len))
}

// Keep is word i for facts.
func (s *Stmt) Keep(i int) string { return s.R.Keep(strings.Trim(s.Word(i), `"`)) }

// On is what a statement that switches something says.
func (s *Stmt) On() facts.V[bool] { return facts.Say(!s.No, s.Span()) }

// OK accounts for a statement that was understood, and reports true.
func (s *Stmt) OK() bool {
	s.R.T.Mark(s.N, facts.Understood)
	return true
}

// All accounts for a statement that was understood with everything below it.
func (s *Stmt) All() bool {
	s.OK()
	s.skipBelow()
	return true
}

// Unsupported accounts for a statement that bears on transfers and has no place in the model.
func (s *Stmt) Unsupported(why string) bool {
	s.R.T.Mark(s.N, facts.Unsupported)
	s.R.reasons[s.N] = why
	return true
}

// Each calls f for each statement directly below.
func (s *Stmt) Each(f func(c *Stmt)) {
	for n := s.R.T.Nodes[s.N].First; n != tree.None; n = s.R.T.Nodes[n].Next {
		if s.R.T.Nodes[n].Flags&tree.Raw != 0 {
			s.R.T.Mark(n, facts.Irrelevant)
			continue
		}
		c := s.R.stmt(n)
		if len(c.W) == 0 {
			s.R.T.Mark(n, facts.Irrelevant)
			continue
		}
		f(&c)
	}
}

// Until calls f for each statement behind this one, outside its block, up to one that reads end: some platforms do not
// indent what a block holds. All of them are taken.
func (s *Stmt) Until(end string, f func(c *Stmt)) {
	for n := s.R.T.Nodes[s.N].Next; n != tree.None; n = s.R.T.Nodes[n].Next {
		c := s.R.stmt(n)
		c.All()
		if len(c.W) > 0 && c.W[0] == end {
			return
		}
		f(&c)
	}
}

// Block reads a block that was understood: f reports whether it read a statement, what it does not is irrelevant.
func (s *Stmt) Block(f func(c *Stmt) bool) bool {
	s.OK()
	s.Each(func(c *Stmt) {
		if !f(c) {
			c.Skip()
		}
	})
	return true
}
