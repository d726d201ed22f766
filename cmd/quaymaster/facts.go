package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/engine"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/spf13/cobra"
)

func (p *program) factsCommand() *cobra.Command {
	var unparsed bool
	var kinds []string
	c := &cobra.Command{
		Use: "facts PATH...", Short: "What was understood, as JSON Lines; --unparsed lists what was not", GroupID: "ask",
		Long: `Print every fact that was read, one JSON object a line, in the order of files and positions: devices, transfers,
commands, auths, changes, beats, samples and notes. Nothing is judged. With --unparsed, print the lines that were not
understood instead, as path:line: state: text.`,
		Example: "  quaymaster facts logs/ --kind transfer | jq .server\n  quaymaster facts configs/ --unparsed",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, paths []string) error {
			return p.facts(c.Context(), unparsed, kinds, paths)
		},
	}
	c.Flags().BoolVar(&unparsed, "unparsed", false, "list the lines that were not understood")
	c.Flags().StringSliceVar(&kinds, "kind", nil, "only these: device, transfer, command, auth, change, beat, sample, note")
	return c
}

func (p *program) facts(ctx context.Context, unparsed bool, kinds []string, paths []string) error {
	known := []string{"device", "transfer", "command", "auth", "change", "beat", "sample", "note"}
	for _, k := range kinds {
		if !slices.Contains(known, k) {
			return usage(fmt.Errorf("--kind: %q is not one of %s", k, listed(known)))
		}
	}
	set, err := evidence.Open(ctx, evidence.Options{Stdin: p.stdin}, paths...)
	if err != nil {
		return usage(err)
	}
	defer set.Close()
	w := bufio.NewWriterSize(p.stdout, 1<<16)
	f := &factWriter{w: w, json: json.NewEncoder(w), set: set, unparsed: unparsed, kinds: kinds}
	f.json.SetEscapeHTML(false)
	incomplete := len(set.Problems) > 0
	for _, pr := range set.Problems {
		p.complain(fmt.Errorf("%s: %s", pr.Path, pr.Err))
	}
	err = engine.Facts(ctx, engine.Options{Set: set}, f.sink, func(in audit.Input) error {
		if in.Problem != "" {
			incomplete = true
			p.complain(fmt.Errorf("%s: %s", in.File.Path, in.Problem))
		}
		return f.flush()
	})
	if err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	switch {
	case len(set.Files) == 0 && !incomplete:
		return nothing()
	case incomplete:
		return &exitError{code: audit.ExitIncomplete}
	}
	return nil
}

// A factWriter prints facts of one file at a time, with their lines.
type factWriter struct {
	w        *bufio.Writer
	json     *json.Encoder
	set      *evidence.Set
	unparsed bool
	kinds    []string
	file     *evidence.File
	lines    *lineCounter
	devices  []*facts.Device
	err      error
}

func (f *factWriter) wants(kind string) bool {
	return !f.unparsed && (len(f.kinds) == 0 || slices.Contains(f.kinds, kind))
}

func (f *factWriter) put(v any) {
	if f.err == nil {
		f.err = f.json.Encode(v)
	}
}

// line is the 1-based line of a span in the current file.
func (f *factWriter) line(s evidence.Span) int {
	if s.IsZero() {
		return 0
	}
	n, err := f.lines.at(s.Pos.Off())
	if err != nil && f.err == nil {
		f.err = err
	}
	return n
}

func (f *factWriter) sink(file *evidence.File) facts.Sink {
	f.file, f.lines, f.devices = file, &lineCounter{file: file}, nil
	k := facts.NewSink()
	k.Device = func(d *facts.Device) { f.devices = append(f.devices, d) }
	if f.wants("transfer") {
		k.Transfer = f.transfer
	}
	if f.wants("command") {
		k.Command = func(c *facts.Command) {
			f.put(map[string]any{"kind": "command", "time": when(c.Time), "device": c.Device, "format": c.Format, "platform": c.Platform,
				"user": c.User, "src": addr(c.Source), "command": c.Line, "action": c.Outcome.String(), "path": file.Path, "line": f.line(c.Span)})
		}
	}
	if f.wants("auth") {
		k.Auth = func(a *facts.Auth) {
			f.put(map[string]any{"kind": "auth", "time": when(a.Time), "device": a.Device, "format": a.Format, "platform": a.Platform,
				"protocol": a.Protocol.String(), "user": a.User, "src": addr(a.Source), "action": a.Outcome.String(), "path": file.Path, "line": f.line(a.Span)})
		}
	}
	if f.wants("change") {
		k.Change = func(c *facts.Change) {
			f.put(map[string]any{"kind": "change", "time": when(c.Time), "device": c.Device, "format": c.Format, "platform": c.Platform,
				"what": c.What, "subject": c.Subject, "user": c.User, "src": addr(c.Source), "path": file.Path, "line": f.line(c.Span)})
		}
	}
	if f.wants("beat") {
		k.Beat = func(b *facts.Beat) {
			f.put(map[string]any{"kind": "beat", "time": when(b.Time), "device": b.Device, "format": b.Format, "platform": b.Platform,
				"class": b.Class, "path": file.Path, "line": f.line(b.Span)})
		}
	}
	if f.wants("sample") {
		k.Sample = func(s *facts.Sample) {
			f.put(map[string]any{"kind": "sample", "time": when(s.Time), "device": s.Device, "name": s.Name, "entity": s.Entity,
				"value": s.Value, "epoch": s.Epoch, "path": file.Path, "line": f.line(s.Span)})
		}
	}
	if f.wants("note") {
		k.Note = func(n facts.Note) {
			f.put(map[string]any{"kind": "note", "message": n.Message, "hint": n.Hint, "count": max(n.Count, 1), "path": file.Path, "line": f.line(n.Span)})
		}
	}
	return k
}

func when(s facts.Stamp) any {
	if s.Quality == facts.NoTime || s.Quality == facts.UptimeOnly {
		return nil
	}
	return s.Time().Format(time.RFC3339Nano)
}

func addr(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// A transferFact is the published shape; what the source does not carry is absent.
type transferFact struct {
	Kind         string `json:"kind"`
	Time         any    `json:"time,omitempty"`
	Device       string `json:"device,omitempty"`
	Format       string `json:"format"`
	Platform     string `json:"platform,omitempty"`
	Vantage      string `json:"vantage,omitempty"`
	Src          string `json:"src,omitempty"`
	Sport        uint16 `json:"sport,omitempty"`
	Dst          string `json:"dst,omitempty"`
	Dport        uint16 `json:"dport,omitempty"`
	Transport    string `json:"transport,omitempty"`
	PortProtocol string `json:"port_protocol,omitempty"`
	Protocol     string `json:"protocol"`
	By           string `json:"by"`
	Op           string `json:"op,omitempty"`
	Action       string `json:"action"`
	Out          *int64 `json:"out,omitempty"`
	In           *int64 `json:"in,omitempty"`
	Total        *int64 `json:"total,omitempty"`
	DurationMS   *int64 `json:"duration_ms,omitempty"`
	User         string `json:"user,omitempty"`
	File         string `json:"file,omitempty"`
	Complete     string `json:"complete"`
	Half         string `json:"half,omitempty"`
	Path         string `json:"path"`
	Line         int    `json:"line"`
}

func carried(n int64) *int64 {
	if n == facts.Absent {
		return nil
	}
	return &n
}

func (f *factWriter) transfer(t *facts.Transfer) {
	x := transferFact{
		Kind: "transfer", Time: when(t.Time), Device: t.Device, Format: t.Format, Platform: t.Platform, Vantage: t.Vantage,
		Src: addr(t.Client), Sport: t.ClientPort, Dst: addr(t.Server), Dport: t.ServerPort,
		Protocol: t.Protocol.String(), By: t.By.String(), Op: t.Op.String(), Action: t.Outcome.String(),
		Out: carried(t.Out), In: carried(t.In), Total: carried(t.Total), User: t.User, File: t.File, Complete: t.Complete.String(),
		Half: [...]string{"", "build", "teardown"}[min(int(t.Half), 2)], Path: f.file.Path, Line: f.line(t.Span),
	}
	if t.PortProtocol != facts.ProtocolUnknown {
		x.PortProtocol = t.PortProtocol.String()
	}
	switch t.Transport {
	case facts.TCP:
		x.Transport = "tcp"
	case facts.UDP:
		x.Transport = "udp"
	}
	if t.Duration >= 0 {
		ms := t.Duration.Milliseconds()
		x.DurationMS = &ms
	}
	f.put(x)
}

// flush prints the file's devices, or its unread lines.
func (f *factWriter) flush() error {
	for _, d := range f.devices {
		switch {
		case f.unparsed:
			f.unread(d)
		case f.wants("device"):
			f.put(f.device(d))
		}
	}
	f.lines.close()
	return f.err
}

func (f *factWriter) unread(d *facts.Device) {
	spans := make([]evidence.Span, len(d.Unread))
	for i, u := range d.Unread {
		spans[i] = u.Span
	}
	secrets := make([]evidence.Span, len(d.Secrets))
	for i, s := range d.Secrets {
		secrets[i] = s.Span
	}
	for i, l := range resolveMasked(f.set, spans, secrets) {
		if _, err := fmt.Fprintf(f.w, "%s:%d: %s: %s\n", l.Path, l.Line, d.Unread[i].State, printable(l.Text)); err != nil && f.err == nil {
			f.err = err
		}
	}
}

// A lineCounter turns offsets of one file into lines, reading forward; going back starts again.
type lineCounter struct {
	file *evidence.File
	r    io.ReadCloser
	buf  *bufio.Reader
	off  int64
	line int
}

func (l *lineCounter) at(off int64) (int, error) {
	if l.r == nil || off < l.off {
		l.close()
		r, err := l.file.Open(0)
		if err != nil {
			return 0, err
		}
		l.r, l.off, l.line = r, 0, 1
		if l.buf == nil {
			l.buf = bufio.NewReaderSize(r, 1<<16)
		} else {
			l.buf.Reset(r)
		}
	}
	for l.off < off {
		b, err := l.buf.Peek(int(min(off-l.off, 1<<16)))
		for _, c := range b {
			if c == '\n' {
				l.line++
			}
		}
		n, _ := l.buf.Discard(len(b))
		l.off += int64(n)
		if err != nil && len(b) == 0 {
			return l.line, nil // the file became shorter: the last line is as near as can be
		}
	}
	return l.line, nil
}

func (l *lineCounter) close() {
	if l.r != nil {
		l.r.Close()
		l.r = nil
	}
}
