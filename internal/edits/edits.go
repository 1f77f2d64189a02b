// Package edits says how far apart two words are, for errors that guess what was meant.
package edits

// Distance is that of Levenshtein: how many elements to insert, delete or replace to get from a to b. The work grows with
// the product of the lengths.
func Distance[T comparable](a, b []T) int {
	row := make([]int, len(b)+1) // row[j]: distance from the elements of a seen so far to b[:j]
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
