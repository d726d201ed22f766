package parsetest

import (
	"bytes"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// Update is the flag -update of a test that calls [Golden].
func Update() *bool {
	return flag.Bool("update", false, "rewrite the expectations of fixtures; a human reads the difference")
}

// Golden compares what f states of every txtar archive in dir with the section "facts" of it. The first file of an archive
// is the input; the comment above it says what it shows and why the facts are right.
func Golden(t *testing.T, f facts.Format, dir string, update bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures in %s: %v", dir, err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(ar.Files) != 2 || ar.Files[1].Name != "facts" || len(bytes.TrimSpace(ar.Comment)) == 0 {
				t.Fatal("want a comment, an input and a section named facts")
			}
			src := Unescape(ar.Files[0].Data)
			if got := f.Detect(ar.Files[0].Name, src); got < facts.Likely {
				t.Errorf("Detect = %d", got)
			}
			st := Parse(t, f, ar.Files[0].Name, src)
			var b strings.Builder
			for _, d := range st.Devices {
				b.WriteString(Dump(d, src))
			}
			for _, n := range st.Notes {
				fmt.Fprintf(&b, "note %s\n", n.Message)
			}
			if update {
				ar.Files[1].Data = []byte(b.String())
				if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(ar.Files[1].Data), b.String()); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
		})
	}
}

// Unescape puts control characters into the text of a fixture, which cannot hold them: \x03, \x08 and \r as written here.
func Unescape(text []byte) []byte {
	for _, c := range [...][2]string{{`\x03`, "\x03"}, {`\x08`, "\b"}, {`\r`, "\r"}} {
		text = bytes.ReplaceAll(text, []byte(c[0]), []byte(c[1]))
	}
	return text
}

// Dump writes a device's facts as text, one fact per line, zero values left out. A span reads "@LINE" when it is all of
// that line, else "@LINE:COLUMN+LENGTH"; an origin other than explicit follows its value.
func Dump(d *facts.Device, src []byte) string { return dump(d, src, false) }

type dumper struct {
	src   []byte
	quote bool // spans are the text they cover, not its place
}

func dump(d *facts.Device, src []byte, quote bool) string {
	p := dumper{src, quote}
	var b strings.Builder
	v := reflect.ValueOf(*d)
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Name, v.Field(i)
		switch {
		case f.IsZero() || name == "Path" || name == "Format" || name == "Taken" || name == "Has" || name == "Platform" || name == "Aspect":
		case name == "Filters":
			p.filters(&b, d.Filters)
		case f.Kind() == reflect.Slice:
			for j := range f.Len() {
				fmt.Fprintf(&b, "%s %s\n", strings.ToLower(strings.TrimSuffix(name, "s")), p.fields(f.Index(j)))
			}
		default:
			fmt.Fprintf(&b, "%s %s\n", strings.ToLower(name), strings.Trim(p.value(f), "{}"))
		}
	}
	return b.String()
}

// filters writes a filter's rules below it.
func (p *dumper) filters(b *strings.Builder, all []facts.Filter) {
	for i := range all {
		f := all[i]
		rules := f.Rules
		f.Rules = nil
		fmt.Fprintf(b, "filter %s\n", p.fields(reflect.ValueOf(f)))
		for j := range rules {
			fmt.Fprintf(b, "  %s %s\n", rules[j].Action, p.fields(reflect.ValueOf(rules[j]), "Action"))
		}
	}
}

// fields is the non-zero fields of a struct but those left out.
func (p *dumper) fields(v reflect.Value, except ...string) string {
	var parts []string
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Name, v.Field(i)
		if f.IsZero() || !v.Type().Field(i).IsExported() || len(except) > 0 && name == except[0] {
			continue
		}
		if s, ok := f.Interface().(evidence.Span); ok {
			parts = append(parts, p.span(s))
			continue
		}
		parts = append(parts, strings.ToLower(name[:1])+name[1:]+"="+p.value(f))
	}
	return strings.Join(parts, " ")
}

var secretKinds = [...]string{"other", "ftp", "url", "community", "user", "enable", "key", "private", "snmpv3"}

func (p *dumper) value(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case evidence.Span:
		return p.span(x)
	case evidence.Pos:
		return "pos"
	case facts.Tag:
		return "tag"
	case facts.SecretKind:
		return secretKinds[x]
	case time.Time:
		return x.UTC().Format("2006-01-02T15:04:05")
	case facts.Direction:
		return [...]string{"in", "out"}[x]
	case facts.Family:
		return [...]string{"any", "ipv4", "ipv6"}[x]
	case facts.PortRange:
		if x.First == x.Last {
			return fmt.Sprint(x.First)
		}
		return fmt.Sprintf("%d-%d", x.First, x.Last)
	case facts.Wildcard:
		return fmt.Sprintf("%v&%v", netip.AddrFrom4(x.Addr), netip.AddrFrom4(x.Care))
	case []byte:
		return fmt.Sprintf("%q", x)
	case fmt.Stringer:
		return x.String()
	case string:
		return fmt.Sprintf("%q", x)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return "none"
		}
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
	default:
	}
	return fmt.Sprint(v.Interface())
}

// origin writes a facts.V.
func (p *dumper) origin(v reflect.Value) string {
	s := p.value(v.FieldByName("Val"))
	o, _ := v.FieldByName("Origin").Interface().(facts.Origin)
	switch o {
	case facts.Explicit:
	case facts.Default:
		s += "(default)"
	case facts.Masked, facts.Unknown:
		s = o.String()
	}
	if span, _ := v.FieldByName("Span").Interface().(evidence.Span); !span.IsZero() {
		s += p.span(span)
	}
	return s
}

func (p *dumper) span(s evidence.Span) string {
	off, end := int(s.Pos.Off()), int(s.Pos.Off())+int(s.Len)
	if off > end || end > len(p.src) {
		return fmt.Sprintf("@outside(%d+%d)", off, s.Len)
	}
	if p.quote {
		return fmt.Sprintf("@%q", bytes.ReplaceAll(p.src[off:end], []byte("\r"), nil))
	}
	line := 1 + bytes.Count(p.src[:off], []byte("\n"))
	from := bytes.LastIndexByte(p.src[:off], '\n') + 1
	to := len(p.src)
	if i := bytes.IndexByte(p.src[off:], '\n'); i >= 0 {
		to = off + i
	}
	if bytes.Equal(bytes.TrimSpace(p.src[from:to]), p.src[off:end]) {
		return fmt.Sprintf("@%d", line)
	}
	return fmt.Sprintf("@%d:%d+%d", line, off-from+1, s.Len)
}
