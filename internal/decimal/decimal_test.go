package decimal_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/brainwavlm/bwlm/internal/decimal"
)

func TestWhatRoundsToZeroHasNoSign(t *testing.T) {
	for _, c := range []struct {
		v            float64
		text, signed string
	}{
		{0, "0.000", "0.000"},
		{math.Copysign(0, -1), "0.000", "0.000"},
		{-1e-9, "0.000", "0.000"},
		{4e-4, "0.000", "0.000"},
		{-.0006, "-0.001", "-0.001"},
		{.0006, "0.001", "+0.001"},
		{-12.5, "-12.500", "-12.500"},
		{100, "100.000", "+100.000"},
		{math.NaN(), "NaN", "NaN"},
		{math.Inf(1), "+Inf", "+Inf"},
	} {
		assert.Equal(t, c.text, decimal.Text(c.v, 3), "%g", c.v)
		assert.Equal(t, c.signed, decimal.Signed(c.v, 3), "%g", c.v)
	}
	assert.Equal(t, "0", decimal.Signed(-.2, 0))
}
