// Package junos reads Junos OS configurations: braces (show configuration) and set commands (| display set).
//
// Both shapes become one tree of words, in which configuration groups are expanded before anything is read: what a
// device inherits is a fact like any other, with the position of the group's statement. Inactive statements are read as
// switched off. A file is a whole configuration when it holds both system and interfaces and was not cut; only then does
// a statement that is not there mean its default, with the source of the default beside the code that assumes it.
//
// Every statement ends as understood, irrelevant (with its reason in a table), unsupported, or unrecognised. A condition
// or action of a filter that is not understood makes its rule unknown; it is never skipped.
package junos

import (
	"context"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// Brace is the format of configurations in braces.
func Brace() facts.Format {
	return facts.Format{
		Name:     "junos-config",
		Platform: facts.JunosBrace,
		Detect: func(_ string, head []byte) facts.Confidence {
			return detectBrace(head)
		},
		Parse: func(ctx context.Context, p evidence.Piece, s facts.Sink) error { return parse(ctx, p, s, false) },
	}
}

// Set is the format of configurations as set commands.
func Set() facts.Format {
	return facts.Format{
		Name:     "junos-set",
		Platform: facts.JunosSet,
		Detect: func(_ string, head []byte) facts.Confidence {
			return detectSet(head)
		},
		Parse: func(ctx context.Context, p evidence.Piece, s facts.Sink) error { return parse(ctx, p, s, true) },
	}
}

// Formats are both.
func Formats() []facts.Format { return []facts.Format{Brace(), Set()} }

// parse reads the whole file: a configuration is never split.
func parse(ctx context.Context, piece evidence.Piece, sink facts.Sink, set bool) error {
	if piece.From > 0 {
		return nil
	}
	src, more, err := tree.ReadSource(ctx, piece.File, sink)
	if err != nil {
		return err
	}
	p := newParser(piece.File, sink, src, set)
	defer p.t.Free()
	p.cut = more
	p.read()
	if err := ctx.Err(); err != nil {
		return err
	}
	sink.Device(p.d)
	return nil
}
