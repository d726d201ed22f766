package tree

import (
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/transferwords"
)

// Account counts the lines of a tree of words by state into d, and keeps what nobody understood, at most facts.MaxUnread: a
// line is listed once, by its first statement, or by the first that speaks of transfers. filter and reason say of a node
// which filter it lies in and why it is not modelled.
func (t *Tree) Account(f *evidence.File, d *facts.Device, filter, reason func(i int32) string) {
	at := map[uint32]int{} // line to its place in Unread
	d.Lines = t.Lines(func(i int32, s facts.LineState) {
		line := t.Nodes[i].Line
		k, have := at[line]
		if !have && len(d.Unread) >= facts.MaxUnread || have && d.Unread[k].Transfer != "" {
			return
		}
		off, length := t.Statement(i)
		u := facts.Unread{
			State: s, Transfer: transferwords.Find(t.Source[off : off+length]), Filter: filter(i), Reason: reason(i), Span: t.Span(f, i),
		}
		switch {
		case !have:
			at[line] = len(d.Unread)
			d.Unread = append(d.Unread, u)
		case u.Transfer != "":
			d.Unread[k] = u
		}
	})
}

// Span is where the statement that made node i stands in its file, up to the node's word.
func (t *Tree) Span(f *evidence.File, i int32) evidence.Span {
	off, length := t.Statement(i)
	return f.Span(t.Base+int64(off), int(length))
}

// Force accounts for node i and everything below it, whatever was said of them before.
func (t *Tree) Force(i int32, s facts.LineState) {
	t.Mark(i, s)
	for c := t.Nodes[i].First; c != None; c = t.Nodes[c].Next {
		t.Force(c, s)
	}
}

// Nearest is what is kept about node i, or about the nearest node that it lies in.
func (t *Tree) Nearest(of map[int32]string, i int32) string {
	for ; i >= 0; i = t.Nodes[i].Parent {
		if s := of[i]; s != "" {
			return s
		}
	}
	return ""
}
