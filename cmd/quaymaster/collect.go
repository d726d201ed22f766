package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/collectors"
	"github.com/quaymaster/quaymaster/collectors/snmp"
	"github.com/quaymaster/quaymaster/collectors/ssh"
	"github.com/quaymaster/quaymaster/collectors/vsphere"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/inventory"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func (p *program) collectCommand() *cobra.Command {
	var inventoryFile, out string
	var only []string
	var jobs int
	var timeout time.Duration
	var dryRun, quiet bool
	c := &cobra.Command{
		Use: "collect -i INVENTORY -o DIR", Short: "Read devices into a bundle, by reading only", GroupID: "audit",
		Long: `Read the devices of an inventory over SSH, vSphere and SNMP and keep what they say in a bundle: DIR/evidence and
DIR/manifest.json. Only commands of the built-in tables are sent; --dry-run lists them. A device that fails, fails
alone. Interrupting keeps what was read.

Exit codes: 0 every device was collected whole, 2 usage or inventory error, 3 some were not.`,
		Example: "  quaymaster collect -i inventory.yaml -o bundle/\n  quaymaster collect -i inventory.yaml --dry-run",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if inventoryFile == "" {
				return usage(errors.New("name the inventory with -i"))
			}
			inv, err := inventory.Load(inventoryFile)
			if err != nil {
				return usage(err)
			}
			for _, name := range only {
				if len(inv.Targets(name)) == 0 {
					return usage(fmt.Errorf("--only: no device is named %q in %s", name, inventoryFile))
				}
			}
			targets := inv.Targets(only...)
			if dryRun {
				return p.dryRun(targets)
			}
			if out == "" {
				return usage(errors.New("name the bundle's folder with -o"))
			}
			return p.collect(c.Context(), targets, out, quiet, collectors.Options{Jobs: jobs, Timeout: timeout})
		},
	}
	f := c.Flags()
	f.StringVarP(&inventoryFile, "inventory", "i", "", "inventory file")
	f.StringVarP(&out, "out", "o", "", "folder of the new bundle")
	f.StringSliceVar(&only, "only", nil, "only these devices")
	f.IntVar(&jobs, "jobs", 0, "devices read side by side (default 16)")
	f.DurationVar(&timeout, "timeout", collectors.DefaultTimeout, "time for one device")
	f.BoolVar(&dryRun, "dry-run", false, "list what would be sent to whom, and send nothing")
	f.BoolVarP(&quiet, "quiet", "q", false, "failures only")
	return c
}

// dryRun lists every command and request.
func (p *program) dryRun(targets []inventory.Target) error {
	var b strings.Builder
	for _, t := range targets {
		fmt.Fprintf(&b, "%s  %s %s:%d as %s\n", t.Name, t.Collector, t.Address, t.Port, t.Credential.User)
		switch t.Collector {
		case "ssh":
			for _, c := range ssh.Commands(t.Platform) {
				fmt.Fprintf(&b, "    %s\n", c.Text)
			}
		case "vsphere":
			fmt.Fprintf(&b, "    RetrievePropertiesEx of every HostSystem: %s\n", strings.Join(vsphere.Properties(), ", "))
		case "snmp":
			fmt.Fprintf(&b, "    Get %s\n", strings.Join(snmp.Scalars(), " "))
			for _, table := range snmp.Tables() {
				fmt.Fprintf(&b, "    GetBulk %s: %s\n", table.Name, strings.Join(table.Columns, " "))
			}
		}
	}
	_, err := io.WriteString(p.stdout, printable(b.String()))
	return err
}

// collect reads targets into a new bundle.
func (p *program) collect(ctx context.Context, targets []inventory.Target, out string, quiet bool, o collectors.Options) error {
	r := &inventory.Resolver{Env: p.env, Prompt: p.prompt()}
	for i := range targets {
		targets[i].Secrets = r.For(targets[i].Credential)
	}
	b, err := evidence.NewBundle(out, p.now)
	if err != nil {
		return usage(err)
	}
	o.Progress = func(e collectors.Event) {
		switch {
		case e.Err != nil:
			what := fmt.Sprintf("failed after %s", e.Took.Round(time.Millisecond))
			if e.Skipped {
				what = "skipped"
			}
			fmt.Fprintf(p.stderr, "[%d/%d] %s %s %s: %s\n", e.Done, e.Total, printable(e.Device), e.Collector, what, printable(e.Err.Error()))
			if e.Remedy != "" {
				fmt.Fprintf(p.stderr, "    hint: %s\n", printable(e.Remedy))
			}
		case !quiet:
			fmt.Fprintf(p.stderr, "[%d/%d] %s %s in %s\n", e.Done, e.Total, printable(e.Device), e.Collector, e.Took.Round(time.Millisecond))
		}
	}
	failed, err := collectors.Run(ctx, targets, b, o)
	if cerr := b.Close(err == nil); cerr != nil {
		return fmt.Errorf("write the manifest: %w", cerr)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return &exitError{audit.ExitIncomplete, fmt.Errorf("interrupted: %s holds what was read", out)}
	case err != nil:
		return err
	case failed > 0:
		return &exitError{audit.ExitIncomplete, fmt.Errorf("%d of %d were not collected whole; %s holds the rest", failed, len(targets), out)}
	}
	return nil
}

// prompt asks on the terminal, without echo; nil when there is none.
func (p *program) prompt() func(string) ([]byte, error) {
	f, ok := p.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return func(question string) ([]byte, error) {
		fmt.Fprint(p.stderr, question)
		defer fmt.Fprintln(p.stderr)
		return term.ReadPassword(int(f.Fd()))
	}
}
