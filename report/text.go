package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// TextOptions say how the terminal report looks.
type TextOptions struct {
	Color   bool
	ASCII   bool // no character beyond ASCII of our own; device text is escaped to ASCII
	Verbose bool // accepted and known findings in full, every gap and note
	Quiet   bool // findings only, one line each
	Brief   bool // no sums
	Width   int  // of the terminal; 0 is 200
}

// Text writes d for a terminal: findings as a compiler writes errors, then what was not evaluated, what is incomplete,
// and the sums.
func Text(w io.Writer, d *Doc, o TextOptions) error {
	if o.Width == 0 {
		o.Width = 200
	}
	t := &texter{w: bufio.NewWriter(w), o: o}
	for i := range d.Findings {
		f := &d.Findings[i]
		if (f.State == "known" || f.State == "accepted") && !o.Verbose {
			continue
		}
		t.finding(f)
	}
	if !o.Quiet {
		t.gaps(d)
		t.notes(d)
	}
	t.incomplete(d)
	if !o.Quiet && !o.Brief {
		t.sums(d)
	}
	return t.w.Flush()
}

type texter struct {
	w *bufio.Writer
	o TextOptions
}

const (
	sgrBold  = "1"
	sgrDim   = "2"
	sgrRed   = "31"
	sgrGreen = "32"
	sgrCyan  = "36"
)

func severitySGR(s string) string {
	switch s {
	case "critical":
		return "1;35"
	case "high":
		return "1;31"
	case "medium":
		return "1;33"
	case "low":
		return "1;36"
	}
	return "1"
}

func (t *texter) sgr(code, s string) string {
	if !t.o.Color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t *texter) printf(format string, args ...any) { fmt.Fprintf(t.w, format, args...) }

func (t *texter) finding(f *Finding) {
	id := f.Check
	if f.Variant > 0 {
		id += "-" + strconv.Itoa(f.Variant)
	}
	state := ""
	if f.State != "new" {
		state = " (" + f.State + ")"
	}
	t.printf("%s[%s] %s%s\n", t.sgr(severitySGR(f.Severity), f.Severity), id, t.sgr(sgrBold, t.safe(f.Message)), state)
	if t.o.Quiet {
		return
	}
	width := 1
	for _, s := range f.Spans {
		width = max(width, len(strconv.Itoa(s.EndLine)))
	}
	for i, s := range f.Spans {
		t.span(&s, i == 0, width)
	}
	for _, k := range sortedKeys(f.Evidence) {
		t.printf("%s = %s: %s\n", strings.Repeat(" ", width), t.safe(k), t.safe(f.Evidence[k]))
	}
	if f.Time != nil {
		t.printf("%s = seen: %s to %s\n", strings.Repeat(" ", width), f.Time.First, f.Time.Last)
	}
	if f.Fix != "" {
		lines := strings.Split(strings.TrimRight(f.Fix, "\n"), "\n")
		t.printf("%s %s %s\n", strings.Repeat(" ", width), t.sgr(sgrGreen, "= fix:"), t.safe(lines[0]))
		for _, l := range lines[1:] {
			t.printf("%s        %s\n", strings.Repeat(" ", width), t.safe(l))
		}
	}
	switch {
	case f.Accepted != nil:
		t.printf("%s = accepted by %s until %s, ticket %s, owner %s\n", strings.Repeat(" ", width), t.safe(f.Accepted.By), f.Accepted.Expires, t.safe(f.Accepted.Ticket), t.safe(f.Accepted.Owner))
	default:
		t.printf("%s %s quaymaster explain %s   accept: an exception with fingerprint %s\n", strings.Repeat(" ", width), t.sgr(sgrDim, "= help:"), f.Check, f.Fingerprint)
	}
	t.printf("\n")
}

// maxShown bounds the lines of one span that are printed.
const maxShown = 4

func (t *texter) span(s *Span, first bool, width int) {
	bar, arrow := "|", "-->"
	if !t.o.ASCII {
		bar, arrow = "│", "╭─"
		if !first {
			arrow = "├─"
		}
	} else if !first {
		arrow = ":::"
	}
	pad := strings.Repeat(" ", width)
	role := ""
	if s.Role != "" {
		role = "  " + t.safe(s.Role)
	}
	t.printf("%s %s %s:%d:%d%s\n", pad, t.sgr(sgrCyan, arrow), t.safe(s.Path), s.Line, s.Column, role)
	if s.Text == "" {
		return
	}
	lines := strings.Split(s.Text, "\n")
	for i, l := range lines {
		if i == maxShown {
			t.printf("%s %s %s\n", pad, t.sgr(sgrCyan, bar), t.sgr(sgrDim, fmt.Sprintf("... %d more lines", len(lines)-i)))
			return
		}
		l = strings.TrimRight(l, "\r")
		shown, from, to := t.clip(l, s, i)
		t.printf("%*d %s %s\n", width, s.Line+i, t.sgr(sgrCyan, bar), shown)
		if i == 0 && to > from {
			t.printf("%s %s %s%s\n", pad, t.sgr(sgrCyan, bar), strings.Repeat(" ", from), t.sgr(sgrRed, strings.Repeat("^", to-from)))
		}
	}
}

// clip escapes a line, cuts it to the terminal's width and finds the display columns of the span in it. A line with a
// redaction is underlined whole: its columns no longer match.
func (t *texter) clip(l string, s *Span, nth int) (shown string, from, to int) {
	start, end := s.Column-1, s.EndColumn-1
	if nth > 0 || s.EndLine > s.Line {
		end = utf8.RuneCountInString(l)
	}
	if strings.Contains(l, Redacted) {
		start, end = 0, utf8.RuneCountInString(l)
		for _, r := range l {
			if r != ' ' && r != '\t' {
				break
			}
			start++
		}
	}
	var b strings.Builder
	col, i := 0, 0
	from, to = -1, -1
	limit := max(t.o.Width-12, 40)
	for _, r := range l {
		if i == start {
			from = col
		}
		if i == end {
			to = col
		}
		e := t.rune(r)
		if col+len(e) > limit {
			b.WriteString("...")
			col += 3
			break
		}
		b.WriteString(e)
		col += utf8.RuneCountInString(e)
		i++
	}
	if from < 0 {
		from = 0
	}
	if to < 0 {
		to = col
	}
	return b.String(), from, to
}

// safe escapes device text for a terminal: control characters, invalid bytes, bidirectional overrides.
func (t *texter) safe(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			b.WriteString(t.rune(r))
		}
		i += n
	}
	return b.String()
}

func (t *texter) rune(r rune) string {
	switch {
	case r == '\t':
		return " "
	case r < 0x20 || r >= 0x7f && r < 0xa0:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x7f:
		return string(r)
	case t.o.ASCII, !unicode.IsPrint(r), unicode.Is(unicode.Cf, r):
		return fmt.Sprintf(`\u%04x`, r)
	}
	return string(r)
}

// A gapLine is what several checks did not have at the same devices.
type gapLine struct {
	checks  []string
	devices []string
	missing string
}

// gapLines are the gaps of a document, those of the same devices and words together, by their first check.
func gapLines(d *Doc) []*gapLine {
	type key struct{ check, missing string }
	devices := map[key]map[string]bool{}
	for _, g := range d.NotEvaluated {
		k := key{g.Check, g.Missing}
		if devices[k] == nil {
			devices[k] = map[string]bool{}
		}
		devices[k][g.Device] = true
	}
	var out []*gapLine
	by := map[string]*gapLine{}
	for k, set := range devices {
		names := sortedKeys(set)
		id := k.missing + "\x00" + strings.Join(names, "\x00")
		if by[id] == nil {
			by[id] = &gapLine{devices: names, missing: k.missing}
			out = append(out, by[id])
		}
		by[id].checks = append(by[id].checks, k.check)
	}
	for _, g := range out {
		slices.Sort(g.checks)
	}
	slices.SortFunc(out, func(a, b *gapLine) int {
		return cmp.Or(strings.Compare(a.checks[0], b.checks[0]), strings.Compare(a.missing, b.missing), slices.Compare(a.devices, b.devices))
	})
	return out
}

// series spells check IDs in a row: "QM2018, QM2020, QM3001 to QM3006".
func series(ids []string) string {
	number := func(id string) int {
		n, _ := strconv.Atoi(strings.TrimPrefix(id, "QM"))
		return n
	}
	var parts []string
	for i := 0; i < len(ids); {
		j := i
		for j+1 < len(ids) && number(ids[j]) > 0 && number(ids[j+1]) == number(ids[j])+1 {
			j++
		}
		if j < i+2 {
			parts = append(parts, ids[i])
			i++
			continue
		}
		parts = append(parts, ids[i]+" to "+ids[j])
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

func (t *texter) gaps(d *Doc) {
	lines := gapLines(d)
	if len(lines) == 0 {
		return
	}
	t.printf("%s\n", t.sgr(sgrBold, "not evaluated (no evidence; this is not a pass)"))
	for i, g := range lines {
		if i == 12 && !t.o.Verbose {
			t.printf("  ... %d more; -v lists all\n", len(lines)-i)
			break
		}
		where := fmt.Sprintf("%d devices", len(g.devices))
		switch {
		case len(g.devices) == 1 && g.devices[0] == "":
			where = "everywhere"
		case len(g.devices) == 1:
			where = g.devices[0]
		case t.o.Verbose:
			where = strings.Join(g.devices, ", ")
		}
		t.printf("  %s  %s: %s\n", series(g.checks), t.safe(where), t.safe(g.missing))
	}
	t.printf("\n")
}

func (t *texter) notes(d *Doc) {
	n := 0
	for _, x := range d.Notes {
		if x.Kind == "incomplete" || x.Kind == "info" && !t.o.Verbose {
			continue
		}
		if n == 10 && !t.o.Verbose {
			t.printf("  ... more; -v lists all\n")
			break
		}
		if n == 0 {
			t.printf("%s\n", t.sgr(sgrBold, "notes on the evidence"))
		}
		n++
		t.printf("  %s%s\n", t.safe(place(x.Path, x.Line)), t.safe(x.Message))
		if x.Hint != "" {
			t.printf("    hint: %s\n", t.safe(x.Hint))
		}
	}
	if n > 0 {
		t.printf("\n")
	}
}

func place(path string, line int) string {
	switch {
	case path == "":
		return ""
	case line == 0:
		return path + ": "
	}
	return fmt.Sprintf("%s:%d: ", path, line)
}

func (t *texter) incomplete(d *Doc) {
	if d.Complete {
		return
	}
	t.printf("%s\n", t.sgr("1;31", "INCOMPLETE: this result does not speak for everything that was named"))
	for i, r := range d.Incomplete {
		if i == 20 && !t.o.Verbose {
			t.printf("  ... %d more; -v lists all\n", len(d.Incomplete)-i)
			break
		}
		at := place(r.Path, r.Line)
		if at == "" && r.Device != "" {
			at = r.Device + ": "
		}
		t.printf("  %s%s\n", t.safe(at), t.safe(r.Message))
		if r.Hint != "" {
			t.printf("    hint: %s\n", t.safe(r.Hint))
		}
	}
	t.printf("\n")
}

func (t *texter) sums(d *Doc) {
	var parts []string
	total := 0
	for _, s := range []string{"critical", "high", "medium", "low", "info"} {
		if n := d.Summary.BySeverity[s]; n > 0 {
			parts = append(parts, t.sgr(severitySGR(s), fmt.Sprintf("%d %s", n, s)))
			total += n
		}
	}
	head := "no open findings"
	if total > 0 {
		head = fmt.Sprintf("%d open finding%s: %s", total, plural(total), strings.Join(parts, ", "))
	}
	var states []string
	for _, s := range []string{"accepted", "known", "reopened"} {
		if n := d.Summary.ByState[s]; n > 0 {
			states = append(states, fmt.Sprintf("%d %s", n, s))
		}
	}
	if len(states) > 0 {
		head += " (" + strings.Join(states, ", ") + ")"
	}
	t.printf("%s\n", head)
	t.printf("%d device%s, %d file%s", d.Summary.Devices, plural(d.Summary.Devices), d.Summary.Files, plural(d.Summary.Files))
	l := d.Summary.Lines
	if all := l.Understood + l.Irrelevant + l.Unsupported + l.Unrecognised; all > 0 {
		t.printf("; %d configuration lines, %.1f%% accounted for", all, 100*float64(l.Understood+l.Irrelevant)/float64(all))
	}
	t.printf("; %d checks asked", d.Summary.ChecksAsked)
	if d.Summary.NotEvaluated > 0 {
		t.printf(", %d of them not evaluated somewhere", d.Summary.NotEvaluated)
	}
	t.printf("\n")
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
