// Package suggest finds the known name that a mistyped one most likely meant.
package suggest

import (
	"iter"
	"strings"
)

// maxLetters bounds the words that are compared, since the work grows with the product of their
// lengths. No key, flag, region or subject has a longer name.
const maxLetters = 64

// Nearest returns the known name with the fewest edits to word, the first of several, or "" if none
// is near. Case does not count. Near means that at most a third of word's letters, but at least
// two, are wrong, and that one is right.
func Nearest(word string, known iter.Seq[string]) string {
	letters := []rune(strings.ToLower(word))
	if len(letters) > maxLetters {
		return ""
	}
	best, fewest := "", max(2, len(letters)/3)+1
	for k := range known {
		other := []rune(strings.ToLower(k))
		if len(other) > maxLetters {
			continue
		}
		if d := distance(letters, other); d < fewest && d < max(len(letters), len(other)) {
			best, fewest = k, d
		}
	}
	return best
}

// distance is that of Levenshtein: how many letters to insert, delete or replace to get from a to
// b.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1) // row[j]: distance from the letters of a seen so far to b[:j]
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
