package engine_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks"
	"github.com/quaymaster/quaymaster/engine"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/inventory"
	"github.com/quaymaster/quaymaster/report"
)

// TestEarly: a device judged as soon as its file was read has the findings it has when it is judged after all others were,
// also where a file is not all there is of its device.
func TestEarly(t *testing.T) {
	const bad = "tftp-server flash:image.bin\nsnmp-server community c RW\nip access-list extended X\n permit tcp any any sometimes\ninterface Gi0/2\n ip access-group X in\n"
	log := "Nov 23 2026 11:00:00 fw1 : %ASA-6-302013: Built outbound TCP connection 1 for outside:203.0.113.1/21 (203.0.113.1/21) to inside:10.3.0.1/4000 (198.51.100.6/1)\n"
	for _, tt := range []struct {
		name  string
		files map[string]string
		o     engine.Options
		calls map[string]int // of a device hook, by device; two of one device are a guess and its correction
	}{
		{name: "each its own", files: map[string]string{"a.cfg": ios("a", bad), "b.cfg": ios("b", bad), "c.cfg": ios("c", "")}, calls: map[string]int{"a": 1, "b": 1, "c": 1}},
		{
			name: "one hostname in two files", files: map[string]string{"a.cfg": ios("same", bad), "b.cfg": ios("same", bad)},
			calls: map[string]int{"same": 2, "same (a.cfg)": 1, "same (b.cfg)": 1},
		},
		{
			name: "a device in two files", calls: map[string]int{"a": 2},
			files: map[string]string{"a.cfg": ios("a", bad), "a.ver": "a#show version\nCisco IOS Software, C2960 Software, Version 15.0(2)SE11, RELEASE SOFTWARE (fc3)\na uptime is 1 day\n"},
		},
		{name: "logs name a device", files: map[string]string{"fw1.cfg": ios("fw1", bad), "all.log": log}, calls: map[string]int{"fw1": 1}},
		{
			name: "the inventory names one", files: map[string]string{"a.cfg": ios("a", bad), "b.cfg": ios("b", bad)},
			o: engine.Options{Inventory: &inventory.Inventory{Devices: []inventory.Device{{Target: inventory.Target{Name: "A"}}}}}, calls: map[string]int{"A": 1, "b": 1},
		},
		{name: "one is asked for", files: map[string]string{"a.cfg": ios("a", bad), "b.cfg": ios("b", bad)}, o: engine.Options{Devices: []string{"b"}}, calls: map[string]int{"b": 1}},
		{name: "one is changed", files: map[string]string{"a.cfg": ios("a", bad), "b.cfg": ios("b", bad)}, o: engine.Options{Changed: map[string]bool{}}, calls: map[string]int{"a": 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, tt.files)
			if tt.o.Changed != nil {
				tt.o.Changed[filepath.ToSlash(filepath.Join(dir, "a.cfg"))] = true
			}
			calls := map[string]int{}
			counts := &audit.Check{ID: "QM9999", Device: func(_ *audit.Pass, d *facts.Device) { calls[strings.ReplaceAll(d.ID, dir+"/", "")]++ }}
			asks := &audit.Check{ID: "QM9999", Device: func(p *audit.Pass, _ *facts.Device) { p.Devices() }}
			text := func(extra *audit.Check, keep int64) string {
				o := tt.o
				o.Jobs, o.KeepBytes, o.Checks = 1, keep, append(checks.All(), extra)
				_, doc := run(t, o, dir)
				var b bytes.Buffer
				if err := report.JSON(&b, doc); err != nil {
					t.Fatal(err)
				}
				return b.String()
			}
			want := text(asks, 0)
			if diff := cmp.Diff(want, text(counts, 0)); diff != "" {
				t.Errorf("judged early (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.calls, calls); diff != "" {
				t.Errorf("calls of a device hook (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want, text(asks, 1)); diff != "" {
				t.Errorf("read again (-want +got):\n%s", diff)
			}
		})
	}
}
