package facts

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/evidence"
)

func TestMarkers(t *testing.T) {
	f := &evidence.File{Rank: 3}
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"none", "remark see quaymaster", nil},
		{"in a remark", " remark quaymaster:WF-12 nightly backup", []string{"WF-12"}},
		{"the end of a sentence", `description "uplink, quaymaster:EX-3."`, []string{"EX-3"}},
		{"two on a line", "quaymaster:a quaymaster:b", []string{"a", "b"}},
		{"without an ID", "quaymaster: quaymaster:;x", nil},
		{"at the end of the text", "quaymaster:", nil},
		{"bounded", "quaymaster:" + strings.Repeat("a", 100), []string{strings.Repeat("a", maxMarker)}},
	} {
		var got []string
		for _, m := range Markers(f, []byte(c.text), 100) {
			got = append(got, m.ID)
			from := m.Span.Pos.Off() - 100
			if text := c.text[from : from+int64(m.Span.Len)]; text != markerWord+m.ID {
				t.Errorf("%s: the span covers %q", c.name, text)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestGuessable(t *testing.T) {
	for secret, want := range map[string]bool{"public": true, "PRIVATE": true, "publicly": false, "": false, "default": true, "s3cr3t": false} {
		if got := Guessable([]byte(secret)); got != want {
			t.Errorf("Guessable(%q) = %v", secret, got)
		}
	}
}
