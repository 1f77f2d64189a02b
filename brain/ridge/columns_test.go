package ridge

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Columns of matrices below and beside each other are those of the matrix that they make, in
// whatever pieces they are read.
func TestStackedAndBeside(t *testing.T) {
	const rows, cols = 7, 150
	whole := make([]float32, rows*cols)
	for i := range whole {
		whole[i] = float32(i)
	}
	cut := func(from, to int, heights ...int) VStack {
		m := VStack{Cols: to - from}
		row := 0
		for _, h := range heights {
			var part []float32
			for range h {
				part = append(part, whole[row*cols+from:row*cols+to]...)
				row++
			}
			m.Parts = append(m.Parts, part)
		}
		return m
	}
	b := HStack{cut(0, 100, 3, 4), cut(100, 101, 7), cut(101, 150, 1, 0, 5, 1)}
	require.Equal(t, cols, b.Cols())
	require.Equal(t, rows, b[2].height())
	for from := 0; from < cols; from += 7 {
		for _, to := range []int{from + 1, from + 40, cols} {
			if to > cols {
				continue
			}
			out := make([]float32, (to-from)*rows)
			require.NoError(t, b.Read(from, to, out))
			for c := from; c < to; c++ {
				for row := range rows {
					require.Equal(t, whole[row*cols+c], out[(c-from)*rows+row], "column %d, row %d, read from %d to %d",
						c, row, from, to)
				}
			}
		}
	}
	assert.Zero(t, VStack{Cols: 3}.height())
}
