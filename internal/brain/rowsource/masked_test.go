package rowsource

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// counted is a source whose values are their places.
type counted struct{ repeats, rows, columns int }

func (c counted) Shape() (repeats, rows, columns int) { return c.repeats, c.rows, c.columns }

func (c counted) ReadRows(_ context.Context, repeat, from, to int, out []float32) error {
	for i := range (to - from) * c.columns {
		out[i] = float32((repeat*c.rows+from)*c.columns + i + 1)
	}
	return nil
}

// tiled is such a source that is read by columns.
type tiled struct{ counted }

func (c tiled) ReadTile(_ context.Context, from, to int, out []float32) error {
	for k := range c.repeats * c.rows {
		for v := from; v < to; v++ {
			out[k*(to-from)+v-from] = float32(k*c.columns + v + 1)
		}
	}
	return nil
}

// Masked columns are 0 in every way of reading, and the others are as they were.
func TestMasked(t *testing.T) {
	plain := counted{2, 3, 5}
	assert.Equal(t, plain, Masked(plain, nil))
	columns := []int{0, 2, 4}
	for i, s := range []Source{Masked(plain, columns), Masked(tiled{plain}, columns)} {
		for repeat := range 2 {
			for from := range 3 {
				for to := from; to <= 3; to++ {
					out := make([]float32, (to-from)*5+1)
					out[len(out)-1] = -1
					require.NoError(t, s.ReadRows(t.Context(), repeat, from, to, out))
					for i := range (to - from) * 5 {
						want := float32(0)
						if c := i % 5; c == 1 || c == 3 {
							want = float32((repeat*3+from)*5 + i + 1)
						}
						assert.Equal(t, want, out[i])
					}
					assert.Equal(t, float32(-1), out[len(out)-1])
				}
			}
		}
		tiles, ok := s.(Columns)
		assert.Equal(t, i == 1, ok)
		for from := 0; ok && from < 5; from++ {
			for to := from + 1; to <= 5; to++ {
				out := make([]float32, 6*(to-from))
				require.NoError(t, tiles.ReadTile(t.Context(), from, to, out))
				for i, x := range out {
					k, c := i/(to-from), from+i%(to-from)
					want := float32(0)
					if c == 1 || c == 3 {
						want = float32(k*5 + c + 1)
					}
					assert.Equal(t, want, x)
				}
			}
		}
	}
}
