package junos

import (
	"testing"

	"github.com/quaymaster/quaymaster/internal/parsetest"
)

// secretsOf are what the fixtures planted, by fixture.
var secretsOf = map[string][]string{
	"transfers": {
		"$6$abcdefgh$0123456789abcdef", "$1$abcdefgh$0123456789", "$9$exampleRADIUS", "p@ss/word", "$9$exampleFTP", "hidden",
		"$9$exampleVAULT",
	},
	"groups": {"$9$exampleIDLE"},
}

func TestKit(t *testing.T) {
	brace := parsetest.Kit{Format: Brace(), Filler: "# ", Pager: "---(more 45%)---\r                                        \r"}
	set := parsetest.Kit{Format: Set(), Filler: "# ", Pager: brace.Pager}
	for _, s := range samples(t) {
		one := parsetest.Sample{Path: s.name, Text: s.text, Secrets: secretsOf[s.fixture]}
		if f, _ := formatOf(s.text); f.Name == set.Format.Name {
			set.Samples = append(set.Samples, one)
		} else {
			brace.Samples = append(brace.Samples, one)
		}
	}
	t.Run("braces", brace.Run)
	t.Run("set", set.Run)
}
