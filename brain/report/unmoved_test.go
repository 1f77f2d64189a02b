package report

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/finished"
)

func TestHeadlineOfARunThatHardlyMoved(t *testing.T) {
	rep, err := Read(t.Context(), made(t))
	require.NoError(t, err)
	r := rep.Runs[0]
	require.NotContains(t, r.Verdict().Sentence, "hardly moved")
	r.Scores.Delta.MeanR, r.Scores.Delta.CI95 = -1e-8, &stats.Interval{-2e-8, 1e-8}
	r.Scores.Delta.Voxels = &results.MovedVoxels{Scored: 39, Unresolved: 30, Unmoved: 39}
	v := r.Verdict()
	assert.Equal(t, "open", v.Kind)
	assert.Equal(t, "tuning hardly moved the model", v.Word)
	assert.Equal(t, "0.000", v.Number)
	assert.Contains(t, v.Interval, "[0.000, 0.000]")
	assert.True(t, strings.HasPrefix(v.Sentence, "Tuning hardly moved the model"))
	assert.Contains(t, v.Sentence, "Raise train.lr")
	r.Chosen = 0
	v = r.Verdict()
	assert.Equal(t, "no change", v.Word)
	assert.Contains(t, v.Sentence, results.AfterNoEpoch)
}

func TestAxesDoNotZoomIntoRounding(t *testing.T) {
	a := plot.Axis{Min: .3, Max: .3 + 1e-7}
	atLeast(&a, leastSpan)
	assert.InDelta(t, leastSpan, a.Max-a.Min, 1e-9)
	assert.InDelta(t, .3, (a.Max+a.Min)/2, 1e-6)
	a = plot.Axis{Min: -.1, Max: .2}
	atLeast(&a, leastSpan)
	assert.Equal(t, plot.Axis{Min: -.1, Max: .2}, a)
	low, high := span([]float64{.3, .3 + 1e-7}, leastSpan)
	assert.InDelta(t, leastSpan, high-low, 1e-9)

	f := whiskers([]whisker{{"all", 1e-8, &stats.Interval{-1e-8, 2e-8}}}, "Δr", "", "")
	assert.NotContains(t, string(f.SVG), "e-0", "no tick is as fine as rounding")
	assert.Contains(t, string(f.SVG), ">0.00")
}

func TestRepeatsOfTheTestRowsAreNamedInTheTables(t *testing.T) {
	rep, err := Read(t.Context(), made(t))
	require.NoError(t, err)
	var page strings.Builder
	require.NoError(t, rep.HTML(&page))
	require.NotContains(t, page.String(), results.TestRepeatsSplit)
	page.Reset()
	rep.Runs[0].Scores.TestRepeats = results.TestRepeatsSplit
	require.NoError(t, rep.HTML(&page))
	assert.Contains(t, page.String(), results.TestRepeatsSplit)
}

func TestThePageSaysWhatIntervalsAreAbout(t *testing.T) {
	rep, err := Read(t.Context(), made(t))
	require.NoError(t, err)
	scores := &rep.Runs[0].Scores
	render := func() string {
		var page strings.Builder
		require.NoError(t, rep.HTML(&page))
		return page.String()
	}
	assert.NotContains(t, render(), "this story only", "scores of an earlier version do not say")
	scores.Stories = []string{"alice"}
	assert.Contains(t, render(), "one story, alice: intervals and p are about this story only")
	assert.Contains(t, render(), "(this story only)")
	assert.NotContains(t, render(), "95 % interval, stories")
	scores.Stories, scores.Delta.CI95Stories = []string{"a", "b", "c"}, &stats.Interval{-.02, .1}
	assert.NotContains(t, render(), "this story only")
	assert.Contains(t, render(), "95 % interval, stories")
	assert.Contains(t, render(), "over stories [−0.020, &#43;0.100]")
}

func TestRegionsThatChangedMostComeFirst(t *testing.T) {
	d := &results.Delta{ROIs: map[string]results.DeltaROI{"a": {MeanR: .01}, "b": {MeanR: -.2}, "c": {MeanR: .1}}}
	r := &pageOfRun{&finished.Run{Scores: results.Scores{Delta: d,
		Base: results.ModelScore{ROIs: map[string]float64{"a": .1, "b": .1, "c": .1}}}}}
	assert.Equal(t, []string{"b", "c", "a"}, r.partsByDelta(d))
}
