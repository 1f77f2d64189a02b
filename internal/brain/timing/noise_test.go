package timing

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/brainwavlm/bwlm/brain/dataset"
)

// Few rows of noise have few blocks, whose standard error is uncertain itself: their highest r is seldom called clear.
func TestNoiseOnFewRowsIsNotClear(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	plain := planted(t)
	clear := 0
	for seed := range 12 {
		random := rand.New(rand.NewPCG(uint64(seed), 99))
		noise := altered(t, plain, func(s *dataset.Spec) {
			s.Stories, s.Subjects = s.Stories[:1], s.Subjects[:1]
			s.Subjects[0].Responses = slices.DeleteFunc(s.Subjects[0].Responses, func(r dataset.Response) bool {
				return r.Story != s.Stories[0].Name
			})
			m := dataset.NewMatrix(60, 20, make([]float32, 60*20))
			for v := range 20 {
				x := 0.
				for k := range 60 {
					x = .6*x + random.NormFloat64()
					m.Row(0, k)[v] = float32(x)
				}
			}
			s.Subjects[0].Responses[0].Matrix = dataset.Value(m)
		})
		if examined(t, noise, Options{}).Clear {
			clear++
		}
	}
	assert.LessOrEqual(t, clear, 1, "of 12")
}

func TestClearPeaksOfFewBlocks(t *testing.T) {
	for blocks, want := range map[int]float64{2: 333, 3: 23.5, 5: 7.4, 10: 4.31, 19: 3.54, 20: 3, 100: 3} {
		assert.InDelta(t, want, clearPeak(blocks), .01*want, "%d blocks", blocks)
	}
}
