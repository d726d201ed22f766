package tally

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// Events and table entries are written as varints and length-prefixed bytes. The form is this program's own within one run
// and, behind a version, in profiles.

var errShort = errors.New("a record is cut")

// Kinds of events.
const (
	kindTransfer = 1 + iota
	kindCommand
	kindAuth
	kindChange
)

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendInt(b []byte, n int64) []byte { return binary.AppendVarint(b, n) }

func appendUint(b []byte, n uint64) []byte { return binary.AppendUvarint(b, n) }

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendAddr(b []byte, a netip.Addr) []byte {
	if !a.IsValid() {
		return append(b, 0)
	}
	if a = a.Unmap(); a.Is4() {
		x := a.As4()
		return append(append(b, 4), x[:]...)
	}
	x := a.As16()
	return append(append(b, 16), x[:]...)
}

func appendStamp(b []byte, s facts.Stamp) []byte {
	b = appendInt(b, s.Unix)
	b = appendUint(b, uint64(uint32(s.Nanos)))
	return append(b, byte(s.Quality))
}

func appendSpan(b []byte, s evidence.Span) []byte {
	b = appendUint(b, uint64(s.Pos))
	return appendUint(b, uint64(s.Len))
}

func appendHead(b []byte, kind byte, at facts.Stamp, device, format, platform string) []byte {
	b = append(b, kind)
	b = appendStamp(b, at)
	b = appendString(b, device)
	b = appendString(b, format)
	return appendString(b, platform)
}

func appendTransfer(b []byte, x *facts.Transfer, spans []evidence.Span) []byte {
	b = appendHead(b, kindTransfer, x.Time, x.Device, x.Format, x.Platform)
	b = appendString(b, x.Vantage)
	b = appendAddr(appendAddr(b, x.Client), x.Server)
	b = appendUint(appendUint(b, uint64(x.ClientPort)), uint64(x.ServerPort))
	b = append(b, x.Transport, byte(x.PortProtocol), byte(x.Protocol), byte(x.By), byte(x.Op), byte(x.Outcome), byte(x.Complete), byte(x.Half))
	b = appendInt(appendInt(appendInt(b, x.Out), x.In), x.Total)
	b = appendInt(b, int64(x.Duration))
	b = appendString(appendString(b, x.User), x.File)
	b = appendUint(b, x.Conn)
	b = appendBool(b, x.Encrypted)
	b = appendUint(b, uint64(len(spans)))
	for _, s := range spans {
		b = appendSpan(b, s)
	}
	return b
}

func appendCommand(b []byte, x *facts.Command) []byte {
	b = appendHead(b, kindCommand, x.Time, x.Device, x.Format, x.Platform)
	b = appendString(b, x.User)
	b = appendAddr(b, x.Source)
	b = appendString(b, x.Line)
	b = append(b, byte(x.Outcome))
	b = appendSpan(b, x.Span)
	b = appendBool(b, x.Copy != nil)
	if c := x.Copy; c != nil {
		b = append(b, byte(c.Protocol))
		b = appendString(b, c.Host)
		b = appendAddr(b, c.Addr)
		b = appendBool(appendBool(b, c.Out), c.Config)
		b = appendString(appendString(b, c.What), c.URL)
	}
	return b
}

func appendAuth(b []byte, x *facts.Auth) []byte {
	b = appendHead(b, kindAuth, x.Time, x.Device, x.Format, x.Platform)
	b = append(b, byte(x.Protocol), byte(x.Outcome))
	b = appendString(b, x.User)
	b = appendAddr(b, x.Source)
	return appendSpan(b, x.Span)
}

func appendChange(b []byte, x *facts.Change) []byte {
	b = appendHead(b, kindChange, x.Time, x.Device, x.Format, x.Platform)
	b = appendString(appendString(b, x.What), x.Subject)
	b = appendString(b, x.User)
	b = appendAddr(b, x.Source)
	return appendSpan(b, x.Span)
}

// A decoder reads what the append functions wrote. After an error everything is zero.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) uint() uint64 {
	n, w := binary.Uvarint(d.b)
	if w <= 0 {
		d.err, d.b = errShort, nil
		return 0
	}
	d.b = d.b[w:]
	return n
}

func (d *decoder) int() int64 {
	n, w := binary.Varint(d.b)
	if w <= 0 {
		d.err, d.b = errShort, nil
		return 0
	}
	d.b = d.b[w:]
	return n
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.err, d.b = errShort, nil
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) byte() byte {
	if b := d.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) bool() bool { return d.byte() == 1 }

func (d *decoder) string() string { return string(d.bytes(d.uint())) }

func (d *decoder) addr() netip.Addr {
	a, _ := netip.AddrFromSlice(d.bytes(uint64(d.byte())))
	return a
}

func (d *decoder) stamp() facts.Stamp {
	return facts.Stamp{Unix: d.int(), Nanos: int32(uint32(d.uint())), Quality: facts.StampQuality(d.byte())}
}

func (d *decoder) span() evidence.Span {
	return evidence.Span{Pos: evidence.Pos(d.uint()), Len: uint32(d.uint())}
}

// event decodes one event with everything it holds.
func (d *decoder) event() Event {
	kind := d.byte()
	at := d.stamp()
	device, format, platform := d.string(), d.string(), d.string()
	e := Event{Time: at, Device: device}
	switch kind {
	case kindTransfer:
		e.Transfer = d.transfer(at, device, format, platform, &e)
	case kindCommand:
		e.Command = d.command(at, device, format, platform)
		e.Spans = []evidence.Span{e.Command.Span}
	case kindAuth:
		x := &facts.Auth{Time: at, Device: device, Format: format, Platform: platform}
		x.Protocol, x.Outcome = facts.Protocol(d.byte()), facts.Outcome(d.byte())
		x.User, x.Source, x.Span = d.string(), d.addr(), d.span()
		e.Auth, e.Spans = x, []evidence.Span{x.Span}
	case kindChange:
		x := &facts.Change{Time: at, Device: device, Format: format, Platform: platform}
		x.What, x.Subject, x.User, x.Source, x.Span = d.string(), d.string(), d.string(), d.addr(), d.span()
		e.Change, e.Spans = x, []evidence.Span{x.Span}
	default:
		d.err = errShort
	}
	return e
}

func (d *decoder) transfer(at facts.Stamp, device, format, platform string, e *Event) *facts.Transfer {
	x := &facts.Transfer{Time: at, Device: device, Format: format, Platform: platform}
	x.Vantage, x.Client, x.Server = d.string(), d.addr(), d.addr()
	x.ClientPort, x.ServerPort = uint16(d.uint()), uint16(d.uint())
	x.Transport, x.PortProtocol, x.Protocol = d.byte(), facts.Protocol(d.byte()), facts.Protocol(d.byte())
	x.By, x.Op, x.Outcome = facts.By(d.byte()), facts.Op(d.byte()), facts.Outcome(d.byte())
	x.Complete, x.Half = facts.Tri(d.byte()), facts.Half(d.byte())
	x.Out, x.In, x.Total = d.int(), d.int(), d.int()
	x.Duration = time.Duration(d.int())
	x.User, x.File, x.Conn, x.Encrypted = d.string(), d.string(), d.uint(), d.bool()
	n := d.uint()
	for ; n > 0 && d.err == nil; n-- {
		e.Spans = append(e.Spans, d.span())
	}
	if len(e.Spans) > 0 {
		x.Span = e.Spans[0]
	}
	return x
}

func (d *decoder) command(at facts.Stamp, device, format, platform string) *facts.Command {
	x := &facts.Command{Time: at, Device: device, Format: format, Platform: platform}
	x.User, x.Source, x.Line, x.Outcome, x.Span = d.string(), d.addr(), d.string(), facts.Outcome(d.byte()), d.span()
	if d.bool() {
		c := &facts.CommandCopy{Protocol: facts.Protocol(d.byte()), Host: d.string(), Addr: d.addr()}
		c.Out, c.Config, c.What, c.URL = d.bool(), d.bool(), d.string(), d.string()
		x.Copy = c
	}
	return x
}

func appendSlots(b []byte, s *Slots) []byte {
	b = append(b, s.Width)
	b = appendUint(b, uint64(len(s.Times)))
	last := uint32(0)
	for _, t := range s.Times {
		b = appendUint(b, uint64(t-last))
		last = t
	}
	return b
}

func (d *decoder) slots() Slots {
	s := Slots{Width: d.byte()}
	n := d.uint()
	if n > maxSlots {
		d.err = errShort
		return s
	}
	last := uint32(0)
	for ; n > 0 && d.err == nil; n-- {
		last += uint32(d.uint())
		s.Times = append(s.Times, last)
	}
	return s
}

func appendCell(b []byte, c *cell) []byte {
	for _, n := range []int64{c.sessions, c.denied, c.failed, c.approved, c.out, c.in, c.total, c.outKnown, c.inKnown, c.totalKnown, c.maxOut, c.first, c.last} {
		b = appendInt(b, n)
	}
	for _, h := range c.hours {
		b = appendUint(b, h)
	}
	b = append(b, c.ops, c.by)
	b = appendSlots(b, &c.starts)
	return appendSpan(b, c.firstSpan)
}

func (d *decoder) cell() cell {
	var c cell
	for _, n := range []*int64{&c.sessions, &c.denied, &c.failed, &c.approved, &c.out, &c.in, &c.total, &c.outKnown, &c.inKnown, &c.totalKnown, &c.maxOut, &c.first, &c.last} {
		*n = d.int()
	}
	for i := range c.hours {
		c.hours[i] = d.uint()
	}
	c.ops, c.by = d.byte(), d.byte()
	c.starts = d.slots()
	c.firstSpan = d.span()
	return c
}

func appendSeries(b []byte, s *Series) []byte {
	b = appendInt(appendInt(appendInt(b, s.Count), s.First), s.Last)
	return appendSlots(b, &s.Slots)
}

func (d *decoder) series() Series {
	return Series{Count: d.int(), First: d.int(), Last: d.int(), Slots: d.slots()}
}
