package main

import (
	"context"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/report"
)

// resolve gives the line of every span, in order; the zero line where a span is none.
func resolve(set *evidence.Set, spans []evidence.Span) []filterLine {
	return resolveMasked(set, spans, nil)
}

// resolveMasked gives the first line of every span with secrets hidden.
func resolveMasked(set *evidence.Set, spans, secrets []evidence.Span) []filterLine {
	out := make([]filterLine, len(spans))
	places, err := set.Resolve(context.Background(), spans)
	if err != nil {
		return out
	}
	slices.SortFunc(secrets, func(a, b evidence.Span) int {
		if a.Pos < b.Pos {
			return -1
		}
		return 1
	})
	for i, p := range places {
		if p.Line == 0 {
			continue
		}
		text, _, _ := strings.Cut(report.Mask(&p, secrets), "\n")
		out[i] = filterLine{Path: p.Path, Line: p.Line, Text: strings.TrimSpace(text)}
	}
	return out
}
