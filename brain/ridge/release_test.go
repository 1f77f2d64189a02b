package ridge

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/releasetest"
	"github.com/brainwavlm/bwlm/internal/testnum"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/torch"
)

// releaseStory returns the delayed features (rows, 256) of an epoch and the standardised responses (rows, 120) of a
// story of the golden.
func releaseStory(t *testing.T, epoch, story string) (x, y []float32, rows int) {
	t.Helper()
	const channels = releasetest.Width
	z := standardColumns(releasetest.Tensor(t, "features_"+epoch+".safetensors", story), channels)
	rows = len(z) / channels
	x = make([]float32, rows*4*channels)
	for d := range 4 {
		for row := d + 1; row < rows; row++ {
			copy(x[(row*4+d)*channels:][:channels], z[(row-d-1)*channels:][:channels])
		}
	}
	raw := releasetest.Array(t, "data/responses", story+".npy")
	responses := make([]float32, len(raw))
	for i, v := range raw {
		responses[i] = float32(v)
	}
	return x, standardColumns(responses, releasetest.Voxels), rows
}

// releaseRows joins stories.
func releaseRows(t *testing.T, epoch string, stories []string) (x, y []float32, rows int) {
	t.Helper()
	for _, story := range stories {
		sx, sy, n := releaseStory(t, epoch, story)
		x, y, rows = append(x, sx...), append(y, sy...), rows+n
	}
	return x, y, rows
}

// standardColumns brings the columns of x to mean 0 and SD 1.
func standardColumns(x []float32, cols int) []float32 {
	out, rows := make([]float32, len(x)), len(x)/cols
	for c, column := range testnum.Lines(x, rows, cols, 0) {
		sum, squares := 0., 0.
		for _, v := range column {
			sum += v / float64(rows)
		}
		for _, v := range column {
			squares += (v - sum) * (v - sum) / float64(rows)
		}
		for row, v := range column {
			out[row*cols+c] = float32((v - sum) / math.Sqrt(squares))
		}
	}
	return out
}

// releaseR returns r of each voxel.
func releaseR(pred, measured []float32) (r []float32) {
	rows := len(pred) / releasetest.Voxels
	y := testnum.Lines(measured, rows, releasetest.Voxels, 0)
	for v, p := range testnum.Lines(pred, rows, releasetest.Voxels, 0) {
		r = append(r, float32(testnum.Pearson(p, y[v])))
	}
	return r
}

// foldScores returns the scores (penalties, voxels) of one fold.
func foldScores(t *testing.T, x, y []float32, rows int, opt Options, held []int) []float64 {
	t.Helper()
	voxels := len(y) / rows
	f, err := newFit(x, rows, []Responses{{matrixColumns{rows, voxels, y}, voxels}}, opt)
	require.NoError(t, err)
	require.NoError(t, f.ys[0].hold(t.Context(), 0, voxels))
	var scores []float64
	require.NoError(t, f.withFeatures(t.Context(), 0, func(s *torch.Scope, of *decomposed) error {
		var err error
		scores, err = f.crossValidate(s, of, f.ys[0], [][]int{held}, 1)
		return err
	}))
	return scores
}

// TestRidgeOfTheRelease: scores of candidates, alphas, weights and r of the released code, from its own features.
func TestRidgeOfTheRelease(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	var chunks struct {
		HeldOut   [][]int `json:"held_out_chunks"`
		HeldOutID [][]int `json:"held_out_chunks_id_hparams"`
	}
	releasetest.JSON(t, &chunks, "want/ridge/ridge.json")
	tol := releasetest.Tolerances(t)
	var alphas0 []float64
	for _, c := range []struct {
		file, epoch       string
		held              [][]int // nil: with the alphas of epoch 0
		chunkRows, alphas int
	}{
		{"epoch0", "epoch0", chunks.HeldOut, 40, 10},
		{"epoch0_id_hparams", "epoch0", chunks.HeldOutID, 20, 15},
		{"epoch2_own_alphas", "epoch2", chunks.HeldOut, 40, 10},
		{"epoch1_alphas_of_epoch0", "epoch1", nil, 0, 0},
		{"epoch2_alphas_of_epoch0", "epoch2", nil, 0, 0},
	} {
		t.Run(c.file, func(t *testing.T) {
			x, y, rows := releaseRows(t, c.epoch, releasetest.Train)
			require.Equal(t, 169, rows)
			file := "ridge/" + c.file + ".safetensors"
			var scores []float32 // (alphas, voxels, folds)
			opt := Options{NoIntercept: true, SmallerTies: true, Given: alphas0, Device: torchtest.Device()}
			if c.held != nil {
				folds, err := foldsOf(c.held, rows, c.chunkRows)
				require.NoError(t, err)
				opt.Given, opt.Folds = nil, folds
				for i := range c.alphas {
					opt.Alphas = append(opt.Alphas, math.Pow(10, 1+3*float64(i)/float64(c.alphas-1)))
				}
				scores = make([]float32, c.alphas*releasetest.Voxels*len(folds))
				for k, held := range folds {
					for i, score := range foldScores(t, x, y, rows, opt, held) {
						scores[i*len(folds)+k] = float32(score)
					}
				}
				releasetest.Within(t, releasetest.Tensor(t, file, "cv_r"), scores, tol["cv_r"],
					"r of each alpha, voxel and fold")
			}
			m, err := Fit(t.Context(), x, y, rows, opt)
			require.NoError(t, err)
			if alphas0 == nil {
				alphas0 = m.Alphas
				releasetest.Within(t, releasetest.Tensor(t, file, "weights"), m.Weights, tol["weights"], "weights")
			}
			want := releasetest.Tensor(t, file, "alpha")
			if ties := alphaTies(t, opt.Alphas, m.Alphas, want, scores, tol["tie"]); ties > 0 {
				t.Logf("%d voxels: two alphas whose scores differ by rounding", ties)
				opt.Given = chosenAlphas(opt.Alphas, want)
				opt.Alphas = nil
				m, err = Fit(t.Context(), x, y, rows, opt)
				require.NoError(t, err)
			}
			for _, story := range releasetest.Held {
				x, y, rows := releaseStory(t, c.epoch, story)
				p, err := m.Predict(t.Context(), x, rows)
				require.NoError(t, err)
				releasetest.Within(t, releasetest.Tensor(t, file, "r."+story), releaseR(p, y), tol["r"], "r, "+story)
			}
			x, y, rows = releaseRows(t, c.epoch, releasetest.Held)
			p, err := m.Predict(t.Context(), x, rows)
			require.NoError(t, err)
			releasetest.Within(t, releasetest.Tensor(t, file, "r.all_held_out"), releaseR(p, y), tol["r"],
				"r, held-out stories end to end")
		})
	}
}

// alphaTies counts the voxels whose alpha is not the golden's, and fails where the scores of the
// two differ by more than a tie. Scores are (alphas, voxels, folds).
func alphaTies(t *testing.T, candidates, got []float64, want, scores []float32, tie float64) (ties int) {
	t.Helper()
	for v, w := range want {
		if math.Abs(got[v]-float64(w)) < 1e-2 {
			continue
		}
		ties++
		mean := func(alpha float64) (sum float64) {
			a := slices.IndexFunc(candidates, func(c float64) bool { return math.Abs(c-alpha) < 1e-2 })
			folds := len(scores) / len(candidates) / len(want)
			for _, s := range scores[(a*len(want)+v)*folds:][:folds] {
				sum += float64(s) / float64(folds)
			}
			return sum
		}
		assert.InDelta(t, mean(float64(w)), mean(got[v]), tie, "voxel %d: alpha %g, the golden has %g", v, got[v], w)
	}
	return ties
}

// chosenAlphas returns the candidate next to each alpha, which the golden may have rounded.
func chosenAlphas(candidates []float64, alphas []float32) (out []float64) {
	for _, alpha := range alphas {
		out = append(out, slices.MinFunc(candidates, func(a, b float64) int {
			return cmp.Compare(math.Abs(a-float64(alpha)), math.Abs(b-float64(alpha)))
		}))
	}
	return out
}

func TestWholeChunksAreHeldOutRoundedDown(t *testing.T) {
	for _, c := range []struct{ rows, chunkRows, held int }{
		{169, 40, 40}, {169, 20, 40}, {160, 40, 40}, {300, 40, 40}, {320, 40, 80}, {100, 40, 40},
	} {
		folds, err := wholeChunkFolds(c.rows, c.chunkRows, 30, .25, 7)
		require.NoError(t, err)
		for _, held := range folds {
			assert.Len(t, held, c.held, "%d rows", c.rows)
			assert.Less(t, held[len(held)-1], c.rows/c.chunkRows*c.chunkRows,
				"%d rows: the shorter chunk is not held out", c.rows)
		}
	}
	_, err := wholeChunkFolds(79, 40, 3, .25, 7)
	require.ErrorContains(t, err, "do not make two chunks of 40 rows")
	_, err = wholeChunkFolds(80, 0, 3, .25, 7)
	require.ErrorContains(t, err, "chunks of 0 rows")
	_, err = foldsOf([][]int{{0}, {2}}, 119, 40)
	require.ErrorContains(t, err, "fold 1 holds out chunk 2; 119 rows have whole chunks 0 to 1")
	_, err = foldsOf([][]int{{0, 0}}, 119, 40)
	require.ErrorContains(t, err, "fold 0 holds out a row twice")
}

func TestTiesBetweenAlphasGoToTheLargerOrTheSmaller(t *testing.T) {
	const rows = 40
	x, flat := testnum.Values(rows, 1), make([]float32, rows) // a constant voxel has score 0 for every penalty
	for smaller, want := range map[bool]float64{false: 100, true: 1} {
		for _, single := range []bool{false, true} {
			m, err := Fit(t.Context(), x, flat, rows, Options{Alphas: []float64{1, 10, 100}, ChunkRows: 10,
				SmallerTies: smaller, SingleAlpha: single})
			require.NoError(t, err)
			assert.Equal(t, []float64{want}, m.Alphas)
		}
	}
}

func TestGivenAlphasAreTaken(t *testing.T) {
	const rows, voxels = 40, 3
	x, y := testnum.Values(rows*5, 1), testnum.Values(rows*voxels, 2)
	m, err := Fit(t.Context(), x, y, rows, Options{Given: []float64{10, 3, 10}})
	require.NoError(t, err)
	assert.Equal(t, []float64{10, 3, 10}, m.Alphas)
	assert.Equal(t, []float64{100, 9, 100}, m.Lambdas)
	assert.Nil(t, m.Scores)
	one, err := Fit(t.Context(), x, y, rows, Options{Alphas: []float64{3}})
	require.NoError(t, err)
	for i := range 5 {
		assert.InDelta(t, one.Weights[i*voxels+1], m.Weights[i*voxels+1], 1e-7)
	}
	_, err = Fit(t.Context(), x, y, rows, Options{Given: []float64{10}})
	require.ErrorContains(t, err, "1 alphas for 3 voxels")
	_, err = Fit(t.Context(), x, y, rows, Options{Given: []float64{10, 1, 1}, Alphas: []float64{1}})
	require.ErrorContains(t, err, "3 alphas are given and candidates or bands, too")
}

// TestSignedRootIsHuthLabs: sign(d)·√|d| with d = 1 - var(residual)/var(measured), on predictions of a fit by hand.
func TestSignedRootIsHuthLabs(t *testing.T) {
	const rows, cols, voxels = 60, 4, 5
	x, y := testnum.Values(rows*cols, 3), testnum.Values(rows*voxels, 4)
	for i := range rows { // voxels 0 and 1 follow features, the others are noise
		y[i*voxels] += x[i*cols]
		y[i*voxels+1] += 3*x[i*cols+1] + 5
	}
	held, alphas := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, []float64{1, 10}
	got := foldScores(t, x, y, rows, Options{Alphas: alphas, Metric: SignedRoot}, held)
	for a, alpha := range alphas {
		m, err := Fit(t.Context(), x[len(held)*cols:], y[len(held)*voxels:], rows-len(held),
			Options{Alphas: []float64{alpha}})
		require.NoError(t, err)
		p, err := m.Predict(t.Context(), x[:len(held)*cols], len(held))
		require.NoError(t, err)
		left := make([]float32, len(p))
		for i := range p {
			left[i] = y[i] - p[i]
		}
		residuals, measured := testnum.Lines(left, len(held), voxels, 0), testnum.Lines(y, len(held), voxels, 0)
		for v := range voxels {
			d := 1 - variance(residuals[v])/variance(measured[v])
			assert.InDelta(t, math.Copysign(math.Sqrt(math.Abs(d)), d), got[a*voxels+v], 2e-4, "alpha %g, voxel %d",
				alpha, v)
		}
	}
}

func variance(x []float64) (out float64) {
	m := 0.
	for _, v := range x {
		m += v / float64(len(x))
	}
	for _, v := range x {
		out += (v - m) * (v - m) / float64(len(x))
	}
	return out
}
