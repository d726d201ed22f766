package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks"
	"github.com/spf13/cobra"
)

func (p *program) checksCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "checks", Short: "List and explain the checks", GroupID: "ask",
		Example: "  quaymaster checks list\n  quaymaster checks explain svc-tftp-server",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	var asJSON bool
	list := &cobra.Command{
		Use: "list", Short: "List every check: ID, slug, usual severity, title",
		Example: "  quaymaster checks list --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return listJSON(p.stdout)
			}
			for _, c := range checks.All() {
				if _, err := fmt.Fprintf(p.stdout, "%-7s %-28s %-8s %s\n", c.ID, c.Slug, c.Severity, c.Title); err != nil {
					return err
				}
			}
			return nil
		},
	}
	list.Flags().BoolVar(&asJSON, "json", false, "JSON array")
	explain := &cobra.Command{
		Use: "explain ID", Short: "Explain one check: what, why, how it can be wrong, how to fix it",
		Example: "  quaymaster checks explain QM1001",
		Args:    cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var ids []string
			for _, c := range checks.All() {
				ids = append(ids, c.ID+"\t"+c.Title)
			}
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			c := checks.ByID(args[0])
			if c == nil {
				return usage(unknownCheck(args[0]))
			}
			_, err := io.WriteString(p.stdout, checks.Page(c))
			return err
		},
	}
	c.AddCommand(list, explain)
	return c
}

func listJSON(w io.Writer) error {
	type row struct {
		ID        string   `json:"id"`
		Slug      string   `json:"slug"`
		Title     string   `json:"title"`
		Severity  string   `json:"severity"`
		Attack    []string `json:"attack"`
		Analytics []string `json:"analytics"`
		Controls  []string `json:"controls"`
		Platforms []string `json:"platforms"`
		Needs     []string `json:"needs"`
	}
	rows := []row{}
	for _, c := range checks.All() {
		needs := c.Needs.Evidence.Names()
		if c.Needs.Profile {
			needs = append(needs, "profile")
		}
		if c.Needs.Policy {
			needs = append(needs, "policy")
		}
		rows = append(rows, row{c.ID, c.Slug, c.Title, c.Severity.String(), some(c.Attack), some(c.Analytics), some(c.Controls), some(c.Needs.Platforms), some(needs)})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(rows)
}

// some makes an absent list an empty one, so that JSON shows [].
func some(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func unknownCheck(name string) error {
	best, at := "", 3
	for _, c := range checks.All() {
		for _, n := range []string{c.ID, c.Slug} {
			if d := distance(strings.ToLower(name), strings.ToLower(n)); d < at {
				best, at = n, d
			}
		}
	}
	if best != "" {
		return fmt.Errorf("no check is named %q: did you mean %q?", name, best)
	}
	return fmt.Errorf("no check is named %q: quaymaster checks list shows them", name)
}

// distance is the edit distance of two short strings.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// analytic is one of DET0416's five.
type analytic struct{ id, platform, detects string }

// analytics are those of MITRE ATT&CK detection strategy DET0416, version 1.0 of 21 October 2025, in our words.
func analytics() []analytic {
	return []analytic{
		{"AN1169", "Windows", "file transfer protocols spoken by processes that are no transfer clients, above all large one-sided volume"},
		{"AN1170", "Linux", "transfers started by non-interactive shells or automation towards untrusted addresses"},
		{"AN1171", "macOS", "script-driven transfers to untrusted addresses or on unusual ports"},
		{"AN1172", "ESXi", "file movement or outbound TFTP and FTP started by shell commands or injected scripts"},
		{"AN1173", "network devices", "large or unexpected FTP, TFTP and SMB sessions to the outside, and protocols on ports that are not theirs"},
	}
}

func (p *program) explainCommand() *cobra.Command {
	var in string
	c := &cobra.Command{
		Use: "explain AN1173|QM1001|FINDING", Short: "Explain an analytic, a check or a finding, offline", GroupID: "ask",
		Long: `Explain an analytic of DET0416, a check by ID or slug, or a finding of an earlier run by its ID or fingerprint
(name the result with --in: a result.json, or a run folder).`,
		Example: "  quaymaster explain AN1173\n  quaymaster explain svc-tftp-server\n  quaymaster explain F-1a2b3c4d5e --in runs/today",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return p.explain(args[0], in)
		},
	}
	c.Flags().StringVar(&in, "in", "", "result.json or run folder that holds the finding")
	return c
}

func (p *program) explain(name, in string) error {
	for _, a := range analytics() {
		if strings.EqualFold(a.id, name) {
			return p.explainAnalytic(a)
		}
	}
	if c := checks.ByID(name); c != nil {
		_, err := io.WriteString(p.stdout, checks.Page(c))
		return err
	}
	if in != "" {
		return p.explainFinding(name, in)
	}
	if strings.HasPrefix(name, "F-") || len(name) == 32 {
		return usage(fmt.Errorf("finding %s: name the result it is in with --in", name))
	}
	return usage(unknownCheck(name))
}

func (p *program) explainAnalytic(a analytic) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s), detection strategy DET0416 of ATT&CK T1071.002\n\n%s.\n\nServed by:\n", a.id, a.platform, strings.ToUpper(a.detects[:1])+a.detects[1:])
	none := true
	for _, c := range checks.All() {
		if slices.Contains(c.Analytics, a.id) {
			none = false
			fmt.Fprintf(&b, "  %-7s %-28s %s\n", c.ID, c.Slug, needs(c))
		}
	}
	if none {
		b.WriteString("  no check of this version: the analytic cannot be evaluated\n")
	}
	b.WriteString("\nNo check claims exploitation, attribution or guaranteed detection; quaymaster coverage PATH shows where the evidence is missing.\n")
	_, err := io.WriteString(p.stdout, b.String())
	return err
}

func needs(c *audit.Check) string {
	n := c.Needs.Evidence.Names()
	if c.Needs.Profile {
		n = append(n, "profile")
	}
	if c.Needs.Policy {
		n = append(n, "policy")
	}
	if len(n) == 0 {
		return ""
	}
	return "needs " + strings.Join(n, ", ")
}
