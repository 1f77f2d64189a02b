package experiment

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLevenshtein(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "abc", 0}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"é", "e", 1}, {"ab", "ba", 2}} {
		assert.Equal(t, c.want, levenshtein(c.a, c.b), c)
		assert.Equal(t, c.want, levenshtein(c.b, c.a), c)
	}
}

func TestNearest(t *testing.T) {
	known := slices.Values([]string{"epochs", "readout_lr", "lr"})
	assert.Equal(t, "epochs", Nearest("Epoch", known))
	assert.Equal(t, "readout_lr", Nearest("redout_rl", known))
	assert.Equal(t, "", Nearest("bottleneck", known))
	assert.Equal(t, "", Nearest(strings.Repeat("x", 1_000_000), known))
	assert.Equal(t, "", Nearest("lr", slices.Values([]string(nil))))
}
