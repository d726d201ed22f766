package tally

import (
	"bytes"
	"cmp"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// maxWaiting is how many beginnings of one connection in one instant wait for ends. Beyond, the first is taken as a session
// whose end was not seen: only a log made to fill memory has as many.
const maxWaiting = 1024

// A half is the beginning of a session whose end was not seen yet.
type half struct {
	x    *facts.Transfer
	span evidence.Span
}

// A joiner makes whole sessions of halves. It reads them by device, connection and ends, then time, so it holds the
// halves of one connection and instant.
//
// An end belongs to the latest beginning before it. In one instant beginnings count as before ends, and the first
// beginning belongs to the first end: logs write whole seconds, and lines of one second may have been swapped on the way.
type joiner struct {
	out     *Tally
	names   map[string]string
	key     []byte // of the beginnings that wait, with their time
	waiting []half
}

func (j *joiner) add(key, val []byte) error {
	if len(key) < halfTail {
		return errShort
	}
	d := decoder{b: val, names: j.names}
	e := d.event()
	if d.err != nil || e.Transfer == nil || len(e.Spans) != 1 {
		return errShort
	}
	x, span := e.Transfer, e.Spans[0]
	if !sameHead(key, j.key, halfTail) {
		j.flush()
	}
	if x.Half == facts.Build {
		if !sameHead(key, j.key, sameTail) || len(j.waiting) == maxWaiting {
			j.flush() // the number was used again before an end was seen
		}
		j.key = append(j.key[:0], key...)
		j.waiting = append(j.waiting, half{x, span})
		return j.out.err
	}
	if len(j.waiting) == 0 {
		j.orphan(x, span)
		return j.out.err
	}
	begun := j.waiting[0]
	j.waiting = j.waiting[1:]
	j.whole(joined(begun.x, x), begun.span, span)
	return j.out.err
}

// sameHead reports whether two keys are equal but for their last n bytes.
func sameHead(a, b []byte, n int) bool {
	return len(a) == len(b) && len(a) >= n && bytes.Equal(a[:len(a)-n], b[:len(b)-n])
}

// joined is the beginning with what only the end says.
func joined(x, end *facts.Transfer) *facts.Transfer {
	if end.Client == x.Server && end.ClientPort == x.ServerPort && (end.Server != x.Server || end.ServerPort != x.ServerPort) {
		turn(end)
	}
	x.Out, x.In, x.Total, x.Duration = end.Out, end.In, end.Total, end.Duration
	x.User, x.File = cmp.Or(x.User, end.User), cmp.Or(x.File, end.File)
	x.Op = cmp.Or(x.Op, end.Op)
	x.Encrypted = x.Encrypted || end.Encrypted
	x.Outcome = cmp.Or(end.Outcome, x.Outcome)
	x.Complete = cmp.Or(end.Complete, x.Complete)
	return x
}

// turn makes the client the server.
func turn(x *facts.Transfer) {
	x.Client, x.Server = x.Server, x.Client
	x.ClientPort, x.ServerPort = x.ServerPort, x.ClientPort
	x.Out, x.In = x.In, x.Out
}

// orphan is an end without a beginning: nobody says who opened it. When only one side's port is a transfer protocol's,
// that side is taken for the server; else the ends are only put in order.
func (j *joiner) orphan(x *facts.Transfer, span evidence.Span) {
	client := facts.ByPort(x.Transport, x.ClientPort) != facts.ProtocolUnknown
	server := facts.ByPort(x.Transport, x.ServerPort) != facts.ProtocolUnknown
	switch {
	case client != server:
		x.Opener = facts.OpenerByPort
		if client {
			turn(x)
		}
	default:
		x.Opener = facts.OpenerUnknown
		if cmp.Or(x.Server.Compare(x.Client), cmp.Compare(x.ServerPort, x.ClientPort)) < 0 {
			turn(x)
		}
	}
	if x.Outcome == facts.OutcomeUnknown {
		x.Outcome = facts.Allowed // a connection that ended had been let through
	}
	j.whole(x, span)
}

// whole tallies a session made of halves.
func (j *joiner) whole(x *facts.Transfer, spans ...evidence.Span) {
	x.Half, x.Conn = facts.Whole, 0
	x.Span = spans[0]
	if j.out.kept(x) {
		j.out.keep(x.Device, x.Time, x.Span.Pos, func(b []byte) []byte { return appendTransfer(b, x, spans...) })
	}
	j.out.pair(x)
	j.out.check()
}

// flush makes the beginnings without an end into sessions of unknown size.
func (j *joiner) flush() {
	for _, h := range j.waiting {
		j.whole(h.x, h.span)
	}
	j.waiting, j.key = nil, j.key[:0]
}
