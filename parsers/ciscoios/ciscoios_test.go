package ciscoios

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
	"github.com/quaymaster/quaymaster/internal/tree"
)

const rawOrComment = tree.Raw | tree.Comment

// markTree is the tree of a file with every line accounted for.
func markTree(t testing.TB, path string, src []byte) *tree.Tree {
	t.Helper()
	var tr tree.Tree
	tr.Indent(src, tree.Indentation{Comments: "!", Body: tree.CiscoText})
	p := newParser(&tr, parsetest.File(path, src), facts.NewSink())
	if err := p.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return &tr
}

// whole opens src as a reader that gives it at once.
func whole(src []byte) func(int64) (io.ReadCloser, error) {
	return func(off int64) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(src[off:])), nil }
}
