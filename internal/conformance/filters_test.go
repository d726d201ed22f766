package conformance

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/parsers"
)

// TestEveryFilter asks about every filter and every interface of the corpus' configurations. The answers are not known,
// but they must agree with each other: what the diagrams decide is what reading the rules decides, and a whole question
// is the sum of its parts.
func TestEveryFilter(t *testing.T) {
	root := os.Getenv("QUAYMASTER_CORPUS")
	if root == "" {
		t.Skip("QUAYMASTER_CORPUS is not set: no public configurations are read")
	}
	filters, places, answers := 0, 0, map[headerspace.Verdict]int{}
	folders, err := os.ReadDir(filepath.Join(root, "configs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range folders {
		folder := entry.Name()
		if !entry.IsDir() || !hasReader(facts.PlatformFamily(folder)) {
			continue
		}
		paths, err := filepath.Glob(filepath.Join(root, "configs", folder, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if i, err := os.Stat(path); err != nil || i.IsDir() || strings.HasSuffix(path, ".tsv") {
				continue
			}
			d := device(t, path, facts.PlatformFamily(folder))
			m := headerspace.New(d)
			for i := range d.Filters {
				f := &d.Filters[i]
				filters++
				consistent(t, m, path, headerspace.Query{Filter: f.Name, Scope: f.Scope, Family: f.Family}, answers)
				if len(f.Rules) < 500 {
					if _, err := m.Unreachable(f.Scope, f.Name); err != nil {
						t.Errorf("%s: %s: %v", path, f.Name, err)
					}
				}
			}
			for i := range d.Interfaces {
				f := &d.Interfaces[i]
				for _, q := range []headerspace.Query{{In: f.Name, Scope: f.Scope}, {Out: f.Name, Scope: f.Scope}, {In: f.Name, Self: true, Scope: f.Scope}, {Out: f.Name, Self: true, Scope: f.Scope}} {
					places++
					consistent(t, m, path, q, answers)
				}
				if i > 0 && i < 10 && d.Interfaces[i-1].Scope == f.Scope {
					places++
					consistent(t, m, path, headerspace.Query{In: d.Interfaces[i-1].Name, Out: f.Name, Scope: f.Scope}, answers)
				}
			}
			m.Undefined()
			m.Close()
		}
	}
	if filters == 0 || places == 0 {
		t.Fatalf("%d filters, %d places", filters, places)
	}
	t.Logf("%d filters, %d places, answers %v", filters, places, answers)
}

// hasReader reports whether some format is of a platform.
func hasReader(platform string) bool {
	return slices.ContainsFunc(parsers.Formats(), func(f facts.Format) bool { return f.Platform != "" && facts.PlatformFamily(f.Platform) == platform })
}

func consistent(t *testing.T, m *headerspace.Model, path string, q headerspace.Query, answers map[headerspace.Verdict]int) {
	t.Helper()
	all, err := m.Transfers(q)
	if err != nil {
		if strings.Contains(err.Error(), "is not one but") {
			return // two interfaces of one name
		}
		t.Errorf("%s: %+v: %v", path, q, err)
		return
	}
	for _, a := range all {
		answers[a.Verdict]++
		if a.Verdict != headerspace.Deny { // why nothing passes is told by Test alone
			explained(t, path, q, a.Answer)
		}
		one := q
		one.Protocols, one.DstPorts = []uint8{a.Transport}, []facts.PortRange{a.Ports}
		b, err := m.Test(one)
		if err != nil || b.Verdict != a.Verdict {
			t.Errorf("%s: %+v: %s among all, %s alone (%v)", path, one, a.Verdict, b.Verdict, err)
		}
		explained(t, path, one, b)
	}
}

// explained says that an answer has a reason, and that the rules it names make its verdict.
func explained(t *testing.T, path string, q headerspace.Query, a headerspace.Answer) {
	t.Helper()
	if a.Reason == "" || len(a.Stages) > 0 && a.Verdict != headerspace.Partial && worst(a.Stages) != a.Verdict {
		t.Errorf("%s: %+v: %s, the rules say %v (%s)", path, q, a.Verdict, a.Stages, a.Reason)
	}
}

// worst is what all stages together make.
func worst(stages []headerspace.Stage) headerspace.Verdict {
	v := headerspace.Permit
	for _, s := range stages {
		if s.Verdict == headerspace.Deny {
			return headerspace.Deny
		}
		if s.Verdict == headerspace.Unknown {
			v = headerspace.Unknown
		}
	}
	return v
}
