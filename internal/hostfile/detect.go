package hostfile

import (
	"bytes"
	"path"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// A Look is what the first lines of a file show to a detector.
type Look struct {
	Known   int // lines with a statement of the format
	Telling int // those of them that no other format has
	Other   int // lines that hold none
	Remarks int // comments
}

// glance bounds the lines that a detector looks at.
const glance = 400

// Scan looks at the lines of head. judge says of a line's text whether it is known to the format, and telling. A file whose
// first lines are all foreign is left at once.
func Scan(head []byte, comments string, judge func(line []byte) (known, telling bool)) Look {
	var l Look
	for n := 0; len(head) > 0 && n < glance; n++ {
		line := head
		if i := bytes.IndexByte(head, '\n'); i >= 0 {
			line, head = head[:i], head[i+1:]
		} else {
			head = nil
		}
		line = bytes.Trim(line, blanks)
		if len(line) == 0 {
			continue
		}
		if strings.IndexByte(comments, line[0]) >= 0 {
			l.Remarks++
			continue
		}
		known, telling := judge(line)
		switch {
		case !known:
			if l.Other++; l.Other > 4 && l.Known < l.Other {
				return Look{Other: l.Other}
			}
		case telling:
			l.Telling++
			l.Known++
		default:
			l.Known++
		}
	}
	return l
}

// Confidence is what a look is worth. named says that the file has the name its service gives it.
func (l Look) Confidence(named bool) facts.Confidence {
	switch {
	case named && l.Known > 0 && l.Other <= l.Known/2:
		return facts.Certain
	case named && l.Known > 0 && l.Other <= l.Known:
		return facts.Strong
	case named && l.Other == 0 && l.Remarks > 0: // everything is at its default
		return facts.Likely
	case l.Telling >= 2 && l.Other*8 <= l.Known:
		return facts.Strong
	case l.Telling >= 1 && l.Known >= 3 && l.Other*8 <= l.Known:
		return facts.Likely
	}
	return facts.No
}

// Named reports whether the last element of a path is one of names, or begins with one and a dot or hyphen as copies do
// ("vsftpd.conf.bak", "smb.conf-old").
func Named(name string, names ...string) bool {
	base := path.Base(name)
	for _, n := range names {
		if rest, ok := strings.CutPrefix(base, n); ok && (rest == "" || rest[0] == '.' || rest[0] == '-' || rest[0] == '_') {
			return true
		}
	}
	return false
}

// Below reports whether a path lies below a folder ("etc/xinetd.d").
func Below(name, dir string) bool {
	return strings.Contains("/"+path.Dir(name)+"/", "/"+dir+"/")
}
