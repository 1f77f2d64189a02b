package experiment

import (
	"iter"
	"strings"

	"github.com/brainwavlm/bwlm/internal/edits"
)

// Nearest gives the known word that a mistyped one most likely meant, "" if none is close. Case does not count.
// Close means at most a third of the letters, but at least two, are wrong.
func Nearest(word string, known iter.Seq[string]) string {
	best, distance := "", max(2, len([]rune(word))/3)+1
	for k := range known {
		if d := levenshtein(strings.ToLower(word), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// levenshtein counts the letters to insert, delete or replace to get from a to b. Words of more than 64 letters are not
// compared, since the work grows with the product of the lengths and no key is that long.
func levenshtein(a, b string) int {
	s, t := []rune(a), []rune(b)
	if len(s) > 64 || len(t) > 64 {
		return max(len(s), len(t))
	}
	return edits.Distance(s, t)
}
