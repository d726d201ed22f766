package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/quaymaster/quaymaster/checks"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/inventory"
	"github.com/quaymaster/quaymaster/policy"
	"github.com/spf13/cobra"
)

// starterPolicy is what policy init writes: every section with an example, the examples as comments.
const starterPolicy = `# What may move files here, who owns it, and until when. Reviewed like code.
# quaymaster policy lint checks this file; quaymaster explain QM5002 says what happens to expired entries.
version: 1

# Segments of addresses. The longest prefix wins; an address in no zone is outside.
# trust: internal, partner, external. kind: management, hypervisor, server, user, dmz.
zones:
  inside: {cidrs: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7, 169.254.0.0/16, fe80::/10, 127.0.0.0/8, "::1"], trust: internal}
#  management: {cidrs: [10.10.0.0/24], trust: internal, kind: management}
#  partner-drop: {cidrs: [198.51.100.99], trust: partner}

# Devices or addresses that do the same work.
#roles:
#  backup-server: {cidrs: [10.10.0.40]}

# Approved transfers. A transfer is approved only when everything matches.
workflows: []
#  - id: WF-1
#    owner: logistics@example.net
#    approver: ciso@example.net
#    ticket: CHG-1042
#    reason: nightly manifest to the port authority
#    starts: 2026-01-01
#    expires: 2027-06-30
#    protocol: ftp                 # ftp, ftps, tftp, smb, scp, sftp ...
#    from: inside                  # zones, roles, devices or networks
#    to: partner-drop
#    direction: upload             # upload, download, both
#    window: {days: daily, from: "02:30", to: "04:00", zone: Europe/Vienna}
#    limits: {bytes: 10MB}
#    file: "manifest-*.csv"
#    monitored_by: [edge-fw-01 syslog]

# Findings accepted for a while. Expired means open again at full severity.
exceptions: []
#  - id: EX-1
#    check: QM1105
#    device: core-sw-01            # globs
#    owner: netops@example.net
#    approver: ciso@example.net
#    ticket: CHG-0877
#    reason: archive moves to SCP with the next image
#    expires: 2027-03-31
#    monitored_by: [edge-fw-01 syslog]

# Files that are no evidence.
#ignore: ["*.bak", "notes/"]
`

func (p *program) policyCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "policy", Short: "Zones, approved workflows, exceptions", GroupID: "keep", Args: cobra.NoArgs,
		Example: "  quaymaster policy init policy.yaml\n  quaymaster policy lint policy.yaml",
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	var inventoryFile string
	lint := &cobra.Command{
		Use: "lint FILE", Short: "Check a policy: every mistake at once, with line and column", Args: cobra.ExactArgs(1),
		Long:    "Check a policy file.\n\nExit codes: 0 good, 2 mistakes.",
		Example: "  quaymaster policy lint policy.yaml --inventory inventory.yaml",
		RunE: func(_ *cobra.Command, args []string) error {
			return p.lintPolicy(args[0], inventoryFile)
		},
	}
	lint.Flags().StringVar(&inventoryFile, "inventory", "", "inventory whose devices the policy may name")
	c.AddCommand(lint, &cobra.Command{
		Use: "init [FILE]", Short: "Write a commented policy to begin with", Args: cobra.MaximumNArgs(1),
		Example: "  quaymaster policy init policy.yaml",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				_, err := io.WriteString(p.stdout, starterPolicy)
				return err
			}
			if _, err := os.Stat(args[0]); err == nil {
				return usage(fmt.Errorf("%s exists: name another file", args[0]))
			}
			return evidence.AtomicWrite(args[0], 0o644, func(w io.Writer) error {
				_, err := io.WriteString(w, starterPolicy)
				return err
			})
		},
	})
	return c
}

func (p *program) lintPolicy(path, inventoryFile string) error {
	var inv *inventory.Inventory
	var err error
	if inventoryFile != "" {
		if inv, err = inventory.Load(inventoryFile); err != nil {
			return usage(err)
		}
	}
	pol, err := loadPolicy(path, inv)
	if err != nil {
		return usage(err)
	}
	now := p.now()
	for _, x := range pol.Exceptions {
		if !now.Before(x.Expires) {
			fmt.Fprintf(p.stderr, "%s:%d: exception %s expired on %s: its findings are open again\n", x.Line.Path, x.Line.Line, printable(x.ID), x.Expires.AddDate(0, 0, -1).Format("2006-01-02"))
		}
	}
	for _, w := range pol.Workflows {
		if !now.Before(w.Expires) {
			fmt.Fprintf(p.stderr, "%s:%d: workflow %s has expired: it approves nothing\n", w.Line.Path, w.Line.Line, printable(w.ID))
		}
	}
	_, err = fmt.Fprintf(p.stdout, "%s is good: %d zones, %d workflows, %d exceptions\n", printable(path), len(pol.Zones), len(pol.Workflows), len(pol.Exceptions))
	return err
}

// loadPolicy loads a policy and checks what only the command line knows: that exceptions name checks that exist.
func loadPolicy(path string, inv *inventory.Inventory) (*policy.Policy, error) {
	pol, err := policy.Load(path, inv)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, x := range pol.Exceptions {
		if checks.ByID(x.Check) == nil {
			msg := strings.TrimPrefix(unknownCheck(x.Check).Error(), "no check")
			errs = append(errs, fmt.Errorf("%s:%d:%d: exception %s: no check%s", x.Line.Path, x.Line.Line, x.Line.Column, x.ID, msg))
		}
	}
	return pol, errors.Join(errs...)
}
