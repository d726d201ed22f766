package parsetest

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"reflect"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// Stated is what a parser said about one file.
type Stated struct {
	Devices []*facts.Device
	Notes   []facts.Note

	src     []byte
	events  []string // written down when they were stated: they are valid only until the call returns
	secrets []evidence.Span
	faults  []string // spans outside the file
}

// sink takes everything down.
func (s *Stated) sink() facts.Sink {
	return facts.Sink{
		Device: func(d *facts.Device) {
			s.Devices = append(s.Devices, d)
			s.walk(reflect.ValueOf(d))
			for _, x := range d.Secrets {
				s.secrets = append(s.secrets, x.Span)
			}
		},
		Transfer: func(x *facts.Transfer) { s.event(x) },
		Command:  func(x *facts.Command) { s.event(x) },
		Auth:     func(x *facts.Auth) { s.event(x) },
		Change:   func(x *facts.Change) { s.event(x) },
		Beat:     func(x *facts.Beat) { s.event(x) },
		Sample:   func(x *facts.Sample) { s.event(x) },
		Message: func(x *facts.Message) {
			m := *x
			m.File = nil
			s.event(&m)
		},
		Note: func(n facts.Note) {
			s.Notes = append(s.Notes, n)
			s.walk(reflect.ValueOf(n))
		},
		Tag: Tag,
		Secret: func(x facts.Secret) {
			s.secrets = append(s.secrets, x.Span)
			s.event(&x)
		},
	}
}

// Tag is the tag of a secret in tests: the same secret has the same one.
func Tag(secret []byte) (t facts.Tag) {
	h := fnv.New64a()
	h.Write(secret)
	copy(t[:], h.Sum(nil))
	return t
}

func (s *Stated) event(x any) {
	s.walk(reflect.ValueOf(x))
	d := dumper{src: s.src, quote: true}
	v := reflect.ValueOf(x).Elem()
	s.events = append(s.events, v.Type().Name()+" "+d.fields(v))
}

func (s *Stated) empty() bool { return len(s.Devices) == 0 && len(s.events) == 0 }

// Text is everything stated, without positions: spans show the text they cover, so that the same facts of other bytes
// read the same. Notes and the accounting of lines are left out.
func (s *Stated) Text() string {
	var b strings.Builder
	for _, d := range s.Devices {
		c := *d
		c.Lines, c.Unread, c.Taken = facts.Lines{}, nil, taken
		b.WriteString(dump(&c, s.src, true))
	}
	for _, e := range s.events {
		b.WriteString(e)
		b.WriteByte('\n')
	}
	return b.String()
}

// check asserts what must hold of anything stated.
func (s *Stated) check(t testing.TB) {
	t.Helper()
	for i, f := range s.faults {
		if i == 10 {
			break
		}
		t.Error(f)
	}
	for _, sp := range s.secrets {
		if text := s.at(sp); len(text) == 0 || bytes.IndexByte(text, '\n') >= 0 && len(text) < 60 {
			t.Errorf("a secret's span covers %q", text)
		}
	}
}

func (s *Stated) at(sp evidence.Span) []byte {
	off := sp.Pos.Off()
	if off < 0 || off+int64(sp.Len) > int64(len(s.src)) {
		return nil
	}
	return s.src[off : off+int64(sp.Len)]
}

// walk visits every span below v.
func (s *Stated) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() && v.Type() != reflect.TypeFor[*evidence.File]() {
			s.walk(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			for i := range v.Len() {
				s.walk(v.Index(i))
			}
		}
	case reflect.Struct:
		if sp, ok := v.Interface().(evidence.Span); ok {
			if sp.IsZero() {
				return
			}
			off := sp.Pos.Off()
			if sp.Pos.Rank() != 7 || off+int64(sp.Len) > int64(len(s.src)) && s.src != nil {
				s.faults = append(s.faults, fmt.Sprintf("a span of file %d, %d bytes at %d, is outside the file of %d bytes", sp.Pos.Rank(), sp.Len, off, len(s.src)))
			}
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				s.walk(v.Field(i))
			}
		}
	default:
	}
}

// hides asserts that a planted secret is covered by the span of a secret wherever it stands, and is in no fact.
func (s *Stated) hides(t *testing.T, secret string) {
	t.Helper()
	found := false
	for at := 0; ; {
		i := bytes.Index(s.src[at:], []byte(secret))
		if i < 0 {
			break
		}
		at += i
		found = true
		covered := false
		for _, sp := range s.secrets {
			off := int(sp.Pos.Off())
			covered = covered || off <= at && at+len(secret) <= off+int(sp.Len)
		}
		if !covered {
			line := 1 + bytes.Count(s.src[:at], []byte("\n"))
			t.Errorf("the secret %q in line %d is in no secret's span", secret, line)
		}
		at += len(secret)
	}
	if !found {
		t.Errorf("the sample does not hold %q", secret)
	}
	for _, d := range s.Devices {
		s.tells(t, "device", reflect.ValueOf(d), secret)
	}
	for _, n := range s.Notes {
		s.tells(t, "note", reflect.ValueOf(n), secret)
	}
}

// tells looks for a secret in every string below v.
func (s *Stated) tells(t *testing.T, path string, v reflect.Value, secret string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			s.tells(t, path, v.Elem(), secret)
		}
	case reflect.String:
		if strings.Contains(v.String(), secret) {
			t.Errorf("%s tells the secret %q: %q", path, secret, v.String())
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			s.tells(t, fmt.Sprintf("%s[%d]", path, i), v.Index(i), secret)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				s.tells(t, path+"."+f.Name, v.Field(i), secret)
			}
		}
	default:
	}
}
