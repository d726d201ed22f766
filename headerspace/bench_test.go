package headerspace

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"syscall"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
)

// Lists to measure on. campus is like what networks have; the rest is made to hurt.
var kinds = []struct {
	name string
	what string
	make func(*rand.Rand, *estate) facts.Match
}{
	{"campus", "hosts and nets of a campus, 200 services, some rules of any", campusRule},
	{"hosts", "any protocol from one random host to another", hostRule},
	{"nested", "prefixes of every length inside one another", nestedRule},
	{"cross", "any to one net, one net to any, in turns", crossRule},
	{"ranges", "random ranges of source and destination ports", rangeRule},
	{"groups", "object groups of 500 members on both sides", groupRule},
	{"ipv6", "IPv6 hosts", ipv6Rule},
	{"wild", "non-contiguous source wildcards to hosts", wildRule},
	{"parity", "odd and even hosts, any destination", parityRule},
}

// An estate is what the rules of a list talk about.
type estate struct {
	nets, hosts []netip.Addr
	services    []uint16
	n           int
}

func newEstate(r *rand.Rand) *estate {
	e := &estate{services: []uint16{21, 22, 23, 25, 53, 69, 80, 88, 110, 123, 135, 139, 143, 161, 389, 443, 445, 514, 636, 990, 1433, 1521, 3306, 3389, 5432, 8080, 8443, 9100}}
	for range 400 {
		e.nets = append(e.nets, netip.AddrFrom4([4]byte{10, byte(r.IntN(40)), byte(r.IntN(256)), 0}))
	}
	for range 1500 {
		v := e.nets[r.IntN(100)].As4()
		v[3] = byte(1 + r.IntN(254))
		e.hosts = append(e.hosts, netip.AddrFrom4(v))
	}
	for len(e.services) < 200 {
		e.services = append(e.services, uint16(1024+r.IntN(60000)))
	}
	return e
}

func (e *estate) net(r *rand.Rand) facts.Addrs {
	return ofPrefix(netip.PrefixFrom(e.nets[r.IntN(len(e.nets))], 24))
}
func (e *estate) host(r *rand.Rand) facts.Addrs {
	return ofPrefix(netip.PrefixFrom(e.hosts[r.IntN(len(e.hosts))], 32))
}

// service is one of the estate's, well-known ones more often.
func (e *estate) service(r *rand.Rand, m *facts.Match) uint16 {
	s := e.services[min(r.IntN(len(e.services)), r.IntN(len(e.services)))]
	m.Protocols = []uint8{facts.TCP}
	if r.IntN(4) == 0 {
		m.Protocols = []uint8{facts.UDP}
	}
	m.DstPorts = eq(s)
	return s
}

func ofPrefix(p netip.Prefix) facts.Addrs {
	return facts.Addrs{Present: true, Items: []facts.AddrItem{{Prefix: p}}}
}

func anywhere(r *rand.Rand) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())})
}

func campusRule(r *rand.Rand, e *estate) (m facts.Match) {
	switch k := r.IntN(100); {
	case k < 60:
		e.service(r, &m)
		m.Src, m.Dst = e.net(r), e.host(r)
	case k < 72:
		e.service(r, &m)
		m.Dst = e.host(r)
	case k < 82:
		e.service(r, &m)
		m.Src = e.net(r)
	case k < 90:
		m.Src, m.Dst = e.host(r), e.net(r)
	case k < 95:
		m.Src = e.host(r)
	default:
		s := e.service(r, &m)
		m.Src, m.Dst = e.net(r), e.net(r)
		m.DstPorts = from(s, max(s, s+1000))
	}
	return m
}

func hostRule(r *rand.Rand, _ *estate) facts.Match {
	return facts.Match{Src: ofPrefix(netip.PrefixFrom(anywhere(r), 32)), Dst: ofPrefix(netip.PrefixFrom(anywhere(r), 32))}
}

func nestedRule(r *rand.Rand, _ *estate) facts.Match {
	side := func() facts.Addrs {
		v := anywhere(r).As4()
		v[0] = 10
		return ofPrefix(netip.PrefixFrom(netip.AddrFrom4(v), 8+r.IntN(25)).Masked())
	}
	return facts.Match{Src: side(), Dst: side()}
}

func crossRule(r *rand.Rand, e *estate) (m facts.Match) {
	p := ofPrefix(netip.PrefixFrom(anywhere(r), 24+r.IntN(9)).Masked())
	if e.n%2 == 0 {
		m.Src = p
	} else {
		m.Dst = p
	}
	return m
}

func rangeRule(r *rand.Rand, e *estate) facts.Match {
	some := func() facts.Ports {
		a, b := uint16(r.Uint32()), uint16(r.Uint32())
		return from(min(a, b), max(a, b))
	}
	return facts.Match{Src: e.net(r), Dst: e.host(r), Protocols: []uint8{facts.TCP}, SrcPorts: some(), DstPorts: some()}
}

func groupRule(r *rand.Rand, e *estate) (m facts.Match) {
	e.service(r, &m)
	m.Src, m.Dst = groups(fmt.Sprintf("g%d", r.IntN(100))), groups(fmt.Sprintf("g%d", r.IntN(100)))
	return m
}

func ipv6Rule(r *rand.Rand, e *estate) (m facts.Match) {
	host := func() facts.Addrs {
		v := [16]byte{0x20, 0x01, 0x0d, 0xb8, 5: byte(r.IntN(40)), 7: byte(r.IntN(250))}
		for i := 8; i < 16; i++ {
			v[i] = byte(r.Uint32())
		}
		return ofPrefix(netip.PrefixFrom(netip.AddrFrom16(v), 128))
	}
	m.Src, m.Dst = host(), host()
	return m
}

func wildRule(r *rand.Rand, e *estate) (m facts.Match) {
	m = parityRule(r, e)
	m.Dst = e.host(r)
	return m
}

func parityRule(r *rand.Rand, e *estate) (m facts.Match) {
	care := [][4]byte{{255, 0, 255, 0}, {255, 255, 255, 1}, {255, 0, 0, 255}}[r.IntN(3)]
	v := anywhere(r).As4()
	v[0], v[1] = 10, byte(r.IntN(40))
	m.Src = facts.Addrs{Present: true, Items: []facts.AddrItem{{Wild: &facts.Wildcard{Addr: v, Care: care}}}}
	if r.IntN(3) > 0 {
		e.service(r, &m)
	}
	return m
}

// listOfKind is a device with one filter F of n rules, four of five permitting.
func listOfKind(kind, n int) *facts.Device {
	r := rand.New(rand.NewPCG(1, 2))
	e := newEstate(r)
	f := facts.Filter{Name: "F", Default: facts.Deny, Rules: make([]facts.Rule, n)}
	for e.n = range n {
		f.Rules[e.n] = facts.Rule{Action: facts.Permit, Match: kinds[kind].make(r, e), Span: at(int64(e.n))}
		if r.IntN(5) == 0 {
			f.Rules[e.n].Action = facts.Deny
		}
	}
	d := &facts.Device{Platform: facts.CiscoASA, Filters: []facts.Filter{f}}
	if kinds[kind].name == "ipv6" {
		d.Filters[0].Family = facts.IPv6
	}
	for i := range 100 {
		g := facts.Group{Name: fmt.Sprintf("g%d", i), Kind: facts.NetworkGroup}
		for range 500 {
			g.Addrs = append(g.Addrs, facts.AddrItem{Prefix: netip.PrefixFrom(anywhere(r), 24+r.IntN(9))})
		}
		d.Groups = append(d.Groups, g)
	}
	return d
}

// cpuTime is what the process has used, in nanoseconds: on a shared machine the clock on the wall says little.
func cpuTime() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkTransfers answers all transfer protocols, from nothing: index, compilation, witnesses, reasons.
func BenchmarkTransfers(b *testing.B) {
	for k := range kinds {
		for _, n := range []int{10, 100, 1_000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", kinds[k].name, n), func(b *testing.B) {
				d := listOfKind(k, n)
				b.ReportAllocs()
				nodes, cpu := 0, cpuTime()
				for b.Loop() {
					m := New(d)
					as, err := m.Transfers(Query{Filter: "F"})
					if err != nil {
						b.Fatal(err)
					}
					for _, a := range as {
						if a.Verdict == Unknown {
							b.Fatal(a.Reason)
						}
					}
					nodes = len(m.g.nodes)
					m.Close()
				}
				b.ReportMetric(float64(nodes), "nodes")
				b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// BenchmarkTest answers one question about everything: no part of the services is left out.
func BenchmarkTest(b *testing.B) {
	for k := range kinds {
		for _, n := range []int{10, 100, 1_000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", kinds[k].name, n), func(b *testing.B) {
				d := listOfKind(k, n)
				b.ReportAllocs()
				nodes, cpu := 0, cpuTime()
				for b.Loop() {
					m := New(d)
					if a, err := m.Test(Query{Filter: "F"}); err != nil || a.Verdict == Unknown {
						b.Skip(a.Reason, err)
					}
					nodes = len(m.g.nodes)
					m.Close()
				}
				b.ReportMetric(float64(nodes), "nodes")
				b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// BenchmarkAgain asks a compiled filter.
func BenchmarkAgain(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("campus/%d", n), func(b *testing.B) {
			m := New(listOfKind(0, n))
			q := Query{Filter: "F", Protocols: []uint8{facts.TCP}, DstPorts: ports(445)}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Test(q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOrder has the address fields in the order that is chosen, and in the other.
func BenchmarkOrder(b *testing.B) {
	for _, k := range []int{0, 7} {
		for _, other := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/other=%v", kinds[k].name, other), func(b *testing.B) {
				d := listOfKind(k, 10_000)
				cpu := cpuTime()
				for b.Loop() {
					m := New(d)
					m.begin()
					m.swapped = m.swapped != other
					if _, err := m.Transfers(Query{Filter: "F"}); err != nil {
						b.Fatal(err)
					}
					m.Close()
				}
				b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}
