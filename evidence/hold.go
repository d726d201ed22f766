package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
)

// maxHeld is the longest file that is held in memory, in bytes: longer than nearly every configuration.
const maxHeld = 8 << 20

// Hold reads f whole into buf, which grows as it must, and hashes it on the way, so that a file that is read and hashed is
// read from the disk once. What it returns is read like f until buf is used again. A file that is compressed, longer than
// 8 MiB or cannot be read is returned as it is: whoever reads it sees why.
func (s *Set) Hold(f *File, buf *[]byte) *File {
	at, ok := s.stored[f]
	if !ok || f.Size < 0 || f.Size != at.size || at.size > maxHeld {
		return f
	}
	r, err := os.Open(at.name)
	if err != nil {
		return f
	}
	defer r.Close()
	if int64(cap(*buf)) < at.size {
		*buf = make([]byte, at.size+at.size/4)
	}
	text := (*buf)[:at.size]
	if _, err := io.ReadFull(r, text); err != nil {
		return f
	}
	sum := sha256.Sum256(text)
	s.mu.Lock()
	s.hashes[f] = hex.EncodeToString(sum[:])
	s.mu.Unlock()
	held := *f
	held.Open = func(off int64) (io.ReadCloser, error) {
		m := &memory{text: text}
		m.Reset(text[min(max(off, 0), int64(len(text))):])
		return m, nil
	}
	return &held
}

// memory is an opened file that is held.
type memory struct {
	bytes.Reader
	text []byte
}

// Held is the whole file. It must not be changed.
func (m *memory) Held() []byte { return m.text }

// Close does nothing.
func (m *memory) Close() error { return nil }
