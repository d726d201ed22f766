package panos

import (
	"testing"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

// secretsOf are what the fixtures planted, by fixture.
var secretsOf = map[string][]string{
	"oxidized": {"$1$fixture$oxidized0123456789abcd"},
	"shapes":   {"$1$fixture$0123456789abcdefghijkl"},
	"panorama": {"$5$fixture$0123456789panorama", "fixtureBUNDLE3456789abcd"},
	"transfers": {
		"fixtureNTP0123456789abcd", "fixtureFTP0123456789abcd", "fixtureIKE0123456789abcd", "fixtureBGP0123456789abcd",
		"fixtureHOOK123456789abcd", "fixtureTRAP", "fixtureTACACS", "$5$fixture$0123456789guest", "fixtureKEY0123456789", "fixtureURL",
		"fixtureFEED123456789abcd", "fnFixtureDES1", "$5$fixture$0123456789audit", "$6$fixture$0123456789robot",
	},
}

func TestKit(t *testing.T) {
	kits := map[string]*parsetest.Kit{}
	for _, f := range Formats() {
		filler := "# "
		if f.Platform == facts.PANOSXML {
			filler = ""
		}
		kits[f.Name] = &parsetest.Kit{Format: f, Filler: filler}
	}
	for _, s := range samples(t) {
		f, _ := formatOf(s.text)
		k := kits[f.Name]
		k.Samples = append(k.Samples, parsetest.Sample{Path: s.name, Text: s.text, Secrets: secretsOf[s.fixture]})
	}
	for name, k := range kits {
		t.Run(name, k.Run)
	}
}
