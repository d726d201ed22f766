package vsphere_test

import (
	"fmt"
	"testing"

	"github.com/quaymaster/quaymaster/collectors/vsphere"
	"github.com/quaymaster/quaymaster/internal/lab"
)

// BenchmarkCollect retrieves 1,000 hosts of a simulated vCenter by one property retrieve; vcsim, which serves it, runs in
// the same process, so that the time is that of both.
func BenchmarkCollect(b *testing.B) {
	const n = 1000
	hosts := make([]lab.ESXiHost, n)
	for i := range hosts {
		hosts[i] = lab.ESXiHost{Name: fmt.Sprintf("esx%04d.example.net", i), Address: fmt.Sprintf("10.20.%d.%d", i/250, 1+i%250), Mask: "255.255.0.0"}
	}
	v, err := lab.StartVSphere(hosts, "auditor", "right-one")
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	b.ReportAllocs()
	for b.Loop() {
		m := newMemory()
		if err := vsphere.Collector().Collect(b.Context(), target(v, "right-one"), m.writer()); err != nil {
			b.Fatal(err)
		}
		if len(m.files) < n || len(m.gaps) > 0 {
			b.Fatalf("%d files, gaps %v", len(m.files), m.gaps)
		}
	}
}
