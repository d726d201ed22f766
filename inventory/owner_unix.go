//go:build unix

package inventory

import (
	"io/fs"
	"os"
	"syscall"
)

const permissionsMeanSomething = true

// foreignOwner is the owner of a file when it is neither who runs this nor root.
func foreignOwner(info fs.FileInfo) (uid uint32, foreign bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok || s.Uid == 0 || int(s.Uid) == os.Geteuid() {
		return 0, false
	}
	return s.Uid, true
}
