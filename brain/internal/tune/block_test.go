package tune_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/internal/encoding"
	"github.com/brainwavlm/bwlm/brain/internal/study"
	"github.com/brainwavlm/bwlm/brain/internal/tune"
	"github.com/brainwavlm/bwlm/brain/internal/windows"
	"github.com/brainwavlm/bwlm/internal/testnum"
	"github.com/brainwavlm/bwlm/torch"
)

func listener(rows ...design.Rows) *study.Subject {
	return &study.Subject{Parts: [3][]design.Rows{rows}}
}

func TestBlocks(t *testing.T) {
	a := listener(design.Rows{Story: "s", From: 10, To: 34}, design.Rows{Story: "t", From: 0, To: 10})
	b := listener(design.Rows{Story: "s", From: 10, To: 36})
	assert.Equal(t, []tune.Block{
		{Story: "s", From: 10, To: 20, Subjects: []int{0, 1}},
		{Story: "s", From: 20, To: 34, Subjects: []int{0}}, // a rest of 4 rows goes with the block before it
		{Story: "t", From: 0, To: 10, Subjects: []int{0}},
		{Story: "s", From: 20, To: 30, Subjects: []int{1}},
		{Story: "s", From: 30, To: 36, Subjects: []int{1}}, // one of 6 is a block
	}, tune.Blocks([]*study.Subject{a, b}, 10, true))
	assert.Equal(t, []tune.Block{
		{Story: "s", From: 10, To: 20, Subjects: []int{0}}, {Story: "s", From: 20, To: 34, Subjects: []int{0}}, {Story: "t", From: 0, To: 10, Subjects: []int{0}},
		{Story: "s", From: 10, To: 20, Subjects: []int{1}}, {Story: "s", From: 20, To: 30, Subjects: []int{1}}, {Story: "s", From: 30, To: 36, Subjects: []int{1}},
	}, tune.Blocks([]*study.Subject{a, b}, 10, false))
	assert.Equal(t, []tune.Block{{Story: "s", From: 0, To: 3, Subjects: []int{0}}}, tune.Blocks([]*study.Subject{listener(design.Rows{Story: "s", From: 0, To: 3})}, 10, true))
	assert.Len(t, tune.Blocks([]*study.Subject{listener(design.Rows{Story: "s", From: 0, To: 3})}, 1, true), 3)
}

func TestEveryRowIsInOneBlock(t *testing.T) {
	for size := 1; size < 13; size++ {
		for n := 1; n < 40; n++ {
			next := 5
			for _, b := range tune.Blocks([]*study.Subject{listener(design.Rows{Story: "s", From: 5, To: 5 + n})}, size, true) {
				require.Equal(t, next, b.From)
				require.Greater(t, b.To, b.From)
				require.Less(t, b.To-b.From, size+(size+1)/2)
				next = b.To
			}
			require.Equal(t, 5+n, next)
		}
	}
}

func TestOrderOfBlocks(t *testing.T) {
	var bs []tune.Block
	for _, story := range []string{"b", "a"} {
		for k := range 20 {
			bs = append(bs, tune.Block{Story: story, From: k, To: k + 1, Subjects: []int{0}})
		}
	}
	one, again, other := tune.Shuffled(bs, 1), tune.Shuffled(bs, 1), tune.Shuffled(bs, 2)
	assert.Equal(t, one, again)
	assert.NotEqual(t, one, other)
	assert.ElementsMatch(t, bs, one)
	reversed := make([]tune.Block, len(bs))
	for i, b := range bs {
		reversed[len(bs)-1-i] = b
	}
	assert.Equal(t, one, tune.Shuffled(reversed, 1), "the order in which data came does not matter")
	assert.Equal(t, "b", bs[0].Story, "the list itself is left alone")
}

// aStimulus has a window every half TR of 2 s, and so many rows.
func aStimulus(rows, count int) *windows.Stimulus {
	st := &windows.Stimulus{Name: "s", Rows: rows}
	for i := range count {
		st.Windows = append(st.Windows, design.Window{Start: i * 100, End: (i + 1) * 100, Time: float64(i + 1)})
	}
	st.Weights = design.Lanczos(design.Clock{TR: 2}.Times(0, rows), design.FeatureTimes(st.Windows), design.LanczosOptions{Cutoff: .5})
	st.Training = st.Weights
	return st
}

func TestSpanTakesItsHalo(t *testing.T) {
	st := aStimulus(30, 60)
	sp := tune.SpanOf(st, tune.Block{Story: "s", From: 10, To: 20, Subjects: nil}, 4)
	assert.Equal(t, design.Rows{From: 6, To: 20}, sp.Rows)
	assert.Equal(t, 4, sp.Halo)
	// Row 6 is at 12 s and looks 3 TRs back, row 19 at 38 s looks 3 TRs ahead, both ends open; window i ends at i+1 s.
	assert.Equal(t, design.Rows{From: 6, To: 43}, sp.Windows)
	assert.Len(t, sp.Weights, 14*37)

	sp = tune.SpanOf(st, tune.Block{Story: "s", From: 2, To: 12, Subjects: nil}, 4)
	assert.Equal(t, design.Rows{From: 0, To: 12}, sp.Rows, "the halo ends where the story begins")
	assert.Equal(t, 2, sp.Halo)
	sp = tune.SpanOf(st, tune.Block{Story: "s", From: 0, To: 10, Subjects: nil}, 4)
	assert.Zero(t, sp.Halo)
}

// What a block computes with gradients is what evaluation computes for the same rows.
func TestBlocksAgreeWithEvaluation(t *testing.T) {
	const channels = 3
	st := aStimulus(30, 60)
	x := testnum.Values(60*channels, 2)
	delays := []int{1, 2, 4}
	f := encoding.RowFeatures{Rows: map[string][]float32{}, Zscore: map[string]design.ZScore{}}
	st.Statistics = []design.Rows{{From: 3, To: 25}}
	f.Add(st, x, delays)
	width := channels * len(delays)
	require.Equal(t, width, f.Width)
	z := f.Zscore["s"]
	for _, b := range []tune.Block{{Story: "s", From: 0, To: 10, Subjects: nil}, {Story: "s", From: 3, To: 9, Subjects: nil}, {Story: "s", From: 20, To: 30, Subjects: nil}} {
		sp := tune.SpanOf(st, b, 4)
		require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
			n := sp.Windows.To - sp.Windows.From
			vectors := s.FromFloat32(x[sp.Windows.From*channels:sp.Windows.To*channels], n, channels)
			got := tune.Delayed(sp.RowFeatures(vectors, &z), delays, sp.Halo).Float32s()
			assert.InDeltaSlice(t, f.Rows["s"][b.From*width:b.To*width], got, 1e-5)
			return nil
		}))
	}
}

func TestBlockStatistics(t *testing.T) {
	const channels = 2
	st := aStimulus(30, 60)
	sp := tune.SpanOf(st, tune.Block{Story: "s", From: 10, To: 20, Subjects: nil}, 0)
	require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
		n := sp.Windows.To - sp.Windows.From
		y := testnum.Lines(sp.RowFeatures(s.FromFloat32(testnum.Values(n*channels, 1), n, channels), nil).Float32s(), 10, channels, 0)
		for _, column := range y {
			mean, square := 0., 0.
			for _, v := range column {
				mean += v / 10
				square += v * v / 10
			}
			assert.InDelta(t, 0, mean, 1e-6)
			assert.InDelta(t, 1, square, 1e-3, "the biased variance, plus PyTorch's epsilon")
		}
		return nil
	}))
}

func TestRowsBeyondTheAudioAreTheMean(t *testing.T) {
	st := aStimulus(40, 20)
	sp := tune.SpanOf(st, tune.Block{Story: "s", From: 30, To: 40, Subjects: nil}, 2)
	assert.Empty(t, sp.Weights)
	require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
		z := design.ZScore{Mean: []float64{1, 2}, SD: []float64{2, 4}}
		y := sp.RowFeatures(s.Zeros(0, 2), &z)
		assert.Equal(t, []int{12, 2}, y.Shape())
		assert.Equal(t, []float32{-.5, -.5}, y.Float32s()[:2], "no weight, no feature: what the ridge sees too")
		return nil
	}))
}
