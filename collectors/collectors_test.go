package collectors_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/collectors"
	"github.com/quaymaster/quaymaster/collectors/ssh"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/internal/lab"
	"github.com/quaymaster/quaymaster/inventory"
)

// A run is a fleet that was collected: what its manifest says, and the events.
type run struct {
	failed int
	err    error
	events map[string]collectors.Event
	states map[string]evidence.DeviceState
	dir    string
	whole  bool
}

func collect(ctx context.Context, t *testing.T, targets []inventory.Target, o collectors.Options) run {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bundle")
	b, err := evidence.NewBundle(dir, func() time.Time { return time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC) })
	if err != nil {
		t.Fatal(err)
	}
	r := run{events: map[string]collectors.Event{}, states: map[string]evidence.DeviceState{}, dir: dir}
	o.Progress = func(e collectors.Event) { r.events[e.Device+" "+e.Collector] = e }
	r.failed, r.err = collectors.Run(ctx, targets, b, o)
	if err := b.Close(r.err == nil); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Complete bool
		Devices  []evidence.DeviceState
	}
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	r.whole = m.Complete
	for _, d := range m.Devices {
		r.states[d.Name] = d
	}
	return r
}

func device(t *testing.T, name string, faults lab.SSHFaults) (*lab.SSHServer, inventory.Target) {
	t.Helper()
	s, err := lab.StartSSH(lab.SSHDevice{
		Name: name, Platform: "cisco_ios", User: "auditor", Password: "Lab-Quay-1", Faults: faults,
		Version: "Cisco IOS Software, Version 15.2(7)E8\n", Logging: "Log Buffer:\n", Config: "version 15.2\nhostname " + name + "\n" + strings.Repeat("!\n", 2000) + "end\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	known := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(known, []byte(s.KnownHostsLine()), 0o600); err != nil {
		t.Fatal(err)
	}
	return s, inventory.Target{
		Name: name, Address: s.Host, Port: s.Port, Platform: "cisco_ios", Collector: "ssh",
		Credential: inventory.Credential{Name: "net-" + name, User: "auditor", Password: "test:password"},
		Options:    map[string]string{"known_hosts": known, "connect_timeout": "2s", "idle_timeout": "2s"},
		Secrets:    func(string) ([]byte, error) { return []byte("Lab-Quay-1"), nil },
	}
}

// Failing devices fail alone.
func TestRun(t *testing.T) {
	var targets []inventory.Target
	add := func(name string, f lab.SSHFaults) {
		_, x := device(t, name, f)
		targets = append(targets, x)
	}
	add("good-1", lab.SSHFaults{})
	add("good-2", lab.SSHFaults{NoSettings: true})
	add("refuses", lab.SSHFaults{RefusePassword: true})
	add("drops", lab.SSHFaults{DropAfter: 500})
	add("silent", lab.SSHFaults{StallAccept: true})
	add("slow", lab.SSHFaults{StallAfter: 500})
	targets[4].Options["connect_timeout"] = "200ms"
	targets[5].Timeout, targets[5].Options["idle_timeout"] = 500*time.Millisecond, "1m"
	unknown := targets[0]
	unknown.Name, unknown.Collector = "odd", "telnet"
	targets = append(targets, unknown)
	r := collect(t.Context(), t, targets, collectors.Options{Jobs: 3})
	if r.err != nil || r.failed != 5 || !r.whole {
		t.Errorf("failed %d, whole %v, %v", r.failed, r.whole, r.err)
	}
	got := map[string]string{}
	for name, s := range r.states {
		got[name] = s.State + " " + strings.ReplaceAll(s.Error, targets[4].Address+":"+fmt.Sprint(targets[4].Port), "ADDR")
	}
	want := map[string]string{
		"good-1":  "complete ",
		"good-2":  "complete ",
		"refuses": `failed the device refused the password of user "auditor" (one attempt was made)`,
		"drops":   `partial read the answer to "show running-config": the device ended the connection`,
		"silent":  "failed ADDR accepted the connection and said nothing for 200ms",
		"slow":    `partial the time for the device was up: read the answer to "show running-config": the device ended the connection`,
		"odd":     `failed no collector is named "telnet"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	for name, s := range r.states {
		if s.State != "complete" && name != "odd" && (s.Hint == "" || s.Hint != r.events[name+" ssh"].Remedy) {
			t.Errorf("%s: hint %q, remedy %q", name, s.Hint, r.events[name+" ssh"].Remedy)
		}
	}
	for name, files := range map[string][]string{"good-1": {"logging.log", "running-config.cfg", "version.txt"}, "slow": {"logging.log", "version.txt"}} {
		entries, err := os.ReadDir(filepath.Join(r.dir, "evidence", name))
		if err != nil {
			t.Fatal(err)
		}
		var have []string
		for _, e := range entries {
			have = append(have, e.Name())
		}
		if !slices.Equal(have, files) {
			t.Errorf("%s: files %q, want %q", name, have, files)
		}
	}
}

// An interruption keeps what is there and says what is not.
func TestInterrupt(t *testing.T) {
	_, first := device(t, "a-whole", lab.SSHFaults{})
	_, second := device(t, "b-half", lab.SSHFaults{StallAfter: 500})
	_, third := device(t, "c-waits", lab.SSHFaults{})
	second.Options["idle_timeout"] = "1m"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reached := make(chan struct{})
	list := collectors.List()
	inner := list[0].Collect
	list[0].Collect = func(ctx context.Context, x inventory.Target, w *evidence.Writer) error {
		if x.Name == "b-half" {
			close(reached)
		}
		return inner(ctx, x, w)
	}
	go func() {
		<-reached
		cancel()
	}()
	r := collect(ctx, t, []inventory.Target{first, second, third}, collectors.Options{Jobs: 1, Collectors: list})
	if !errors.Is(r.err, context.Canceled) || r.failed != 2 || r.whole {
		t.Errorf("failed %d, whole %v, %v", r.failed, r.whole, r.err)
	}
	got := map[string]string{}
	for name, s := range r.states {
		got[name] = s.State + " " + s.Error
	}
	want := map[string]string{
		"a-whole": "complete ", "b-half": "failed interrupted",
		"c-waits": "skipped the collection was interrupted before the device's turn",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

// A wrong password reaches no more devices than the limit, however many are read at once.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name    string
		refuses int // of ten devices, the first
		limit   int
		guesses int64
		skipped int
	}{
		{"all refuse", 10, 0, collectors.DefaultRefusals, 7},
		{"all refuse, no limit", 10, -1, 10, 0},
		{"two refuse", 2, 0, 10, 0},
		{"all refuse, one may", 10, 1, 1, 9},
	} {
		t.Run(c.name, func(t *testing.T) {
			var targets []inventory.Target
			var servers []*lab.SSHServer
			for i := range 10 {
				s, x := device(t, fmt.Sprintf("sw-%02d", i), lab.SSHFaults{RefusePassword: i < c.refuses})
				x.Credential.Name = "net"
				targets, servers = append(targets, x), append(servers, s)
			}
			r := collect(t.Context(), t, targets, collectors.Options{Jobs: 8, Refusals: c.limit})
			var guesses int64
			skipped := 0
			for i, s := range servers {
				guesses += s.Guesses()
				if st := r.states[targets[i].Name]; st.State == "skipped" {
					skipped++
					if !strings.HasPrefix(st.Error, `credential "net" was refused `) || !strings.Contains(st.Hint, "on one device") {
						t.Errorf("%s: %s; %s", st.Name, st.Error, st.Hint)
					}
				}
			}
			if guesses != c.guesses || skipped != c.skipped {
				t.Errorf("%d guesses, want %d; %d skipped, want %d", guesses, c.guesses, skipped, c.skipped)
			}
		})
	}
}

// fake is a collector whose logins a function answers.
func fake(name string, login func(inventory.Target) error) inventory.Collector {
	return inventory.Collector{Name: name, Collect: func(_ context.Context, x inventory.Target, _ *evidence.Writer) error {
		if _, err := x.Secrets("test:password"); err != nil {
			return err
		}
		return login(x)
	}}
}

func targetsOf(n int, collector ...string) []inventory.Target {
	var out []inventory.Target
	for i := range n {
		for _, c := range collector {
			out = append(out, inventory.Target{
				Name: fmt.Sprintf("d%03d", i), Address: fmt.Sprintf("192.0.2.%d", i), Collector: c, Credential: inventory.Credential{Name: "net"},
				Secrets: func(string) ([]byte, error) { return []byte("x"), nil },
			})
		}
	}
	return out
}

// What a device refused to one collector, another does not try on it.
func TestRefusedOnce(t *testing.T) {
	var tried sync.Map
	refuse := func(x inventory.Target) error {
		tried.Store(x.Collector, true)
		return &inventory.Failure{Cause: "wrong password", Refused: true}
	}
	targets := targetsOf(1, "ssh", "vsphere")
	targets[1].Name = "another name of the same"
	r := collect(t.Context(), t, targets, collectors.Options{Jobs: 1, Collectors: []inventory.Collector{fake("ssh", refuse), fake("vsphere", refuse)}})
	if _, again := tried.Load("vsphere"); again {
		t.Error("the second collector tried the refused credential")
	}
	if s := r.states["another name of the same"]; s.State != "skipped" || s.Error != `the device refused credential "net" already` {
		t.Errorf("%+v", s)
	}
}

// Logins are spread over time, and a login that waits for its turn is not one under way.
func TestLoginRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var begun []time.Duration
		var mu sync.Mutex
		list := []inventory.Collector{fake("ssh", func(x inventory.Target) error {
			mu.Lock()
			defer mu.Unlock()
			begun = append(begun, time.Since(start))
			x.Accepted()
			return nil
		})}
		if r := collect(t.Context(), t, targetsOf(20, "ssh"), collectors.Options{Jobs: 20, Logins: 5, Collectors: list}); r.failed != 0 {
			t.Errorf("%d failed: %v", r.failed, r.events)
		}
		slices.Sort(begun)
		for i, at := range begun {
			if want := time.Duration(i) * 200 * time.Millisecond; at != want {
				t.Errorf("login %d began at %s, want %s", i, at, want)
			}
		}
	})
}

// An unproven credential is tried on few devices at once, a proven one on as many as there are jobs.
func TestUnproven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, unproven, proven atomic.Int64
		var accepted atomic.Bool
		list := []inventory.Collector{fake("ssh", func(x inventory.Target) error {
			n := now.Add(1)
			defer now.Add(-1)
			if accepted.Load() {
				proven.Store(max(proven.Load(), n))
			} else {
				unproven.Store(max(unproven.Load(), n))
			}
			time.Sleep(time.Second)
			accepted.Store(true)
			x.Accepted()
			time.Sleep(10 * time.Second)
			return nil
		})}
		collect(t.Context(), t, targetsOf(100, "ssh"), collectors.Options{Jobs: 50, Collectors: list})
		if unproven.Load() != collectors.DefaultRefusals || proven.Load() < 40 {
			t.Errorf("%d at once before it was proven, %d after", unproven.Load(), proven.Load())
		}
	})
}

// Every platform an inventory may name and read over SSH has commands, and every collector is in the list.
func TestList(t *testing.T) {
	var names []string
	for _, c := range collectors.List() {
		names = append(names, c.Name)
	}
	if diff := cmp.Diff(inventory.Collectors(), names); diff != "" {
		t.Errorf("collectors (-inventory +list):\n%s", diff)
	}
	var platforms []string
	for _, p := range inventory.Platforms() {
		if p != "vmware_esxi" && p != "other" {
			platforms = append(platforms, p)
		}
	}
	slices.Sort(platforms)
	if diff := cmp.Diff(platforms, ssh.Platforms()); diff != "" {
		t.Errorf("platforms (-inventory +ssh):\n%s", diff)
	}
}
