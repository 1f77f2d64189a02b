package calibration

import (
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
)

// simulated are stories of voxels: what is predicted, in a unit of its own for each voxel, and responses with
// first-order noise.
func simulated(stories, rows, voxels int, memory float64, seed uint64) (pred, want []float32) {
	draw := rand.New(rand.NewPCG(seed, 1))
	fresh := math.Sqrt(1 - memory*memory)
	for range stories {
		noise := make([]float64, voxels)
		for k := range rows {
			for v := range voxels {
				if k == 0 {
					noise[v] = draw.NormFloat64()
				} else {
					noise[v] = memory*noise[v] + fresh*draw.NormFloat64()
				}
				x := draw.NormFloat64()
				pred = append(pred, float32(3+x*float64(1+v%7)))
				want = append(want, float32(.5*x+noise[v]))
			}
		}
	}
	return pred, want
}

// coverage returns how many of the responses are in the intervals of a level.
func coverage(x Intervals, level int, pred, want []float32, voxels int) float64 {
	in := 0
	for i := range pred {
		v := i % voxels
		middle := x.Intercept[v] + x.Slope[v]*float64(pred[i])
		if math.Abs(float64(want[i])-middle) <= x.Half[level*voxels+v] {
			in++
		}
	}
	return float64(in) / float64(len(pred))
}

func TestIntervalsCoverUnseenStories(t *testing.T) {
	const stories, rows, voxels = 6, 300, 100
	parts := slices.Repeat([]int{rows}, stories)
	for _, memory := range []float64{0, .5, .8} {
		pred, want := simulated(stories, rows, voxels, memory, 1)
		x := Fit(pred, want, voxels, parts)
		assert.Equal(t, stories*rows, x.Rows)
		assert.Len(t, blocksOf(parts, x.BlockRows), x.Blocks)
		if memory == .8 {
			assert.Greater(t, x.BlockRows, 20, "three times an autocorrelation time of nine rows")
		} else {
			assert.Equal(t, 10, x.BlockRows)
		}
		pred, want = simulated(20, rows, voxels, memory, 2)
		for l, level := range Levels {
			got := coverage(x, l, pred, want, voxels)
			t.Logf("memory %.1f, %d blocks of %d rows: %.0f %% intervals cover %.1f %%", memory, x.Blocks, x.BlockRows,
				100*level, 100*got)
			if level < float64(x.Blocks)/float64(x.Blocks+1) {
				assert.InDelta(t, level, got, .02)
			} else {
				assert.Zero(t, got, "there is no such interval")
			}
		}
	}
}

// The weights of residuals, and the level up to which there are intervals, by hand.
func TestHalfWidthsOfFewBlocks(t *testing.T) {
	blocks := []design.Rows{{From: 0, To: 1}, {From: 1, To: 2}, {From: 2, To: 3}, {From: 3, To: 4}}
	got := halfWidths([]float64{0, 0, 0, 0}, []float64{0, 0, 3, -3}, blocks)
	// means of the others: 0, 0, -1, 1; residuals 0, 0, 4, 4, each of weight 1/5
	for l, want := range []float64{4, 4, 4, 4} {
		assert.InDelta(t, want, got[l], 1e-12, "%g", Levels[l])
	}
	for _, half := range got[4:] {
		assert.True(t, math.IsNaN(half), "4/5 is below the level")
	}
	for _, half := range halfWidths([]float64{1, 2}, []float64{1, 2}, []design.Rows{{From: 0, To: 2}}) {
		assert.True(t, math.IsNaN(half), "one block has no others")
	}
}

func TestTheLineHasTheUnitOfResponses(t *testing.T) {
	pred, want := simulated(2, 500, 7, 0, 3)
	x := Fit(pred, want, 7, []int{500, 500})
	for v, slope := range x.Slope {
		assert.InDelta(t, .5/float64(1+v), slope, .1/float64(1+v))
		assert.InDelta(t, -3*slope, x.Intercept[v], .15)
	}
	for i := range want {
		want[i] = -want[i]
	}
	for _, slope := range Fit(pred, want, 7, []int{500, 500}).Slope {
		assert.Zero(t, slope, "predictions are not turned round")
	}
	assert.Zero(t, Fit(make([]float32, 40), make([]float32, 40), 1, []int{40}).Slope[0])
}

func TestPooledStatisticsAreThoseOfAllRows(t *testing.T) {
	draw := rand.New(rand.NewPCG(5, 1))
	var all []float32
	var zs []design.ZScore
	rows := []int{30, 50}
	for i, n := range rows {
		x := make([]float32, n*3)
		for k := range x {
			x[k] = float32(i) + float32(draw.NormFloat64())
		}
		zs, all = append(zs, design.FitZScore(x, n, 3)), append(all, x...)
	}
	want, got := design.FitZScore(all, 80, 3), Pooled(zs, rows)
	assert.InDeltaSlice(t, want.Mean, got.Mean, 1e-6)
	assert.InDeltaSlice(t, want.SD, got.SD, 1e-6)
}

func TestFilesAreReadAsTheyWereWritten(t *testing.T) {
	pred, want := simulated(1, 200, 4, 0, 3)
	c := &Calibration{Columns: []int{1, 2, 5, 9}, R: []float64{.1, .2, math.NaN(), -.4},
		Clip: Fit(pred, want, 4, []int{200}), Training: Fit(want, pred, 4, []int{200}),
		Statistics: design.ZScore{Mean: []float64{1, 2}, SD: []float64{3, 4}}}
	path := filepath.Join(t.TempDir(), "ada.safetensors")
	_, err := Read(path, c.Columns, 2)
	require.True(t, errors.Is(err, fs.ErrNotExist), "%v", err)
	require.NoError(t, c.Write(path))
	got, err := Read(path, c.Columns, 2)
	require.NoError(t, err)
	assert.True(t, math.IsNaN(got.R[2]))
	got.R[2], c.R[2] = 0, 0
	for _, x := range []*Calibration{got, c} {
		for _, half := range [][]float64{x.Clip.Half, x.Training.Half} {
			for i := range half {
				if half[i] != half[i] {
					half[i] = -1
				}
			}
		}
	}
	assert.Equal(t, c, got)

	refused := func(columns []int, channels int, want string) {
		t.Helper()
		_, err := Read(path, columns, channels)
		require.ErrorContains(t, err, want)
		assert.Equal(t, fault.BadData, fault.KindOf(err))
	}
	refused([]int{1, 2, 5, 8}, 2, "other voxels")
	refused(c.Columns, 3, "2 numbers, want 3")
	c.Statistics.SD[1] = 0
	require.NoError(t, c.Write(path))
	refused(c.Columns, 2, "a standard deviation is 0")
	require.NoError(t, ckpt.Write(path, []ckpt.Tensor{ckpt.NewTensor("columns", []int{1}, []int64{1})}, nil))
	refused(c.Columns, 2, "not of this version")
}
