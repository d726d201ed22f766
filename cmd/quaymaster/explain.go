package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/quaymaster/quaymaster/checks"
	"github.com/quaymaster/quaymaster/report"
)

// readResult reads a result.json, or the one of a run folder.
func readResult(path string) (*report.Doc, error) {
	if i, err := os.Stat(path); err == nil && i.IsDir() {
		path = filepath.Join(path, "result.json")
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s does not exist: give a result.json (audit -f json=FILE) or a run folder (audit -o DIR)", path)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, err := report.Read(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if d.Version != report.Version {
		return nil, fmt.Errorf("%s is %q, not %s", path, d.Version, report.Version)
	}
	return d, nil
}

// explainFinding shows one finding of an earlier result, then its check.
func (p *program) explainFinding(name, in string) error {
	d, err := readResult(in)
	if err != nil {
		return usage(err)
	}
	for _, f := range d.Findings {
		if f.ID != name && f.Fingerprint != name {
			continue
		}
		one := *d
		one.Findings, one.NotEvaluated, one.Notes, one.Incomplete, one.Complete = []report.Finding{f}, nil, nil, nil, true
		if err := report.Text(p.stdout, &one, report.TextOptions{Color: p.colored("auto", p.stdout), Verbose: true, Brief: true}); err != nil {
			return err
		}
		c := checks.ByID(f.Check)
		if c == nil {
			return nil
		}
		_, err := io.WriteString(p.stdout, checks.Page(c))
		return err
	}
	return usage(fmt.Errorf("%s holds no finding %s", in, name))
}
