package panos

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// benchConfig is a firewall of a company as set commands: n addresses and rules, n/10 interfaces, zones and NAT rules, and
// the profiles that come with them.
func benchConfig(n int) string {
	var b bytes.Buffer
	b.WriteString("set deviceconfig system hostname edge\nset deviceconfig system service disable-telnet yes\n")
	for i := range n / 10 {
		fmt.Fprintf(&b, "set network interface ethernet ethernet1/1 layer3 units ethernet1/1.%d tag %d\n", i+1, i%4000+1)
		fmt.Fprintf(&b, "set network interface ethernet ethernet1/1 layer3 units ethernet1/1.%d ip 10.%d.%d.1/24\n", i+1, i/256%256, i%256)
		fmt.Fprintf(&b, "set zone zone-%d network layer3 ethernet1/1.%d\n", i/20, i+1)
	}
	for i := range n / 20 {
		for j := range 20 {
			fmt.Fprintf(&b, "set shared profiles spyware profile-%d rules rule-%d severity high\n", i, j)
			fmt.Fprintf(&b, "set shared profiles spyware profile-%d rules rule-%d action reset-both\n", i, j)
			fmt.Fprintf(&b, "set shared profiles spyware profile-%d rules rule-%d packet-capture extended-capture\n", i, j)
		}
	}
	for i := range n {
		fmt.Fprintf(&b, "set address host-%d ip-netmask 10.%d.%d.%d/32\nset address host-%d description \"server %d of the company\"\n", i, i/65536%256, i/256%256, i%256, i, i)
	}
	for i := range n {
		r := fmt.Sprintf("set rulebase security rules \"rule %d\" ", i)
		fmt.Fprintf(&b, "%sfrom zone-%d\n%sto [ zone-%d zone-%d ]\n%ssource [ host-%d host-%d ]\n%sdestination host-%d\n", r, i%20, r, (i+1)%20, (i+2)%20, r, i, (i+1)%n, r, (i+2)%n)
		fmt.Fprintf(&b, "%sapplication [ ftp web-browsing ssl ]\n%sservice application-default\n%saction allow\n%slog-setting default\n%sprofile-setting group default\n", r, r, r, r, r)
	}
	for i := range n / 10 {
		r := fmt.Sprintf("set rulebase nat rules nat-%d ", i)
		fmt.Fprintf(&b, "%sfrom zone-1\n%sto zone-2\n%ssource any\n%sdestination 203.0.%d.%d\n%sdestination-translation translated-address host-%d\n", r, r, r, r, i/256, i%256, r, i)
	}
	return b.String()
}

func benchmark(b *testing.B, format facts.Format, text string) {
	f := fileOf(text)
	sink := facts.NewSink()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := format.Parse(context.Background(), evidence.Piece{File: f, To: f.Size}, sink); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSet(b *testing.B) { benchmark(b, Set(), benchConfig(4000)) }

func BenchmarkBrace(b *testing.B) {
	t, _ := treeOf(Set(), benchConfig(4000))
	_, text, _, ok := shapesOf(t, false)
	if !ok {
		b.Fatal("not writable in braces")
	}
	benchmark(b, Brace(), text)
}

func BenchmarkXML(b *testing.B) {
	t, _ := treeOf(Set(), benchConfig(4000))
	_, _, text, ok := shapesOf(t, false)
	if !ok {
		b.Fatal("not writable as XML")
	}
	benchmark(b, XML(), text)
}

func BenchmarkDetect(b *testing.B) {
	head := []byte(benchConfig(4000)[:64<<10])
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range Formats() {
			f.Detect("", head)
		}
	}
}
