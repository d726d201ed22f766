package tally

import (
	"bytes"
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

// Keys sort as their bytes do. Text is written so that none is the beginning of another: NUL becomes 0 255, the end 0 0.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		b = append(b, s[i])
		if s[i] == 0 {
			b = append(b, 255)
		}
	}
	return append(b, 0, 0)
}

// text splits what appendText wrote off a key.
func text(key []byte) (s string, rest []byte, ok bool) {
	i := bytes.Index(key, []byte{0, 0})
	if i < 0 {
		return "", nil, false
	}
	return string(bytes.ReplaceAll(key[:i], []byte{0, 255}, []byte{0})), key[i+2:], true
}

// appendEntity writes whose trail a record is in, addresses first.
func appendEntity(b []byte, e Entity) []byte {
	kind := byte('d')
	if e.Kind == KindAddress {
		kind = 'a'
	}
	return appendText(append(b, kind), e.Name)
}

// entity splits what appendEntity wrote off a key.
func entity(key []byte) (e Entity, rest []byte, ok bool) {
	if len(key) == 0 {
		return e, nil, false
	}
	e.Kind = KindDevice
	if key[0] == 'a' {
		e.Kind = KindAddress
	}
	e.Name, rest, ok = text(key[1:])
	return e, rest, ok
}

func appendTime(b []byte, unix int64, nanos int32, pos evidence.Pos) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(unix)^1<<63)
	b = binary.BigEndian.AppendUint32(b, uint32(nanos)^1<<31)
	return binary.BigEndian.AppendUint64(b, uint64(pos))
}

// endLen is the length of an end of a connection in a half's key.
const endLen = 18

func appendEnd(b []byte, a netip.Addr, port uint16) []byte {
	var x [16]byte
	if a.IsValid() {
		x = a.As16()
	}
	return binary.BigEndian.AppendUint16(append(b, x[:]...), port)
}

// appendHalfKey writes what the halves of a session share: device, connection and ends, the smaller first; then the time,
// beginnings before ends, and the position.
func appendHalfKey(b []byte, x *facts.Transfer) []byte {
	b = appendText(b, x.Device)
	b = binary.BigEndian.AppendUint64(b, x.Conn)
	at := len(b)
	b = appendEnd(b, x.Client, x.ClientPort)
	b = appendEnd(b, x.Server, x.ServerPort)
	if one, two := b[at:at+endLen], b[at+endLen:]; bytes.Compare(one, two) > 0 {
		var tmp [endLen]byte
		copy(tmp[:], one)
		copy(one, two)
		copy(two, tmp[:])
	}
	b = binary.BigEndian.AppendUint64(b, uint64(x.Time.Unix)^1<<63)
	b = binary.BigEndian.AppendUint32(b, uint32(x.Time.Nanos)^1<<31)
	b = appendBool(b, x.Half == facts.Teardown)
	return binary.BigEndian.AppendUint64(b, uint64(x.Span.Pos))
}

// halfTail is how much of a half's key is not shared by both, sameTail what is not shared by halves of one instant.
const (
	halfTail = 8 + 4 + 1 + 8
	sameTail = 1 + 8
)

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

func appendTransfer(b []byte, x *facts.Transfer, spans ...evidence.Span) []byte {
	b = appendHead(b, kindTransfer, x.Time, x.Device, x.Format, x.Platform)
	b = appendString(b, x.Vantage)
	b = appendAddr(appendAddr(b, x.Client), x.Server)
	b = appendUint(appendUint(b, uint64(x.ClientPort)), uint64(x.ServerPort))
	b = append(b, x.Transport, byte(x.PortProtocol), byte(x.Protocol), byte(x.By), byte(x.Op), byte(x.Outcome), byte(x.Complete), byte(x.Half), byte(x.Opener))
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
	b     []byte
	err   error
	names map[string]string // strings read before, to share their memory; nil shares none
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

func (d *decoder) string() string {
	b := d.bytes(d.uint())
	if d.names == nil || len(b) == 0 || len(b) > maxShared {
		return string(b)
	}
	if s, ok := d.names[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(d.names) < maxNames {
		d.names[s] = s
	}
	return s
}

// maxNames and maxShared bound a decoder's shared strings.
const (
	maxNames  = 1 << 16
	maxShared = 256
)

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
	x.Complete, x.Half, x.Opener = facts.Tri(d.byte()), facts.Half(d.byte()), facts.Opener(d.byte())
	x.Out, x.In, x.Total = d.int(), d.int(), d.int()
	x.Duration = time.Duration(d.int())
	x.User, x.File, x.Conn, x.Encrypted = d.string(), d.string(), d.uint(), d.bool()
	n := d.uint()
	if n <= uint64(len(d.b)) {
		e.Spans = make([]evidence.Span, 0, n)
	}
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

// slots replaces s, and uses its memory again.
func (d *decoder) slots(s *Slots) {
	s.Width, s.Times = d.byte(), s.Times[:0]
	n := d.uint()
	if n > maxSlots || s.Width > 31 {
		d.err, d.b = errShort, nil
		return
	}
	last := uint32(0)
	for ; n > 0 && d.err == nil; n-- {
		last += uint32(d.uint())
		s.Times = append(s.Times, last)
	}
}

func appendHistogram(b []byte, h *Histogram) []byte {
	b = appendUint(b, uint64(len(h.Bins)))
	for _, x := range h.Bins {
		b = appendUint(appendUint(b, uint64(x.Index)), uint64(x.Count))
	}
	return b
}

// maxBins is how many bins a histogram of int64 can have.
const maxBins = 63*8 + 8

// histogram replaces h, and uses its memory again.
func (d *decoder) histogram(h *Histogram) {
	h.Bins = h.Bins[:0]
	n := d.uint()
	if n > maxBins {
		d.err, d.b = errShort, nil
		return
	}
	for ; n > 0 && d.err == nil; n-- {
		index, count := d.uint(), d.uint()
		if index >= maxBins || count > 1<<32-1 {
			d.err, d.b = errShort, nil
			return
		}
		h.Bins = append(h.Bins, Bin{uint16(index), uint32(count)})
	}
}
