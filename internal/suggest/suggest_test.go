package suggest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNearest(t *testing.T) {
	known := slices.Values([]string{"epochs", "readout_lr", "lr", "A1"})
	for word, want := range map[string]string{
		"Epoch": "epochs", "redout_rl": "readout_lr", "bottleneck": "", "a1": "A1", "A2": "A1",
		"XY": "", "": "", strings.Repeat("x", 1_000_000): "",
	} {
		assert.Equal(t, want, Nearest(word, known), "%.20s", word)
	}
	assert.Empty(t, Nearest("lr", slices.Values([]string(nil))))
	assert.Empty(t, Nearest("lr", slices.Values([]string{strings.Repeat("x", 1_000_000)})))
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "abc", 0}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"é", "e", 1},
		{"ab", "ba", 2}} {
		assert.Equal(t, c.want, distance([]rune(c.a), []rune(c.b)), c)
		assert.Equal(t, c.want, distance([]rune(c.b), []rune(c.a)), c)
	}
}
