// Package showversion reads the answer to "show version" of Cisco IOS, IOS-XE and ASA and of Junos: platform, model,
// version and hostname, which the configuration itself often does not state.
package showversion

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// maxText bounds the answer; real ones are a few kilobytes.
const maxText = 1 << 20

// Format reads answers to show version.
func Format() facts.Format {
	return facts.Format{Name: "show-version", Detect: detect, Parse: parse}
}

// first words of the answer, one platform each. Configurations never begin so.
var marks = []struct{ mark, platform string }{
	{"Cisco IOS XE Software, Version ", facts.CiscoIOS},
	{"Cisco IOS Software", facts.CiscoIOS},
	{"Cisco Internetwork Operating System Software", facts.CiscoIOS},
	{"Cisco Adaptive Security Appliance Software Version ", facts.CiscoASA},
	{"JUNOS Software Release [", facts.Junos},
	{"Junos: ", facts.Junos},
}

func platform(head []byte) string {
	lines := 0
	for line := range bytes.SplitSeq(head, []byte("\n")) {
		line = bytes.TrimRight(line, "\r")
		if len(line) == 0 {
			continue
		}
		if lines++; lines > 6 {
			return ""
		}
		for _, m := range marks {
			if bytes.HasPrefix(line, []byte(m.mark)) {
				return m.platform
			}
		}
	}
	return ""
}

func detect(_ string, head []byte) facts.Confidence {
	if platform(head) == "" {
		return facts.No
	}
	for _, config := range []string{"\ninterface ", "\nhostname ", "\nsystem {", "\nset system "} {
		if bytes.Contains(head, []byte(config)) {
			return facts.Possible // a capture that goes on with the configuration
		}
	}
	return facts.Strong
}

func parse(ctx context.Context, p evidence.Piece, s facts.Sink) error {
	r, err := p.Open(0)
	if err != nil {
		return fmt.Errorf("open %s: %w", p.Path, err)
	}
	defer r.Close()
	src, err := io.ReadAll(io.LimitReader(r, maxText))
	if err != nil {
		return fmt.Errorf("read %s: %w", p.Path, err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	d := &facts.Device{Platform: platform(src), Taken: p.Mod}
	off := 0
	for line := range bytes.SplitSeq(src, []byte("\n")) {
		state(d, p.File, strings.TrimRight(string(line), "\r"), int64(off))
		off += len(line) + 1
	}
	s.Device(d)
	return nil
}

// state reads one line. Everything else in the answer is of no concern here.
func state(d *facts.Device, f *evidence.File, line string, off int64) {
	say := func(v *facts.V[string], text string) {
		text = strings.TrimSpace(text)
		i := strings.Index(line, text)
		if text == "" || i < 0 || v.Known() {
			return
		}
		*v = facts.Say(text, f.Span(off+int64(i), len(text)))
	}
	after := func(mark, until string) (string, bool) {
		_, rest, ok := strings.Cut(line, mark)
		if i := strings.IndexAny(rest, until); i >= 0 {
			rest = rest[:i]
		}
		return rest, ok && rest != ""
	}
	if i := strings.Index(line, " uptime is "); i > 0 && !strings.ContainsAny(line[:i], " \t") {
		say(&d.Hostname, line[:i])
	}
	if i := strings.Index(line, " up "); d.Platform == facts.CiscoASA && i > 0 && !strings.ContainsAny(line[:i], " \t") {
		say(&d.Hostname, line[:i])
	}
	switch d.Platform {
	case facts.CiscoIOS:
		if v, ok := after("Version ", ", \t"); ok && strings.Contains(line, "IOS") {
			say(&d.Version, v)
		}
		if rest, ok := strings.CutPrefix(line, "cisco "); ok {
			if m, _, ok := strings.Cut(rest, " "); ok && strings.Contains(rest, "processor") {
				say(&d.Model, m)
			}
		}
	case facts.CiscoASA:
		if v, ok := after("Appliance Software Version ", " \t"); ok {
			say(&d.Version, v)
		}
		if v, ok := after("Hardware:", ","); ok {
			say(&d.Model, v)
		}
	case facts.Junos:
		if v, ok := strings.CutPrefix(line, "Hostname: "); ok {
			say(&d.Hostname, v)
		}
		if v, ok := strings.CutPrefix(line, "Model: "); ok {
			say(&d.Model, v)
		}
		if v, ok := strings.CutPrefix(line, "Junos: "); ok {
			say(&d.Version, v)
		}
		if v, ok := after("JUNOS Software Release [", "]"); ok {
			say(&d.Version, v)
		}
	}
}
