package panos

import (
	"context"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// FuzzParse holds for any bytes, in every shape: the reader ends, every position lies in the input, every line is accounted
// for, and no secret it found is in a text it states.
func FuzzParse(f *testing.F) {
	for _, s := range samples(f) {
		f.Add([]byte(s.text), uint8(0))
		f.Add([]byte(s.text), uint8(1))
		f.Add([]byte(s.text), uint8(2))
	}
	f.Add([]byte("set device-group a parent-dg b\nset device-group b parent-dg a\nset device-group a address x ip-netmask 10.0.0.1\nset device-group b pre-rulebase security rules r source x\n"), uint8(0))
	f.Add([]byte("set application-group a members [ a b ]\nset application-group b members a\nset rulebase security rules r application a service application-default\n"), uint8(0))
	f.Add([]byte("set config config config devices a devices b config vsys vsys1 zone z network layer3 e\n"), uint8(0))
	f.Fuzz(func(t *testing.T, src []byte, which uint8) {
		format := Formats()[which%3]
		for _, x := range Formats() {
			x.Detect("", src)
		}
		d, _ := readDevice(t, format, string(src))
		inside(t, d, len(src))
		if d.Lines.Total() != d.Lines.Understood+d.Lines.Irrelevant+d.Lines.Unsupported+d.Lines.Unrecognised {
			t.Error("lines are lost")
		}
		for _, s := range d.Secrets {
			secret := string(src[s.Span.Pos.Off() : s.Span.Pos.Off()+int64(s.Span.Len)])
			if len(secret) < 8 || s.Storage == facts.StorageMasked || strings.Count(string(src), secret) != 1 {
				continue
			}
			for _, c := range d.Clients {
				if strings.Contains(c.URL+c.Host+c.Path, secret) {
					t.Errorf("the client %q %q holds the secret %q", c.Name, c.URL, secret)
				}
			}
		}
	})
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f := fileOf("set deviceconfig system hostname x")
	sink := facts.NewSink()
	sink.Device = func(*facts.Device) { t.Error("a device after cancellation") }
	if err := Set().Parse(ctx, evidence.Piece{File: f, To: f.Size}, sink); err == nil {
		t.Error("no error")
	}
}

// TestHostile reads texts made to exhaust a reader.
func TestHostile(t *testing.T) {
	rules := "set rulebase application-override rules o"
	var many strings.Builder
	for range 300 {
		many.WriteString(rules + strings.Repeat("x", many.Len()%7) + " application a protocol tcp port 1\n")
	}
	var nat strings.Builder
	for i := range 300 {
		nat.WriteString("set rulebase nat rules n from z" + strings.Repeat("a", i) + "\nset rulebase nat rules n to y" + strings.Repeat("a", i) + "\nset rulebase nat rules n source 10.0.0." + strings.Repeat("1", i%3+1) + "\n")
	}
	tests := []struct{ name, text string }{
		{"nothing", ""},
		{"blocks without end", strings.Repeat("config {", 200_000)},
		{"elements without end", strings.Repeat("<config>", 200_000)},
		{"words without end", "set " + strings.Repeat("devices ", 300_000)},
		{"one word", "set " + strings.Repeat("a", 3<<20)},
		{"open quotes", strings.Repeat("set a \"a\n", 100_000)},
		{"quotes that run on", "set a \"" + strings.Repeat("\n", 300_000)},
		{"lists", "set a " + strings.Repeat("[ a ", 100_000)},
		{"overrides", many.String() + "set rulebase security rules r application a service application-default action allow\n"},
		{"translations that multiply", nat.String() + "set rulebase nat rules n source-translation dynamic-ip-and-port translated-address 10.0.0.1\n"},
		{"a chain of groups", nested(3000)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, f := range Formats() {
				d, _ := readDevice(t, f, test.text)
				inside(t, d, len(test.text))
				if len(d.NAT) > 10_000 {
					t.Errorf("%d translations", len(d.NAT))
				}
			}
		})
	}
}

// nested is address groups each in the next, and application groups each in the next.
func nested(n int) string {
	var b strings.Builder
	for i := range n {
		a, c := strings.Repeat("g", i%40)+itoa(i), strings.Repeat("g", (i+1)%40)+itoa(i+1)
		b.WriteString("set application-group " + a + " members " + c + "\nset address-group " + a + " static " + c + "\n")
	}
	b.WriteString("set rulebase security rules r application 0\nset rulebase security rules r source 0\n")
	return b.String()
}

func itoa(i int) string {
	if i < 10 {
		return string(rune('0' + i))
	}
	return itoa(i/10) + itoa(i%10)
}
