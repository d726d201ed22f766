package parsetest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// toy reads "name X" and "secret X" lines; wrong shifts its spans.
func toy(wrong int) facts.Format {
	return facts.Format{
		Name: "toy",
		Detect: func(_ string, head []byte) facts.Confidence {
			if bytes.HasPrefix(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), []byte("name ")) {
				return facts.Strong
			}
			return facts.No
		},
		Parse: func(ctx context.Context, p evidence.Piece, s facts.Sink) error {
			src, _, err := tree.ReadSource(ctx, p.File, s)
			if err != nil {
				return err
			}
			d := &facts.Device{Path: p.Path, Format: "toy"}
			var t tree.Tree
			t.Indent(src, tree.Indentation{Comments: "!"})
			for n := t.First; n != tree.None; n = t.Nodes[n].Next {
				w := t.Fields(nil, n)
				if len(w) < 2 {
					continue
				}
				span := p.File.Span(int64(int(w[1].Off)+wrong), int(w[1].Len))
				switch string(t.At(w[0])) {
				case "name":
					d.Hostname = facts.Say(string(t.At(w[1])), span)
				case "secret":
					d.Secrets = append(d.Secrets, facts.Secret{Span: span, Tag: s.Tag(t.At(w[1]))})
				default:
					continue
				}
				t.Mark(n, facts.Understood)
			}
			d.Lines = t.Count()
			for i := range t.Nodes {
				if n := &t.Nodes[i]; n.State == facts.Unrecognised && n.Flags == 0 && len(d.Unread) < facts.MaxUnread {
					d.Unread = append(d.Unread, facts.Unread{Span: p.File.Span(int64(n.Off), int(n.Len))})
				}
			}
			s.Device(d)
			return nil
		},
	}
}

var sample = Sample{Path: "toy.cfg", Text: "name sw1\n! x\nsecret hunter2\n!\nfoo\n", Secrets: []string{"hunter2"}}

func TestKit(t *testing.T) {
	Kit{
		Format: toy(0), Filler: "! ", Pager: " --More-- \b\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b\b", Samples: []Sample{sample},
	}.Run(t)
}

// A recorder counts failures instead of failing.
type recorder struct {
	testing.TB
	said []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}
func (r *recorder) Error(args ...any) { r.said = append(r.said, fmt.Sprint(args...)) }

func TestKitSees(t *testing.T) {
	for _, c := range []struct {
		name string
		f    facts.Format
		text string
		want string
	}{
		{"a span outside the file", toy(9), "name x\n", "is outside the file"},
		{"a secret's span over a line end", toy(1), "secret x\ny\n", "a secret's span covers"},
	} {
		r := &recorder{TB: t}
		Parse(r, c.f, "x", []byte(c.text))
		if !strings.Contains(strings.Join(r.said, "\n"), c.want) {
			t.Errorf("%s: said %q", c.name, r.said)
		}
	}
	r := &recorder{TB: t}
	bad := toy(0)
	parse := bad.Parse
	bad.Parse = func(ctx context.Context, p evidence.Piece, s facts.Sink) error {
		device := s.Device
		s.Device = func(d *facts.Device) { d.Lines.Understood++; device(d) }
		return parse(ctx, p, s)
	}
	Kit{Format: bad}.parse(r, "x", []byte("name x\n"))
	if !strings.Contains(strings.Join(r.said, "\n"), "lines are accounted for") {
		t.Errorf("a line counted twice: said %q", r.said)
	}
}
