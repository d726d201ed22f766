package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/quaymaster/quaymaster/checks"
	"github.com/quaymaster/quaymaster/parsers"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A setting is one value with where it came from.
type setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin"` // flag, environment, default
}

// A finding of doctor about this installation.
type condition struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Say  string `json:"say"`
}

func (p *program) doctorCommand() *cobra.Command {
	var a auditFlags
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor", Short: "Show every setting with its origin, and what would not work here", GroupID: "tool",
		Long:    "Show the value of every audit setting and where it came from (flag, QUAYMASTER_* variable, default), and check what a run needs.",
		Example: "  QUAYMASTER_FAIL_ON=critical quaymaster doctor",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var settings []setting
			c.Flags().VisitAll(func(f *pflag.Flag) {
				if f.Name == "help" || f.Name == "json" {
					return
				}
				s := setting{f.Name, f.Value.String(), "default"}
				switch {
				case len(f.Annotations["origin"]) > 0:
					s.Origin = f.Annotations["origin"][0] + " " + envName(f.Name)
				case f.Changed:
					s.Origin = "flag"
				}
				settings = append(settings, s)
			})
			return p.doctor(settings, p.conditions(&a), asJSON)
		},
	}
	a.bind(c)
	c.Flags().BoolVar(&asJSON, "json", false, "JSON")
	return c
}

// conditions checks what a run needs and files that settings name.
func (p *program) conditions(a *auditFlags) []condition {
	var out []condition
	add := func(what string, err error, good string) {
		if err != nil {
			out = append(out, condition{what, false, err.Error()})
			return
		}
		out = append(out, condition{what, true, good})
	}
	dir := os.TempDir()
	f, err := os.CreateTemp(dir, "quaymaster-doctor-")
	if err == nil {
		f.Close()
		os.Remove(f.Name())
	}
	add("folder for spilled tallies", err, dir+" can be written")
	_, err = p.prepare(a)
	add("settings", err, "flags, policy, inventory, baseline and profiles can be read")
	home, err := os.UserHomeDir()
	if err == nil {
		name := filepath.Join(home, ".ssh", "known_hosts")
		_, err = os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%s does not exist: collect refuses hosts it does not know and prints the line to add", name)
		}
		add("SSH known hosts", err, name)
	}
	return out
}

func (p *program) doctor(settings []setting, conditions []condition, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(p.stdout)
		e.SetIndent("", " ")
		return e.Encode(map[string]any{"version": version(), "settings": settings, "conditions": conditions})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "quaymaster %s, %s %s/%s, %d processors\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	fmt.Fprintf(&b, "%d checks, %d formats, %d log dialects\n\nsettings (flag > QUAYMASTER_* > default)\n", len(checks.All()), len(parsers.Formats()), len(parsers.Dialects()))
	for _, s := range settings {
		fmt.Fprintf(&b, "  %-20s %-24s %s\n", s.Name, s.Value, s.Origin)
	}
	b.WriteString("\nconditions\n")
	for _, c := range conditions {
		mark := "ok  "
		if !c.OK {
			mark = "look"
		}
		fmt.Fprintf(&b, "  %s  %s: %s\n", mark, c.What, c.Say)
	}
	_, err := fmt.Fprint(p.stdout, printable(b.String()))
	return err
}
