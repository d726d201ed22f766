package cli

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// Secrets are looked for in every line by the words that introduce them, whatever the statement: hiding a word too many
// costs a look at the device, hiding one too few costs a password. A statement with a reader of its own records its first,
// with more detail; of one place the first record stays.

// Secret records that word i of the statement is one.
func (s *Stmt) Secret(i int, kind facts.SecretKind, storage facts.Storage, name, user string) {
	if i < 0 || i >= len(s.at) {
		return
	}
	w := s.at[i]
	if text := s.W[i]; len(text) > 1 && text[0] == '"' && text[len(text)-1] == '"' {
		w = tree.Word{Off: w.Off + 1, Len: w.Len - 2}
	}
	s.R.record(w, kind, storage, name, user)
}

func (r *Reader) record(w tree.Word, kind facts.SecretKind, storage facts.Storage, name, user string) {
	value := r.T.Source[w.Off : w.Off+w.Len]
	s := facts.Secret{Kind: kind, Storage: storage, User: user, Name: r.Keep(name), Span: r.File.Span(r.T.Base+int64(w.Off), int(w.Len))}
	if masked(string(value)) {
		s.Storage = facts.StorageMasked
	} else {
		s.Tag, s.Guessable = r.Sink.Tag(value), facts.Guessable(value)
	}
	r.D.Secrets = append(r.D.Secrets, s)
}

// hidden are what backup tools put in the place of a secret.
var hidden = [...]string{"<secret hidden>", "<removed>", "<configuration removed>", "<hidden>", "<REMOVED>"}

// secrets looks through the whole file and puts what was found in order.
func (r *Reader) secrets() {
	var found []copycmd.Secret
	own := make([]evidence.Pos, len(r.D.Secrets)) // of statements that recorded theirs
	for i := range r.D.Secrets {
		own[i] = r.D.Secrets[i].Span.Pos
	}
	slices.Sort(own)
	for i := range r.T.Nodes {
		n := &r.T.Nodes[i]
		from := r.Span(int32(i)).Pos
		k, _ := slices.BinarySearch(own, from)
		recorded := k < len(own) && own[k] < from+evidence.Pos(n.Len)
		text := r.T.Source[n.Off : n.Off+n.Len]
		found = found[:0]
		comment := n.Flags&(tree.Comment|tree.Raw) != 0
		switch {
		case recorded || n.Flags&tree.Raw != 0 || free(r.Text(int32(i))) || r.Dialect.noSecret(r.Text(int32(i))):
			found = copycmd.URLSecrets(found, text)
		default:
			found = copycmd.Secrets(found, text)
		}
		open := bytes.IndexByte(text, '<') >= 0
		if len(found) == 0 && !open {
			continue
		}
		user := ""
		if w := strings.Fields(r.Text(int32(i))); len(w) > 1 && (w[0] == "username" || w[0] == "user") {
			user = r.Keep(w[1])
		}
		for _, s := range found {
			if comment && s.Storage != facts.StorageMasked && s.Kind != facts.SecretURL {
				s.Storage = facts.StorageUnknown // what a comment says is no statement
			}
			r.record(tree.Word{Off: n.Off + uint32(s.Start), Len: uint32(s.End - s.Start)}, s.Kind, s.Storage, s.Name, user)
		}
		for _, mark := range hidden {
			if !open {
				break
			}
			if at := field.Index(text, mark); at >= 0 {
				name, _, _ := strings.Cut(strings.TrimSpace(r.Text(int32(i))[:at]), "  ")
				r.D.Secrets = append(r.D.Secrets, facts.Secret{
					Storage: facts.StorageMasked, User: user, Name: r.Keep(r.Said(name)), Span: r.File.Span(r.T.Base+int64(n.Off)+int64(at), len(mark)),
				})
			}
		}
	}
	r.privateKeys()
	slices.SortStableFunc(r.D.Secrets, func(a, b facts.Secret) int { return cmp.Compare(a.Span.Pos, b.Span.Pos) })
	var end evidence.Pos
	r.D.Secrets = slices.DeleteFunc(r.D.Secrets, func(s facts.Secret) bool {
		last := s.Span.Pos + evidence.Pos(s.Span.Len)
		if last <= end {
			return true
		}
		end = last
		return false
	})
}

func (d *Dialect) noSecret(text string) bool {
	return slices.ContainsFunc(d.NoSecrets, func(p string) bool { return strings.HasPrefix(text, p) })
}

// privateKeys hides the bodies of private keys in PEM form.
func (r *Reader) privateKeys() {
	const begin = "PRIVATE KEY-----"
	src := r.T.Source
	for at := 0; ; {
		i := field.Index(src[at:], begin)
		if i < 0 {
			return
		}
		start := at + i + len(begin)
		end := field.Index(src[start:], "-----END")
		if end < 0 {
			end = len(src) - start // the file was cut
		}
		for off := start; off < start+end; {
			line, _, _ := bytes.Cut(src[off:start+end], []byte("\n"))
			if text := field.Trim(line); len(text) > 0 {
				lead := len(line) - len(field.TrimLeft(line))
				r.record(tree.Word{Off: uint32(off + lead), Len: uint32(len(text))}, facts.SecretPrivate, facts.StorageClear, "private key", "")
			}
			off += len(line) + 1
		}
		at = start + end
		if j := bytes.IndexByte(src[at:], '\n'); j >= 0 {
			at += j // behind the closing line, which holds the mark too
		} else {
			return
		}
	}
}
