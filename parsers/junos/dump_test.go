package junos

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// A dumper writes facts as lines for golden files: fields that are not zero, spans as "@LINE" for a whole line and
// "@LINE:COLUMN+LENGTH" otherwise, an origin behind its value unless it is explicit.
type dumper struct {
	src []byte // nil: without positions
	out strings.Builder
}

// dump is d as text; without src it says nothing of positions, nor of how the file was written.
func dump(d *facts.Device, src []byte) string {
	p := dumper{src: src}
	skip := map[string]bool{"Path": true, "Taken": true, "Has": true}
	if src == nil {
		for _, name := range []string{"Lines", "Unread", "Format", "Platform"} {
			skip[name] = true
		}
	}
	v := reflect.ValueOf(*d)
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Name, v.Field(i)
		switch {
		case f.IsZero(), skip[name]:
		case name == "Filters":
			p.filters(d.Filters)
		case f.Kind() == reflect.Slice:
			for j := range f.Len() {
				p.line("", strings.TrimSuffix(name, "s")+" "+p.fields(f.Index(j), ""))
			}
		default:
			p.line("", name+" "+p.value(f))
		}
	}
	return p.out.String()
}

func (p *dumper) line(indent, s string) { p.out.WriteString(strings.TrimRight(indent+s, " ") + "\n") }

func (p *dumper) filters(list []facts.Filter) {
	for _, f := range list {
		rules := f.Rules
		f.Rules = nil
		p.line("", "Filter "+p.fields(reflect.ValueOf(f), ""))
		for _, r := range rules {
			p.line("  ", r.Action.String()+" "+p.fields(reflect.ValueOf(r), "Action"))
		}
	}
}

func (p *dumper) fields(v reflect.Value, without string) string {
	var parts []string
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Name, v.Field(i)
		if f.IsZero() || name == without {
			continue
		}
		if s, ok := f.Interface().(evidence.Span); ok {
			if at := p.span(s); at != "" {
				parts = append(parts, at)
			}
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
	case facts.PortRange:
		if x.First == x.Last {
			return fmt.Sprint(x.First)
		}
		return fmt.Sprintf("%d-%d", x.First, x.Last)
	case string:
		return fmt.Sprintf("%q", x)
	case fmt.Stringer:
		return x.String()
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
		if v.NumField() == 3 && v.FieldByName("Origin").IsValid() {
			return p.stated(v)
		}
		return "{" + p.fields(v, "") + "}"
	}
	return fmt.Sprint(v.Interface())
}

// stated writes a facts.V.
func (p *dumper) stated(v reflect.Value) string {
	s := p.value(v.FieldByName("Val"))
	switch o := v.FieldByName("Origin").Interface().(facts.Origin); o {
	case facts.Explicit:
	case facts.Default:
		s += "(default)"
	case facts.Masked, facts.Unknown:
		s = o.String()
	}
	return s + p.span(v.FieldByName("Span").Interface().(evidence.Span))
}

func (p *dumper) span(s evidence.Span) string {
	if p.src == nil || s.IsZero() {
		return ""
	}
	off, end := int(s.Pos.Off()), int(s.Pos.Off())+int(s.Len)
	if end > len(p.src) {
		return fmt.Sprintf("@outside:%d+%d", off, s.Len)
	}
	line := 1 + bytes.Count(p.src[:off], []byte("\n"))
	from := bytes.LastIndexByte(p.src[:off], '\n') + 1
	to := len(p.src)
	if i := bytes.IndexByte(p.src[off:], '\n'); i >= 0 {
		to = off + i
	}
	if strings.Trim(string(p.src[from:to]), " \t;{") == string(p.src[off:end]) {
		return fmt.Sprintf("@%d", line)
	}
	return fmt.Sprintf("@%d:%d+%d", line, off-from+1, s.Len)
}
