package panos

import (
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
)

// TestPlaces reads the same few statements in every place a configuration may have them.
func TestPlaces(t *testing.T) {
	const base = "deviceconfig system hostname x\n" +
		"network interface ethernet ethernet1/1 layer3 ip 10.0.1.1/24\n" +
		"vsys vsys1 zone a network layer3 ethernet1/1\n" +
		"vsys vsys1 address one ip-netmask 192.0.2.1\n"
	write := func(prefix, vsys string) string {
		var b strings.Builder
		for line := range strings.SplitSeq(strings.TrimSpace(base), "\n") {
			if rest, ok := strings.CutPrefix(line, "vsys vsys1 "); ok {
				line = vsys + rest
			}
			b.WriteString("set " + prefix + line + "\n")
		}
		return b.String()
	}
	first, _ := readDevice(t, Set(), write("", ""))
	want := meaning(first)
	if len(first.Interfaces) != 1 || first.Interfaces[0].Zone != "a" || len(first.Groups) != 1 || first.Lines.Unrecognised > 0 {
		t.Fatalf("nothing to compare with:\n%s", want)
	}
	for _, c := range []struct{ name, text string }{
		{"of a virtual system", write("", "vsys vsys1 ")},
		{"below config and devices", write("config devices localhost.localdomain ", "vsys vsys1 ")},
		{"in an answer of the API", write("response result config devices localhost.localdomain ", "vsys vsys1 ")},
		{"of the template that was pushed", write("template config devices localhost.localdomain ", "vsys vsys1 ")},
	} {
		d, _ := readDevice(t, Set(), c.text)
		if got := meaning(d); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, want)
		}
	}
}

// TestTemplateUnder holds that a firewall's own statement counts before that of the template that was pushed to it.
func TestTemplateUnder(t *testing.T) {
	own := "set deviceconfig system hostname own\nset deviceconfig system service disable-telnet yes\n"
	pushed := "set template config devices localhost.localdomain deviceconfig system hostname pushed\n" +
		"set template config devices localhost.localdomain deviceconfig system service disable-telnet no\n" +
		"set template config devices localhost.localdomain deviceconfig system service disable-http no\n"
	for _, text := range []string{own + pushed, pushed + own} {
		d, _ := readDevice(t, Set(), text)
		if d.Hostname.Val != "own" {
			t.Errorf("hostname %q", d.Hostname.Val)
		}
		got := map[facts.Protocol]bool{}
		for _, s := range d.Services {
			got[s.Protocol] = s.Enabled.Val
		}
		if got[facts.Telnet] || !got[facts.HTTP] {
			t.Errorf("services %v, want HTTP of the template and no Telnet", got)
		}
	}
}
