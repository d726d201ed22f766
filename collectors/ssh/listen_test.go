package ssh

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A fake is a device that answers one command; it reads what is typed and prints as its fields say.
type fake struct {
	prompt, before string // before each prompt
	command        string
	answer         string // with line ends as they go over the wire
	more, erase    string
	page           int
	echo           bool
	late           int // prompts that are still on their way when the command is typed
	drops          int // empty lines that get lost

	out   []byte
	in    string
	lines []string // left of the answer
	begun bool
	shown int
}

// typed takes keys and prints what they cause.
func (f *fake) typed(keys string) {
	for _, k := range keys {
		switch {
		case f.begun && len(f.lines) > 0: // a pager waits
			if k == ' ' {
				f.out = append(f.out, f.erase...)
				f.shown = 0
				f.print()
			}
		case k == '\r':
			if f.begun && f.drops > 0 {
				f.drops--
				continue
			}
			line := f.in
			f.in = ""
			f.out = append(f.out, '\r', '\n')
			if line == f.command && !f.begun {
				f.begun = true
				f.lines = strings.SplitAfter(f.answer, "\n")
				f.print()
				continue
			}
			f.out = append(f.out, f.before+f.prompt...)
		default:
			f.in += string(k)
			if f.echo {
				f.out = append(f.out, byte(k))
			}
		}
	}
}

func (f *fake) print() {
	for len(f.lines) > 0 {
		if f.page > 0 && f.shown == f.page {
			f.out = append(f.out, f.more...)
			return
		}
		f.out = append(f.out, f.lines[0]...)
		f.lines = f.lines[1:]
		f.shown++
	}
	f.out = append(f.out, f.before+f.prompt...)
}

// hear runs a listener against a fake, in pieces of at most size bytes drawn by seed.
func hear(t *testing.T, f *fake, size int, seed uint64) (content string, over bool) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	var got bytes.Buffer
	l := &listener{
		command: f.command, prompt: bytes.TrimRight([]byte(f.prompt), " "), between: strings.TrimSpace(f.before),
		pagers: []string{"--More--", "---(more)---", "---(more *%)---", "<--- More --->"},
		emit:   func(p []byte) error { got.Write(p); return nil },
	}
	for range f.late {
		f.out = append(f.out, "\r\n"+f.before+f.prompt...)
	}
	f.typed(f.command + "\r")
	for steps := 0; steps < 1_000_000; steps++ {
		if len(f.out) == 0 {
			if l.ripe {
				if err := l.finish(); err != nil {
					t.Fatal(err)
				}
				return got.String(), true
			}
			again := ""
			if l.waits() {
				again = l.nudge()
			}
			if again == "" {
				return got.String(), false
			}
			f.typed(again)
			continue
		}
		n := 1 + r.IntN(min(size, len(f.out)))
		chunk := f.out[:n]
		f.out = f.out[n:]
		typed, err := l.feed(chunk)
		if err != nil {
			t.Fatal(err)
		}
		f.typed(typed)
		if len(l.buf) > 64<<10 {
			t.Fatalf("%d bytes are held back", len(l.buf))
		}
	}
	t.Fatal("it does not end")
	return "", false
}

const iosErase = "\b\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b\b"

func fakes() map[string]fake {
	lines := strings.Join([]string{
		"Building configuration...", "", " indented", "    more indented", "hostname sw", "banner ^C", "sw#", " sw# ", "--More--", " --More-- ",
		strings.Repeat("x", 700), "sw#show run", "\tsw#", "^C", "end", "", "",
	}, "\r\n")
	return map[string]fake{
		"plain":           {prompt: "sw#", echo: true},
		"pages":           {prompt: "sw#", echo: true, page: 3, more: " --More-- ", erase: iosErase},
		"pages of one":    {prompt: "sw#", echo: true, page: 1, more: " --More-- ", erase: iosErase},
		"other erasure":   {prompt: "sw#", echo: true, page: 2, more: " --More-- ", erase: "\r         \r"},
		"single steps":    {prompt: "sw#", echo: true, page: 2, more: "--More--", erase: strings.Repeat("\b \b", 8)},
		"escape sequence": {prompt: "sw# ", echo: true, page: 2, more: "--More--", erase: "\r\x1b[K"},
		"whole line":      {prompt: "sw# ", echo: true, page: 2, more: "--More--", erase: "\x1b[2K\x1b[G"},
		"asa":             {prompt: "sw/pri/act# ", echo: true, page: 4, more: "<--- More --->", erase: "\r              \r"},
		"junos":           {prompt: "me@sw> ", before: "\r\n{master:0}\r\n", echo: true, page: 3, more: "---(more 45%)---", erase: "\r                                        \r"},
		"no echo":         {prompt: "sw#"},
		"late prompt":     {prompt: "sw#", echo: true, late: 1},
		"lost line":       {prompt: "sw#", echo: true, drops: 1},
		"one line":        {prompt: "sw#", echo: true, answer: "end\r\n"},
		"nothing":         {prompt: "sw#", echo: true, answer: "\x00"},
		"no echo, nothing": {
			prompt: "sw#", answer: "\x00",
		},
		"": {answer: lines},
	}
}

func TestListener(t *testing.T) {
	all := fakes()
	lines := all[""].answer
	delete(all, "")
	for name, f := range all {
		t.Run(name, func(t *testing.T) {
			f.command = "show run"
			if f.answer == "" {
				f.answer = lines
			}
			want := f.answer
			if want == "\x00" {
				f.answer, want = "", ""
			}
			for _, size := range []int{1, 2, 7, 100, 1 << 20} {
				for seed := range uint64(20) {
					g := f
					got, over := hear(t, &g, size, seed)
					if !over {
						t.Fatalf("pieces of %d, seed %d: not over after %q", size, seed, got)
					}
					if f.before != "" { // what comes before a prompt takes the empty lines beside it along
						got, want = strings.TrimRight(got, "\r\n"), strings.TrimRight(want, "\r\n")
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Fatalf("pieces of %d, seed %d (-want +got):\n%s", size, seed, diff)
					}
				}
			}
		})
	}
}

// However an answer is cut, its content is the same, and nothing of it is lost.
func FuzzListener(f *testing.F) {
	f.Add("hostname sw\nsw#\n --More-- \nend\n", uint64(1), uint8(3), uint8(4))
	f.Add("\n\n--More--\nsw#sw#\n sw# \n", uint64(2), uint8(1), uint8(1))
	f.Add("a\rb\x1b[K\b\b\nend\n", uint64(3), uint8(0), uint8(200))
	f.Fuzz(func(t *testing.T, text string, seed uint64, page, size uint8) {
		if len(text) > 4096 {
			return
		}
		text = strings.NewReplacer("\b", "", "\r", "", "\x1b", "").Replace(text) // a pager and these is what a pager is
		// Lines of text, whole, as a device prints them; the first is not empty and not the prompt: without an echo nobody
		// could tell it from an answer to an empty line.
		var b strings.Builder
		b.WriteString("begin\r\n")
		for line := range strings.SplitSeq(text, "\n") {
			b.WriteString(line + "\r\n")
		}
		x := fake{prompt: "sw#", echo: seed%2 == 0, command: "show run", answer: b.String(), page: int(page % 8), more: " --More-- ", erase: iosErase}
		got, over := hear(t, &x, int(size)+1, seed)
		if !over || got != b.String() {
			t.Fatalf("over %v\ngot  %q\nwant %q", over, got, b.String())
		}
	})
}

func TestErased(t *testing.T) {
	for _, c := range []struct {
		name, line, text string
		n                int
		decided          bool
	}{
		{"ios", " --More-- ", iosErase + "  ip address", len(iosErase), true},
		{"carriage return and blanks", "--More--", "\r        \r  x", 10, true},
		{"steps", "ab", "\b \b\b \b x", 6, true},
		{"erase to the end", "--More--", "\r\x1b[K x", 4, true},
		{"erase the line", "--More--", "\x1b[2K\r x", 5, true},
		{"printed over", "--More--", "\r  x", 1, true},
		{"printed behind", "--More--", "x", 0, true},
		{"cut in an escape sequence", "--More--", "\r\x1b[", 3, false},
		{"cut in blanks", "--More--", "\r    ", 5, false},
		{"nothing yet", "--More--", "", 0, false},
	} {
		if n, decided := erased([]byte(c.line), []byte(c.text)); n != c.n || decided != c.decided {
			t.Errorf("%s: %d %v, want %d %v", c.name, n, decided, c.n, c.decided)
		}
	}
}

func TestLearner(t *testing.T) {
	for _, c := range []struct {
		name    string
		chunks  []string // what comes; after each the learner may type
		want    string
		between string
		typed   int
	}{
		{"plain", []string{"\r\nsw#", "\r\nsw#"}, "sw#", "", 1},
		{"byte by byte", strings.Split("\r\nsw#\r\nsw#", ""), "sw#", "", 1},
		{"with a blank", []string{"\r\nsw/act>", " ", "\r\nsw/act> "}, "sw/act>", "", 1},
		{"a banner like a prompt", []string{"Ticket #", "4711>\r\n\r\nsw#", "\r\nsw#", "\r\nsw#"}, "sw#", "", 2},
		{"another line between", []string{"\r\n{master:0}\r\nme@sw>", "\r\n\r\n{master:0}\r\nme@sw>"}, "me@sw>", "{master:0}", 1},
		{"a page of banner", []string{"text\r\n--More--", "\r        \rrest\r\nsw#", "\r\nsw#"}, "sw#", "", 1},
		{"none", []string{"choose 1-4: ", "\r\nchoose 1-4: "}, "", "", 0},
		{"control characters", []string{"a\x01#", "\r\na\x01#"}, "", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &learner{ends: "#>", pagers: []string{"--More--"}}
			done := false
			for _, chunk := range c.chunks {
				_, done = l.feed([]byte(chunk))
			}
			if done != (c.want != "") || string(l.prompt) != c.want || l.between != c.between || l.typed != c.typed {
				t.Errorf("done %v, prompt %q, between %q, %d typed", done, l.prompt, l.between, l.typed)
			}
		})
	}
}

// allowed are the first words of what only shows, with what ends with the session.
var allowed = []string{"show ", "terminal length ", "terminal pager ", "set cli screen-length ", "vtysh -c 'show ", "uname ", "ss ", "cat /etc/"}

func TestCommandsOnlyRead(t *testing.T) {
	for _, p := range platforms() {
		seen := map[string]bool{}
		for i, c := range p.commands {
			ok := false
			for _, a := range allowed {
				ok = ok || strings.HasPrefix(c.Text, a)
			}
			filter := strings.TrimSuffix(c.Text, " | display omit")
			if !ok || strings.ContainsAny(filter, "|><;&`$\n\r\\*?") || c.Text != strings.TrimSpace(c.Text) {
				t.Errorf("%s: %q is not known to read only", p.name, c.Text)
			}
			if seen[c.Text] {
				t.Errorf("%s: %q is there twice", p.name, c.Text)
			}
			seen[c.Text] = true
			if c.Instead != "" && (i == 0 || p.commands[i-1].Text != c.Instead || p.commands[i-1].File != c.File || p.commands[i-1].Optional != c.Optional) {
				t.Errorf("%s: %q does not follow what it stands in for", p.name, c.Text)
			}
			if c.File == "" && !strings.HasPrefix(c.Text, "terminal ") && !strings.HasPrefix(c.Text, "set cli ") {
				t.Errorf("%s: %q gives no evidence and is no setting", p.name, c.Text)
			}
		}
		if len(p.commands) == 0 || p.ends == "" {
			t.Errorf("%s: nothing to do", p.name)
		}
	}
	if Commands("nothing") != nil || len(Commands("cisco_ios")) != 5 || Commands("cisco_ios")[0].Text != "enable" {
		t.Errorf("commands %v", Commands("cisco_ios"))
	}
}

func FuzzKnownHosts(f *testing.F) {
	f.Add("[127.0.0.1]:22 ssh-ed25519 AAAA\n|1|c2FsdA==|c3Vt ssh-rsa AAAA\n@revoked * ssh-rsa BBBB\n*.example.net,!a.example.net ssh-rsa CC", "a.example.net")
	f.Add("@\n@x\n|1|\n|1|| a b\n[ x y\n", "[")
	f.Fuzz(func(t *testing.T, text, name string) {
		k := parseKnownHosts([]byte(text))
		for _, key := range k.keys(name) {
			if !strings.Contains(text, key.base64) {
				t.Fatalf("%q is not in the file", key.base64)
			}
		}
	})
}

// Ten thousand devices, half of them hashed: the price of looking one up.
func BenchmarkKnownHosts(b *testing.B) {
	var text strings.Builder
	for i := range 10_000 {
		if i%2 == 0 {
			text.WriteString("switch-")
			text.WriteString(strings.Repeat("x", i%7))
			text.WriteString(string(rune('a'+i%26)) + " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")
		} else {
			text.WriteString("|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")
		}
	}
	k := parseKnownHosts([]byte(text.String()))
	b.ReportAllocs()
	for b.Loop() {
		k.keys("unknown")
	}
}
