package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/collectors/snmp"
	"github.com/quaymaster/quaymaster/collectors/ssh"
	"github.com/quaymaster/quaymaster/collectors/vsphere"
)

// between holds the text between two marks of a document against what the code writes, or rewrites it.
func between(t *testing.T, file, open, end, want string) {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok1 := strings.Cut(string(src), open+"\n")
	got, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s lacks %s or %s", file, open, end)
	}
	if *update {
		if err := os.WriteFile(file, []byte(head+open+"\n"+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s is not what the code writes: make gen (-want +got):\n%s", file, diff)
	}
}

// TestGeneratedSecurity holds the list of everything that is sent.
func TestGeneratedSecurity(t *testing.T) {
	var b strings.Builder
	b.WriteString("### SSH\n")
	for _, p := range ssh.Platforms() {
		fmt.Fprintf(&b, "\n%s:\n\n```\n", p)
		for _, c := range ssh.Commands(p) {
			b.WriteString(c.Text)
			if c.Optional {
				b.WriteString("    # its absence is a gap")
			}
			b.WriteByte('\n')
		}
		b.WriteString("```\n")
	}
	b.WriteString("\nBesides these a device receives empty lines, a space for each page of a pager, and a password where it asks for one.\n")
	fmt.Fprintf(&b, "\n### vSphere\n\nOne ContainerView of type HostSystem, and RetrievePropertiesEx of: %s.\n", strings.Join(vsphere.Properties(), ", "))
	b.WriteString("\n### SNMP\n\nGet and GetBulk only.\n\n```\n")
	for _, o := range snmp.Scalars() {
		fmt.Fprintln(&b, o)
	}
	for _, table := range snmp.Tables() {
		fmt.Fprintf(&b, "%s: %s\n", table.Name, strings.Join(table.Columns, " "))
	}
	b.WriteString("```\n")
	between(t, "../../SECURITY.md", "<!-- commands: generated from the tables in the code by TestGeneratedSecurity -->", "<!-- /commands -->", b.String())
}

// TestGeneratedReadme holds the screen of output in the README: the demo as it is.
func TestGeneratedReadme(t *testing.T) {
	var said, complaints bytes.Buffer
	code := run(t.Context(), []string{"demo", "--min-severity", "critical", "--color", "never"}, bytes.NewReader(nil), &said, &complaints)
	if code != 1 {
		t.Fatalf("exit %d: %s", code, complaints.String())
	}
	shown := said.String()
	if i := strings.Index(shown, "not evaluated ("); i > 0 {
		shown = shown[:i]
	}
	between(t, "../../README.md", "<!-- demo -->", "<!-- /demo -->", "```\n$ go run ./cmd/quaymaster demo --min-severity critical\n"+strings.TrimRight(shown, "\n")+"\n...\n```\n")
}
