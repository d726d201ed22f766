package facts

import (
	"bytes"

	"github.com/quaymaster/quaymaster/evidence"
)

// A Marker is a pointer in a device's own text to a workflow or exception of the policy: "remark quaymaster:WF-12". It
// points and accepts nothing: who can change the device can write it.
type Marker struct {
	ID   string // as written: "WF-12"
	Span evidence.Span
}

// markerWord introduces a marker.
const markerWord = "quaymaster:"

// maxMarkers bounds the markers of one file, maxMarker the length of one's ID.
const (
	maxMarkers = 10_000
	maxMarker  = 64
)

// Markers are the markers in src, which begins at offset base of f: the word and an ID of letters, digits, "-", "_" and ".".
func Markers(f *evidence.File, src []byte, base int64) []Marker {
	var out []Marker
	for at := 0; len(out) < maxMarkers; {
		i := bytes.Index(src[at:], []byte(markerWord))
		if i < 0 {
			break
		}
		start := at + i
		at = start + len(markerWord)
		end := at
		for end < len(src) && end-at < maxMarker && inMarker(src[end]) {
			end++
		}
		id := bytes.TrimRight(src[at:end], ".")
		if len(id) > 0 {
			out = append(out, Marker{ID: string(id), Span: f.Span(base+int64(start), len(markerWord)+len(id))})
		}
		at = end
	}
	return out
}

func inMarker(c byte) bool {
	return c-'0' <= 9 || c|0x20-'a' <= 25 || c == '-' || c == '_' || c == '.'
}
