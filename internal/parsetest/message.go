package parsetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// Message writes down what d states of one message it takes for its own at least as far as said: a line each, and the class
// of its beat apart. Device text is copied when it is handed out, as the contract asks.
func Message(t testing.TB, d facts.Dialect, least facts.Confidence, body string) (stated []string, class string, understood bool) {
	t.Helper()
	const before = 7 // bytes of header
	b := []byte(strings.Repeat("x", before) + body)
	m := &facts.Message{Body: b[before:], BodyPos: evidence.MakePos(1, before), Span: evidence.Span{Pos: evidence.MakePos(1, 0), Len: uint32(len(b))}}
	add := func(format string, args ...any) { stated = append(stated, fmt.Sprintf(format, args...)) }
	s := facts.NewSink()
	s.Beat = func(b *facts.Beat) { class = strings.Clone(b.Class) }
	s.Transfer = func(x *facts.Transfer) { add("%s", transferText(x)) }
	s.Command = func(c *facts.Command) {
		add("command user=%q from=%v %q %v", c.User, c.Source, c.Line, c.Outcome)
		if c.Copy != nil {
			add("copy %v %q out=%v what=%q config=%v %q", c.Copy.Protocol, c.Copy.Host, c.Copy.Out, c.Copy.What, c.Copy.Config, c.Copy.URL)
		}
	}
	s.Auth = func(a *facts.Auth) { add("auth %v user=%q from=%v %v", a.Protocol, a.User, a.Source, a.Outcome) }
	s.Change = func(c *facts.Change) { add("change %s %q user=%q from=%v", c.What, c.Subject, c.User, c.Source) }
	s.Note = func(n facts.Note) { add("note %s", n.Message) }
	s.Secret = func(x facts.Secret) {
		off := int(x.Span.Pos.Off())
		if off < before || off+int(x.Span.Len) > len(b) {
			t.Errorf("secret at %d+%d of %d bytes", off, x.Span.Len, len(b))
			return
		}
		add("secret %q", b[off:off+int(x.Span.Len)])
	}
	if d.Match(m) < least {
		return nil, "", false
	}
	understood = d.New().Message(m, s)
	return stated, class, understood
}

func transferText(x *facts.Transfer) string {
	n := func(v int64) string {
		if v == facts.Absent {
			return "-"
		}
		return fmt.Sprint(v)
	}
	text := fmt.Sprintf("%v:%d>%v:%d/%d %v/%v by %v %s %v", x.Client, x.ClientPort, x.Server, x.ServerPort, x.Transport, x.Protocol, x.PortProtocol, x.By, x.Op, x.Outcome)
	if x.Half != facts.Whole {
		text += fmt.Sprintf(" half=%d", x.Half)
	}
	if x.Conn != 0 {
		text += fmt.Sprintf(" conn=%d", x.Conn)
	}
	if x.Out != facts.Absent || x.In != facts.Absent || x.Total != facts.Absent {
		text += " bytes " + n(x.Out) + "/" + n(x.In) + "/" + n(x.Total)
	}
	if x.Duration >= 0 {
		text += " for " + x.Duration.String()
	}
	if x.User != "" {
		text += " user=" + x.User
	}
	if x.File != "" {
		text += " file=" + x.File
	}
	return text
}
