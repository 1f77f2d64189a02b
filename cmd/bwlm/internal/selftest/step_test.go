package selftest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/torch"
)

func TestStepOnTheCPU(t *testing.T) {
	live := torch.Live()
	for range 3 {
		took, err := Step(t.Context(), torch.CPU)
		require.NoError(t, err)
		assert.Positive(t, took)
	}
	assert.Equal(t, live, torch.Live(), "nothing is left behind")
}

func TestByHand(t *testing.T) {
	x, y := make([]float32, rows*width), make([]float32, rows*width)
	w, b := make([]float32, width*width), make([]float32, width)
	x[0], y[0], w[0], b[0] = 2, 1, 3, 0.5 // row 0, output 0: 2·3 + .5 - 1 = 5.5; other rows: .5
	loss, grad := byHand(x, y, w, b)
	assert.InDelta(t, (5.5*5.5+63*0.25)/(rows*width), loss, 1e-12)
	assert.InDelta(t, 2*5.5*2/(rows*width), grad[0], 1e-12)
	assert.Zero(t, grad[1])
}
