package version

import (
	"runtime/debug"
	"strings"
)

// linkedCommit is set by the Makefile, as linked is: a build with -buildvcs=false records no commit by itself.
var linkedCommit string

// Commit returns the commit that the program was built from, "" if the build did not record it, and whether the tree
// had changes.
func Commit() (commit string, dirty bool) {
	info, _ := debug.ReadBuildInfo()
	return recorded(linked, linkedCommit, info)
}

func recorded(linked, linkedCommit string, info *debug.BuildInfo) (commit string, dirty bool) {
	commit, dirty = linkedCommit, strings.HasSuffix(linked, "-dirty")
	if info == nil {
		return commit, dirty
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value
		case "vcs.modified":
			dirty = dirty || s.Value == "true"
		}
	}
	return commit, dirty
}
