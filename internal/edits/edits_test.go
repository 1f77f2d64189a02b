package edits

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "abc", 0}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"é", "e", 1}, {"ab", "ba", 2}} {
		assert.Equal(t, c.want, Distance([]rune(c.a), []rune(c.b)), c)
		assert.Equal(t, c.want, Distance([]rune(c.b), []rune(c.a)), c)
	}
	assert.Equal(t, 2, Distance([]byte("é"), []byte("e")), "two bytes against one")
}
