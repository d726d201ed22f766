package activity

import (
	"fmt"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/tally"
)

const (
	// minHistory is how many days of records make a profile, or an end of a pair, known: below that every pair is new
	// (flows of fewer than 7 covered days are "learning").
	minHistory = 7
	// manyClients is the number of a server's clients from which one more says little (catalogue).
	manyClients = 50
)

// Variants of QM3101.
const (
	newInside = iota
	newOutside
)

// NewPair is QM3101.
func NewPair() *audit.Check {
	return &audit.Check{
		ID: "QM3101", Slug: "act-new-pair", Title: "First-seen client/server/protocol", Severity: audit.Low,
		Doc: `A client and a server spoke a transfer protocol that the profile of earlier weeks never saw between them.

## Why it matters

A new pair is the earliest sign of a new channel (T1071.002), and by itself the weakest: networks change.

## How it is decided

No session of the pair is in the profile. A server outside is told at once; inside, one of the ends must have at least
seven days of records, so that new equipment does not count. Sessions that were denied or failed make no pair. Pairs whose sessions are all approved by
workflows are left out. It is low wherever the ends are: what weighs is the case it is part of, where a server with more
than fifty clients counts a quarter. Without a profile of at least seven days the check is not evaluated.

## How it can be wrong

New equipment that took an old address, a renumbered server, a profile of a quiet season, a log source that was added since.

## Tunables

The profile; "workflows" and "zones" of the policy.
`,
		Variants: []audit.Variant{newInside: {Name: "server inside", Severity: audit.Low}, newOutside: {Name: "server outside", Severity: audit.Low}},
		Attack:   []string{"T1071.002", "T1570"}, Analytics: []string{"AN1173"}, Controls: []string{"DE.CM-01", "DE.AE-02", "SI-4", "CA-7"},
		False: "an approval; a new device of the inventory", Fixes: map[string]string{"": "ask the owner of the client and of the server; approve the workflow if it is meant to be"},
		Needs: audit.Needs{Evidence: facts.HasTransfers, Profile: true},
		Pair:  newPair,
		Fleet: func(p *audit.Pass, _ *audit.Rollup) {
			if x := p.Profile(); x != nil && x.Days() < minHistory {
				p.NotEvaluated(fmt.Sprintf("the profile covers %s; %d are needed", judge.Count(int64(x.Days()), "day"), minHistory))
			}
		},
	}
}

func newPair(p *audit.Pass, k tally.Key, now, before *tally.Pair) {
	profile := p.Profile()
	if before != nil && before.Sessions > 0 || now.Sessions == 0 || now.Approved >= now.Sessions || profile == nil || profile.Days() < minHistory {
		return
	}
	client, server := profile.Host(k.Client), profile.Host(k.Server)
	v := uint8(newInside)
	if external(p, k.ServerAddr()) {
		v = newOutside
	}
	if v == newInside && client.Days < minHistory && server.Days < minHistory {
		return // neither end is known: new equipment
	}
	device := at(p, k)
	weight := .20
	if server.Clients > manyClients {
		weight /= 4
	}
	e := seen(now)
	e["history"] = fmt.Sprintf("client %s, server %s with %s", judge.Count(int64(client.Days), "day"), judge.Count(int64(server.Days), "day"),
		judge.Count(int64(server.Clients), "client"))
	p.Report(audit.Finding{
		Variant: v, Subject: pairSubject(k), Severity: audit.Score(.30, 1, 1, audit.TelemetryPartial), Confidence: audit.ConfidenceMedium,
		Message: fmt.Sprintf("%s spoke %s to %s for the first time in %s of records, %s", judge.Address(p, k.ClientAddr()), judge.Upper(k.Protocol),
			judge.Address(p, k.ServerAddr()), judge.Count(int64(profile.Days()), "day"), judge.Count(now.Sessions, "session")),
		When: interval(now), Entities: entities(k, device), Spans: judge.Mark(nil, "first seen", now.FirstSpan), Evidence: e,
		Signal: audit.Signal{Weight: weight, Class: "NET"},
	})
}
