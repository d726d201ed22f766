package ciscoios

import (
	"context"
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
