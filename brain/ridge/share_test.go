package ridge

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A share of the voxels that begins at a multiple of the unit has the bits that these voxels have among all.
func TestSharesHaveTheBitsOfAllVoxels(t *testing.T) {
	was := [3]int{sumVoxels, sumRows, blockValues}
	t.Cleanup(func() { sumVoxels, sumRows, blockValues = was[0], was[1], was[2] })
	const rows, features, voxels, unit = 90, 6, 2*16 + 9, 16
	sumVoxels, sumRows, blockValues = 6, 64, 6*rows // blocks that do not divide a unit
	x, y := simulate(3, rows, features, voxels)
	cut := func(from, to int) Responses {
		var out []float32
		for row := range rows {
			out = append(out, y[row*voxels+from:row*voxels+to]...)
		}
		return Responses{matrixColumns{rows, to - from, out}, to - from}
	}
	type fitted struct {
		model Model
		pred  []float32
	}
	for _, form := range []Form{Sums, Direct, Kernel} {
		for _, bytes := range []int{0, 1} {
			inForm(t, form)
			fit := func(first, to int) (out []fitted, widths []int) {
				_, err := FitBlocks(t.Context(), x, rows, []Responses{cut(first, to)},
					Options{Alphas: []float64{1, 100}, ChunkRows: 20, Unit: unit, Of: voxels, Bytes: bytes},
					func(ctx context.Context, _, from int, m *Model) error {
						pred, err := m.Predict(ctx, x, rows)
						out = append(out, fitted{Model{Weights: m.Weights, Dual: m.Dual, Scores: m.Scores,
							Alphas: m.Alphas, Intercept: m.Intercept}, pred})
						widths = append(widths, m.Voxels)
						return err
					})
				require.NoError(t, err)
				return out, widths
			}
			want, widths := fit(0, voxels)
			for _, at := range []int{unit * (1 + bytes)} {
				got, narrow := fit(0, at)
				more, rest := fit(at, voxels)
				assert.Equal(t, widths, append(narrow, rest...))
				assert.True(t, assert.ObjectsAreEqual(want, append(got, more...)), "%s, cut at %d", form, at)
			}
		}
	}
}

// The form of the fit of a share is that of all voxels.
func TestTheFormOfAShareIsThatOfAllVoxels(t *testing.T) {
	x := &matrix{rows: 1000, cols: 3000, factor: []float64{1}}
	few, all, share := &fit{x: x, voxels: 100}, &fit{x: x, voxels: 10000}, &fit{x: x, voxels: 100,
		opt: Options{Of: 10000}}
	assert.False(t, few.isDual())
	assert.True(t, all.isDual())
	assert.True(t, share.isDual())
	x = &matrix{rows: 30000, cols: 100, factor: []float64{1}}
	folds, err := ChunkFolds(x.rows, 40, 3, .25, 0)
	require.NoError(t, err)
	for _, f := range []*fit{few, all, share} {
		f.x, f.opt.Lambdas = x, make([]float64, 10)
	}
	few.voxels, share.voxels = 1, 1
	assert.False(t, few.fromSums(folds))
	assert.True(t, all.fromSums(folds))
	assert.True(t, share.fromSums(folds))
}

func TestUnitsAreRefusedWithASingleAlpha(t *testing.T) {
	for _, opt := range []Options{{Unit: 16, SingleAlpha: true}, {Unit: -1}} {
		_, err := Fit(t.Context(), make([]float32, 20), make([]float32, 20), 20, opt)
		require.ErrorContains(t, err, "ridge: unit")
	}
}
