package collectors

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/inventory"
)

// A gate lets logins with one credential pass. A credential nobody has accepted yet may be wrong: no more logins are under
// way at once than may still be refused. One that was refused too often in a row is suspended.
type gate struct {
	name  string
	limit int           // refusals in a row; negative is no limit
	every time.Duration // between logins

	mu      sync.Mutex // guards what follows
	proven  bool
	trying  int // logins under way
	refused int // in a row
	changed chan struct{}
	next    time.Time // when the next login may begin
}

func newGate(name string, limit int, logins float64) *gate {
	g := &gate{name: name, limit: limit, changed: make(chan struct{})}
	if logins > 0 {
		g.every = time.Duration(float64(time.Second) / logins)
	}
	return g
}

// enter waits until a login may begin. What it returns nil for must leave.
func (g *gate) enter(ctx context.Context) error {
	for {
		g.mu.Lock()
		if g.limit > 0 && g.refused >= g.limit {
			g.mu.Unlock()
			return skipped(
				fmt.Sprintf("credential %q was refused %d times in a row and is not tried on this device", g.name, g.limit),
				fmt.Sprintf("check credential %q on one device, then collect again", g.name), nil)
		}
		if g.limit < 0 || g.proven || g.trying+g.refused < g.limit {
			g.trying++
			wait := g.slot()
			g.mu.Unlock()
			if err := sleep(ctx, wait); err != nil {
				g.leave(false, false)
				return err
			}
			return nil
		}
		changed := g.changed
		g.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// slot takes the next free moment for a login; g.mu is held.
func (g *gate) slot() time.Duration {
	if g.every == 0 {
		return 0
	}
	now := time.Now()
	at := g.next
	if at.Before(now) {
		at = now
	}
	g.next = at.Add(g.every)
	return at.Sub(now)
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave ends a login that was accepted, refused, or came to nothing.
func (g *gate) leave(accepted, refused bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.trying--
	switch {
	case accepted:
		g.proven, g.refused = true, 0
	case refused:
		g.refused++
	}
	close(g.changed)
	g.changed = make(chan struct{})
}

// An attempt is one device's use of a credential: it begins when a secret is asked for and ends once.
type attempt struct {
	gate    *gate
	mu      sync.Mutex
	begun   bool
	ended   bool
	waiting error
}

// watch makes a target's secrets pass the gate, and tells it when they were accepted.
func (a *attempt) watch(ctx context.Context, t inventory.Target) inventory.Target {
	secrets, accepted := t.Secrets, t.Accepted
	t.Secrets = func(ref string) ([]byte, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if !a.begun {
			a.begun = true
			a.waiting = a.gate.enter(ctx)
		}
		if a.waiting != nil {
			return nil, a.waiting
		}
		return secrets(ref)
	}
	t.Accepted = func() {
		a.end(true, false)
		if accepted != nil {
			accepted()
		}
	}
	return t
}

func (a *attempt) end(accepted, refused bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.begun && !a.ended && a.waiting == nil {
		a.ended = true
		a.gate.leave(accepted, refused)
	}
}

// A counter counts the evidence a collector finished.
type counter struct{ files atomic.Int64 }

func (c *counter) wrap(w *evidence.Writer) *evidence.Writer {
	return evidence.NewWriter(func(name string, m evidence.Meta) (io.WriteCloser, error) {
		f, err := w.Create(name, m)
		if err != nil {
			return nil, err
		}
		return &counted{f, c}, nil
	}, w.Gap)
}

type counted struct {
	io.WriteCloser
	c *counter
}

func (c *counted) Close() error {
	err := c.WriteCloser.Close()
	if err == nil {
		c.c.files.Add(1)
	}
	return err
}
