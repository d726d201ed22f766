package ciscoasa

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// A dumper writes facts as text, one per line, for golden files. Zero values are left out. A span reads "@LINE" when it is
// the whole statement of that line, else "@LINE:COLUMN+LENGTH"; an origin other than explicit follows its value.
type dumper struct {
	src []byte // nil leaves spans out
	out strings.Builder
}

func dump(d *facts.Device, src []byte) string {
	p := dumper{src: src}
	v := reflect.ValueOf(*d)
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Name, v.Field(i)
		switch {
		case f.IsZero() || name == "Path" || name == "Format" || name == "Taken" || name == "Has" || name == "Platform":
		case name == "Filters":
			p.filters(d.Filters)
		case f.Kind() == reflect.Slice:
			for j := range f.Len() {
				fmt.Fprintf(&p.out, "%s %s\n", strings.TrimSuffix(name, "s"), p.fields(f.Index(j)))
			}
		default:
			fmt.Fprintf(&p.out, "%s %s\n", name, p.value(f))
		}
	}
	return p.out.String()
}

func (p *dumper) filters(fs []facts.Filter) {
	for i := range fs {
		f := fs[i]
		rules := f.Rules
		f.Rules = nil
		fmt.Fprintf(&p.out, "Filter %s\n", p.fields(reflect.ValueOf(f)))
		for j := range rules {
			fmt.Fprintf(&p.out, "  %s %s\n", rules[j].Action, p.fields(reflect.ValueOf(rules[j]), "Action"))
		}
	}
}

// fields is the non-zero fields of a struct but those left out.
func (p *dumper) fields(v reflect.Value, except ...string) string {
	var parts []string
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Name, v.Field(i)
		if f.IsZero() || len(except) > 0 && name == except[0] {
			continue
		}
		if s, ok := f.Interface().(evidence.Span); ok {
			parts = append(parts, p.span(s))
			continue
		}
		parts = append(parts, name+"="+p.value(f))
	}
	return strings.Join(parts, " ")
}

func (p *dumper) value(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case evidence.Span:
		return p.span(x)
	case facts.Tag:
		return "tag"
	case fmt.Stringer:
		return x.String()
	case string:
		return fmt.Sprintf("%q", x)
	case facts.PortRange:
		if x.First == x.Last {
			return fmt.Sprint(x.First)
		}
		return fmt.Sprintf("%d-%d", x.First, x.Last)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return p.value(v.Elem())
	case reflect.Slice, reflect.Array:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, p.value(v.Index(i)))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case reflect.Struct:
		if o := v.FieldByName("Origin"); o.IsValid() && v.NumField() == 3 {
			return p.origin(v)
		}
		return "{" + p.fields(v) + "}"
	}
	return fmt.Sprint(v.Interface())
}

// origin writes a V.
func (p *dumper) origin(v reflect.Value) string {
	s := p.value(v.FieldByName("Val"))
	o := v.FieldByName("Origin").Interface().(facts.Origin)
	switch o {
	case facts.Explicit:
	case facts.Default:
		s += "(default)"
	case facts.Masked, facts.Unknown:
		s = o.String()
	}
	if span := v.FieldByName("Span").Interface().(evidence.Span); !span.IsZero() {
		s += p.span(span)
	}
	return s
}

func (p *dumper) span(s evidence.Span) string {
	if p.src == nil {
		return ""
	}
	off := int(s.Pos.Off())
	line := 1 + bytes.Count(p.src[:off], []byte("\n"))
	from := bytes.LastIndexByte(p.src[:off], '\n') + 1
	to := len(p.src)
	if i := bytes.IndexByte(p.src[off:], '\n'); i >= 0 {
		to = off + i
	}
	whole := bytes.TrimSpace(p.src[from:to])
	if bytes.Equal(whole, p.src[off:off+int(s.Len)]) {
		return fmt.Sprintf("@%d", line)
	}
	return fmt.Sprintf("@%d:%d+%d", line, off-from+1, s.Len)
}
