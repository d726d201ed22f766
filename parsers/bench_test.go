package parsers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/parsers/syslog"
)

// generate writes a log of an ASA, routers behind a relay and a Linux host, mixed as a collector would: most lines are
// connections and translations of no interest, one in ten touches a transfer port.
func generate(rng *rand.Rand, size int) []byte {
	var b bytes.Buffer
	at := time.Date(2025, 11, 2, 0, 0, 0, 0, time.UTC)
	inside := func() string { return fmt.Sprintf("10.%d.%d.%d", rng.IntN(4), rng.IntN(256), 1+rng.IntN(254)) }
	outside := func() string { return fmt.Sprintf("203.0.113.%d", 1+rng.IntN(254)) }
	port := func() int {
		if rng.IntN(10) == 0 {
			return []int{21, 69, 445, 990, 4786}[rng.IntN(5)]
		}
		return []int{80, 443, 53, 22, 25, 8080, 3389}[rng.IntN(7)]
	}
	for conn := 1; b.Len() < size; conn++ {
		at = at.Add(time.Duration(rng.IntN(2000)) * time.Millisecond)
		asa := "<166>" + at.Format("Jan 02 2006 15:04:05") + " fw1 : %ASA-"
		ios := at.Format("Jan _2 15:04:05") + fmt.Sprintf(" 192.0.2.%d %d: ", 1+rng.IntN(5), 585000+conn) + at.Format("Jan _2 15:04:05.000") + ": %"
		in, out, p, high := inside(), outside(), port(), 1024+rng.IntN(60000)
		switch rng.IntN(20) {
		case 0, 1, 2, 3:
			fmt.Fprintf(&b, "%s6-302013: Built outbound TCP connection %d for outside:%s/%d (%[3]s/%[4]d) to inside:%s/%d (198.51.100.1/%[6]d)\n", asa, conn, out, p, in, high)
		case 4, 5, 6, 7:
			fmt.Fprintf(&b, "%s6-302014: Teardown TCP connection %d for outside:%s/%d to inside:%s/%d duration 0:%02d:%02d bytes %d TCP FINs\n", asa, conn, out, p, in, high, rng.IntN(60), rng.IntN(60), rng.IntN(1<<24))
		case 8, 9:
			fmt.Fprintf(&b, "%s6-305011: Built dynamic TCP translation from inside:%s/%d to outside:198.51.100.1/%d\n", asa, in, high, high)
		case 10:
			fmt.Fprintf(&b, "%s6-302015: Built outbound UDP connection %d for outside:%s/%d (%[3]s/%[4]d) to inside:%s/%d (198.51.100.1/%[6]d)\n", asa, conn, out, p, in, high)
		case 11:
			fmt.Fprintf(&b, "%s6-302016: Teardown UDP connection %d for outside:%s/%d to inside:%s/%d duration 0:00:%02d bytes %d\n", asa, conn, out, p, in, high, rng.IntN(60), rng.IntN(1<<12))
		case 12, 13:
			fmt.Fprintf(&b, "%s4-106023: Deny tcp src outside:%s/%d dst inside:%s/%d by access-group \"outside_in\" [0x0, 0x0]\n", asa, out, high, in, p)
		case 14:
			fmt.Fprintf(&b, "%s5-111008: User 'admin' executed the 'show running-config' command.\n", asa)
		case 15, 16:
			fmt.Fprintf(&b, "%sSEC-6-IPACCESSLOGP: list 177 denied udp %s(%d) -> %s(%d), %d packets\n", ios, in, high, out, p, 1+rng.IntN(300))
		case 17:
			fmt.Fprintf(&b, "%sLINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet0/%d, changed state to up\n", ios, rng.IntN(48))
		case 18:
			fmt.Fprintf(&b, "%sSEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: ops] [Source: %s] [localport: 22] at 12:06:03 UTC Sun Nov 2 2025\n", ios, in)
		case 19:
			fmt.Fprintf(&b, "%s host1 sshd[%d]: Accepted publickey for backup from %s port %d ssh2\n", at.Format("2006-01-02T15:04:05.000000+00:00"), 1000+rng.IntN(9000), in, high)
		}
	}
	return b.Bytes()
}

// BenchmarkRead reads a generated log to facts. MB/cpu-s counts the processor's time, which a shared machine leaves true.
func BenchmarkRead(b *testing.B) {
	data := generate(rand.New(rand.NewPCG(7, 11)), 16<<20)
	f := fileOf(data)
	f.Open = func(off int64) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data[off:])), nil }
	format := syslog.Format()
	ps, err := Pieces(f, format)
	if err != nil {
		b.Fatal(err)
	}
	transfers, beats := 0, 0
	s := facts.NewSink()
	s.Transfer = func(*facts.Transfer) { transfers++ }
	s.Beat = func(*facts.Beat) { beats++ }
	run := func(b *testing.B, read func(evidence.Piece) error) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		before, n := cpu(), 0
		for b.Loop() {
			for _, p := range ps {
				if err := read(p); err != nil {
					b.Fatal(err)
				}
			}
			n++
		}
		b.ReportMetric(float64(len(data))*float64(n)/1e6/(cpu()-before).Seconds(), "MB/cpu-s")
	}
	b.Run("framing", func(b *testing.B) {
		run(b, func(p evidence.Piece) error { return format.Parse(context.Background(), p, facts.NewSink()) })
	})
	b.Run("facts", func(b *testing.B) {
		run(b, func(p evidence.Piece) error { return Read(context.Background(), p, format, s) })
		if transfers == 0 || beats == 0 {
			b.Errorf("%d transfers, %d beats", transfers, beats)
		}
	})
}

// cpu is the processor's time this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
