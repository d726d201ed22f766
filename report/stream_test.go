package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A streamed document is the encoder's, byte for byte, with and without everything.
func TestStreamIsTheEncoders(t *testing.T) {
	type inner struct {
		Name string            `json:"name,omitempty"`
		List []int             `json:"list"`
		Map  map[string]string `json:"map,omitempty"`
		Next *inner            `json:"next,omitempty"`
		Bool bool              `json:"bool,omitempty"`
	}
	type outer struct {
		A     string   `json:"a"`
		Ptr   *inner   `json:"ptr"`
		In    inner    `json:"in"`
		Lists [][]int  `json:"lists"`
		Ins   []inner  `json:"ins"`
		Ptrs  []*inner `json:"ptrs,omitempty"`
		Bytes []byte   `json:"bytes"`
		Any   any      `json:"any"`
		skip  int
		Raw   json.RawMessage `json:"raw,omitempty"`
		Not   int             `json:"-"`
	}
	r := rand.New(rand.NewPCG(1, 2))
	var in func(depth int) inner
	in = func(depth int) inner {
		x := inner{Name: []string{"", "<b>&\u2028 \"x\"\n", "é\xff"}[r.IntN(3)], Bool: r.IntN(2) == 0}
		for range r.IntN(3) {
			x.List = append(x.List, r.IntN(9))
		}
		if r.IntN(2) == 0 {
			x.Map = map[string]string{"b": "2", "a": "<1>"}
		}
		if depth > 0 && r.IntN(2) == 0 {
			n := in(depth - 1)
			x.Next = &n
		}
		return x
	}
	for i := range 300 {
		o := outer{A: "x", In: in(5), skip: 1, Not: 2}
		for range r.IntN(3) {
			o.Ins = append(o.Ins, in(3))
			o.Lists = append(o.Lists, []int{1, 2}[:r.IntN(3)])
		}
		if r.IntN(2) == 0 {
			n := in(6)
			o.Ptr, o.Any, o.Bytes = &n, map[string]any{"k": []any{1, "x"}}, []byte("bytes")
			o.Ptrs = []*inner{&n, nil}
			o.Raw = json.RawMessage(`{"a":[1,{}]}`)
		}
		for _, html := range []bool{true, false} {
			var want, got bytes.Buffer
			e := json.NewEncoder(&want)
			e.SetIndent("", " ")
			e.SetEscapeHTML(html)
			if err := e.Encode(o); err != nil {
				t.Fatal(err)
			}
			if err := writeJSON(&got, o, html); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want.String(), got.String()); d != "" {
				t.Fatalf("document %d (-encoder +stream):\n%s", i, d)
			}
		}
	}
}

type failing struct{ after int }

func (f *failing) Write(b []byte) (int, error) {
	if f.after -= len(b); f.after < 0 {
		return 0, errors.New("disk full")
	}
	return len(b), nil
}

func TestStreamTellsErrors(t *testing.T) {
	d := Doc{Findings: make([]Finding, 5000)}
	if err := writeJSON(&failing{after: 100_000}, &d, true); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("error %v", err)
	}
}
