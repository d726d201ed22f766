package tree

import (
	"bytes"
	"fmt"
	"testing"
)

// benchBraces is a configuration of n interfaces and n filter terms, as a large router has them.
func benchBraces(n int) []byte {
	var b bytes.Buffer
	b.WriteString("interfaces {\n")
	for i := range n {
		fmt.Fprintf(&b, "    ge-0/%d/%d {\n        description \"to customer %d\";\n        unit 0 {\n            family inet {\n                filter {\n                    input EDGE-IN;\n                }\n                address 10.%d.%d.1/24;\n            }\n        }\n    }\n", i/48, i%48, i, i/256%256, i%256)
	}
	b.WriteString("}\nfirewall {\n    family inet {\n        filter EDGE-IN {\n")
	for i := range n {
		fmt.Fprintf(&b, "            term t%d {\n                from {\n                    source-address {\n                        10.%d.%d.0/24;\n                    }\n                    protocol tcp;\n                    destination-port [ ftp ssh 445 ];\n                }\n                then {\n                    count c%d;\n                    discard;\n                }\n            }\n", i, i/256%256, i%256, i)
	}
	b.WriteString("        }\n    }\n}\n")
	return b.Bytes()
}

func BenchmarkBraces(b *testing.B) {
	src := benchBraces(5000)
	var t Tree
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		t.Braces(src, Syntax{Tags: true})
	}
}

func BenchmarkSets(b *testing.B) {
	var t Tree
	t.Braces(benchBraces(5000), Syntax{Tags: true})
	src, ok := asSet(&t)
	if !ok {
		b.Fatal("not writable")
	}
	src = bytes.ReplaceAll(src, []byte(`"`), nil)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		t.Sets(src, Syntax{})
	}
}
