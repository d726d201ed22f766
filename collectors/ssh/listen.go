package ssh

import (
	"bytes"
	"slices"
	"strings"
)

// What a shell prints is content mixed with what is only there for a person: the echo of what was typed, pagers and their
// erasure, prompts. The types of this file tell them apart. They see bytes as they come, cut anywhere, and do no I/O.

// maxPrompt bounds a prompt, and so what of an unfinished line may have to be held back.
const maxPrompt = 200

// lineBreak is what is typed to end a line. Devices take CR as the key it is.
const lineBreak = "\r"

// lastOf is the line that has not ended, without carriage returns before it, as devices redraw lines.
func lastOf(buf []byte) []byte {
	return bytes.TrimLeft(buf[bytes.LastIndexByte(buf, '\n')+1:], "\r")
}

// bare is a line without what does not show at its end.
func bare(line []byte) []byte { return bytes.TrimRight(line, " \r") }

// promptLike reports whether an unfinished line could be a prompt: short, no control characters but escape sequences, and
// one of the ends.
func promptLike(line []byte, ends string) bool {
	b := bare(line)
	if len(b) < 2 || len(b) > maxPrompt || strings.IndexByte(ends, b[len(b)-1]) < 0 {
		return false
	}
	for _, c := range b {
		if c < 0x20 && c != 0x1b || c == 0x7f {
			return false
		}
	}
	return true
}

// A learner finds out what a device's prompt is: what comes again in answer to an empty line. A banner may look like a
// prompt, but does not come again.
type learner struct {
	ends   string
	pagers []string
	buf    []byte
	typed  int    // empty lines
	at     int    // len(buf) when the last one was typed
	guess  []byte // the prompt, if it comes again
	prompt []byte
	// between is what the device prints between two prompts besides empty lines: Junos states the chassis role there.
	between string
}

// maxBanner bounds what a device may say before its first prompt.
const maxBanner = 256 << 10

// maxTyped bounds the empty lines typed to learn a prompt.
const maxTyped = 6

// feed takes what came and returns what to type; done is true when the prompt is known.
func (l *learner) feed(chunk []byte) (typed string, done bool) {
	l.buf = append(l.buf, chunk...)
	line := lastOf(l.buf)
	if isPager(line, l.pagers) {
		return " ", false
	}
	if !promptLike(line, l.ends) {
		return "", false
	}
	fresh := l.buf[l.at:]
	if l.guess != nil && bytes.Equal(bare(line), l.guess) && bytes.IndexByte(fresh, '\n') >= 0 {
		l.prompt = l.guess
		between := strings.TrimSpace(strings.TrimSuffix(string(bare(fresh)), string(l.guess)))
		if between != string(l.guess) && !strings.ContainsRune(between, '\n') {
			l.between = between
		}
		return "", true
	}
	if bytes.Equal(bare(line), l.guess) || l.typed == maxTyped {
		return "", false // the answer to the empty line is on its way
	}
	l.guess = bytes.Clone(bare(line))
	return l.again(), false
}

// again types one more empty line.
func (l *learner) again() string {
	if l.typed == maxTyped {
		return ""
	}
	l.typed++
	l.at = len(l.buf)
	return lineBreak
}

// isPager reports whether an unfinished line asks for a key to go on.
func isPager(line []byte, pagers []string) bool {
	b := bytes.TrimSpace(line)
	if len(b) == 0 || len(b) > maxPrompt {
		return false
	}
	for _, p := range pagers {
		before, after, any := strings.Cut(p, "*")
		if !any && string(b) == p {
			return true
		}
		if any && len(b) >= len(p) && bytes.HasPrefix(b, []byte(before)) && bytes.HasSuffix(b, []byte(after)) {
			return true
		}
	}
	return false
}

type listenState uint8

const (
	awaitEcho listenState = iota
	inContent
	inErasure
)

// A listener tells the content of one answer from the rest. The end is the prompt, the prompt again in answer to an empty
// line, and then silence: a line of the content that looks the same is not answered, and more of the content follows it.
type listener struct {
	command string
	prompt  []byte
	between string
	pagers  []string
	emit    func([]byte) error // its argument is valid until it returns

	state listenState
	buf   []byte // what is not decided yet
	odd   int    // lines passed over before the echo
	again bool   // before the echo: the prompt stood on a line of its own
	long  bool   // the beginning of the unfinished line was emitted: it is no prompt
	held  bool   // buf begins with what reads as the prompt; its confirmation is awaited
	ripe  bool   // it was confirmed: silence ends the answer
	asked int    // empty lines typed
	loose bool   // a key was typed that nothing asked for: it may answer a pager before that is seen
	pager int    // in erasure: how much of buf is the pager
}

// feed takes what came and returns what to type.
func (l *listener) feed(chunk []byte) (typed string, err error) {
	l.buf = append(l.buf, chunk...)
	l.ripe = false
	for more := true; more && err == nil; {
		switch l.state {
		case awaitEcho:
			typed, more = l.echo()
		case inContent:
			typed, more, err = l.content()
		case inErasure:
			more, err = l.erasure()
		}
	}
	if typed == lineBreak {
		l.asked++
	}
	return typed, err
}

// waits reports whether an empty line was typed whose answer is awaited and nothing else. When it does not come, nudge gives
// what to type: some devices drop what is typed while they print.
func (l *listener) waits() bool { return l.held && !l.ripe }

// maxAsked bounds the empty lines typed for one command.
const maxAsked = 4

func (l *listener) nudge() string {
	if l.asked == maxAsked {
		return ""
	}
	l.asked++
	return lineBreak
}

// finish ends a ripe answer that silence followed. Of the prompts at its end one is its own and one is for each empty line
// that was typed; any before them are content.
func (l *listener) finish() error {
	if l.state != inContent {
		return nil
	}
	var starts []int // of lines that read as the prompt
	at := 0
	for line := range bytes.Lines(l.buf) {
		if bytes.Equal(bare(bytes.Trim(line, "\r\n")), l.prompt) {
			starts = append(starts, at)
		}
		at += len(line)
	}
	if n := len(starts) - 1 - l.asked; n > 0 {
		return l.flush(starts[n])
	}
	return nil
}

// flush emits the first n bytes of buf.
func (l *listener) flush(n int) error {
	if n == 0 {
		return nil
	}
	err := l.emit(l.buf[:n])
	l.discard(n)
	return err
}

// discard drops the first n bytes of buf and keeps its memory.
func (l *listener) discard(n int) { l.buf = l.buf[:copy(l.buf, l.buf[n:])] }

// Bounds of what may stand before an echo: answers to empty lines typed earlier.
const (
	maxOdd  = 16
	maxEcho = 4 << 10
)

// echo passes over what was typed.
func (l *listener) echo() (typed string, more bool) {
	i := bytes.IndexByte(l.buf, '\n')
	if i < 0 {
		switch {
		case len(l.buf) > maxEcho:
			l.state = inContent
			return "", true
		case !bytes.Equal(bare(lastOf(l.buf)), l.prompt):
			return "", false
		case l.asked > 0:
			l.ripe = l.again // the prompt twice: no echo, and no answer
			return "", false
		}
		l.held = true // a late prompt, or the end of no answer
		return lineBreak, false
	}
	line := bare(bytes.TrimLeft(l.buf[:i], "\r"))
	prompt := bytes.Equal(line, l.prompt)
	switch {
	case bytes.HasSuffix(line, []byte(l.command)):
		l.discard(i + 1)
	case l.odd < maxOdd && (len(line) == 0 || prompt || l.between != "" && string(line) == l.between):
		l.odd++
		l.again = l.again || prompt && l.asked > 0
		l.discard(i + 1)
		return "", true
	}
	l.state, l.held = inContent, false // without an echo the answer has begun
	return "", true
}

// content emits what is decided and looks at the unfinished line.
func (l *listener) content() (typed string, more bool, err error) {
	if l.held {
		switch l.confirmed() {
		case yes:
			l.ripe = true
			return "", false, nil
		case undecided:
			return "", false, nil
		case no: // it was content
			l.held, l.loose = false, true
			return "", true, l.flush(bytes.IndexByte(l.buf, '\n') + 1)
		}
	}
	if l.loose {
		l.tidy()
	}
	if l.asked > 0 && bytes.Contains(l.buf, l.prompt) { // the answer to an empty line may be whole already
		if at := l.promptLine(); at >= 0 {
			err := l.flush(l.beforePrompt(at))
			l.discard(bytes.Index(l.buf, l.prompt))
			l.held = true
			return "", true, err
		}
	}
	end := bytes.LastIndexByte(l.buf, '\n') + 1
	line := lastOf(l.buf)
	start := len(l.buf) - len(line)
	l.long = l.long && end == 0
	switch {
	case l.long:
	case len(l.prompt) > 0 && bytes.Equal(bare(line), l.prompt):
		size := len(line)
		err := l.flush(l.beforePrompt(end))
		l.discard(len(l.buf) - size)
		l.held = true
		if l.asked == 0 {
			typed = lineBreak
		}
		return typed, false, err
	case isPager(line, l.pagers):
		size := len(line)
		err := l.flush(end)
		l.discard(start - end)
		l.state, l.pager = inErasure, size
		return " ", false, err
	}
	if l.long || len(line) > maxPrompt+2 {
		l.long = true
		return "", false, l.flush(len(l.buf))
	}
	return "", false, l.flush(l.beforePrompt(end))
}

// beforePrompt is how much of the first n bytes, whole lines, is not what the device prints before its prompt.
func (l *listener) beforePrompt(n int) int {
	if l.between == "" {
		return n
	}
	for n > 0 {
		start := bytes.LastIndexByte(l.buf[:n-1], '\n') + 1
		if line := bytes.TrimSpace(l.buf[start:n]); len(line) > 0 && string(line) != l.between {
			break
		}
		n = start
	}
	return n
}

// promptLine is where the first whole line begins that reads as the prompt, -1 when there is none.
func (l *listener) promptLine() int {
	at := 0
	for line := range bytes.Lines(l.buf) {
		if line[len(line)-1] == '\n' && bytes.Equal(bare(bytes.TrimLeft(line[:len(line)-1], "\r")), l.prompt) {
			return at
		}
		at += len(line)
	}
	return -1
}

// tidy removes pagers that were answered before they were seen: they are not at the end of what came, but followed by
// their erasure.
func (l *listener) tidy() {
	out := l.buf[:0]
	for rest := l.buf; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n') + 1
		if end == 0 {
			end = len(rest)
		}
		line := rest[:end]
		rest = rest[end:]
		i := bytes.IndexAny(line, "\b\x1b\r")
		if i > 0 && isPager(line[:i], l.pagers) && len(bytes.Trim(line[i:], "\r\n")) > 0 {
			if n, decided := erased(line[:i], line[i:]); decided {
				line = line[i+n:]
			}
		}
		out = append(out, line...)
	}
	l.buf = out
}

type verdict uint8

const (
	undecided verdict = iota
	yes
	no
)

// confirmed reports whether buf, which begins with what reads as the prompt, is prompts and nothing else, two at least.
func (l *listener) confirmed() verdict {
	prompts := 0
	for line := range bytes.Lines(l.buf) {
		whole := line[len(line)-1] == '\n'
		text := bare(bytes.Trim(line, "\r\n"))
		switch {
		case bytes.Equal(text, l.prompt):
			prompts++
			if !whole && prompts > 1 {
				return yes
			}
		case whole && (len(text) == 0 || string(text) == l.between):
		case !whole && (bytes.HasPrefix(l.prompt, text) || strings.HasPrefix(l.between, string(text))):
		default:
			return no
		}
	}
	return undecided
}

// maxErasure bounds what a device may send to wipe a pager out.
const maxErasure = 1024

// erasure passes over a pager and what wipes it out: backspaces, blanks, carriage returns and escape sequences, until the
// line is empty and the cursor is at its start. Blanks after that belong to the content, whose lines are indented.
func (l *listener) erasure() (more bool, err error) {
	pager, after := l.buf[:l.pager], l.buf[l.pager:]
	rest := bytes.TrimLeft(after, " ") // a pager's own last blank may come late
	if len(after) < maxErasure && (len(rest) == 0 || len(rest) == 1 && rest[0] == '\r') {
		return false, nil
	}
	n, decided := erased(pager, after)
	ended := bytes.HasPrefix(bytes.TrimPrefix(rest, []byte("\r")), []byte("\n"))
	switch {
	case ended, decided && n == 0: // no answer to a key: the content has something that reads as the pager
		l.state, l.loose = inContent, true
		n := bytes.IndexByte(l.buf, '\n') + 1
		if n == 0 {
			n, l.long = len(l.buf), true
		}
		return true, l.flush(n)
	case !decided && len(after) < maxErasure:
		return false, nil
	}
	l.discard(l.pager + n)
	l.state, l.long = inContent, false
	return true, nil
}

// erased is how many bytes of text wipe out a line whose end the cursor is at. decided is false when it takes more text to
// tell.
func erased(line, text []byte) (n int, decided bool) {
	var ink [2 * maxPrompt]bool // where something shows
	for i, c := range line[:min(len(line), len(ink))] {
		ink[i] = c != ' '
	}
	column := len(line)
	control := 0 // behind the last control character
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\b':
			column = max(column-1, 0)
			control = i + 1
		case '\r':
			column = 0
			control = i + 1
		case ' ':
			if column < len(ink) {
				ink[column] = false
			}
			column++
		case 0x1b:
			final, size := escape(text[i:])
			if size == 0 {
				return len(text), false
			}
			switch {
			case (final == 'K' || final == 'J') && text[i+size-2] == '2':
				clear(ink[:])
			case final == 'K' || final == 'J':
				clear(ink[min(column, len(ink)):])
			case final == 'G':
				column = 0
			}
			i += size - 1
			control = i + 1
		default:
			return control, true // printed: blanks behind the last control character are its indentation
		}
		if column == 0 && control == i+1 && !slices.Contains(ink[:], true) {
			return i + 1, true
		}
	}
	return len(text), false
}

// escape is the final character and length of a control sequence (ECMA-48, 5.4); 0 when it is not whole.
func escape(text []byte) (final byte, size int) {
	if len(text) < 2 {
		return 0, 0
	}
	if text[1] != '[' {
		return text[1], 2
	}
	for i := 2; i < len(text); i++ {
		if c := text[i]; c >= 0x40 && c <= 0x7e {
			return c, i + 1
		}
	}
	return 0, 0
}
