package jsontree

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// plain turns a tree into what encoding/json gives, to compare with it.
func plain(v Value) any {
	switch v.Kind() {
	case True, False:
		b, _ := v.Bool()
		return b
	case String:
		return v.Text()
	case Number:
		off, end := v.Range()
		var f float64
		if json.Unmarshal(v.t.src[off:end], &f) != nil {
			return nil
		}
		return f
	case Array:
		out := []any{}
		for m := range v.All {
			out = append(out, plain(m))
		}
		return out
	case Object:
		out := map[string]any{}
		for m := range v.All {
			out[m.Key()] = plain(m)
		}
		return out
	case Null:
	}
	return nil
}

func TestParse(t *testing.T) {
	src := []byte("{\n \"a\": [1, -2.5e3, true, null, \"x\\n\\u00e9\\ud83d\\ude00\\\"\"],\n \"b\": {\"c\": {}}, \"d\": \"\"}\n")
	v, err := Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	var want any
	if err := json.Unmarshal(src, &want); err != nil {
		t.Fatal(err)
	}
	if got := plain(v); !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, want %#v", got, want)
	}
	off, end := v.Get("b").MemberRange()
	if got := string(src[off:end]); got != `"b": {"c": {}}` {
		t.Errorf("member range = %q", got)
	}
	if v.Get("a").Get("x").Get("y").OK() {
		t.Error("a member of an absent value is there")
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name, src string
		off       int
	}{
		{"empty", "", 0},
		{"cut object", `{"a": 1`, 7},
		{"cut string", `{"a": "x`, 8},
		{"no comma", `[1 2]`, 3},
		{"no colon", `{"a" 1}`, 5},
		{"tail", `{} x`, 3},
		{"deep", strings.Repeat("[", MaxDepth+5), MaxDepth + 1},
		{"bare minus", `-`, 1},
	} {
		_, err := Parse([]byte(c.src))
		var e *Error
		if !errors.As(err, &e) || e.Off != c.off {
			t.Errorf("%s: error %v, want one at byte %d", c.name, err, c.off)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":[1,2,{"b":"\u0041"}],"c":null}`))
	f.Add([]byte(`"\ud800`))
	f.Fuzz(func(t *testing.T, src []byte) {
		v, err := Parse(src)
		if err != nil {
			if json.Valid(src) {
				t.Fatalf("valid JSON refused: %v", err)
			}
			return
		}
		off, end := v.Range()
		if off < 0 || end > len(src) || off > end {
			t.Fatalf("range %d..%d of %d bytes", off, end, len(src))
		}
		plain(v)
	})
}
