package junos

import (
	"context"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// FuzzParse holds for any bytes, in both shapes: the reader ends, every position lies in the input, and no secret it found
// is in a text it states.
func FuzzParse(f *testing.F) {
	for _, s := range samples(f) {
		f.Add([]byte(s.text), false)
		f.Add([]byte(s.text), true)
		f.Add([]byte(s.text[len(s.text)/3:]), false)
	}
	f.Add([]byte("groups { a { apply-groups b; } b { apply-groups a; <*> { x; } } } apply-groups [ a b ];"), false)
	f.Add([]byte("policy-options{prefix-list x{apply-path \"<*> <*>\";}}"), false)
	f.Fuzz(func(t *testing.T, src []byte, set bool) {
		format := Brace()
		if set {
			format = Set()
		}
		detectBrace(src)
		detectSet(src)
		d := parseBytes(t, format, src)
		inside(t, d, len(src))
		for _, s := range d.Secrets {
			secret := string(src[s.Span.Pos.Off() : s.Span.Pos.Off()+int64(s.Span.Len)])
			if s.Kind != facts.SecretURL || len(secret) < 6 || s.Storage == facts.StorageMasked {
				continue
			}
			for _, c := range d.Clients {
				if strings.Contains(c.URL, secret) && strings.Count(string(src), secret) == 1 {
					t.Errorf("the URL %q holds the secret %q", c.URL, secret)
				}
			}
		}
	})
}

// FuzzRoundTrip holds that braces and the set commands that say the same state the same facts.
func FuzzRoundTrip(f *testing.F) {
	for _, s := range braceSamples(f) {
		f.Add(strings.ReplaceAll(s.text, " ## SECRET-DATA", ""))
	}
	f.Fuzz(func(t *testing.T, src string) {
		if strings.ContainsAny(src, "#@!") || strings.Contains(src, "/*") || strings.Contains(src, "show") {
			return // comments, prompts and echoes are told in one shape only
		}
		sameFacts(t, src)
	})
}

func parseBytes(t testing.TB, format facts.Format, src []byte) *facts.Device {
	t.Helper()
	d, _ := readDevice(t, format, string(src))
	return d
}

// inside fails when a span of d lies outside the n bytes of its file.
func inside(t testing.TB, d *facts.Device, n int) {
	t.Helper()
	eachSpan(d, func(s evidence.Span) {
		if s.Pos.Rank() != 1 || s.Pos.Off()+int64(s.Len) > int64(n) {
			t.Fatalf("span %d+%d of rank %d lies outside %d bytes", s.Pos.Off(), s.Len, s.Pos.Rank(), n)
		}
	})
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f := fileOf("system { host-name x; }")
	sink := facts.NewSink()
	sink.Device = func(*facts.Device) { t.Error("a device after cancellation") }
	if err := Brace().Parse(ctx, evidence.Piece{File: f, To: f.Size}, sink); err == nil {
		t.Error("no error")
	}
}

// TestHostile reads texts made to exhaust a reader.
func TestHostile(t *testing.T) {
	tests := []struct{ name, text string }{
		{"nothing", ""},
		{"blocks without end", strings.Repeat("a {", 200_000)},
		{"anonymous blocks", strings.Repeat("{", 500_000)},
		{"words without end", strings.Repeat("a ", 300_000)},
		{"one word", strings.Repeat("a", 3<<20)},
		{"quotes", strings.Repeat("\"", 300_000)},
		{"open quotes", strings.Repeat("\"a\n", 100_000)},
		{"lists", strings.Repeat("[ a ", 100_000)},
		{"closing braces", strings.Repeat("}", 300_000)},
		{"comments", strings.Repeat("/*", 300_000)},
		{"groups of groups", "groups { a { " + strings.Repeat("<*> { ", 60) + "x;" + strings.Repeat("}", 60) + " } } " + strings.Repeat("x { apply-groups a; ", 60)},
		{"groups that multiply", multiply()},
		{"apply-path", "policy-options { prefix-list p { apply-path \"" + strings.Repeat("<*> ", 50) + "\"; } }" + strings.Repeat("a { b { c; } }", 1000)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, f := range Formats() {
				d, _ := readDevice(t, f, test.text)
				inside(t, d, len(test.text))
			}
			text := "set " + strings.ReplaceAll(test.text, "{", " ")
			d, _ := readDevice(t, Set(), text)
			inside(t, d, len(text))
		})
	}
}

// multiply is groups that double what they give at every step.
func multiply() string {
	var b strings.Builder
	b.WriteString("groups {\n g0 { a { x; } b { x; } }\n")
	for i := range 40 {
		b.WriteString(" g" + itoa(i+1) + " { apply-groups g" + itoa(i) + "; a { apply-groups g" + itoa(i) + "; } b { apply-groups g" + itoa(i) + "; } }\n")
	}
	b.WriteString("}\napply-groups g40;\n")
	return b.String()
}

func itoa(i int) string {
	if i < 10 {
		return string(rune('0' + i))
	}
	return itoa(i/10) + itoa(i%10)
}
