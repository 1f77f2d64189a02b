package dataset

// nearest is the known name with the fewest edits to a name that is not known, "" if none is near.
func nearest(name string, known []string) string {
	best, fewest := "", max(2, len(name)/2)
	for _, k := range known {
		if n := edits(name, k); n <= fewest && (best == "" || n < fewest) {
			best, fewest = k, n
		}
	}
	return best
}

// edits is the Levenshtein distance: how many bytes to insert, delete or replace.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
