package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/quaymaster/quaymaster"

type pkg struct {
	ImportPath string
	Dir        string
	Name       string
	GoFiles    []string
	Imports    []string
}

// packages are all packages of the module that have code.
func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Name,GoFiles,Imports", "./...")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if len(p.GoFiles) > 0 {
			all = append(all, p)
		}
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages", len(all))
	}
	return all
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// may is who may import what of ours. A name ending in /... stands for everything below it. The first row that fits counts.
var may = []struct {
	pkg     string
	imports []string
}{
	{"evidence", nil},
	{"fixtures", nil},
	{"fixtures/...", nil},
	{"inventory", []string{"evidence", "internal/strictyaml"}},
	{"facts", []string{"evidence"}},
	{"headerspace", []string{"facts", "evidence"}},
	{"tally", []string{"evidence", "facts"}},
	{"policy", []string{"evidence", "facts", "inventory", "internal/strictyaml"}},
	{"audit", []string{"evidence", "facts", "headerspace", "tally", "policy", "inventory"}},
	{"checks/...", []string{"audit", "evidence", "facts", "headerspace", "tally", "policy", "inventory", "checks/..."}},
	{"checks", []string{"audit", "evidence", "facts", "headerspace", "tally", "policy", "inventory", "checks/..."}},
	{"cases", []string{"audit", "policy", "evidence", "facts"}},
	{"parsers", []string{"parsers/...", "evidence", "facts", "internal/..."}},
	{"parsers/...", []string{"evidence", "facts", "internal/..."}},
	{"collectors", []string{"collectors/...", "evidence", "inventory"}},
	{"collectors/...", []string{"evidence", "inventory"}},
	{"engine", []string{"evidence", "facts", "inventory", "headerspace", "tally", "policy", "audit", "cases", "parsers", "checks", "internal/..."}},
	{"report/...", nil},
	{"report", []string{"audit", "cases", "evidence", "facts", "policy", "report/..."}},
	{"internal/lab", []string{"evidence", "facts", "fixtures", "internal/..."}},
	{"internal/conformance", []string{"..."}},
	{"internal/checktest", []string{"..."}},
	{"internal/...", []string{"evidence", "facts", "internal/..."}},
	{"cmd/quaymaster", []string{"..."}},
}

func fits(pattern, name string) bool {
	if p, ok := strings.CutSuffix(pattern, "..."); ok {
		return strings.HasPrefix(name, p)
	}
	return pattern == name
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		row := slices.IndexFunc(may, func(m struct {
			pkg     string
			imports []string
		}) bool {
			return fits(m.pkg, p.ImportPath)
		})
		if row < 0 {
			t.Errorf("package %s is not in the import table", p.ImportPath)
			continue
		}
		for _, i := range p.Imports {
			name, ours := strings.CutPrefix(i, module+"/")
			if !ours {
				continue
			}
			sibling := strings.HasPrefix(p.ImportPath, "parsers/") && strings.HasPrefix(name, "parsers/") ||
				strings.HasPrefix(p.ImportPath, "collectors/") && strings.HasPrefix(name, "collectors/")
			if sibling || !slices.ContainsFunc(may[row].imports, func(m string) bool { return fits(m, name) }) {
				t.Errorf("%s may not import %s", p.ImportPath, name)
			}
			if name == "cmd/quaymaster" {
				t.Errorf("%s imports cmd", p.ImportPath)
			}
		}
	}
}

// forbidden are standard packages a check may not use: it judges facts and nothing else.
var forbidden = []string{"os", "net", "net/http", "os/exec", "io/ioutil", "syscall"}

func TestChecksAreClosed(t *testing.T) {
	fset := token.NewFileSet()
	for _, p := range packages(t) {
		if p.ImportPath != "checks" && !strings.HasPrefix(p.ImportPath, "checks/") {
			continue
		}
		for _, i := range p.Imports {
			if slices.Contains(forbidden, i) {
				t.Errorf("%s imports %s", p.ImportPath, i)
			}
		}
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && s.Sel.Name == "Now" {
						t.Errorf("%s: a check has no clock but Pass.Now", fset.Position(n.Pos()))
					}
				}
				return true
			})
		}
	}
}

// home is the one folder of each third-party module; internal/lab has the server sides.
var home = map[string][]string{
	"github.com/vmware/govmomi":                {"collectors/vsphere", "internal/lab"},
	"golang.org/x/crypto":                      {"collectors/ssh", "internal/lab"},
	"github.com/gosnmp/gosnmp":                 {"collectors/snmp", "internal/lab"},
	"github.com/spf13/cobra":                   {"cmd/quaymaster"},
	"github.com/spf13/pflag":                   {"cmd/quaymaster"},
	"golang.org/x/term":                        {"cmd/quaymaster"},
	"go.yaml.in/yaml/v4":                       {"internal/strictyaml"},
	"golang.org/x/sync":                        {"engine", "collectors"},
	"golang.org/x/tools":                       {"internal/parsetest"},
	"github.com/google/go-cmp":                 {"internal/parsetest"}, // the test harness
	"github.com/gaissmai/bart":                 {"policy"},
	"github.com/go-git/go-git/v5":              {"evidence"},
	"github.com/santhosh-tekuri/jsonschema/v6": {},
}

func TestThirdPartyHomes(t *testing.T) {
	for _, p := range packages(t) {
		for _, i := range p.Imports {
			first, _, _ := strings.Cut(i, "/")
			if !strings.Contains(first, ".") || strings.HasPrefix(i, module) {
				continue
			}
			known := false
			for m, homes := range home {
				if i == m || strings.HasPrefix(i, m+"/") {
					known = true
					if !slices.Contains(homes, p.ImportPath) {
						t.Errorf("%s imports %s, whose home is %v", p.ImportPath, i, homes)
					}
				}
			}
			if !known {
				t.Errorf("%s imports %s, which has no home", p.ImportPath, i)
			}
		}
	}
}

func TestPackageComments(t *testing.T) {
	fset := token.NewFileSet()
	for _, p := range packages(t) {
		var with []string
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc != nil {
				with = append(with, name)
			}
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s: no init", fset.Position(fn.Pos()))
				}
			}
		}
		want := p.Name + ".go"
		if p.Name == "main" {
			want = "main.go"
		}
		if len(with) != 1 || with[0] != want {
			t.Errorf("%s: package comment in %v, want it in %s alone", p.ImportPath, with, want)
		}
	}
}

// top is every folder the repository may have at its top.
var top = []string{
	"audit", "cases", "checks", "cmd", "collectors", "docs", "engine", "evidence", "facts", "fixtures", "headerspace",
	"internal", "inventory", "parsers", "policy", "report", "tally", "tools",
}

func TestTopFolders(t *testing.T) {
	entries, err := filepath.Glob(filepath.Join(root(t), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := filepath.Base(e)
		if isDir(t, e) && !strings.HasPrefix(name, ".") && !slices.Contains(top, name) && name != "bin" && name != "out" {
			t.Errorf("folder %s is not in the house", name)
		}
	}
}

func isDir(t *testing.T, name string) bool {
	t.Helper()
	ok := false
	err := filepath.WalkDir(name, func(p string, d fs.DirEntry, err error) error {
		if p == name && err == nil {
			ok = d.IsDir()
		}
		return fs.SkipAll
	})
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

// TestListed holds that every leaf of a list is in it: a parser or collector folder nobody lists does nothing.
func TestListed(t *testing.T) {
	all := packages(t)
	for _, list := range []string{"parsers", "collectors", "checks"} {
		i := slices.IndexFunc(all, func(p pkg) bool { return p.ImportPath == list })
		if i < 0 {
			t.Errorf("package %s has no list", list)
			continue
		}
		for _, p := range all {
			if path.Dir(p.ImportPath) == list && p.Name != "judge" && !slices.Contains(all[i].Imports, module+"/"+p.ImportPath) {
				t.Errorf("%s is not in the list of %s", p.ImportPath, list)
			}
		}
	}
}
