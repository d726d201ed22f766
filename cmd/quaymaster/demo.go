package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/collectors"
	"github.com/quaymaster/quaymaster/fixtures"
	"github.com/quaymaster/quaymaster/internal/lab"
	"github.com/quaymaster/quaymaster/inventory"
	"github.com/spf13/cobra"
)

// demoNow is the morning after the simulated fleet's night.
const demoNow = "2026-11-24T08:00:00Z"

func (p *program) demoCommand() *cobra.Command {
	var a auditFlags
	c := &cobra.Command{
		Use: "demo", Short: "Collect and audit a simulated fleet on loopback", GroupID: "audit",
		Long: `Start a small fleet on loopback and free ports (five network devices over real SSH, a vCenter with three ESXi hosts
over vSphere SOAP, an SNMP agent), collect it, audit it with the fleet's own policy and profile, and stop it again.
Nothing is left behind. Takes audit's flags; --now is the morning of the fleet's story unless given.`,
		Example: "  quaymaster demo\n  quaymaster demo -f sarif=demo.sarif\n  quaymaster demo -o demo-run",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return p.demo(c.Context(), &a) },
	}
	a.bind(c)
	return c
}

func (p *program) demo(ctx context.Context, a *auditFlags) error {
	dir, err := os.MkdirTemp("", "quaymaster-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := unpack(dir); err != nil {
		return err
	}
	if a.now == "" {
		a.now = demoNow
	}
	own := a.policy == ""
	if own {
		a.policy = filepath.Join(dir, "policy", "policy.yaml")
	}
	if a.profileDir == "" {
		a.profileDir = filepath.Join(dir, "profile")
	}
	pl, err := p.prepare(a)
	if err != nil {
		return err
	}
	bundle := filepath.Join(dir, "bundle")
	if err := p.collectDemo(ctx, dir, bundle, pl, a.quiet); err != nil {
		return err
	}
	set, err := p.open(ctx, pl, []string{bundle})
	if err != nil {
		return err
	}
	defer set.Close()
	// Paths as the fleet's, not as the temporary folder's.
	for _, f := range set.Files {
		f.Path = strings.TrimPrefix(strings.TrimPrefix(f.Path, filepath.ToSlash(bundle)), "/evidence/")
	}
	if own {
		pl.Policy.Rename("demo/policy.yaml")
	}
	return p.judge(ctx, a, pl, set)
}

// unpack writes the embedded policy and profile.
func unpack(dir string) error {
	return fs.WalkDir(fixtures.Demo, "demo", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(name, "demo/devices") || strings.HasPrefix(name, "demo/history") {
			return err
		}
		b, err := fs.ReadFile(fixtures.Demo, name)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(name, "demo/")))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		return os.WriteFile(path, b, 0o600)
	})
}

// collectDemo starts the fleet, collects it as collect does, and stops it.
func (p *program) collectDemo(ctx context.Context, dir, bundle string, pl *plan, quiet bool) error {
	start := time.Now()
	fleet, err := lab.StartDemo()
	if err != nil {
		return fmt.Errorf("start the simulated fleet: %w", err)
	}
	defer fleet.Close()
	known := filepath.Join(dir, "known_hosts")
	if err := os.WriteFile(known, []byte(fleet.KnownHosts), 0o600); err != nil {
		return err
	}
	inv, err := inventory.Parse("demo/inventory.yaml", []byte(strings.ReplaceAll(fleet.Inventory, "KNOWN_HOSTS", known)))
	if err != nil {
		return err
	}
	pl.Inventory = inv
	quay := *p
	quay.env = func(k string) (string, bool) {
		if v, ok := fleet.Secrets[k]; ok {
			return v, true
		}
		return p.env(k)
	}
	if !quiet {
		fmt.Fprintf(p.stderr, "simulated fleet started on loopback in %s: SSH, vSphere SOAP, SNMP\n", time.Since(start).Round(time.Millisecond))
	}
	err = quay.collect(ctx, inv.Targets(), bundle, quiet, collectors.Options{})
	var exit *exitError
	if errors.As(err, &exit) && exit.code == audit.ExitIncomplete && ctx.Err() == nil {
		p.complain(exit.err) // the audit says what is missing
		return nil
	}
	return err
}
