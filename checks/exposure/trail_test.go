package exposure

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/policy"
	"github.com/quaymaster/quaymaster/tally"
)

// change is a change of host esx1 on 23 November 2026, minutes after midnight UTC.
func change(minute int64, what, subject, platform string) tally.Event {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC).Unix() + 60*minute
	c := &facts.Change{
		Time: facts.Stamp{Unix: at, Quality: facts.Exact}, What: what, Subject: subject, User: "root", Platform: platform,
		Span: evidence.Span{Pos: evidence.MakePos(1, minute), Len: 9},
	}
	return tally.Event{Time: c.Time, Device: "esx1", Change: c}
}

// found writes findings as "check-variant severity message (spans)".
func found(out *audit.Outcome) []string {
	var got []string
	for _, f := range out.Findings {
		got = append(got, fmt.Sprintf("%s-%d %s %s (%d)", f.Check.ID, f.Variant, f.Severity, f.Message, len(f.Spans)))
	}
	for _, g := range out.Gaps {
		got = append(got, "open: "+g.Missing)
	}
	return got
}

func TestESXiTrails(t *testing.T) {
	const windows = "change_windows:\n  - {days: daily, from: \"01:00\", to: \"02:00\"}\n"
	ssh := func(minute int64) tally.Event { return change(minute, "service-start", "TSM-SSH", facts.VMwareESX) }
	tests := []struct {
		name   string
		check  *audit.Check
		policy string
		kind   string
		events []tally.Event
		want   []string
	}{
		{"SSH twice, the shell by its label", ShellOpen(), "", tally.KindDevice, []tally.Event{ssh(3), ssh(700), change(800, "service-start", "ESXi Shell", facts.VMwareESX)}, []string{
			"QM1405-2 medium esx1: a log says that SSH was started (2)", "QM1405-2 medium esx1: a log says that the ESXi shell was started (1)",
		}},
		{"in a change window", ShellOpen(), windows, tally.KindDevice, []tally.Event{ssh(70)}, nil},
		{"beside a change window", ShellOpen(), windows, tally.KindDevice, []tally.Event{ssh(70), ssh(180)},
			[]string{"QM1405-2 medium esx1: a log says that SSH was started, outside of the change windows (1)"}},
		{"other services, stops, other platforms", ShellOpen(), "", tally.KindDevice, []tally.Event{
			change(3, "service-start", "snmpd", facts.VMwareESX), change(4, "service-stop", "TSM-SSH", facts.VMwareESX), change(5, "service-start", "ssh", facts.CiscoIOS),
		}, nil},
		{"the trail of an address holds the same events", ShellOpen(), "", tally.KindAddress, []tally.Event{ssh(3)}, nil},
		{"firewall disabled, default changed", FirewallOpen(), "", tally.KindDevice, []tally.Event{
			change(3, "firewall", "network.fw.disable", facts.VMwareESX), change(4, "firewall", "network.fw.defaultpolicy", facts.VMwareESX),
		}, []string{"QM1401-2 high esx1: a log says that the ESXi firewall was opened (2)"}},
		{"a ruleset disabled, the firewall enabled", FirewallOpen(), "", tally.KindDevice, []tally.Event{
			change(3, "firewall", "network.fw.rule.disable", facts.VMwareESX), change(4, "firewall", "network.fw.enable", facts.VMwareESX),
		}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := policy.Builtin()
			if test.policy != "" {
				var err error
				if p, err = policy.Parse("policy.yaml", []byte(test.policy), nil); err != nil {
					t.Fatal(err)
				}
			}
			out := &audit.Outcome{}
			w := &audit.World{Now: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC), Policy: p, Space: headerspace.New}
			pass := audit.NewPass(test.check, w, out)
			pass.At("esx1")
			test.check.Trail(pass, tally.Entity{Kind: test.kind, Name: "esx1"}, test.events)
			if diff := cmp.Diff(test.want, found(out)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSensitive(t *testing.T) {
	tests := []struct {
		path string
		want bool
	}{
		{"nvram:", true}, {"NVRAM:startup-config", true}, {"system:running-config", true}, {"flash:backup/Running-Config.old", true}, {"flash:private-config.text", true},
		{"flash:config.text", true}, {"flash:/dir/config.text", true}, {"flash:vlan.dat", true}, {"disk0:cap.PCAP", true}, {"flash:ca.p12", true}, {"flash:id.key", true},
		{"flash:ca.pem", true}, {"flash:c2960.bin", false}, {"flash:config.text.bin", false}, {"flash:myconfig.text", false}, {"flash:key", false}, {"", false},
	}
	for _, test := range tests {
		if got := sensitive(test.path); got != test.want {
			t.Errorf("sensitive(%q) = %v", test.path, got)
		}
	}
}
