package frr

import (
	"testing"

	"github.com/quaymaster/quaymaster/internal/parsetest"
)

var update = parsetest.Update()

var platform = parsetest.Platform{Format: Format(), Dir: "../../fixtures/frr", Kit: parsetest.Kit{Filler: "! "}}

func TestPlatform(t *testing.T) { platform.Run(t, *update) }

func FuzzParse(f *testing.F) { platform.Fuzz(f) }

func BenchmarkParse(b *testing.B) { platform.Bench(b) }
