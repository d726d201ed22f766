package junos

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// benchConfig is a configuration as a large edge router has it: n interfaces, n filter terms, routing policies and
// neighbours beside them.
func benchConfig(n int) string {
	var b bytes.Buffer
	b.WriteString("version 22.4R3;\nsystem {\n    host-name edge;\n    services {\n        ssh;\n        ftp;\n    }\n}\ninterfaces {\n")
	for i := range n {
		fmt.Fprintf(&b, "    ge-%d/%d/%d {\n        description \"to customer %d\";\n        vlan-tagging;\n        unit 0 {\n            vlan-id %d;\n            family inet {\n                filter {\n                    input EDGE-IN;\n                }\n                address 10.%d.%d.1/24;\n            }\n        }\n    }\n", i/480, i/48%10, i%48, i, i%4000, i/256%256, i%256)
	}
	b.WriteString("}\nprotocols {\n    bgp {\n")
	for i := range n {
		fmt.Fprintf(&b, "        group customer-%d {\n            type external;\n            import [ in-%d sanity ];\n            peer-as %d;\n            neighbor 10.%d.%d.2;\n        }\n", i, i, 64512+i%1000, i/256%256, i%256)
	}
	b.WriteString("    }\n}\npolicy-options {\n")
	for i := range n {
		fmt.Fprintf(&b, "    policy-statement in-%d {\n        term accept {\n            from {\n                route-filter 10.%d.%d.0/24 exact;\n            }\n            then accept;\n        }\n        then reject;\n    }\n", i, i/256%256, i%256)
	}
	b.WriteString("}\nfirewall {\n    family inet {\n        filter EDGE-IN {\n")
	for i := range n {
		fmt.Fprintf(&b, "            term t%d {\n                from {\n                    source-address {\n                        10.%d.%d.0/24;\n                    }\n                    protocol tcp;\n                    destination-port [ ftp ssh 445 ];\n                }\n                then {\n                    count c%d;\n                    discard;\n                }\n            }\n", i, i/256%256, i%256, i)
	}
	b.WriteString("        }\n    }\n}\n")
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

func BenchmarkBrace(b *testing.B) { benchmark(b, Brace(), benchConfig(4000)) }

func BenchmarkSet(b *testing.B) {
	text, ok := asSet(benchConfig(4000))
	if !ok {
		b.Fatal("not writable as set commands")
	}
	benchmark(b, Set(), string(bytes.ReplaceAll([]byte(text), []byte(`"`), nil)))
}

func BenchmarkDetect(b *testing.B) {
	head := []byte(benchConfig(4000)[:64<<10])
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		detectBrace(head)
		detectSet(head)
	}
}
