package ciscoios

import (
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// timestamps reads "service timestamps [debug|log [uptime|datetime ...]]". Without a form it is uptime (Configuration
// fundamentals command reference, service timestamps).
func (p *parser) timestamps(n int32) {
	if p.is(2, "debug") {
		return
	}
	p.log.stamps = facts.Say(!p.negated && p.is(3, "datetime"), p.span(n))
}

// loginLog reads "login on-failure log [every N]" and "login on-success log".
func (p *parser) loginLog(n int32) {
	switch {
	case p.is(1, "on-failure") && (p.negated || p.has(2, "log") > 0):
		p.ok(n)
		p.log.loginFail = facts.Say(!p.negated, p.span(n))
	case p.is(1, "on-success") && (p.negated || p.has(2, "log") > 0):
		p.ok(n)
		p.log.loginDone = facts.Say(!p.negated, p.span(n))
	case p.is(1, "quiet-mode"): // login quiet-mode access-class X: who may come while others are kept out
		p.named(n, "login quiet-mode", "access-class")
		p.skip(n)
	default:
		p.skip(n)
	}
}

// discriminator reads "logging discriminator D [severity drops|includes X] [facility drops|includes X] [mnemonics
// drops|includes X] [msg-body drops|includes X]": what hosts that name it are not sent.
func (p *parser) discriminator(n int32) {
	if p.negated || len(p.w) < 6 {
		return
	}
	if p.log.drops == nil {
		p.log.drops = map[string]string{}
	}
	p.log.drops[p.str(p.word(2))] += " " + p.said(p.rest(n, 3))
}

// finishMessages states how messages are stamped, and which are made or left out.
func (p *parser) finishMessages(whole bool) {
	l := &p.d.Logging
	l.Timestamps = p.log.stamps
	l.KeysHidden = p.log.hideKeys
	fail, done := p.log.loginFail, p.log.loginDone
	switch {
	case facts.On(fail) && facts.On(done):
		l.Logins = facts.Say(true, fail.Span)
	case facts.On(fail) || facts.Off(done): // only those that failed
		l.Logins = facts.Say(false, firstSpan(done, fail))
	case facts.On(done) || facts.Off(fail):
		l.Logins = facts.Say(false, firstSpan(fail, done))
	}
	if whole {
		// None of them is on unless stated (Configuration fundamentals command reference, service timestamps; User security
		// command reference, login on-failure, login on-success).
		for _, v := range [...]*facts.V[bool]{&l.Timestamps, &l.Logins} {
			if v.Origin == facts.Unknown {
				*v = facts.Assume(false)
			}
		}
		if facts.On(p.log.archiveLog) && l.KeysHidden.Origin == facts.Unknown {
			l.KeysHidden = facts.Assume(false) // archive command reference, hidekeys
		}
	}
	switch auth := p.log.ntpAuth; {
	case facts.On(auth) && !p.log.ntpPlain.IsZero():
		l.NTPAuth = facts.Say(false, p.log.ntpPlain.Span)
	case auth.Origin != facts.Unknown:
		l.NTPAuth = auth
	case whole && len(l.NTP) > 0:
		l.NTPAuth = facts.Assume(false) // off by default (Basic system management command reference, ntp authenticate)
	}
	for _, name := range p.log.dropsUsed {
		if what, ok := p.log.drops[name]; ok {
			l.Suppressed = append(l.Suppressed, "discriminator "+name+what)
		}
	}
}

func firstSpan(a, b facts.V[bool]) evidence.Span {
	if !a.Span.IsZero() {
		return a.Span
	}
	return b.Span
}
