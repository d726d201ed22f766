package evidence

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
)

// headSize is how much of a file is looked at to tell how it is packed: a tar header's magic ends at 262.
const headSize = 512

// gzipMagic begins a gzip member with the only method there is (RFC 1952 2.3.1).
var gzipMagic = []byte{0x1f, 0x8b, 8}

// A packing is a kind of file that holds evidence in a form that is not read.
type packing struct {
	at          int
	magic       string
	what, mends string
}

// packings are told by their published magics: pax (POSIX.1-2017), RFC 8878, the xz and bzip2 formats, APPNOTE.TXT,
// 7zFormat.txt, the LZ4 frame format and compress(1).
var packings = [...]packing{
	{257, "ustar", "a tar archive is not read", "unpack it and give the folder"},
	{0, "\x28\xb5\x2f\xfd", "zstd is not read", "pipe it: zstd -dc FILE | quaymaster audit -"},
	{0, "\xfd7zXZ\x00", "xz is not read", "pipe it: xz -dc FILE | quaymaster audit -"},
	{4, "1AY&SY", "bzip2 is not read", "pipe it: bzip2 -dc FILE | quaymaster audit -"},
	{0, "\x04\x22\x4d\x18", "lz4 is not read", "pipe it: lz4 -dc FILE | quaymaster audit -"},
	{0, "\x1f\x9d", "compress (.Z) is not read", "pipe it: gzip -dc FILE | quaymaster audit -"},
	{0, "PK\x03\x04", "a zip archive is not read", "unpack it and give the folder"},
	{0, "7z\xbc\xaf\x27\x1c", "a 7z archive is not read", "unpack it and give the folder"},
}

// A packedError is a file that must be unpacked first.
type packedError struct{ what, mends string }

func (e *packedError) Error() string { return e.what }

func packed(head []byte) error {
	for _, p := range packings {
		if len(head) >= p.at+len(p.magic) && string(head[p.at:p.at+len(p.magic)]) == p.magic {
			return &packedError{p.what, p.mends}
		}
	}
	return nil
}

// decoder gives f its stream: of the file name as it lies, or decompressed. The file is read up to f.Size.
func (f *File) decoder(name string) error {
	r, err := os.Open(name)
	if err != nil {
		return err
	}
	defer r.Close()
	head, err := readHead(r)
	if err != nil {
		return err
	}
	size := f.Size
	if !bytes.HasPrefix(head, gzipMagic) {
		f.Open = func(off int64) (io.ReadCloser, error) { return openPlain(name, off, size) }
		return packed(head)
	}
	f.Size, f.Seekable = -1, false
	f.Open = func(off int64) (io.ReadCloser, error) { return openGzip(name, off) }
	z, err := openGzip(name, 0)
	if err != nil {
		return err
	}
	defer z.Close()
	// Broken or cut compression is told by whoever reads it whole; here only a packed archive matters.
	head, _ = readHead(z)
	return packed(head)
}

func readHead(r io.Reader) ([]byte, error) {
	var head [headSize]byte
	n, err := io.ReadFull(r, head[:])
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return head[:n], err
}

// A plainFile reads a file up to the size it had when it was listed, so that every reader and the hash see the same
// bytes of a log that still grows.
type plainFile struct {
	io.LimitedReader
	file *os.File
}

func (p *plainFile) Close() error { return p.file.Close() }

func openPlain(name string, off, size int64) (io.ReadCloser, error) {
	r, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if off > 0 {
		if _, err := r.Seek(off, io.SeekStart); err != nil {
			r.Close()
			return nil, err
		}
	}
	return &plainFile{io.LimitedReader{R: r, N: max(size-off, 0)}, r}, nil
}

type gzipFile struct {
	*gzip.Reader
	file *os.File
}

func (g *gzipFile) Close() error { return errors.Join(g.Reader.Close(), g.file.Close()) }

// openGzip decodes name and passes over the first off bytes of what it decodes to.
func openGzip(name string, off int64) (io.ReadCloser, error) {
	r, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bufio.NewReaderSize(r, 64<<10))
	if err == nil && off > 0 {
		_, err = io.CopyN(io.Discard, z, off)
		if errors.Is(err, io.EOF) { // as a plain file read from beyond its end
			err = nil
		}
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return &gzipFile{z, r}, nil
}
