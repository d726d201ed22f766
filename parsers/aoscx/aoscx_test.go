package aoscx

import (
	"os"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/internal/parsetest"
)

var update = parsetest.Update()

var platform = parsetest.Platform{
	Format: Format(), Dir: "../../fixtures/aoscx", Root: os.Getenv("QUAYMASTER_CORPUS"), Corpus: "aruba_aoscx",
	Known: 97, Kit: parsetest.Kit{Filler: "! "}, URL: "archive tftp://192.0.2.9/planted", Filter: "apply access-list ip PLANTED in", Secret: "password 0 S3cr3tPlanted",
	Skip: func(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "!") },
}

func TestPlatform(t *testing.T) { platform.Run(t, *update) }

func FuzzParse(f *testing.F) { platform.Fuzz(f) }

func BenchmarkParse(b *testing.B) { platform.Bench(b) }
