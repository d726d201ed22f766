package cisconxos

import (
	"os"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/internal/parsetest"
)

var update = parsetest.Update()

var platform = parsetest.Platform{
	Format: Format(), Dir: "../../fixtures/cisconxos", Root: os.Getenv("QUAYMASTER_CORPUS"), Corpus: "cisco_nxos", Known: 97, Kit: parsetest.Kit{Filler: "! "},
	URL: "archive tftp://192.0.2.9/planted", Filter: "ip access-group PLANTED in", Secret: "password 0 S3cr3tPlanted",
	Skip: func(line string) bool {
		text := strings.TrimSpace(line)
		return strings.HasPrefix(text, "!") || text == "#" // a comment, the end of a banner
	},
}

func TestPlatform(t *testing.T) { platform.Run(t, *update) }

func FuzzParse(f *testing.F) { platform.Fuzz(f) }

func BenchmarkParse(b *testing.B) { platform.Bench(b) }
