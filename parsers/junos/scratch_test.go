package junos

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"testing"
)

func TestScratch(t *testing.T) {
	glob := os.Getenv("SCRATCH")
	if glob == "" {
		t.Skip()
	}
	files, _ := filepath.Glob(glob)
	miss := map[string]int{}
	var u, i, un, ur int
	for _, f := range files {
		b, _ := os.ReadFile(f)
		format, conf := formatOf(string(b))
		d, notes := readDevice(t, format, string(b))
		l := d.Lines
		u, i, un, ur = u+l.Understood, i+l.Irrelevant, un+l.Unsupported, ur+l.Unrecognised
		pct := 100 * float64(l.Understood+l.Irrelevant) / float64(max(1, l.Total()))
		if os.Getenv("V") != "" {
			fmt.Printf("%5.1f%% %-14s %3d %+v %s\n", pct, format.Name, conf, l, filepath.Base(f))
			for _, n := range notes {
				fmt.Println("   note", n.Kind, n.Message, n.Span.Pos.Off())
			}
		}
		for _, x := range d.Unread {
			off := int(x.Span.Pos.Off())
			miss[fmt.Sprintf("%s | %s | %s | %q", x.State, x.Reason, x.Filter, string(b[off:off+int(min(x.Span.Len, 90))]))]++
		}
	}
	fmt.Println("understood", u, "irrelevant", i, "unsupported", un, "unrecognised", ur, fmt.Sprintf("%.2f%%", 100*float64(u+i)/float64(u+i+un+ur)))
	var keys []string
	for k := range miss {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(a, b int) bool { return miss[keys[a]] > miss[keys[b]] })
	for _, k := range keys[:min(len(keys), 150)] {
		fmt.Println(miss[k], k)
	}
}
