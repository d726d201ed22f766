// Package tally summarises many events in bounded memory and keeps the few that must stay whole.
//
// A [Tally] belongs to one worker; [Merge] joins them into a [Result], which gives pairs, series and trails in one order.
// A [Profile] is the tally of earlier weeks. Everything here commutes and merges: events in any order, cut anywhere, in
// any number of tallies give the same bytes (law 4). A table over its limit is sorted and written as a run; nothing is
// dropped. Sums of different vantages are never added together: of every pair and day the best vantage counts, the others
// are witnesses.
package tally

import (
	"net/netip"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// A Key names a pair. It holds no pointers, so that tables of millions cost the collector nothing. Addresses are 16
// bytes, IPv4 mapped (RFC 4291 2.5.5.2).
type Key struct {
	Client, Server [16]byte
	Protocol       facts.Protocol
	Port           uint16 // the server's
}

// ClientAddr is the client as an address, IPv4 unmapped.
func (k Key) ClientAddr() netip.Addr { return netip.AddrFrom16(k.Client).Unmap() }

// ServerAddr is the server as an address, IPv4 unmapped.
func (k Key) ServerAddr() netip.Addr { return netip.AddrFrom16(k.Server).Unmap() }

// A Pair is what was seen between a client and a server. Of every day only the best vantage's figures are in it, so that
// two sensors on one path do not count a session twice; the others are its witnesses.
type Pair struct {
	Sessions                      int64 // allowed
	Denied, Failed                int64
	Approved                      int64 // of the sessions, those a workflow covers
	OpenerUnknown                 int64 // of the sessions, those whose client is not known to be who opened them
	Out, In, Total                int64 // sums of what was carried, bytes
	OutKnown, InKnown, TotalKnown int64 // how many sessions carried each
	MaxOut                        int64
	First, Last                   int64     // unix seconds of the earliest and latest event; 0 when none had a time
	Days                          [8]uint64 // bit per Unix day modulo 512
	Hours                         [3]uint64 // bit per hour of the week, UTC, from Thursday 0h (1 January 1970); 168 used
	Ops                           uint8     // bit per facts.Op seen
	By                            uint8     // bit per facts.By seen
	Starts                        Slots     // of everything with a time
	Sizes                         Histogram // bytes of sessions: Out when it was carried, else Total
	PerDay                        []Day     // in order of day; what had no time is under day 0
	FirstSpan                     evidence.Span
	// Device, Format and Platform are of the vantage with the most sessions, the smallest name among equals.
	Device, Format, Platform string
	Vantage                  string   // Device and Format, as one name
	Witness                  []string // other vantages, sorted
}

// A Day is a pair's figures of one day, by the best vantage of that day; fields as in Pair.
type Day struct {
	Day                           uint32 // Unix seconds / 86,400
	Sessions, Denied, Failed      int64
	Out, In, Total                int64
	OutKnown, InKnown, TotalKnown int64
}

// A SeriesKey names a series: beats of one message class of one source.
type SeriesKey struct{ Source, Class string }

// A Series is how often and when a class was seen.
type Series struct {
	Count       int64
	First, Last int64 // unix seconds; 0 when none had a time
	Slots       Slots
	PerDay      []DayCount // in order of day; what had no time is under day 0
}

// A DayCount is a series' count of one day.
type DayCount struct {
	Day   uint32 // Unix seconds / 86,400
	Count int64
}

// day is a day in seconds.
const day = 86400

// Kinds of entities.
const (
	KindAddress = "address"
	KindDevice  = "device"
)

// An Entity is whose trail an event belongs to: a device ID or name, or an address.
type Entity struct {
	Kind string // KindDevice, KindAddress
	Name string
}

// An Event is a kept event with its strings. Exactly one of the pointers is set.
type Event struct {
	Time     facts.Stamp
	Device   string // as the source names it
	Transfer *facts.Transfer
	Command  *facts.Command
	Auth     *facts.Auth
	Change   *facts.Change
	Spans    []evidence.Span // all halves of a joined record
}

// A FileRef names evidence that a tally or profile was made of.
type FileRef struct {
	Path   string
	SHA256 string // hexadecimal; empty when nobody computed it
}
