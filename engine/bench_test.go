package engine_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quaymaster/quaymaster/checks"
	"github.com/quaymaster/quaymaster/engine"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/fixtures"
)

// fleet writes n configurations: the demo's devices, renamed, each padded with ordinary statements to about the lines asked.
func fleet(b testing.TB, dir string, n, lines int) (size int64) {
	b.Helper()
	names := []string{"core-sw-01", "edge-rtr-01", "access-sw-02", "edge-fw-01", "branch-srx-01"}
	for i := range n {
		name := names[i%len(names)]
		src, err := fs.ReadFile(fixtures.Demo, "demo/devices/"+name+".cfg")
		if err != nil {
			b.Fatal(err)
		}
		text := strings.ReplaceAll(string(src), name, fmt.Sprintf("dev-%06d", i))
		var pad strings.Builder
		for k := 0; lines > strings.Count(text, "\n")+k; {
			switch name {
			case "edge-fw-01":
				fmt.Fprintf(&pad, "object network HOST-%d\n host 10.50.%d.%d\n description server %d of floor %d\n", k, k/250, k%250, k, k%7)
				k += 3
			case "branch-srx-01":
				fmt.Fprintf(&pad, "    ge-1/%d/%d {\n        description \"user port %d of floor %d\";\n        unit 0 {\n            family ethernet-switching;\n        }\n    }\n", k/288, k/6%48, k, k%7)
				k += 6
			default:
				fmt.Fprintf(&pad, "interface GigabitEthernet1/%d/%d\n description user port %d of floor %d\n switchport access vlan %d\n switchport mode access\n spanning-tree portfast\n!\n", 1+k/288, k/6%48, k, k%7, 20+k%4)
				k += 6
			}
		}
		for _, before := range []string{"ip forward-protocol nd\n", "ip default-gateway ", "object network DROP-SERVER\n", "    ge-0/0/0 {\n"} {
			if strings.Contains(text, before) {
				text = strings.Replace(text, before, pad.String()+before, 1)
				break
			}
		}
		at := filepath.Join(dir, fmt.Sprintf("%03d", i/100), fmt.Sprintf("dev-%06d.cfg", i))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
		size += int64(len(text))
	}
	return size
}

func auditAll(b testing.TB, dir string, jobs int) {
	b.Helper()
	set, err := evidence.Open(b.Context(), evidence.Options{}, dir)
	if err != nil {
		b.Fatal(err)
	}
	defer set.Close()
	res, err := engine.Run(b.Context(), engine.Options{Set: set, Checks: checks.All(), Now: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC), Jobs: jobs, TempDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	if len(res.Findings) == 0 || len(res.Incomplete) > 0 {
		b.Fatalf("%d findings, incomplete: %v", len(res.Findings), res.Incomplete)
	}
}

// cpu is the processor's time this process has used: on a shared machine the clock says little.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkConfigs is configuration text to findings, on one core: find, read, detect, parse, assemble, judge with every
// check. What a device costs by itself shows in short configurations, what a line costs in long ones.
func BenchmarkConfigs(b *testing.B) {
	for _, lines := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("lines=%d", lines), func(b *testing.B) {
			const n = 200
			dir := b.TempDir()
			size := fleet(b, dir, n, lines)
			b.SetBytes(size)
			b.ReportAllocs()
			before := cpu()
			for b.Loop() {
				auditAll(b, dir, 1)
			}
			took := cpu() - before
			b.ReportMetric(float64(took.Microseconds())/float64(b.N)/n, "cpu-µs/device")
			b.ReportMetric(float64(size)*float64(b.N)/1e6/took.Seconds(), "MB/cpu-s")
		})
	}
}

// BenchmarkSyslog is mixed IOS and ASA syslog to tally and trail, on one core. Connections are built and never torn down: none is joined.
func BenchmarkSyslog(b *testing.B) {
	dir := b.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	var log bytes.Buffer
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for n := 0; log.Len() < 64<<20; n++ {
		at = at.Add(time.Duration(r.IntN(300)) * time.Millisecond)
		stamp := at.Format("Jan 02 2006 15:04:05")
		switch r.IntN(20) {
		case 0:
			fmt.Fprintf(&log, "%s fw%02d : %%ASA-6-302013: Built outbound TCP connection %d for outside:203.0.113.%d/21 (203.0.113.9/21) to inside:10.0.%d.%d/%d (198.51.100.6/%d)\n", stamp, r.IntN(20), n, r.IntN(250), r.IntN(9), r.IntN(250), 20000+r.IntN(40000), n%60000)
		case 1:
			fmt.Fprintf(&log, "%s sw%03d %d: %s.%03d UTC: %%SEC-6-IPACCESSLOGP: list EGRESS denied tcp 10.0.%d.%d(%d) -> 203.0.113.%d(445), 1 packet\n", at.Format("Jan _2 15:04:05"), r.IntN(200), n, at.Format("Jan _2 15:04:05"), r.IntN(1000), r.IntN(9), r.IntN(250), 20000+r.IntN(40000), r.IntN(250))
		case 2, 3, 4, 5, 6, 7, 8:
			fmt.Fprintf(&log, "%s fw%02d : %%ASA-6-302013: Built outbound TCP connection %d for outside:203.0.113.%d/443 (203.0.113.9/443) to inside:10.0.%d.%d/%d (198.51.100.6/%d)\n", stamp, r.IntN(20), n, r.IntN(250), r.IntN(9), r.IntN(250), 20000+r.IntN(40000), n%60000)
		default:
			fmt.Fprintf(&log, "%s sw%03d %d: %s.%03d UTC: %%LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet1/0/%d, changed state to up\n", at.Format("Jan _2 15:04:05"), r.IntN(200), n, at.Format("Jan _2 15:04:05"), r.IntN(1000), r.IntN(48))
		}
	}
	name := filepath.Join(dir, "all.log")
	if err := os.WriteFile(name, log.Bytes(), 0o644); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(log.Len()))
	b.ReportAllocs()
	for b.Loop() {
		set, err := evidence.Open(b.Context(), evidence.Options{}, dir)
		if err != nil {
			b.Fatal(err)
		}
		res, _, err := engine.Tally(b.Context(), engine.Options{Set: set, Jobs: 1, TempDir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		res.Close()
		set.Close()
	}
}
