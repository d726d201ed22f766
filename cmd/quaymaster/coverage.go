package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/checks"
	"github.com/quaymaster/quaymaster/report"
	"github.com/spf13/cobra"
)

// A coverageRow says whether an analytic can be evaluated on a device.
type coverageRow struct {
	Analytic  string   `json:"analytic"`
	Device    string   `json:"device"`
	Platform  string   `json:"platform"`
	State     string   `json:"state"` // full, partial, none
	Evidence  []string `json:"evidence"`
	Evaluated []string `json:"evaluated"`
	Missing   []string `json:"missing"`
}

func (p *program) coverageCommand() *cobra.Command {
	var a auditFlags
	var asJSON bool
	c := &cobra.Command{
		Use: "coverage PATH...", Short: "Which analytic can be evaluated where, and why not", GroupID: "ask",
		Long: `Show, per device and analytic of DET0416, which checks could be evaluated with this evidence and what is missing
for the others. "full" speaks of this version's checks, never of detection.`,
		Example: "  quaymaster coverage runs/today\n  quaymaster coverage configs/ logs/ --json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, paths []string) error {
			pl, err := p.prepare(&a)
			if err != nil {
				return err
			}
			pl.FailNone = true
			doc, err := p.document(c.Context(), pl, paths)
			if err != nil {
				return err
			}
			rows := coverage(doc)
			if asJSON {
				e := json.NewEncoder(p.stdout)
				e.SetIndent("", " ")
				err = e.Encode(rows)
			} else {
				err = p.printCoverage(rows)
			}
			if err == nil && doc.Exit != 0 {
				err = &exitError{code: doc.Exit}
			}
			return err
		},
	}
	a.bind(c)
	for _, hidden := range []string{"format", "out", "fail-on", "min-severity", "min-confidence", "baseline", "no-exceptions", "quiet", "sarif-fingerprint"} {
		_ = c.Flags().MarkHidden(hidden)
	}
	c.Flags().BoolVar(&asJSON, "json", false, "JSON array")
	return c
}

// platformAnalytics are the analytics of DET0416 that speak of a platform.
func platformAnalytics(platform string) string {
	if platform == "vmware_esxi" {
		return "AN1172"
	}
	if strings.HasPrefix(platform, "linux") {
		return "AN1170"
	}
	return "AN1173"
}

func coverage(d *report.Doc) []coverageRow {
	rows := []coverageRow{}
	for _, dev := range d.Devices {
		r := coverageRow{Analytic: platformAnalytics(dev.Platform), Device: dev.ID, Platform: dev.Platform, Evidence: dev.Evidence, Evaluated: []string{}, Missing: []string{}}
		missing := map[string]string{}
		for _, g := range d.NotEvaluated {
			if (g.Device == dev.ID || g.Device == "") && (g.Analytic == r.Analytic || g.Analytic == "") {
				missing[g.Check] = g.Missing
			}
		}
		for _, c := range checks.All() {
			if !slices.Contains(c.Analytics, r.Analytic) {
				continue
			}
			if n := c.Needs.Platforms; len(n) > 0 && !slices.ContainsFunc(n, func(s string) bool { return strings.HasPrefix(dev.Platform, s) }) {
				continue
			}
			if why, ok := missing[c.ID]; ok {
				r.Missing = append(r.Missing, c.ID+": "+why)
			} else {
				r.Evaluated = append(r.Evaluated, c.ID)
			}
		}
		switch {
		case len(r.Missing) == 0 && len(r.Evaluated) > 0:
			r.State = "full"
		case len(r.Evaluated) > 0:
			r.State = "partial"
		default:
			r.State = "none"
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b coverageRow) int {
		return cmp.Or(cmp.Compare(a.Analytic, b.Analytic), cmp.Compare(a.Device, b.Device))
	})
	return rows
}

func (p *program) printCoverage(rows []coverageRow) error {
	var b strings.Builder
	last := ""
	for _, r := range rows {
		if r.Analytic != last {
			last = r.Analytic
			for _, a := range analytics() {
				if a.id == r.Analytic {
					fmt.Fprintf(&b, "%s (%s)\n", a.id, a.platform)
				}
			}
		}
		fmt.Fprintf(&b, "  %-7s  %-28s %-18s %d checks evaluated, %d not; evidence: %s\n", r.State, r.Device, r.Platform, len(r.Evaluated), len(r.Missing), cmp.Or(strings.Join(r.Evidence, ", "), "none"))
		for _, m := range r.Missing {
			fmt.Fprintf(&b, "             %s\n", m)
		}
	}
	for _, a := range analytics() {
		if !slices.ContainsFunc(rows, func(r coverageRow) bool { return r.Analytic == a.id }) {
			fmt.Fprintf(&b, "%s (%s)\n  none     no such device or host in this evidence\n", a.id, a.platform)
		}
	}
	_, err := fmt.Fprint(p.stdout, printable(b.String()))
	return err
}
