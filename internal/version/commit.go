package version

import (
	"runtime/debug"
	"strings"
)

// Commit returns the commit that the program was built from, "" if the build did not record it, and whether the tree
// had changes.
func Commit() (commit string, dirty bool) {
	info, _ := debug.ReadBuildInfo()
	return recorded(linked, info)
}

func recorded(linked string, info *debug.BuildInfo) (commit string, dirty bool) {
	dirty = strings.HasSuffix(linked, "-dirty")
	if info == nil {
		return "", dirty
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
