package probing_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/probing"
)

// planted are stories whose first target is a feature direction plus noise of the given SD, the second noise alone, and
// the third constant.
func planted(noise float64) []probing.Story {
	r := rand.New(rand.NewPCG(1, 2))
	stories := make([]probing.Story, 4)
	for i := range stories {
		s := probing.Story{Rows: 80}
		for range s.Rows {
			x := []float64{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
			for _, v := range x {
				s.Features = append(s.Features, float32(100*float64(i)+v)) // another level in each story
			}
			y := x[0] - x[2]
			s.Targets = append(s.Targets, float32(y+noise*r.NormFloat64()), float32(r.NormFloat64()), 7)
		}
		stories[i] = s
	}
	return stories
}

func TestLinear(t *testing.T) {
	clean, err := probing.Linear(t.Context(), planted(0), 1)
	require.NoError(t, err)
	// The least penalty of the grid shrinks the three directions unequally, which costs .004.
	assert.InDelta(t, 1, clean[0], .01, "what is there is read out, whatever the stories' levels")
	assert.InDelta(t, 0, clean[1], .12, "what is not there is not")
	assert.Zero(t, clean[2], "a constant has no score")

	// The signal has variance 2: with noise of variance 2 the best r is √½.
	noisy, err := probing.Linear(t.Context(), planted(1.41421), 1)
	require.NoError(t, err)
	assert.InDelta(t, .7071, noisy[0], .06)

	_, err = probing.Linear(t.Context(), planted(0)[:2], 1)
	assert.ErrorContains(t, err, "at least 3")
}

func ExampleLinear() {
	r, err := probing.Linear(context.Background(), planted(0), 1)
	fmt.Printf("%.2f %v\n", r[0], err)
	// Output: 1.00 <nil>
}
