package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/report"
)

// An output is a format and where it goes; an empty file is standard output.
type output struct{ format, file string }

func formatNames() []string { return []string{"text", "json", "sarif", "sarif-github"} }

func parseOutputs(specs []string) ([]output, error) {
	if len(specs) == 0 {
		return []output{{format: "text"}}, nil
	}
	var out []output
	stdout := 0
	for _, s := range specs {
		format, file, _ := strings.Cut(s, "=")
		if !slices.Contains(formatNames(), format) {
			return nil, fmt.Errorf("--format: %q is not one of %s", format, strings.Join(formatNames(), ", "))
		}
		if file == "" || file == "-" {
			file = ""
			stdout++
		}
		out = append(out, output{format, file})
	}
	if stdout > 1 {
		return nil, fmt.Errorf("--format: only one format can go to standard output; give the others a file, such as -f sarif=out.sarif")
	}
	return out, nil
}

func (p *program) write(a *auditFlags, outputs []output, doc *report.Doc) error {
	for _, o := range outputs {
		if o.file == "" {
			if err := p.render(p.stdout, o.format, a, doc, p.colored(a.color, p.stdout)); err != nil {
				return err
			}
			continue
		}
		err := evidence.AtomicWrite(o.file, 0o600, func(w io.Writer) error { return p.render(w, o.format, a, doc, false) })
		if err != nil {
			return fmt.Errorf("write %s report: %w", o.format, err)
		}
	}
	return nil
}

func (p *program) render(w io.Writer, format string, a *auditFlags, doc *report.Doc, color bool) error {
	switch format {
	case "json":
		return report.JSON(w, doc)
	case "sarif":
		return report.SARIF(w, doc, report.SARIFOptions{Semantic: a.fingerprint == "semantic"})
	case "sarif-github":
		return report.SARIF(w, doc, report.SARIFOptions{GitHub: true, Semantic: a.fingerprint == "semantic"})
	}
	return report.Text(w, doc, report.TextOptions{Color: color, ASCII: a.ascii, Verbose: a.verbose, Quiet: a.quiet, Width: p.width(w)})
}
