package main

import (
	"errors"
	"fmt"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/spf13/cobra"
)

func (p *program) evidenceCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "evidence", Short: "Check that evidence is what it was", GroupID: "keep", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(&cobra.Command{
		Use: "verify RUN", Short: "Compare a run folder with its MANIFEST.sha256", Args: cobra.ExactArgs(1),
		Long:    "Compare every file of a run folder with MANIFEST.sha256 (sha256sum -c reads it too).\n\nExit codes: 0 whole, 1 changed, missing or extra files, 2 no manifest.",
		Example: "  quaymaster evidence verify runs/today",
		RunE: func(_ *cobra.Command, args []string) error {
			bad, err := evidence.Verify(args[0])
			if err != nil {
				return usage(err)
			}
			for _, m := range bad {
				fmt.Fprintf(p.stdout, "%s: %s\n", printable(m.Path), m.What)
			}
			if len(bad) > 0 {
				return &exitError{audit.ExitFindings, errors.New("the run is not what was written")}
			}
			_, err = fmt.Fprintf(p.stdout, "%s is whole\n", printable(args[0]))
			return err
		},
	})
	return c
}
