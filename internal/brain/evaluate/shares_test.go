package evaluate

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
)

func TestHardlyMovedMeansHalfOfTheVoxels(t *testing.T) {
	family := func(deltas ...float64) []stats.TestFamily {
		f := stats.TestFamily{Delta: deltas, Unresolved: make([]bool, len(deltas))}
		for range deltas {
			f.Scored = append(f.Scored, true)
		}
		return []stats.TestFamily{f}
	}
	for _, c := range []struct {
		name   string
		tests  []stats.TestFamily
		hardly bool
	}{
		{"all moved", family(.01, -.01, .001), false},
		{"one of three rounds to zero", family(.01, -.01, .0004), false},
		{"two of four round to zero", family(.01, -.01, .0004, -.0004), true},
		{"none scored", []stats.TestFamily{{}}, false},
	} {
		d := &results.Delta{Voxels: countMoved(c.tests)}
		assert.Equal(t, c.hardly, d.Unmoved() != "", c.name)
	}
	assert.Empty(t, (*results.Delta)(nil).Unmoved())
	assert.Empty(t, (&results.Delta{}).Unmoved(), "scores of an earlier version do not say")
}

func TestShareOfCeiling(t *testing.T) {
	s := &results.ModelScore{MeanR: .3, ROIs: map[string]float64{"AC": .2, "noise": .1}}
	assert.Nil(t, shareOf(s, nil))
	share := shareOf(s, &results.ModelScore{MeanR: 0, ROIs: map[string]float64{"AC": .4, "noise": 0}})
	assert.Nil(t, share.MeanR, "no ceiling is not a ceiling of 0")
	assert.Equal(t, map[string]float64{"AC": 50}, share.ROIs)
}
