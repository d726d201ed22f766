package tally

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func resultOf(t testing.TB, o Options, records []record) *Result {
	t.Helper()
	x := New(o)
	for _, f := range records {
		f.add(x)
	}
	r, err := Merge(t.Context(), []*Tally{x})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func mustRead(t testing.TB, b []byte) *Profile {
	t.Helper()
	p, err := ReadProfile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func written(t testing.TB, p *Profile) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestProfileSaysTheSame: what a profile says of a pair or series is what the run said.
func TestProfileSaysTheSame(t *testing.T) {
	r := resultOf(t, testOptions(), workload(rand.New(rand.NewPCG(1, 2)), 1500))
	r.Files = []FileRef{{"b.log", "bb"}, {"a.log", "aa"}, {"b.log", "bb"}}
	data := profileOf(t, r)
	p := mustRead(t, data)
	if !bytes.Equal(data, written(t, p)) {
		t.Error("a profile read and written again is another")
	}
	pairs, series := 0, 0
	var key Key
	days := map[uint32]bool{}
	clients := map[[16]byte]map[[16]byte]bool{}
	err := r.Pairs(t.Context(), func(k Key, want *Pair) {
		pairs++
		key = k
		if clients[k.Server] == nil {
			clients[k.Server] = map[[16]byte]bool{}
		}
		clients[k.Server][k.Client] = true
		for _, d := range want.PerDay {
			if d.Day != 0 {
				days[d.Day] = true
			}
		}
		want.FirstSpan.Pos, want.FirstSpan.Len = 0, 0
		if diff := cmp.Diff(want, p.Pair(k), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", k, diff)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	err = r.Series(t.Context(), func(k SeriesKey, want *Series) {
		series++
		if diff := cmp.Diff(want, p.Series(k), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", k, diff)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	s := p.Summary()
	if s.Pairs != pairs || s.Series != series || s.Days != 20 || s.Days != p.Days() || s.Policy != "digest" || s.Files != 2 {
		t.Errorf("summary %+v of %d pairs, %d series, %d days", s, pairs, series, len(days))
	}
	if diff := cmp.Diff([]string{"fw-0", "fw-0 asa-syslog", "fw-1", "fw-1 asa-syslog", "fw-2", "fw-2 asa-syslog"}, s.Sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	for server, c := range clients {
		if p.Clients(server) != len(c) {
			t.Errorf("%v: %d clients, want %d", server, p.Clients(server), len(c))
		}
	}
	if p.History(key.Client) == 0 || p.Host(key.Client).Pairs == 0 || p.Host(key.Client).Servers == 0 {
		t.Errorf("host %+v", p.Host(key.Client))
	}
	key.Port = 9
	if p.Pair(key) != nil || p.Series(SeriesKey{"fw-0", "no"}) != nil || p.History([16]byte{1}) != 0 {
		t.Error("a profile knows what was not seen")
	}
}

// TestProfilesMerge: profiles of parts merge to the profile of the whole, in any order and grouping.
func TestProfilesMerge(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	var records []record
	for _, x := range workload(r, 2000) {
		if x.whole {
			records = append(records, x)
		}
	}
	want := profileOf(t, resultOf(t, testOptions(), records))
	for range 6 {
		cut := make([][]record, 2+r.IntN(4))
		for _, x := range records {
			i := r.IntN(len(cut))
			cut[i] = append(cut[i], x)
		}
		var parts []*Profile
		for _, c := range cut {
			parts = append(parts, mustRead(t, profileOf(t, resultOf(t, testOptions(), c))))
		}
		for len(parts) > 1 {
			n := 2 + r.IntN(len(parts)-1)
			r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			m, err := MergeProfiles(parts[:n]...)
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts[n:], m)
		}
		if !bytes.Equal(want, written(t, parts[0])) {
			t.Fatal("the profiles of parts merge to another profile")
		}
	}
}

func TestProfilesOfOnePolicy(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	records := workload(r, 500)
	approved := func(p *Profile) int64 {
		var n int64
		_ = eachRecord(p.cells, func(_ int, _, _, val []byte) error {
			var c cell
			c.decode(&decoder{b: val})
			n += c.approved
			return nil
		})
		return n
	}
	other := testOptions()
	other.Policy = "other"
	a := mustRead(t, profileOf(t, resultOf(t, testOptions(), records)))
	b := mustRead(t, profileOf(t, resultOf(t, other, records)))
	if approved(a) == 0 {
		t.Fatal("nothing is approved")
	}
	for _, c := range []struct {
		name string
		all  []*Profile
		want int64
	}{
		{"one policy", []*Profile{a, a}, 2 * approved(a)},
		{"two policies", []*Profile{a, b}, 0},
		{"two policies, the other way", []*Profile{b, a}, 0},
	} {
		m, err := MergeProfiles(c.all...)
		if err != nil || approved(m) != c.want {
			t.Errorf("%s: %d approved, want %d, %v", c.name, approved(m), c.want, err)
		}
	}
	if f, err := a.Forget("digest"); err != nil || f != a {
		t.Errorf("marks of the same policy were forgotten: %v", err)
	}
	if f, err := a.Forget("other"); err != nil || approved(f) != 0 || f.Policy != "" || f.Summary().Pairs != a.Summary().Pairs {
		t.Errorf("marks of another policy are kept: %v", err)
	}
	a.Files, b.Files = []FileRef{{"x.log", "aa"}}, []FileRef{{"moved/x.log", "aa"}}
	if _, err := MergeProfiles(a, b); err == nil {
		t.Error("one file of the same days counts twice")
	}
}

func TestBrokenProfiles(t *testing.T) {
	whole := profileOf(t, resultOf(t, testOptions(), workload(rand.New(rand.NewPCG(1, 2)), 300)))
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"empty", nil},
		{"no gzip", []byte("no gzip")},
		{"half", whole[:len(whole)/2]},
		{"without its end", whole[:len(whole)-4]},
	} {
		if _, err := ReadProfile(bytes.NewReader(c.data)); err == nil {
			t.Errorf("%s: read", c.name)
		}
	}
}

// FuzzProfile: any bytes as the body of a profile are refused or give a profile that can be asked, merged and written.
func FuzzProfile(f *testing.F) {
	p := mustRead(f, profileOf(f, resultOf(f, testOptions(), workload(rand.New(rand.NewPCG(1, 2)), 30))))
	f.Add(p.cells, p.series)
	f.Fuzz(func(t *testing.T, cells, series []byte) {
		p := &Profile{cells: cells, series: series}
		if p.index() != nil {
			return
		}
		_ = eachRecord(cells, func(_ int, _, key, _ []byte) error {
			if p.Pair(readKey(key)) == nil {
				t.Errorf("the pair of record %x is not found", key)
			}
			return nil
		})
		p.Summary()
		p.History([16]byte{})
		m, err := MergeProfiles(p, p)
		if err != nil {
			t.Fatal(err)
		}
		back := mustRead(t, written(t, m))
		if diff := cmp.Diff(m.Summary(), back.Summary()); diff != "" {
			t.Errorf("written and read (-want +got):\n%s", diff)
		}
	})
}

// FuzzRecords: decoders end and never panic.
func FuzzRecords(f *testing.F) {
	x := New(testOptions())
	for _, r := range workload(rand.New(rand.NewPCG(1, 2)), 30) {
		r.add(x)
	}
	for _, e := range x.events {
		f.Add(x.data(e.data))
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		d := decoder{b: b}
		d.event()
		var c cell
		d = decoder{b: b}
		c.decode(&d)
		var s beat
		d = decoder{b: b}
		s.decode(&d)
		entity(b)
		text(b)
	})
}
