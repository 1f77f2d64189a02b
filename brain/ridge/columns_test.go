package ridge

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// matrixRows is a matrix that is read by rows, some at a time, and refuses to be read by columns.
type matrixRows struct {
	matrixColumns
	step   int
	passes *int
}

func (m matrixRows) Read(int, int, []float32) error { panic("read by columns") }

func (m matrixRows) EachRows(_ context.Context, from, to int, visit func(row int, x []float32) error) error {
	*m.passes++
	for row := 0; row < m.rows; row += m.step {
		var x []float32
		for k := row; k < min(row+m.step, m.rows); k++ {
			x = append(x, m.data[k*m.cols+from:k*m.cols+to]...)
		}
		if err := visit(row, x); err != nil {
			return err
		}
		for i := range x {
			x[i] = float32(math.NaN()) // what a visit keeps is its own
		}
	}
	return nil
}

// Whether responses are read by rows or by columns, in how many pieces and groups, and whether they come from one
// subject or two, changes nothing, and a group is read once.
func TestTheWayOfReadingChangesNothing(t *testing.T) {
	was := [2]int{sumVoxels, sumRows}
	sumVoxels, sumRows = 16, 64
	t.Cleanup(func() { sumVoxels, sumRows = was[0], was[1] })
	const rows, features, voxels = 2*64 + 30, 6, 2*16 + 5
	x, y := simulate(3, rows, features, voxels)
	for _, form := range []Form{Sums, Direct} {
		for _, common := range []bool{false, true} {
			opt := Options{Alphas: []float64{1, 100}, ChunkRows: 20, SingleAlpha: common}
			inForm(t, form)
			want, err := Fit(t.Context(), x, y, rows, opt)
			require.NoError(t, err)
			want.Cost = Cost{}
			opt.Bytes = 1 // the smallest groups
			for _, step := range []int{29, rows} {
				passes := 0
				got, err := FitColumns(t.Context(), x, matrixRows{matrixColumns{rows, voxels, y}, step, &passes}, rows,
					voxels, opt)
				require.NoError(t, err)
				groups := map[Form]int{Sums: 3, Direct: 1}[form] // a block is all voxels where rows are few
				if common && groups > 1 {
					groups *= 2
				}
				assert.Equal(t, groups, passes)
				got.Cost = Cost{}
				require.Equal(t, want, got, "%s, %d rows at a time", form, step)
			}
			const left = 16
			cut := func(from, to int) Responses {
				var out []float32
				for row := range rows {
					out = append(out, y[row*voxels+from:row*voxels+to]...)
				}
				return Responses{matrixColumns{rows, to - from, out}, to - from}
			}
			seen := 0
			_, err = FitBlocks(t.Context(), x, rows, []Responses{cut(0, left), cut(left, voxels)}, opt,
				func(_ context.Context, k, from int, m *Model) error {
					for v := range m.Voxels {
						at := k*left + from + v
						require.Equal(t, want.Alphas[at], m.Alphas[v])
						require.InDelta(t, want.Scores[at], m.Scores[v], 1e-6)
						for i := range features {
							require.InDelta(t, want.Weights[i*voxels+at], m.Weights[i*m.Voxels+v], 1e-6)
						}
					}
					seen += m.Voxels
					return nil
				})
			require.NoError(t, err)
			assert.Equal(t, voxels, seen)
		}
	}
}

// A value that is not finite is named, however responses are read.
func TestResponsesThatAreNotFinite(t *testing.T) {
	const rows, features, voxels = 40, 3, 5
	x, y := simulate(3, rows, features, voxels)
	y[7*voxels+3], y[9*voxels+1] = float32(math.Inf(1)), float32(math.NaN())
	passes := 0
	for _, form := range []Form{Sums, Direct} {
		inForm(t, form)
		for _, reader := range []ColumnReader{matrixColumns{rows, voxels, y},
			matrixRows{matrixColumns{rows, voxels, y}, 6, &passes}} {
			_, err := FitColumns(t.Context(), x, reader, rows, voxels, Options{ChunkRows: 5})
			require.ErrorContains(t, err, "row 7, voxel 3 is +Inf")
			err = Check(t.Context(), x, reader, rows, voxels)
			require.ErrorContains(t, err, "row 7, voxel 3 is +Inf")
		}
	}
}
