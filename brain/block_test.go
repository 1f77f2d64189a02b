package brain

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/torch"
)

func listener(rows ...design.Rows) *person { return &person{parts: [3][]design.Rows{rows}} }

func TestBlocks(t *testing.T) {
	a := listener(design.Rows{Story: "s", From: 10, To: 34}, design.Rows{Story: "t", From: 0, To: 10})
	b := listener(design.Rows{Story: "s", From: 10, To: 36})
	assert.Equal(t, []block{
		{"s", 10, 20, []int{0, 1}},
		{"s", 20, 34, []int{0}}, // a rest of 4 rows goes with the block before it
		{"t", 0, 10, []int{0}},
		{"s", 20, 30, []int{1}},
		{"s", 30, 36, []int{1}}, // one of 6 is a block
	}, blocks([]*person{a, b}, 10, true))
	assert.Equal(t, []block{
		{"s", 10, 20, []int{0}}, {"s", 20, 34, []int{0}}, {"t", 0, 10, []int{0}},
		{"s", 10, 20, []int{1}}, {"s", 20, 30, []int{1}}, {"s", 30, 36, []int{1}},
	}, blocks([]*person{a, b}, 10, false))
	assert.Equal(t, []block{{"s", 0, 3, []int{0}}}, blocks([]*person{listener(design.Rows{Story: "s", From: 0, To: 3})}, 10, true))
	assert.Len(t, blocks([]*person{listener(design.Rows{Story: "s", From: 0, To: 3})}, 1, true), 3)
}

func TestEveryRowIsInOneBlock(t *testing.T) {
	for size := 1; size < 13; size++ {
		for n := 1; n < 40; n++ {
			next := 5
			for _, b := range blocks([]*person{listener(design.Rows{Story: "s", From: 5, To: 5 + n})}, size, true) {
				require.Equal(t, next, b.from)
				require.Greater(t, b.to, b.from)
				require.Less(t, b.to-b.from, size+(size+1)/2)
				next = b.to
			}
			require.Equal(t, 5+n, next)
		}
	}
}

func TestOrderOfBlocks(t *testing.T) {
	var bs []block
	for _, story := range []string{"b", "a"} {
		for k := range 20 {
			bs = append(bs, block{story, k, k + 1, []int{0}})
		}
	}
	one, again, other := shuffled(bs, 1), shuffled(bs, 1), shuffled(bs, 2)
	assert.Equal(t, one, again)
	assert.NotEqual(t, one, other)
	assert.ElementsMatch(t, bs, one)
	reversed := make([]block, len(bs))
	for i, b := range bs {
		reversed[len(bs)-1-i] = b
	}
	assert.Equal(t, one, shuffled(reversed, 1), "the order in which data came does not matter")
	assert.Equal(t, "b", bs[0].story, "the list itself is left alone")
}

// aStimulus has a window every half TR of 2 s, and so many rows.
func aStimulus(rows, count int) *stimulus {
	st := &stimulus{name: "s", rows: rows}
	for i := range count {
		st.windows = append(st.windows, design.Window{Start: i * 100, End: (i + 1) * 100, Time: float64(i + 1)})
	}
	st.weights = design.Lanczos(design.Clock{TR: 2}.Times(0, rows), design.FeatureTimes(st.windows), design.LanczosOptions{Cutoff: .5})
	st.training = st.weights
	return st
}

func TestSpanTakesItsHalo(t *testing.T) {
	st := aStimulus(30, 60)
	sp := spanOf(st, block{"s", 10, 20, nil}, 4)
	assert.Equal(t, design.Rows{From: 6, To: 20}, sp.rows)
	assert.Equal(t, 4, sp.halo)
	// Row 6 is at 12 s and looks 3 TRs back, row 19 at 38 s looks 3 TRs ahead, both ends open; window i ends at i+1 s.
	assert.Equal(t, design.Rows{From: 6, To: 43}, sp.windows)
	assert.Len(t, sp.weights, 14*37)

	sp = spanOf(st, block{"s", 2, 12, nil}, 4)
	assert.Equal(t, design.Rows{From: 0, To: 12}, sp.rows, "the halo ends where the story begins")
	assert.Equal(t, 2, sp.halo)
	sp = spanOf(st, block{"s", 0, 10, nil}, 4)
	assert.Zero(t, sp.halo)
}

// What a block computes with gradients is what evaluation computes for the same rows.
func TestBlocksAgreeWithEvaluation(t *testing.T) {
	const channels = 3
	st := aStimulus(30, 60)
	x := values(60*channels, 2)
	delays := []int{1, 2, 4}
	f := rowFeatures{rows: map[string][]float32{}, zscore: map[string]design.ZScore{}}
	st.statistics = []design.Rows{{From: 3, To: 25}}
	f.add(st, x, delays)
	width := channels * len(delays)
	require.Equal(t, width, f.width)
	z := f.zscore["s"]
	for _, b := range []block{{"s", 0, 10, nil}, {"s", 3, 9, nil}, {"s", 20, 30, nil}} {
		sp := spanOf(st, b, 4)
		require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
			n := sp.windows.To - sp.windows.From
			vectors := s.FromFloat32(x[sp.windows.From*channels:sp.windows.To*channels], n, channels)
			got := delayed(sp.rowFeatures(vectors, &z), delays, sp.halo).Float32s()
			assert.InDeltaSlice(t, f.rows["s"][b.from*width:b.to*width], got, 1e-5)
			return nil
		}))
	}
}

func TestBlockStatistics(t *testing.T) {
	const channels = 2
	st := aStimulus(30, 60)
	sp := spanOf(st, block{"s", 10, 20, nil}, 0)
	require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
		n := sp.windows.To - sp.windows.From
		y := lines(sp.rowFeatures(s.FromFloat32(values(n*channels, 1), n, channels), nil).Float32s(), 10, channels, 0)
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
	sp := spanOf(st, block{"s", 30, 40, nil}, 2)
	assert.Empty(t, sp.weights)
	require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
		z := design.ZScore{Mean: []float64{1, 2}, SD: []float64{2, 4}}
		y := sp.rowFeatures(s.Zeros(0, 2), &z)
		assert.Equal(t, []int{12, 2}, y.Shape())
		assert.Equal(t, []float32{-.5, -.5}, y.Float32s()[:2], "no weight, no feature: what the ridge sees too")
		return nil
	}))
}
