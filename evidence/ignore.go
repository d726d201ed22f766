package evidence

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// besideExt are the suffixes of files that lie beside configurations and are never evidence.
var besideExt = []string{".png", ".jpg", ".jpeg", ".gif", ".svg", ".ico", ".webp", ".bmp", ".tif", ".tiff"}

// beside reports whether a name found below a folder is passed over without a word.
func beside(base string, dir bool) bool {
	if strings.HasPrefix(base, ".") {
		return true
	}
	if dir {
		return false
	}
	for _, s := range []string{"README", "LICENSE", "LICENCE"} {
		if strings.HasPrefix(base, s) {
			return true
		}
	}
	return slices.Contains(besideExt, strings.ToLower(path.Ext(base)))
}

// MatchIgnore reports whether a glob of the policy's ignore names a file or a folder. name is slash-separated below the
// folder that was given. A glob without a slash is matched with the last element of name, another with the whole; ** is
// any number of elements, a final slash restricts it to folders. What lies below an ignored folder is ignored.
func MatchIgnore(glob, name string, dir bool) bool {
	g, onlyDir := strings.CutSuffix(glob, "/")
	if onlyDir && !dir || g == "" {
		return false
	}
	if !strings.Contains(g, "/") {
		ok, err := path.Match(g, path.Base(name))
		return ok && err == nil
	}
	return matchParts(strings.Split(strings.TrimPrefix(strings.TrimPrefix(g, "./"), "/"), "/"), strings.Split(strings.TrimPrefix(name, "/"), "/"))
}

// matchParts matches element by element. Only the last ** seen is ever tried again, so it ends in len(glob)·len(name).
func matchParts(glob, name []string) bool {
	g, n := 0, 0
	star, from := -1, 0
	for n < len(name) {
		if g < len(glob) && glob[g] == "**" {
			star, from = g, n
			g++
			continue
		}
		if g < len(glob) {
			if ok, err := path.Match(glob[g], name[n]); ok && err == nil {
				g, n = g+1, n+1
				continue
			}
		}
		if star < 0 {
			return false
		}
		from++
		g, n = star+1, from
	}
	for g < len(glob) && glob[g] == "**" {
		g++
	}
	return g == len(glob)
}

// CheckIgnore says what is wrong with a glob.
func CheckIgnore(glob string) error {
	if strings.Trim(glob, "/") == "" {
		return fmt.Errorf("glob %q names nothing", glob)
	}
	for part := range strings.SplitSeq(glob, "/") {
		if _, err := path.Match(part, ""); err != nil {
			return fmt.Errorf("glob %q: %w", glob, err)
		}
	}
	return nil
}
