package planning

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/plan"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/torch"
)

// Features at a piece of a story are those that the study has there.
func TestPiecesOfAStoryAreThoseOfTheStory(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Model.WindowSeconds, e.Model.StrideSeconds = 1, .25
	})
	y := newWay(st, experiment.ExtractWindows, .25)
	stim := st.Stimuli["one"]
	x, err := wayReader(st, y).Features(t.Context(), stim, []int{st.Experiment.Model.Layer})
	require.NoError(t, err)
	channels := st.Model.Architecture().Width
	whole := stim.Design.Weights.Apply(x[0], channels)
	for _, rows := range []design.Rows{{Story: "one", From: 12, To: 25}, {Story: "one", From: 4, To: 10},
		{Story: "one", From: 20, To: 38}} {
		p, err := newPiece(t.Context(), st, rows)
		require.NoError(t, err)
		assert.Less(t, len(p.audio), stim.Samples.Len())
		f, err := p.read(t.Context(), st, y, nil)
		require.NoError(t, err)
		assert.InDeltaSlice(t, whole[rows.From*channels:rows.To*channels], f.rows, 1e-5, "%v", rows)
		assert.Len(t, f.design, rows.Len()*channels*len(st.Delays))
		z := design.FitZScore(f.rows, rows.Len(), channels).Apply(f.rows)
		assert.InDelta(t, z[(rows.Len()-2)*channels], f.design[(rows.Len()-1)*channels*len(st.Delays)], 1e-5,
			"the first delay is one row")

		// Windows every .5 s are among those every .25 s.
		half := newWay(st, experiment.ExtractWindows, .5)
		few, err := p.read(t.Context(), st, half, f)
		require.NoError(t, err)
		again, err := p.read(t.Context(), st, half, nil)
		require.NoError(t, err)
		assert.Less(t, len(few.windows), len(f.windows))
		assert.InDeltaSlice(t, again.rows, few.rows, 1e-5)
	}
}

func TestWaysHaveTheirCostAndAgreement(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Model.WindowSeconds, e.Model.StrideSeconds, e.Model.ChunkSeconds = 1, .1, 4
	})
	p, err := Estimate(t.Context(), st)
	require.NoError(t, err)
	require.Len(t, p.Ways, 5)
	for i, want := range []plan.Way{{Extraction: "windows", Stride: .1}, {Extraction: "windows", Stride: .25},
		{Extraction: "windows", Stride: .5}, {Extraction: "windows", Stride: 1},
		{Extraction: "chunks", Stride: .1, Chunk: 4}} {
		y := p.Ways[i]
		assert.Equal(t, want, plan.Way{Extraction: y.Extraction, Stride: y.Stride, Chunk: y.Chunk})
		for _, x := range []float64{y.Seconds, y.PeakMB, y.TFLOP, y.Hours} {
			assert.Positive(t, x)
		}
		assert.NotNil(t, y.TrainR)
		assert.NotNil(t, y.ValR)
		if i > 0 {
			assert.Positive(t, *y.FeatureR)
			assert.Less(t, *y.FeatureR, .9999)
			assert.LessOrEqual(t, *y.LowR, *y.FeatureR)
			assert.InDelta(t, *y.ValR-*p.Ways[0].ValR, y.Delta.Mean, 1e-9)
		}
	}
	assert.Greater(t, *p.Ways[1].FeatureR, *p.Ways[2].FeatureR)
	assert.Greater(t, *p.Ways[2].FeatureR, *p.Ways[3].FeatureR)
	assert.Nil(t, p.Ways[0].FeatureR, "own features are not compared with themselves")
	reading := func(i int) float64 { return p.Ways[i].TFLOP - p.Ways[3].TFLOP }
	assert.InEpsilon(t, (10.-1)/(4-1), reading(0)/reading(1), 1e-6, "what is read is in proportion to the windows")
	assert.Less(t, p.Ways[4].TFLOP, p.Ways[0].TFLOP/2)
	c := p.Compared
	assert.Empty(t, c.Reason)
	assert.Equal(t, [2]int{1, 60}, [2]int{c.Subjects, c.Voxels})
	assert.GreaterOrEqual(t, c.TrainRows, leastTrainRows)
	assert.LessOrEqual(t, c.TrainRows, 2*34)
	assert.GreaterOrEqual(t, c.ValRows, leastValRows)
}

func TestAMinuteThatIsNotEnoughIsNamed(t *testing.T) {
	st := studytest.Tiny(t, study.Options{CompareSeconds: 1e-6}, func(*experiment.Experiment, *dataset.Spec) {})
	p, err := Estimate(t.Context(), st)
	require.NoError(t, err)
	assert.Contains(t, p.Compared.Reason, "the time for it allows 0 training rows, and 10 are needed")
	assert.Nil(t, p.Ways[1].FeatureR)
	assert.Positive(t, p.Ways[1].Seconds)

	st.Options.CompareSeconds = -1
	p, err = Estimate(t.Context(), st)
	require.NoError(t, err)
	assert.Equal(t, plan.Compared{Reason: "it was not asked for"}, p.Compared)
}

func TestWaysOfChunksAreWindowsOfNoShorterStride(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Train.Mode, e.Model.Extraction = "readout", "chunks"
		e.Model.ChunkSeconds, e.Model.WindowSeconds, e.Model.StrideSeconds = 2, 1, .5
	})
	var names []string
	for _, y := range waysOf(st) {
		names = append(names, y.name())
	}
	assert.Equal(t, []string{"chunks of 2 s, windows every 0.5 s", "windows every 0.5 s", "windows every 1 s"}, names)
	p, err := Estimate(t.Context(), st)
	require.NoError(t, err)
	require.Len(t, p.Ways, 3)
	assert.NotNil(t, p.Ways[1].FeatureR)
	assert.Empty(t, p.Ways[1].Refused)
}

func TestPiecesAreSpreadOverTheParts(t *testing.T) {
	parts := []design.Rows{{Story: "a", From: 10, To: 40}, {Story: "b", From: 0, To: 5}, {Story: "c", From: 0, To: 100}}
	assert.Equal(t, []design.Rows{{Story: "a", From: 27, To: 37}, {Story: "c", From: 27, To: 37},
		{Story: "c", From: 72, To: 82}}, spread(parts, 3, 10))
	assert.Equal(t, []design.Rows{{Story: "b", From: 0, To: 5}}, spread(parts[1:2], 1, 10), "a part that is shorter")
	assert.Equal(t, []design.Rows{{Story: "b", From: 0, To: 4}}, spread(parts[1:2], 2, 4), "none twice")
}

func TestOperationsAreThoseOfProducts(t *testing.T) {
	n, err := operations(t.Context(), func(ctx context.Context) error {
		return torch.Do(ctx, torch.Mode{}, func(s *torch.Scope) error {
			a, b := s.FromFloat32(make([]float32, 6), 2, 3), s.FromFloat32(make([]float32, 12), 3, 4)
			a.MatMul(b).Add(s.FromFloat32(make([]float32, 4), 4))
			return nil
		})
	})
	require.NoError(t, err)
	assert.EqualValues(t, 2*2*3*4, n)
}
