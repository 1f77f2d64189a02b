package experiment

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"8GiB": 8 << 30, "1.5 GiB": 3 << 29, "500MB": 500e6, "2G": 2 << 30,
		"10": 10, "7B": 7, "0": 0, "1e9": 1e9} {
		n, err := ParseSize(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, n, text)
	}
	for _, text := range []string{"", "GiB", "-1GiB", "8 gib", "NaN", "1e30TiB", "1 2"} {
		_, err := ParseSize(text)
		assert.ErrorContains(t, err, "is no size; write 8GiB or 500MB", text)
	}
	e := Default()
	assert.Zero(t, e.MaxBytes())
	e.MaxMemory = "2GiB"
	assert.EqualValues(t, 2<<30, e.MaxBytes())
	assert.Empty(t, memory(&e.MaxMemory))
	for _, text := range []string{"", "0", "much"} {
		assert.NotEmpty(t, memory(&text), text)
	}
}
