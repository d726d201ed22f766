package collectors_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quaymaster/quaymaster/collectors"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/internal/lab"
	"github.com/quaymaster/quaymaster/inventory"
)

// BenchmarkFleet collects two hundred devices with configurations of 150 KB into a bundle on disk; the devices run in the
// same process.
func BenchmarkFleet(b *testing.B) {
	const devices = 200
	config := "version 15.2\nhostname sw\n" + strings.Repeat("interface GigabitEthernet0/1\n description link to site #production>\n!\n", 2000) + "end\n"
	var targets []inventory.Target
	for i := range devices {
		s, err := lab.StartSSH(lab.SSHDevice{
			Name: "sw", Platform: "cisco_ios", User: "auditor", Password: "Lab-Quay-1", Version: "Cisco IOS Software\n", Logging: "Log Buffer:\n", Config: config,
		})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(s.Close)
		targets = append(targets, inventory.Target{
			Name: fmt.Sprintf("sw-%03d", i), Address: s.Host, Port: s.Port, Platform: "cisco_ios", Collector: "ssh",
			Credential: inventory.Credential{Name: "net", User: "auditor", Password: "test:password"},
			Options:    map[string]string{"host_key": s.Fingerprint()},
			Secrets:    func(string) ([]byte, error) { return []byte("Lab-Quay-1"), nil },
		})
	}
	for _, jobs := range []int{16, 100} {
		b.Run(fmt.Sprintf("jobs=%d", jobs), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(devices * len(config)))
			n := 0
			for b.Loop() {
				n++
				bundle, err := evidence.NewBundle(filepath.Join(b.TempDir(), fmt.Sprint(n)), time.Now)
				if err != nil {
					b.Fatal(err)
				}
				failed, err := collectors.Run(b.Context(), targets, bundle, collectors.Options{Jobs: jobs})
				if err != nil || failed != 0 {
					b.Fatalf("%d failed, %v", failed, err)
				}
				if err := bundle.Close(true); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*devices)/b.Elapsed().Seconds(), "devices/s")
		})
	}
}
