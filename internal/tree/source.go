package tree

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// ReadSource is the decoded content of f, at most MaxSource bytes of it. More says that there is more; a note tells the
// sink. The context is looked at between reads. A file that is held in memory is not copied: facts must not keep the bytes.
func ReadSource(ctx context.Context, f *evidence.File, sink facts.Sink) (src []byte, more bool, err error) {
	rc, err := f.Open(0)
	if err != nil {
		return nil, false, fmt.Errorf("open %s: %w", f.Path, err)
	}
	defer rc.Close()
	if m, ok := rc.(interface{ Held() []byte }); ok && len(m.Held()) <= MaxSource {
		return m.Held(), false, ctx.Err()
	}
	size := int64(64 << 10)
	if f.Size >= 0 {
		size = min(f.Size, MaxSource) + 1 // one more, so that the end is met without growing
	}
	src = make([]byte, 0, size)
	for {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		if len(src) > MaxSource {
			sink.Note(facts.Note{
				Kind: facts.NoteIncomplete, Path: f.Path,
				Message: fmt.Sprintf("the configuration is longer than %d MiB; the rest was not read", MaxSource>>20),
			})
			return src[:MaxSource], true, nil
		}
		if len(src) == cap(src) {
			grown := make([]byte, len(src), min(2*cap(src), MaxSource+1))
			copy(grown, src)
			src = grown
		}
		n, err := rc.Read(src[len(src):min(cap(src), len(src)+1<<20)])
		src = src[:len(src)+n]
		switch {
		case errors.Is(err, io.EOF):
			return src, false, nil
		case err != nil:
			return nil, false, fmt.Errorf("read %s at byte %d: %w", f.Path, len(src), err)
		}
	}
}
