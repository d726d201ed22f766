package hostsvc

import (
	"bytes"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

// Whatever the bytes, every reader ends, its spans lie in the file, its lines add up, and reading again says the same.
func FuzzRead(f *testing.F) {
	all := kinds()
	for i, k := range all {
		for _, s := range samples(f, k.dir, nil) {
			f.Add(uint8(i), []byte(s.Text))
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, src []byte) {
		k := all[int(n)%len(all)]
		st := parsetest.Parse(t, k.format, "etc/pure-ftpd/conf/TLS", src)
		if diff := st.Text() != parsetest.Parse(t, k.format, "etc/pure-ftpd/conf/TLS", src).Text(); diff {
			t.Error("read twice it says two things")
		}
		for _, d := range st.Devices {
			lines := 0
			for line := range bytes.SplitSeq(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")), []byte("\n")) {
				if len(bytes.Trim(line, " \t\r\v\f\b\x00")) > 0 {
					lines++
				}
			}
			if d.Lines.Total() != lines {
				t.Errorf("%d lines are accounted for of %d", d.Lines.Total(), lines)
			}
			for _, s := range d.Services {
				if s.Name == "" || s.Enabled.Origin == facts.Explicit && s.Enabled.Span.IsZero() {
					t.Errorf("a service without a name, or stated nowhere: %+v", s)
				}
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, k := range kinds() {
		s := samples(b, k.dir, nil)[0]
		b.Run(k.dir, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(s.Text)))
			for b.Loop() {
				parsetest.Parse(b, k.format, s.Path, []byte(s.Text))
			}
		})
	}
}

// Every format looks at files that are not its own: that must cost little.
func BenchmarkDetect(b *testing.B) {
	text := bytes.Repeat([]byte("interface GigabitEthernet0/1\n ip address 192.0.2.1 255.255.255.0\n!\n"), 100)
	b.ReportAllocs()
	for b.Loop() {
		for _, k := range kinds() {
			if c := k.format.Detect("core.cfg", text); c != facts.No {
				b.Fatal(k.dir, c)
			}
		}
	}
}
