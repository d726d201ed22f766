// Package checks lists the checks.
//
// A check is one audit.Check value, made by a function of its group's package: exposure (could it happen), activity (did
// it happen), coverage (would we know), governance (who said it may). IDs are the catalogue's and never change.
package checks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/activity"
	"github.com/quaymaster/quaymaster/checks/coverage"
	"github.com/quaymaster/quaymaster/checks/exposure"
	"github.com/quaymaster/quaymaster/checks/governance"
)

// All are the checks, by ID.
func All() []*audit.Check {
	all := []*audit.Check{
		exposure.TFTPServer(),
		exposure.TFTPSensitive(),
		exposure.TFTPNoACL(),
		exposure.FTPServer(),
		exposure.SNMPCopy(),
		exposure.ArchiveCleartext(),
		exposure.FTPCredential(),
		exposure.FirewallOpen(),
		exposure.RulesetAllIP(),
		exposure.ShellOpen(),
		exposure.Egress(),
		exposure.Ingress(),
		exposure.AnyAny(),
		exposure.Undefined(),
		exposure.ShadowedDeny(),
		exposure.IPv6Gap(),
		exposure.AppPort(),
		exposure.ZonePairs(),
		exposure.UserSMB(),
		exposure.WideRange(),
		exposure.IneffectiveDeny(),
		exposure.Unapplied(),
		exposure.WrongDirection(),
		exposure.SelfOriginated(),
		exposure.ManagementEgress(),
		exposure.TransportOutput(),
		exposure.ManagementAccess(),
		exposure.FTPInspection(),
		exposure.ZeroHit(),
		activity.NewPair(),
		activity.External(),
		activity.ConfigDump(),
		activity.TransferEnabled(),
		activity.PeerAdded(),
		activity.TunnelAdded(),
		activity.PrivilegeAdded(),
		activity.LoggingReduced(),
		activity.DHCPBoot(),
		activity.GroupDrift(),
		coverage.NoRemoteSyslog(),
		coverage.UnreadTransfer(),
		governance.Expired(),
	}
	all = append(all, exposure.More()...)
	slices.SortFunc(all, func(a, b *audit.Check) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// ByID is the check of an ID or slug, in any case; nil when there is none.
func ByID(name string) *audit.Check {
	for _, c := range All() {
		if strings.EqualFold(c.ID, name) || strings.EqualFold(c.Slug, name) {
			return c
		}
	}
	return nil
}

// Page is a check's page, in Markdown: docs/checks holds one for each, and explain prints it.
func Page(c *audit.Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s %s\n\n%s. Usual severity: %s.\n\n", c.ID, c.Slug, c.Title, c.Severity)
	b.WriteString(strings.TrimRight(c.Doc, "\n"))
	b.WriteString("\n")
	if len(c.Variants) > 0 {
		b.WriteString("\n## Variants\n\n| variant | context | usual severity |\n|---|---|---|\n")
		for i, v := range c.Variants {
			fmt.Fprintf(&b, "| %s-%d | %s | %s |\n", c.ID, i, v.Name, v.Severity)
		}
	}
	if len(c.Fixes) > 0 {
		b.WriteString("\n## Fix\n")
		for _, platform := range slices.Sorted(keys(c.Fixes)) {
			fmt.Fprintf(&b, "\n%s:\n\n```\n%s\n```\n", cmp.Or(platform, "any platform"), c.Fixes[platform])
		}
	}
	if c.False != "" {
		fmt.Fprintf(&b, "\n## Known false positives\n\n%s.\n", strings.TrimSuffix(c.False, "."))
	}
	b.WriteString("\n## Mapping\n\n")
	row := func(name string, values []string) {
		if len(values) > 0 {
			fmt.Fprintf(&b, "- %s: %s\n", name, strings.Join(values, ", "))
		}
	}
	row("ATT&CK", c.Attack)
	row("DET0416 analytics", c.Analytics)
	row("controls", c.Controls)
	row("platforms", c.Needs.Platforms)
	needs := c.Needs.Evidence.Names()
	if c.Needs.Profile {
		needs = append(needs, "a profile of earlier weeks")
	}
	if c.Needs.Policy {
		needs = append(needs, "a policy file")
	}
	if c.Needs.Earlier {
		needs = append(needs, "an earlier state (--against, or git:REPO@FROM..TO)")
	}
	row("needs", needs)
	return b.String()
}

// Index is the page that lists them all.
func Index(all []*audit.Check) string {
	var b strings.Builder
	b.WriteString("# Checks\n\n| check | slug | usual severity | title |\n|---|---|---|---|\n")
	for _, c := range all {
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s | %s |\n", c.ID, c.ID, c.Slug, c.Severity, c.Title)
	}
	return b.String()
}

func keys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
