package nftables

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

const dir = "../../fixtures/nftables"

var update = parsetest.Update()

func TestGolden(t *testing.T) { parsetest.Golden(t, Format(), dir, *update) }

func sample(t testing.TB) string {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join(dir, "router.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	return string(a.Files[0].Data)
}

func TestKit(t *testing.T) {
	parsetest.Kit{Format: Format(), Filler: "# ", Samples: []parsetest.Sample{{Path: "nftables.conf", Text: sample(t)}}}.Run(t)
}

func read(t testing.TB, src string) *facts.Device {
	t.Helper()
	st := parsetest.Parse(t, Format(), "x", []byte(src))
	if len(st.Devices) != 1 {
		t.Fatalf("%d devices", len(st.Devices))
	}
	return st.Devices[0]
}

// Whatever the bytes, reading ends with one device whose spans lie inside them and whose lines are all accounted for.
func FuzzParse(f *testing.F) {
	f.Add([]byte(sample(f)))
	f.Add([]byte("define a = { $a, \"x }\ntable ip t { chain c { type filter hook input priority filter-1; jump { jump { drop } }; ip saddr . tcp dport vmap { 1.2.3.4 . 5 : drop, * : goto x }"))
	f.Fuzz(func(t *testing.T, src []byte) {
		Format().Detect("x", src)
		d := read(t, string(src))
		lines := 0
		for line := range bytes.SplitSeq(src, []byte("\n")) {
			if len(strings.Trim(string(line), blanks)) > 0 {
				lines++
			}
		}
		if d.Lines.Total() != lines {
			t.Errorf("%d lines accounted for of %d", d.Lines.Total(), lines)
		}
	})
}
