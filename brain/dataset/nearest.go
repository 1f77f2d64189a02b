package dataset

import "github.com/brainwavlm/bwlm/internal/edits"

// nearest is the known name with the fewest edits to a name that is not known, "" if none is near.
func nearest(name string, known []string) string {
	best, fewest := "", max(2, len(name)/2)
	for _, k := range known {
		if n := edits.Distance([]byte(name), []byte(k)); n <= fewest && (best == "" || n < fewest) {
			best, fewest = k, n
		}
	}
	return best
}
