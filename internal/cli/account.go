package cli

import (
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/transferwords"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// Skip accounts for a statement and all below it as unable to bear on transfers; what names a transfer protocol all the
// same is unsupported, unless the table of look-alikes knows it.
func (s *Stmt) Skip() bool {
	if s.R.T.Nodes[s.N].State == facts.Unrecognised {
		s.R.skipOne(s.N)
	}
	s.skipBelow()
	return true
}

func (s *Stmt) skipBelow() { s.R.skipBelow(s.N) }

func (r *Reader) skipBelow(n int32) {
	for c := r.T.Nodes[n].First; c != tree.None; c = r.T.Nodes[c].Next {
		if r.T.Nodes[c].State == facts.Unrecognised {
			if r.T.Nodes[c].Flags&tree.Raw != 0 {
				r.T.Mark(c, facts.Irrelevant)
				continue
			}
			r.skipOne(c)
		}
		r.skipBelow(c)
	}
}

func (r *Reader) skipOne(n int32) {
	r.T.Mark(n, facts.Irrelevant)
	text := r.T.Text(n)
	if free(r.Text(n)) || r.Dialect.lookAlike(r.Text(n)) {
		return
	}
	if applies(r.Text(n)) {
		r.T.Mark(n, facts.Unsupported)
		r.reasons[n] = "applies a filter in a block that is not modelled"
		return
	}
	if transferwords.Find(text) == "" {
		return
	}
	r.T.Mark(n, facts.Unsupported)
	r.reasons[n] = "names a transfer protocol in a statement that is not modelled"
	s := r.stmt(n)
	if r.otherURL(&s) {
		r.reasons[n] = "holds a transfer URL in a statement that is not modelled"
	}
}

// applies reports whether a statement applies a filter, by the words that do so on platforms of this kind.
func applies(text string) bool {
	for _, word := range [...]string{"access-group ", "access-class ", "traffic-filter ", "apply access-list "} {
		if i := strings.Index(text, word); i >= 0 && !strings.HasPrefix(text, "match ") && !strings.HasPrefix(text, "no ") {
			return true
		}
	}
	return false
}

func (d *Dialect) lookAlike(text string) bool {
	for part := range d.LookAlikes {
		if strings.HasPrefix(text, part) || strings.Contains(text, " "+part) {
			return true
		}
	}
	return false
}

// otherURL states the transfer URL that a statement holds; false when there is none.
func (r *Reader) otherURL(s *Stmt) bool {
	if s.No || r.T.Nodes[s.N].Flags&tree.Comment != 0 {
		return false
	}
	for i := 1; i < len(s.W); i++ {
		if l, ok := s.Link(i); ok && moves(l.Protocol) {
			r.Client("other", r.Keep(s.Word(0)), l, s.Span())
			return true
		}
	}
	return false
}

// free reports whether a statement holds words of its owner.
func free(text string) bool {
	for _, p := range [...]string{"description ", "remark ", "name ", "snmp-server location ", "snmp-server contact "} {
		if strings.HasPrefix(text, p) {
			return true
		}
	}
	return false
}

// Unknown leaves a statement unrecognised, with all below it. Transfer URLs in it are stated all the same.
func (s *Stmt) Unknown() {
	s.R.otherURL(s)
	s.Each(func(c *Stmt) { c.Unknown() })
}

// account counts the lines by state and lists those nobody understood.
func (r *Reader) account() {
	r.D.Lines = r.T.Count()
	for i := range r.T.Nodes {
		n := &r.T.Nodes[i]
		if n.State != facts.Unrecognised && n.State != facts.Unsupported || n.State == facts.Unrecognised && n.Flags&(tree.Comment|tree.Raw) != 0 {
			continue
		}
		if len(r.D.Unread) == facts.MaxUnread {
			return
		}
		u := facts.Unread{State: n.State, Span: r.Span(int32(i)), Reason: r.reasons[int32(i)], Filter: r.inFilter[int32(i)]}
		if u.Reason == "" {
			u.Reason = "statement not known"
		}
		if text := r.T.Text(int32(i)); !free(r.Text(int32(i))) {
			u.Transfer = transferwords.Find(text)
		}
		r.D.Unread = append(r.D.Unread, u)
	}
}
