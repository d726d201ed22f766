package asalog

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An expectation is what Elastic's pipelines read out of one line.
type expectation struct {
	Event struct {
		Code, Original string
		Duration       int64
	}
	Source, Destination struct {
		IP    string
		Port  int
		Bytes int64
	}
	Network struct{ Bytes int64 }
	File    struct{ Name string }
}

// ends of one line: addresses as text, empty for a name.
type lineEnds struct {
	A, B         string
	APort, BPort int
	Bytes        int64
}

// TestElastic compares the ends, ports and bytes of every line of Elastic's test logs with its expected documents.
//
// Where the oracle errs: of an outbound connection it takes the first end for the source, though the second opened it (see
// the package's comment); the comparison is therefore of first and second, and TestMessages holds who opened what. It
// resolves names such as "OCSP_Server" to nothing, as here.
func TestElastic(t *testing.T) {
	corpus := os.Getenv("QUAYMASTER_CORPUS")
	if corpus == "" {
		t.Skip("QUAYMASTER_CORPUS is not set: the public corpora are not compared")
	}
	checked := map[string]int{}
	for _, dir := range []string{"cisco_asa", "cisco_ftd"} {
		files, err := filepath.Glob(filepath.Join(corpus, "logs", "elastic-integrations", dir, "log", "*-expected.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no expectations of %s: %v", dir, err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var doc struct{ Expected []expectation }
			if err := json.Unmarshal(data, &doc); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, e := range doc.Expected {
				got, want, ok := compareLine(&e)
				if !ok {
					continue
				}
				checked[e.Event.Code]++
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: %s (-want +got):\n%s", filepath.Base(name), e.Event.Original, diff)
				}
			}
		}
	}
	for _, code := range []string{"302013", "302014", "302015", "302016", "106023", "106100", "430003", "430005"} {
		if checked[code] == 0 {
			t.Errorf("no line of %s was compared", code)
		}
	}
	t.Logf("lines compared by message: %v", checked)
}

func compareLine(e *expectation) (got, want lineEnds, ok bool) {
	body := []byte(e.Event.Original)
	i := bytes.IndexByte(body, '%')
	if i < 0 {
		return got, want, false
	}
	_, n := family(body[i:])
	if n == 0 {
		return got, want, false
	}
	id, text := messageID(body[i+n:])
	var a, b peer
	switch id {
	case 302013, 302014, 302015, 302016:
		_, rest := word(text) // Built, Teardown
		w, rest := word(rest)
		if string(w) == "inbound" || string(w) == "outbound" {
			_, rest = word(rest)
		}
		var tail []byte
		a, b, _, _, tail, ok = ends(rest)
		if _, after, found := bytes.Cut(tail, []byte(" bytes ")); found {
			got.Bytes = int64(atoi(after))
		}
	case 106023:
		_, rest := word(text)
		_, rest = word(rest) // tcp
		_, rest = word(rest) // src
		a, rest, ok = endpoint(rest)
		if !ok {
			return got, want, false // ICMP
		}
		_, rest = groups(rest)
		_, rest = word(rest)
		b, _, ok = endpoint(rest)
	case 106100:
		_, rest, _ := bytes.Cut(text, []byte(" tcp "))
		if rest == nil {
			_, rest, _ = bytes.Cut(text, []byte(" udp "))
		}
		a, rest, ok = parenthesised(rest)
		if ok {
			_, rest, _ = bytes.Cut(rest, []byte("-> "))
			b, _, ok = parenthesised(rest)
		}
	case 106001, 106006, 106007, 106015:
		a, b, _, ok = fromToEnds(text)
	case 430002, 430003, 430004, 430005:
		v := readEvent(text)
		a, b, ok = v.src, v.dst, true
		if v.out >= 0 {
			got.Bytes = v.out + v.in
		}
	default:
		return got, want, false
	}
	if !ok {
		return got, lineEnds{A: "unread"}, true
	}
	got.A, got.B, got.APort, got.BPort = plain(a.addr()), plain(b.addr()), int(a.port), int(b.port)
	want = lineEnds{A: e.Source.IP, B: e.Destination.IP, APort: e.Source.Port, BPort: e.Destination.Port, Bytes: e.Network.Bytes}
	if want.A == "" {
		got.A = "" // Elastic keeps names elsewhere
	}
	return got, want, true
}

func plain(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func atoi(b []byte) (n int) {
	for _, c := range b {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int(c-'0')
	}
	return n
}
