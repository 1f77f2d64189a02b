package acoustic

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParabolaPeak(t *testing.T) {
	for _, peak := range []float64{-.5, -.2, 0, .3, .5} {
		y := func(x float64) float64 { return .9 - .7*(x-peak)*(x-peak) }
		shift, height := parabolaPeak(y(-1), y(0), y(1))
		assert.InDelta(t, peak, shift, 1e-12)
		assert.InDelta(t, .9, height, 1e-12)
	}
}
