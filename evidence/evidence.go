// Package evidence names raw bytes and the positions in them.
//
// A [Set] is everything one audit reads: files sorted by path, each with a rank from 1. A [Pos] packs that rank and an
// offset in the decoded stream into 64 bits, so a fact can carry its origin in a word and positions order as the files
// do. Positions are only meaningful beside the Set that ranked them; lines, columns and excerpts are resolved from the
// files once, when a result is written.
package evidence

import (
	"io"
	"time"
)

// offsetBits is how many low bits of a Pos hold the offset: files up to 1 TiB decoded, 16 million files in a set.
const offsetBits = 40

// MaxRank and MaxOffset bound what a Pos can name.
const (
	MaxRank   = 1<<24 - 1
	MaxOffset = 1<<offsetBits - 1
)

// A Pos is a byte of evidence: 24 bits of file rank (from 1, by path in the sorted manifest), 40 bits of offset in the
// decoded stream. The zero Pos is no position.
type Pos uint64

// MakePos packs a file's rank and a byte offset in its decoded stream.
func MakePos(rank uint32, off int64) Pos {
	return Pos(uint64(rank)<<offsetBits | uint64(off)&MaxOffset)
}

// Rank is the file's place in the sorted set, from 1; 0 when p is no position.
func (p Pos) Rank() uint32 { return uint32(p >> offsetBits) }

// Off is the byte offset in the decoded stream.
func (p Pos) Off() int64 { return int64(p & MaxOffset) }

// IsZero reports whether p names no byte.
func (p Pos) IsZero() bool { return p == 0 }

// A Span is Len bytes from Pos. The zero Span is no position: the fact was a platform default or was derived.
type Span struct {
	Pos Pos
	Len uint32
}

// IsZero reports whether s names no bytes.
func (s Span) IsZero() bool { return s.Pos == 0 }

// A File is one stream of evidence. It is immutable once it is in a Set.
type File struct {
	// Path is slash-separated, as the user named it plus what was found below; it is what reports show.
	Path string
	// Rank is the file's place in its Set, from 1.
	Rank uint32
	// Host is the device the manifest says the file came from; empty when nobody said.
	Host string
	// Platform is the manifest's claim, in the folder names of the corpus (cisco_ios, juniper_junos ...); parsers
	// detect by content and note a contradiction. Empty when nobody said.
	Platform string
	// Command is what was asked of the device to obtain the file ("show running-config"); empty when unknown.
	Command string
	// Size is the decoded length in bytes; -1 when unknown (compressed, stdin).
	Size int64
	// Mod is when the content was taken, else the file's modification time; zero when unknown.
	Mod time.Time
	// Past says that it is no part of the present state.
	Past Past
	// Rel is Path below the path that was given: what the same file is called in another state. The base name when the file
	// itself was given.
	Rel string
	// Seekable says Open accepts any offset; otherwise only 0.
	Seekable bool
	// Open returns the decoded stream from byte off.
	Open func(off int64) (io.ReadCloser, error)
}

// Span is the span of n bytes at off in f.
func (f *File) Span(off int64, n int) Span {
	return Span{Pos: MakePos(f.Rank, off), Len: uint32(min(n, 1<<32-1))}
}

// A Piece is the part of a File one worker reads. A parser reads the records that begin in [From, To), to their ends.
type Piece struct {
	*File
	From, To int64
	// Prologue is what Format.Prologue returned for the whole file; nil when the format needs none.
	Prologue any
}

// A Problem is a path, manifest entry or target that could not be read whole. Each makes the run incomplete.
type Problem struct {
	Path string // what was being read
	Line int    // 0 when there is none
	Err  string // what happened, one sentence, lower case
	Hint string // what would mend it; may be empty
}
