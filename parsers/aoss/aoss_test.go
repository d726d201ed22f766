package aoss

import (
	"os"
	"testing"

	"github.com/quaymaster/quaymaster/internal/parsetest"
)

var update = parsetest.Update()

var platform = parsetest.Platform{
	Format: Format(), Dir: "../../fixtures/aoss", Root: os.Getenv("QUAYMASTER_CORPUS"), Corpus: "aruba_aos_s",
	Known: 97, Kit: parsetest.Kit{Filler: "; "}, URL: "archive tftp://192.0.2.9/planted", Filter: "ip access-group PLANTED in", Secret: "password plaintext S3cr3tPlanted",
}

func TestPlatform(t *testing.T) { platform.Run(t, *update) }

func FuzzParse(f *testing.F) { platform.Fuzz(f) }

func BenchmarkParse(b *testing.B) { platform.Bench(b) }
