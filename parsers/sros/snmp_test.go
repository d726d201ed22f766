package sros

import (
	"testing"

	"github.com/quaymaster/quaymaster/facts"
)

// TestWriteView: a view to write is found behind the view to read, in every shape.
func TestWriteView(t *testing.T) {
	for _, c := range []struct {
		name string
		f    facts.Format
		text string
		want string
	}{
		{"braces", Brace(), "configure {\n    system {\n        security {\n            snmp {\n                access \"ops\" context \"\" security-model usm security-level privacy {\n" +
			"                    read \"iso\"\n                    write \"all\"\n                }\n            }\n        }\n    }\n}\n", "all"},
		{"flat", Flat(), "/configure system security snmp access \"ops\" context \"\" security-model usm security-level privacy read \"iso\"\n" +
			"/configure system security snmp access \"ops\" context \"\" security-model usm security-level privacy write \"all\"\n", "all"},
		{"classic", Classic(), "configure\n    system\n        security\n            snmp\n" +
			"                access group ops security-model usm security-level privacy read iso write all notify iso\n            exit\n        exit\n    exit\nexit all\n", "all"},
		{"read only", Brace(), "configure {\n    system {\n        security {\n            snmp {\n                access \"ops\" context \"\" security-model usm security-level privacy {\n" +
			"                    read \"iso\"\n                }\n            }\n        }\n    }\n}\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			for _, x := range deviceOf(t, c.f, c.text).SNMP {
				if x.Version == 3 && x.Write.Val {
					got += x.WriteView
				}
			}
			if got != c.want {
				t.Errorf("views to write %q, want %q", got, c.want)
			}
		})
	}
}
