package nftables

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// realRules are loaded into a kernel that routes, and asked about by real packets.
var realRules = []struct{ name, text string }{
	{"sets and a verdict map", `
define clients = { 10.1.0.0/24, 172.16.0.2 }
table inet f {
	set files { type inet_service; flags interval; elements = { 20-22, 990 } }
	set pairs { type ipv4_addr . inet_service; elements = { 10.2.0.3 . 445, 10.2.0.2 . 8080 } }
	map v { type inet_service : verdict; flags interval; elements = { 69 : jump tftp, 5000-5004 : goto tftp, 5005 : drop } }
	chain forward {
		type filter hook forward priority 0; policy drop;
		iifname "lan0" oifname "wan0" counter
		ct state established,related accept
		ip saddr $clients tcp dport @files counter accept
		ip daddr . tcp dport @pairs accept
		ip saddr . ip daddr . meta l4proto vmap { 10.1.9.9 . 10.2.0.3 . tcp : accept, 172.16.0.2 . 10.2.0.0/24 . udp : jump tftp }
		udp dport vmap @v
		meta nfproto ipv6 th dport { 53, 69 } accept
		udp dport != 1-5004 accept
	}
	chain tftp {
		ip daddr 10.2.0.3 return
		ip saddr 10.1.9.0-10.1.9.255 accept
	}
}`},
	{"base chains by priority", `
table ip raw {
	chain pre { type filter hook prerouting priority raw; udp dport 53 ip saddr != 10.1.0.0/16 drop; }
}
table inet late {
	chain forward { type filter hook forward priority filter + 5; tcp dport 445 drop; meta l4proto udp ip6 daddr ::/0 drop; }
}
table inet first {
	chain forward {
		type filter hook forward priority filter; policy accept
		ct state established accept
		iifname "lan*" oifname != "wan0" accept
		tcp dport { 445, 2121 } accept
		iifname "lan?" tcp dport 21 drop
		ip saddr & 255.255.255.0 == 10.1.9.0 jump { udp dport 69 drop; tcp dport < 22 drop; }
		ip protocol udp udp dport >= 5005 reject
		ip6 nexthdr tcp tcp dport vmap { 22 : accept, * : drop }
		ip saddr 172.16.0.0/24 tcp dport 8080 jump back
		iif lan0 oif vmap { wan0 : jump last, lan0 : drop }
		ip daddr 10.2.0.3 udp dport 22 return
		udp dport 22 drop
	}
	chain last { udp dport 20 goto end; tcp dport 990 drop; }
	chain end { return; }
	chain back { ip daddr 10.2.0.2 return; drop; }
}`},
	{"commands", `
add table t
add chain t c { type filter hook forward priority 0; policy drop; }
add set t s { type ipv4_addr; flags interval; }
add element t s { 10.1.0.0/16 }
add rule t c ct state { established } accept
add rule t c iifname lan0 oifname wan0 counter
add rule t c ip saddr @s udp dport { 69, 53 } accept
insert rule t c udp dport 53 ip daddr 10.2.0.3 drop
add rule t c tcp flags & (fin|syn|rst|ack) == syn ip saddr != @s accept
`},
}

// A probe is one packet that is sent.
type probe struct {
	proto    string
	src, dst string
	port     int
}

func probes() (all []probe) {
	for _, pair := range [][2]string{
		{"10.1.0.2", "10.2.0.2"}, {"10.1.0.2", "10.2.0.3"}, {"10.1.9.9", "10.2.0.2"}, {"10.1.9.9", "10.2.0.3"},
		{"172.16.0.2", "10.2.0.2"}, {"172.16.0.2", "10.2.0.3"}, {"2001:db8:1::2", "2001:db8:2::2"}, {"2001:db8:1::9", "2001:db8:2::2"},
	} {
		for _, port := range realPorts {
			all = append(all, probe{"tcp", pair[0], pair[1], port}, probe{"udp", pair[0], pair[1], port})
		}
	}
	return all
}

var realPorts = []int{20, 21, 22, 53, 69, 445, 990, 2121, 5000, 5005, 8080}

// What the reader and the answers about filters make of a rule set is what the kernel does with real packets.
func TestRealKernel(t *testing.T) {
	lab := newLab(t)
	lab.warm(t)
	for _, c := range realRules {
		t.Run(c.name, func(t *testing.T) {
			lab.load(t, c.text)
			passed := lab.send(t, probes())
			if len(passed) == 0 || len(passed) == len(probes()) {
				t.Fatalf("%d of %d packets arrive: the rules are not tried", len(passed), len(probes()))
			}
			for _, shape := range []struct{ name, text string }{{"as written", c.text}, {"as listed", lab.run(t, "ip", "netns", "exec", lab.ns("r"), "nft", "list", "ruleset")}} {
				d := read(t, shape.text)
				if len(d.Unread) > 0 {
					t.Errorf("%s: not read: %+v\n%s", shape.name, d.Unread[0], shape.text)
				}
				m := headerspace.New(d)
				for i, p := range probes() {
					want := headerspace.Deny
					if passed[i] {
						want = headerspace.Permit
					}
					if a, err := m.Test(p.query()); err != nil || a.Verdict != want {
						t.Errorf("%s: %+v: %s (%s), the kernel says %s; %v", shape.name, p, a.Verdict, a.Reason, want, err)
					}
				}
				m.Close()
			}
		})
	}
}

func (p probe) query() headerspace.Query {
	one := func(s string) headerspace.Set {
		a := netip.MustParseAddr(s)
		return headerspace.Set{Prefixes: []netip.Prefix{netip.PrefixFrom(a, a.BitLen())}}
	}
	q := headerspace.Query{
		In: "lan0", Out: "wan0", Src: one(p.src), Dst: one(p.dst), Protocols: []uint8{facts.UDP},
		DstPorts: []facts.PortRange{{First: uint16(p.port), Last: uint16(p.port)}},
	}
	if p.proto == "tcp" {
		q.Protocols = []uint8{facts.TCP}
	}
	return q
}

// A lab is three network namespaces in a row: a sender, a router, a listener.
type lab struct {
	prefix string
	runs   int // of probes, each with numbers of its own: a packet may come late
}

func (l *lab) ns(name string) string { return l.prefix + name }

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{prefix: fmt.Sprintf("qm%d", os.Getpid())}
	missing := ""
	for _, c := range []struct{ tool, pack string }{{"nft", "nftables"}, {"ip", "iproute2"}, {"sysctl", "procps"}} {
		if _, err := exec.LookPath(c.tool); err != nil {
			missing = fmt.Sprintf("%s is not installed (Debian package %s)", c.tool, c.pack)
		}
	}
	if missing == "" {
		if out, err := exec.Command("ip", "netns", "add", l.ns("r")).CombinedOutput(); err != nil {
			missing = fmt.Sprintf("no network namespace can be made: %s", bytes.TrimSpace(out))
		}
	}
	if missing != "" {
		if os.Getenv("QUAYMASTER_REAL") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	t.Cleanup(func() {
		for _, n := range []string{"a", "r", "b"} {
			_ = exec.Command("ip", "netns", "del", l.ns(n)).Run()
		}
	})
	script := `add A; add B; exec A sysctl -qw net.ipv6.conf.default.dad_transmits=0; exec R sysctl -qw net.ipv6.conf.default.dad_transmits=0
; exec B sysctl -qw net.ipv6.conf.default.dad_transmits=0; - -n A link set lo up; - -n B link set lo up; - -n R link add lan0 type veth peer name eth0 netns A; - -n R link add wan0 type veth peer name eth0 netns B`
	for _, n := range []struct{ ns, dev, addrs string }{
		{"A", "eth0", "10.1.0.2/16 10.1.9.9/16 172.16.0.2/24 2001:db8:1::2/64 2001:db8:1::9/64"},
		{"R", "lan0", "10.1.0.1/16 172.16.0.1/24 2001:db8:1::1/64"}, {"R", "wan0", "10.2.0.1/24 2001:db8:2::1/64"},
		{"B", "eth0", "10.2.0.2/24 10.2.0.3/24 2001:db8:2::2/64"},
	} {
		for addr := range strings.FieldsSeq(n.addrs) {
			script += fmt.Sprintf("; - -n %s addr add %s dev %s", n.ns, addr, n.dev)
			if strings.Contains(addr, ":") {
				script += " nodad"
			}
		}
		script += fmt.Sprintf("; - -n %s link set %s up", n.ns, n.dev)
	}
	script += `; - -n A route add default via 10.1.0.1; - -n B route add default via 10.2.0.1
; - -n A route add default via 2001:db8:1::1; - -n B route add default via 2001:db8:2::1
; exec R sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1`
	for cmd := range strings.SplitSeq(script, ";") {
		words := strings.Fields(cmd)
		for i, w := range words {
			if w == "A" || w == "R" || w == "B" {
				words[i] = l.ns(strings.ToLower(w))
			}
		}
		if words[0] == "-" {
			l.run(t, "ip", words[1:]...)
		} else {
			l.run(t, "ip", append([]string{"netns"}, words...)...)
		}
	}
	return l
}

func (l *lab) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (l *lab) load(t *testing.T, text string) {
	t.Helper()
	cmd := exec.Command("ip", "netns", "exec", l.ns("r"), "nft", "-f", "-")
	cmd.Stdin = strings.NewReader("flush ruleset\n" + text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("nft: %v\n%s", err, out)
	}
}

// warm sends every probe without rules until all arrive, so that what is missing later was dropped by a rule.
func (l *lab) warm(t *testing.T) {
	t.Helper()
	arrived := 0
	for range 5 {
		if arrived = len(l.send(t, probes())); arrived == len(probes()) {
			return
		}
	}
	t.Fatalf("%d of %d packets arrive without rules", arrived, len(probes()))
}

// peer is this test's program in a namespace, see TestPeer.
func (l *lab) peer(t *testing.T, ns, role string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ip", "netns", "exec", l.ns(ns), self, "-test.run=^TestPeer$", "-test.v")
	cmd.Env = append(os.Environ(), "QUAYMASTER_NFT_PEER="+role)
	cmd.Stderr = os.Stderr
	return cmd
}

// send sends every probe, and says which arrive.
func (l *lab) send(t *testing.T, all []probe) map[int]bool {
	t.Helper()
	first := l.runs * len(all)
	l.runs++
	listener := l.peer(t, "b", "listen")
	stop, err := listener.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := listener.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Start(); err != nil {
		t.Fatal(err)
	}
	heard := bufio.NewScanner(out)
	for heard.Scan() && heard.Text() != "ready" {
	}
	sender := l.peer(t, "a", "send")
	var in strings.Builder
	for i, p := range all {
		fmt.Fprintln(&in, first+i, p.proto, p.src, p.dst, p.port)
	}
	sender.Stdin = strings.NewReader(in.String())
	said, err := sender.Output()
	if err != nil {
		t.Fatalf("sender: %v", err)
	}
	stop.Close()
	passed := map[int]bool{}
	note := func(line string) {
		if n, err := strconv.Atoi(strings.TrimPrefix(line, "got ")); err == nil && strings.HasPrefix(line, "got ") && n >= first {
			passed[n-first] = true
		}
	}
	for heard.Scan() {
		note(heard.Text())
	}
	for line := range strings.SplitSeq(string(said), "\n") {
		note(line)
	}
	if err := listener.Wait(); err != nil {
		t.Fatalf("listener: %v", err)
	}
	return passed
}

// TestPeer is no test: it is what runs in a namespace.
func TestPeer(t *testing.T) {
	switch os.Getenv("QUAYMASTER_NFT_PEER") {
	case "listen":
		listen(t)
	case "send":
		sendAll()
	}
}

// listen takes what arrives on the ports until its input ends, and tells the datagrams' text.
func listen(t *testing.T) {
	var done sync.WaitGroup
	var udp []net.PacketConn
	var mu sync.Mutex
	for _, port := range realPorts {
		at := fmt.Sprintf(":%d", port)
		tcp, err := net.Listen("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				if _, err := tcp.Accept(); err != nil {
					return
				}
			}
		}()
		u, err := net.ListenPacket("udp", at)
		if err != nil {
			t.Fatal(err)
		}
		udp = append(udp, u)
		done.Go(func() {
			buf := make([]byte, 100)
			for {
				n, _, err := u.ReadFrom(buf)
				if err != nil {
					return
				}
				mu.Lock()
				fmt.Printf("got %s\n", buf[:n])
				mu.Unlock()
			}
		})
	}
	fmt.Println("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	for _, u := range udp {
		_ = u.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	}
	done.Wait()
}

// sendAll sends the probes of its input at once, and tells the connections that open.
func sendAll() {
	var done sync.WaitGroup
	var mu sync.Mutex
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var id, port int
		var proto, src, dst string
		if _, err := fmt.Sscan(in.Text(), &id, &proto, &src, &dst, &port); err != nil {
			continue
		}
		done.Go(func() {
			dialer := net.Dialer{Timeout: 1500 * time.Millisecond}
			dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(src)}
			if proto == "udp" {
				dialer.LocalAddr = &net.UDPAddr{IP: net.ParseIP(src)}
			}
			c, err := dialer.Dial(proto, net.JoinHostPort(dst, strconv.Itoa(port)))
			if err != nil {
				return
			}
			defer c.Close()
			if proto == "udp" {
				for range 2 {
					_, _ = fmt.Fprint(c, id)
				}
				return
			}
			mu.Lock()
			fmt.Printf("got %d\n", id)
			mu.Unlock()
		})
	}
	done.Wait()
}
