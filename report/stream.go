package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"
)

// A list is an array that is made while it is written: its elements are never in memory at once.
type list interface {
	// Each hands over every element, in order, until one is refused.
	Each(yield func(element any) error) error
}

// writeJSON writes v as json.Encoder does with an indent of one blank, byte for byte, but holds no more than one element of
// its arrays as text: structures are opened down to a depth, below which json does the rest.
func writeJSON(w io.Writer, v any, escapeHTML bool) error {
	s := &jsonStream{w: bufio.NewWriterSize(w, 64<<10), escape: escapeHTML}
	s.value(reflect.ValueOf(v), 0)
	s.text("\n")
	if s.err != nil {
		return s.err
	}
	return s.w.Flush()
}

// opened is how deep structures are written field by field: the document, its arrays, and in SARIF the run's.
const opened = 4

type jsonStream struct {
	w      *bufio.Writer
	buf    bytes.Buffer
	escape bool
	err    error
}

func (s *jsonStream) text(t string) {
	if s.err == nil {
		_, s.err = s.w.WriteString(t)
	}
}

func (s *jsonStream) line(depth int) { s.text("\n" + strings.Repeat(" ", depth)) }

// value writes v, whose enclosing structure is at depth.
func (s *jsonStream) value(v reflect.Value, depth int) {
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if l, ok := v.Interface().(list); ok {
		s.array(func(each func(reflect.Value) error) error {
			return l.Each(func(e any) error { return each(reflect.ValueOf(e)) })
		}, depth)
		return
	}
	_, own := v.Interface().(json.Marshaler)
	switch {
	case own || depth >= opened:
	case v.Kind() == reflect.Struct:
		s.object(v, depth)
		return
	case v.Kind() == reflect.Slice && !v.IsNil() && v.Type().Elem().Kind() != reflect.Uint8:
		s.array(func(each func(reflect.Value) error) error {
			for i := range v.Len() {
				if err := each(v.Index(i)); err != nil {
					return err
				}
			}
			return nil
		}, depth)
		return
	}
	s.whole(v.Interface(), depth)
}

func (s *jsonStream) object(v reflect.Value, depth int) {
	first := true
	s.text("{")
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || strings.Contains(options, "omitempty") && empty(v.Field(i)) {
			continue
		}
		if !first {
			s.text(",")
		}
		first = false
		s.line(depth + 1)
		s.whole(name, depth+1)
		s.text(": ")
		s.value(v.Field(i), depth+1)
	}
	if !first {
		s.line(depth)
	}
	s.text("}")
}

func (s *jsonStream) array(elements func(each func(reflect.Value) error) error, depth int) {
	first := true
	s.text("[")
	err := elements(func(e reflect.Value) error {
		if !first {
			s.text(",")
		}
		first = false
		s.line(depth + 1)
		s.value(e, depth+1)
		return s.err
	})
	if s.err == nil {
		s.err = err
	}
	if !first {
		s.line(depth)
	}
	s.text("]")
}

// whole writes a value that json writes at once.
func (s *jsonStream) whole(v any, depth int) {
	if s.err != nil {
		return
	}
	s.buf.Reset()
	e := json.NewEncoder(&s.buf)
	e.SetEscapeHTML(s.escape)
	e.SetIndent(strings.Repeat(" ", depth), " ")
	if s.err = e.Encode(v); s.err == nil {
		_, s.err = s.w.Write(bytes.TrimSuffix(s.buf.Bytes(), []byte("\n")))
	}
}

// empty is what omitempty leaves out (encoding/json: false, 0, nil, and what has no elements).
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	default:
		return v.IsZero()
	}
}
