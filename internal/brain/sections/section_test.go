package sections

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/torch"
)

// normals returns n standard normal numbers.
func normals(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64())
	}
	return out
}

// exampleStory has a vector every half TR of 2 s.
func exampleStory(b design.BOLD, rows, vectors int) *design.StoryDesign {
	return b.Story(design.Clock{TR: 2}, rows, design.Clock{First: 1, TR: 1}.Times(0, vectors))
}

// onTensors returns the design matrix of a section of vectors x (vectors, channels), computed on
// tensors.
func onTensors(t *testing.T, s Section, x []float32, channels int, z *design.ZScore) (out []float32) {
	t.Helper()
	require.NoError(t, torch.Infer(t.Context(), func(scope *torch.Scope) error {
		y := s.Matrix(scope.FromFloat32(x[s.Vectors.From*channels:s.Vectors.To*channels], s.Vectors.Len(), channels), z)
		require.Equal(t, []int{s.Rows.Len() - s.Context, channels * len(s.delays)}, y.Shape())
		out = y.Float32s()
		return nil
	}))
	return out
}

func TestSectionEqualsMatrix(t *testing.T) {
	const rows, vectors, channels = 30, 60, 5
	x := normals(vectors*channels, 2)
	for name, b := range map[string]design.BOLD{
		"Lanczos": {Delays: []int{1, 2, 4}}, "clipped": {ClipNegative: true, Delays: []int{1}},
		"average": {Average: true, Delays: []int{2, 3}},
	} {
		d := exampleStory(b, rows, vectors)
		d.Statistics = []design.Rows{{From: 3, To: 14}, {From: 18, To: 25}}
		want, z := d.Matrix(x, channels)
		width := d.Width(channels)
		require.Len(t, want, rows*width)
		for _, section := range [][2]int{{0, 10}, {3, 9}, {20, 30}, {29, 30}, {0, 30}} {
			got := onTensors(t, Of(d, section[0], section[1], 4), x, channels, &z)
			assert.InDeltaSlice(t, want[section[0]*width:section[1]*width], got, 1e-6, "%s %v", name, section)
		}
	}
}

// Regressors that are given at the rows need no resampling.
func TestSectionOfRowsEqualsMatrix(t *testing.T) {
	const rows, channels = 20, 3
	x := normals(rows*channels, 3)
	d := &design.StoryDesign{Delays: []int{1, 3}}
	want, z := d.Matrix(x, channels)
	got := onTensors(t, Of(d, 5, 20, 3), x, channels, &z)
	assert.InDeltaSlice(t, want[5*6:], got, 1e-6)
}

func TestDelayedEqualsFIR(t *testing.T) {
	const rows, channels = 9, 3
	x := normals(rows*channels, 1)
	for _, delays := range [][]int{{1}, {1, 2, 3, 4}, {2, 5}} {
		for _, context := range []int{0, 1, 4, 8} {
			require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
				got := delayed(s.FromFloat32(x, rows, channels), delays, context).Float32s()
				want := design.FIR(x, rows, channels, delays)
				assert.Equal(t, want[context*channels*len(delays):], got, "delays %v, context %d", delays, context)
				return nil
			}))
		}
	}
}

func TestSectionTakesItsContext(t *testing.T) {
	d := exampleStory(design.BOLD{Delays: []int{1, 2}}, 30, 60)
	s := Of(d, 10, 20, 4)
	assert.Equal(t, design.Rows{From: 6, To: 20}, s.Rows)
	assert.Equal(t, 4, s.Context)
	// Row 6 is at 12 s and uses 3 TRs before it, row 19 is at 38 s and uses 3 TRs after it, both
	// ends open; vector i is at i+1 s.
	assert.Equal(t, design.Rows{From: 6, To: 43}, s.Vectors)

	s = Of(d, 2, 12, 4)
	assert.Equal(t, design.Rows{From: 0, To: 12}, s.Rows, "the context ends where the story begins")
	assert.Equal(t, 2, s.Context)
	assert.Zero(t, Of(d, 0, 10, 4).Context)
}

func TestSectionByItsOwnStatistics(t *testing.T) {
	const channels = 2
	d := exampleStory(design.BOLD{Delays: []int{1}}, 30, 60)
	s := Of(d, 10, 20, 1)
	s.delays, s.Context = []int{0}, 0 // rows as they are before the delays
	z := design.FitZScore(onTensors(t, s, normals(60*channels, 1), channels, nil), 11, channels)
	for c := range channels {
		assert.InDelta(t, 0, z.Mean[c], 1e-6)
		assert.InDelta(t, 1, z.SD[c], 1e-3, "PyTorch's epsilon is in it")
	}
}

func TestRowsBeyondTheAudioAreStandardisedZeros(t *testing.T) {
	d := exampleStory(design.BOLD{Delays: []int{1}}, 40, 20)
	s := Of(d, 30, 40, 2)
	z := design.ZScore{Mean: []float64{1, 2}, SD: []float64{2, 4}}
	want, _ := (&design.StoryDesign{Weights: d.Weights, Delays: []int{1}}).Matrix(normals(40, 1), 2)
	assert.Equal(t, want[36*2], want[37*2], "rows without a vector are alike")
	require.NoError(t, torch.Infer(t.Context(), func(scope *torch.Scope) error {
		assert.Equal(t, []float32{-.5, -.5}, s.Matrix(scope.Zeros(0, 2), &z).Float32s()[:2])
		return nil
	}))
}

// The gradient of a linear map is its transpose: each vector's gradient is the sum of the gradients
// of the entries that it is part of, times the weight, over the SD.
func TestGradientOfASection(t *testing.T) {
	const rows, vectors, channels = 20, 40, 2
	d := exampleStory(design.BOLD{Delays: []int{1, 3}}, rows, vectors)
	x, s := normals(vectors*channels, 4), Of(d, 8, 16, 3)
	_, z := d.Matrix(x, channels)
	width := d.Width(channels)
	g := normals(8*width, 5)
	want := make([]float64, vectors*channels)
	for k := 8; k < 16; k++ {
		for i, delay := range d.Delays {
			for j, w := range d.Weights.Runs[k-delay] {
				for c := range channels {
					v := d.Weights.First[k-delay] + j
					want[v*channels+c] += float64(g[(k-8)*width+i*channels+c]) * w / z.SD[c]
				}
			}
		}
	}
	require.NoError(t, torch.Do(t.Context(), torch.Mode{Grad: true}, func(scope *torch.Scope) error {
		in := scope.FromFloat32(x[s.Vectors.From*channels:s.Vectors.To*channels], s.Vectors.Len(),
			channels).RequireGrad(true)
		s.Matrix(in, &z).Mul(scope.FromFloat32(g, 8, width)).Sum().Backward()
		for i, v := range in.Grad(scope).Float32s() {
			require.InDelta(t, want[s.Vectors.From*channels+i], v, 1e-5, "entry %d", i)
		}
		return nil
	}))
	for i := range want[:s.Vectors.From*channels] {
		require.Zero(t, want[i], "vectors outside the section take no part")
	}
}

func TestApplyEqualsDense(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	features := design.Clock{First: .25, TR: .25}.Times(0, 200)
	const channels = 3
	x := make([]float32, len(features)*channels)
	for i := range x {
		x[i] = rng.Float32()
	}
	rows := design.Clock{First: -20, TR: 2}.Times(0, 40) // some rows before and after all features
	for name, w := range map[string]*design.Weights{
		"lanczos": design.Lanczos(rows, features, design.LanczosOptions{}),
		"average": design.Average(rows, features, 2, 0)} {
		want := w.Apply(x, channels)
		for _, block := range [][2]int{{0, 40}, {12, 17}, {0, 2}, {38, 40}, {5, 5}} {
			m, from, to := Dense(w, block[0], block[1])
			require.Len(t, m, (block[1]-block[0])*(to-from), name)
			for r := block[0]; r < block[1]; r++ {
				for c := range channels {
					var sum float64
					for j := from; j < to; j++ {
						sum += float64(m[(r-block[0])*(to-from)+j-from]) * float64(x[j*channels+c])
					}
					require.InDelta(t, want[r*channels+c], sum, 1e-5, "%s row %d", name, r)
				}
			}
		}
		assert.Equal(t, make([]float32, channels), want[:channels], "no feature is near a row 20 s before the story")
		assert.Panics(t, func() { w.Apply(x[1:], channels) })
		assert.Panics(t, func() { Dense(w, 3, 41) })
	}
}
