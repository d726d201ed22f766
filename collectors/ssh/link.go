package ssh

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/quaymaster/quaymaster/inventory"
	"golang.org/x/crypto/ssh"
)

// clientVersion names the program to the device's log (RFC 4253, 4.2).
const clientVersion = "SSH-2.0-Quaymaster"

// A link is a connection whose user was let in.
type link struct {
	client  *ssh.Client
	watch   *watch
	gone    chan struct{} // closed when the connection is
	over    chan struct{} // closed when nobody listens any more
	readers sync.WaitGroup
}

func (l *link) close() {
	close(l.over)
	l.client.Close()
	<-l.gone
	l.readers.Wait()
	l.watch.end()
}

// lost reports whether err means that nothing more can be asked, or that it is not worth asking.
func (l *link) lost(err error) bool {
	if errors.Is(err, errCut) || errors.Is(err, errEndless) || l.watch.fired() != nil {
		return true
	}
	select {
	case <-l.gone:
		return true
	default:
		return false
	}
}

// why is what ended the link, err when it is not known better.
func (l *link) why(err error) error {
	if f := l.watch.fired(); f != nil {
		return f
	}
	return err
}

// A watch closes a connection when something does not happen in time. Deadlines of connections would do for TCP alone.
type watch struct {
	conn  net.Conn
	leave func() bool
	timer *time.Timer
	mu    sync.Mutex
	next  *inventory.Failure // what it means when the timer fires
	cause *inventory.Failure
}

func newWatch(ctx context.Context, conn net.Conn) *watch {
	w := &watch{conn: conn}
	w.leave = context.AfterFunc(ctx, func() { conn.Close() })
	w.timer = time.AfterFunc(time.Hour, w.fire)
	w.timer.Stop()
	return w
}

func (w *watch) fire() {
	w.mu.Lock()
	if w.cause == nil {
		w.cause = w.next
	}
	w.mu.Unlock()
	w.conn.Close()
}

// within closes the connection in d unless something else is awaited, or nothing, before.
func (w *watch) within(d time.Duration, f *inventory.Failure) {
	w.mu.Lock()
	w.next = f
	w.mu.Unlock()
	w.timer.Reset(d)
}

// again is within for what is awaited already.
func (w *watch) again(d time.Duration) { w.timer.Reset(d) }

// rest awaits nothing.
func (w *watch) rest() { w.timer.Stop() }

// fired is what did not happen in time; nil when everything has.
func (w *watch) fired() *inventory.Failure {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cause
}

func (w *watch) end() {
	w.timer.Stop()
	w.leave()
}

// A wire remembers how the other side began: an answer that is no SSH is shown to the user. It reads ahead, since the
// library asks for four kilobytes at a time.
type wire struct {
	net.Conn
	ahead *bufio.Reader
	mu    sync.Mutex
	head  []byte
	dead  bool // the other side ended the connection
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.ahead.Read(p)
	w.mu.Lock()
	if len(w.head) < maxHead {
		w.head = append(w.head, p[:min(n, maxHead-len(w.head))]...)
	}
	w.dead = w.dead || err != nil
	w.mu.Unlock()
	return n, err
}

// ended reports whether the other side ended the connection.
func (w *wire) ended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dead
}

const maxHead = 80

// began is the first line of the other side.
func (w *wire) began() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	line, _, _ := strings.Cut(string(w.head), "\n")
	return strings.TrimRight(line, "\r")
}

// login connects, checks the host key and logs in.
func (d *device) login(ctx context.Context, trusted *trust) (*link, error) {
	check, err := trusted.forHost(d)
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{Timeout: d.connect}).DialContext(ctx, "tcp", d.addr)
	if err != nil {
		return nil, d.explainDial(err)
	}
	tap := &wire{Conn: conn, ahead: bufio.NewReaderSize(conn, readSize)}
	w := newWatch(ctx, conn)
	w.within(d.handshake, &inventory.Failure{}) // told apart afterwards
	a := &auth{d: d, watch: w, wire: tap}
	config := &ssh.ClientConfig{
		User: d.Credential.User, ClientVersion: clientVersion, AuthCallback: a.next,
		HostKeyCallback: check.verify, HostKeyAlgorithms: check.algorithms(),
		BannerCallback: func(string) error { return nil },
	}
	c, chans, reqs, err := ssh.NewClientConn(tap, d.addr, config)
	w.rest()
	if err != nil {
		conn.Close()
		w.end()
		return nil, d.explainHandshake(err, tap, a, check)
	}
	l := &link{client: ssh.NewClient(c, chans, reqs), watch: w, gone: make(chan struct{}), over: make(chan struct{})}
	go func() {
		_ = l.client.Wait()
		close(l.gone)
	}()
	if d.Accepted != nil {
		d.Accepted()
	}
	return l, nil
}

// explainDial says what a connection that does not come about may mean.
func (d *device) explainDial(err error) *inventory.Failure {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return &inventory.Failure{Cause: fmt.Sprintf("no address is known for %q", d.Address), Remedy: "mend the name in the inventory, or state the address", Err: err}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &inventory.Failure{
			Cause: "nothing listens at " + d.addr, Err: err,
			Remedy: "enable SSH on the device, or state the port it uses",
		}
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return &inventory.Failure{
			Cause: fmt.Sprintf("%s did not answer within %s", d.addr, d.connect), Err: err,
			Remedy: "check that the device is up and that no filter between here and there drops the connection",
		}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return &inventory.Failure{Cause: d.addr + " cannot be reached from here", Remedy: "check the address and the route to it", Err: err}
	}
	return &inventory.Failure{Cause: "connect to " + d.addr + ": " + err.Error(), Err: err}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// explainHandshake says why a connection did not become a login.
func (d *device) explainHandshake(err error, tap *wire, a *auth, check *hostCheck) *inventory.Failure {
	began := tap.began()
	late := a.watch.fired() != nil
	var none *ssh.AlgorithmNegotiationError
	switch {
	case check.failure.Load() != nil: // of this host's key: no credential was sent
		return check.failure.Load()
	case late && (a.sent || a.key):
		return &inventory.Failure{
			Cause:   fmt.Sprintf("the device did not answer within %s to the login of user %q", d.handshake, d.Credential.User),
			Remedy:  "look at the device's log: its AAA server may be down; the credential is not tried again in this run",
			Refused: true, Err: err,
		}
	case a.failure != nil:
		return a.failure
	case a.sent: // a refusal and a connection that is dropped for it look alike
		f := a.refused(nil)
		f.Err = err
		return f
	case errors.As(err, &none):
		return d.explainAlgorithms(none, check)
	case began == "" && late:
		return &inventory.Failure{
			Cause: fmt.Sprintf("%s accepted the connection and said nothing for %s", d.addr, d.handshake), Err: err,
			Remedy: "look whether all of its VTY lines are in use, and whether it is SSH that listens there",
		}
	case began == "":
		return &inventory.Failure{
			Cause: d.addr + " closed the connection before it said anything", Err: err,
			Remedy: "look whether all of its VTY lines are in use, and whether its access list for management admits this host",
		}
	case !strings.HasPrefix(began, "SSH-"):
		return &inventory.Failure{
			Cause: fmt.Sprintf("what answers at %s is not SSH: it began with %q", d.addr, began), Err: err,
			Remedy: "state the port of the device's SSH service",
		}
	case late:
		return &inventory.Failure{
			Cause: fmt.Sprintf("%s (%s) stopped answering during the handshake, for %s", d.addr, began, d.handshake), Err: err,
			Remedy: "look at its load and its log; options.connect_timeout gives it more time",
		}
	}
	return &inventory.Failure{Cause: fmt.Sprintf("the handshake with %s (%s) ended: %v", d.addr, began, err), Err: err}
}

// explainAlgorithms names both sides' lists: which to change is the reader's choice.
func (d *device) explainAlgorithms(e *ssh.AlgorithmNegotiationError, check *hostCheck) *inventory.Failure {
	ours, theirs := strings.Join(e.SupportedAlgorithms, " "), strings.Join(e.RequestedAlgorithms, " ")
	if e.What == "host key" && len(check.known) > 0 {
		return &inventory.Failure{
			Cause: fmt.Sprintf("the device no longer offers a host key of the kind that %s states (%s), only: %s; no credential was sent", check.source, ours, theirs),
			Remedy: "make sure at its console that the device was given new keys, then replace its lines by what ssh-keyscan -p " +
				d.portText() + " " + d.Address + " prints", Err: e,
		}
	}
	return &inventory.Failure{
		Cause:  fmt.Sprintf("no common algorithm for %s; offered here: %s; offered by the device: %s", e.What, ours, theirs),
		Remedy: "update the device's software, or enable one of the algorithms offered here", Err: e,
	}
}

func (d *device) portText() string {
	_, port, _ := net.SplitHostPort(d.addr)
	return port
}
