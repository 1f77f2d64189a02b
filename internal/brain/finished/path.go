package finished

import (
	"path/filepath"
	"strings"
)

// named names runs by the last parts of their paths, as many as tell them apart.
func named(runs []*Run) {
	for parts := 1; parts < 20; parts++ {
		count := map[string]int{}
		for _, r := range runs {
			r.Name = tail(r.Dir, parts)
			count[r.Name]++
		}
		if len(count) == len(runs) {
			return
		}
	}
}

// tail returns the last parts of a path.
func tail(path string, parts int) string {
	path = filepath.Clean(path)
	at := len(path)
	for i := len(path) - 1; i >= 0 && parts > 0; i-- {
		if path[i] == filepath.Separator {
			parts--
			if parts == 0 {
				return path[i+1:]
			}
		}
		at = i
	}
	return path[at:]
}

// ShortPath returns the last two parts of an absolute path, and never the first two, which name whose folder it is.
func ShortPath(path string) string {
	if len(path) < 2 || path[0] != '/' {
		return path
	}
	parts := strings.Count(filepath.Clean(path), "/")
	if parts == 1 {
		return path
	}
	return "…/" + tail(path, min(2, max(1, parts-2)))
}
