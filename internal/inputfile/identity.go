package inputfile

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Identity is a hash of what a file is to what is made of it: of its path, size, time and inode, so that a file that
// changes has another. It is false for what is no regular file.
func Identity(path, of string) (key [sha256.Size]byte, ok bool) {
	path, err := filepath.Abs(path)
	if err != nil {
		return key, false
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return key, false
	}
	var inode uint64
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		inode = uint64(s.Ino)
	}
	return sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d %d %d", of, path, info.Size(), info.ModTime().UnixNano(),
		inode)), true
}
