package evidence

import "io"

// A Writer takes the evidence of one device from a collector and keeps it in a bundle. Nothing half-written is ever
// listed as whole.
type Writer struct {
	create func(name string, m Meta) (io.WriteCloser, error)
	gap    func(what, why, hint string)
}

// Meta says what a stream of evidence is.
type Meta struct {
	Command  string // what was asked
	Host     string // the device the stream is about, when it is not the writer's own (a host behind vCenter)
	Platform string
	Format   string // empty: parsers detect
}

// NewWriter makes a Writer out of its two actions; the fleet runner and tests call it.
func NewWriter(create func(name string, m Meta) (io.WriteCloser, error), gap func(what, why, hint string)) *Writer {
	return &Writer{create, gap}
}

// Create opens a new stream for this device. Close makes it part of the bundle; a stream that is never closed is dropped
// when the device is done, and the manifest lists it as a gap.
func (w *Writer) Create(name string, m Meta) (io.WriteCloser, error) { return w.create(name, m) }

// Gap records evidence that could not be had: what, why, and what would mend it.
func (w *Writer) Gap(what, why, hint string) { w.gap(what, why, hint) }
