package parsers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/evidence"
)

// No file of a network device, and no log, is taken for a file of a host.
func TestHostsTakeNoOthersFiles(t *testing.T) {
	dir := os.Getenv("QUAYMASTER_CORPUS")
	if dir == "" {
		t.Skip("QUAYMASTER_CORPUS names no corpus")
	}
	set, err := evidence.Open(t.Context(), evidence.Options{}, filepath.Join(dir, "configs"), filepath.Join(dir, "logs"))
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	n := 0
	for _, f := range set.Files {
		head, err := readHead(f)
		if err != nil {
			continue
		}
		n++
		for _, format := range hostFormats() {
			if c := format.Detect(f.Path, head); c > 0 {
				t.Errorf("%s is taken for %s (%d)", strings.TrimPrefix(f.Path, dir), format.Name, c)
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d files", n)
	}
}
