package proc

import (
	"path/filepath"
	"syscall"
)

// FreeDisk returns the bytes that this user can still write at a path. What is not there yet counts as its nearest
// folder that is. 0: nobody says.
func FreeDisk(path string) int64 {
	path, err := filepath.Abs(path)
	if err != nil {
		return 0
	}
	for {
		var fs syscall.Statfs_t
		if syscall.Statfs(path, &fs) == nil {
			return int64(fs.Bavail) * fs.Bsize
		}
		above := filepath.Dir(path)
		if above == path {
			return 0
		}
		path = above
	}
}
