package hostsvc

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

const fixtures = "../../fixtures/hostsvc"

var update = parsetest.Update()

// kinds are the formats with the folder of their fixtures and the secrets planted in each.
func kinds() []struct {
	format  facts.Format
	dir     string
	secrets map[string][]string
} {
	return []struct {
		format  facts.Format
		dir     string
		secrets map[string][]string
	}{
		{Vsftpd(), "vsftpd", nil},
		{PureFTPd(), "pure-ftpd", nil},
		{PureFTPdValue(), "pure-ftpd-value", nil},
		{TFTPDefaults(), "tftpd", nil},
		{Xinetd(), "xinetd", nil},
		{Inetd(), "inetd", nil},
		{Dnsmasq(), "dnsmasq", map[string][]string{"boot": {"Quay-7-Rope"}}},
		{Samba(), "samba", map[string][]string{"office": {"Wharf-9-Rope"}}},
		{Usershare(), "usershare", nil},
		{SSHD(), "sshd", map[string][]string{"jail": {"Wharf-5-Rope"}}},
		{Sockets(), "sockets", nil},
		{Crontab(), "crontab", map[string][]string{"system": {"Wharf-8-Rope"}}},
		{ProFTPD(), "proftpd", map[string][]string{"servers": {"Wharf-3-Rope-Hash", "Wharf-4-Rope"}}},
	}
}

func TestGolden(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.dir, func(t *testing.T) { parsetest.Golden(t, k.format, filepath.Join(fixtures, k.dir), *update) })
	}
}

func TestKit(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.dir, func(t *testing.T) {
			kit := parsetest.Kit{Format: k.format, Samples: samples(t, k.dir, k.secrets)}
			if k.format.Name != "samba-usershare" && k.format.Name != "ss-sockets" && k.format.Name != "pure-ftpd-value" {
				kit.Filler = "# "
			}
			kit.Run(t)
		})
	}
}

// samples are the inputs of a folder's fixtures.
func samples(t testing.TB, dir string, secrets map[string][]string) []parsetest.Sample {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(fixtures, dir, "*.txtar"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no fixtures of %s: %v", dir, err)
	}
	var out []parsetest.Sample
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, parsetest.Sample{
			Path: a.Files[0].Name, Text: string(a.Files[0].Data), Secrets: secrets[strings.TrimSuffix(filepath.Base(name), ".txtar")],
		})
	}
	return out
}
