package ciscoasa

import (
	"bytes"

	"github.com/quaymaster/quaymaster/internal/tree"
)

func readIndent(t *tree.Tree, src []byte) {
	t.Reset(src)
	type level struct {
		indent int
		node   int32
	}
	var stack []level
	line := uint32(0)
	for off := 0; off < len(src); {
		line++
		end := bytes.IndexByte(src[off:], '\n')
		if end < 0 {
			end = len(src)
		} else {
			end += off
		}
		text := src[off:end]
		next := end + 1
		ind := 0
		for ind < len(text) && (text[ind] == ' ' || text[ind] == '\t') {
			ind++
		}
		last := len(text)
		for last > ind && (text[last-1] == ' ' || text[last-1] == '\t' || text[last-1] == '\r') {
			last--
		}
		if last > ind {
			n := tree.Node{Off: uint32(off + ind), Len: uint32(last - ind), Line: line}
			if text[ind] == '!' {
				n.Flags = tree.Comment
				t.Add(tree.None, n)
			} else {
				for len(stack) > 0 && stack[len(stack)-1].indent >= ind {
					stack = stack[:len(stack)-1]
				}
				parent := tree.None
				if len(stack) > 0 {
					parent = stack[len(stack)-1].node
				}
				i := t.Add(parent, n)
				stack = append(stack, level{ind, i})
			}
		}
		off = next
	}
}
