package rowsource

import (
	"context"
	"sync"
)

// Source holds the responses of one subject to one story, (repeats, rows, columns), and is read by rows. It is the
// Source of package dataset.
type Source interface {
	// Shape returns the numbers of repeats, rows (TRs) and columns (voxels).
	Shape() (repeats, rows, columns int)

	// ReadRows fills out with rows from ≤ k < to of a repeat, (to-from, columns), one row after another.
	ReadRows(ctx context.Context, repeat, from, to int, out []float32) error
}

// Columns is a Source whose columns are stored together, so that whole columns are what it reads fast.
type Columns interface {
	Source

	// ReadTile fills out with columns from ≤ c < to of all repeats and rows, (repeats, rows, to-from).
	ReadTile(ctx context.Context, from, to int, out []float32) error
}

// Memory is a Source that holds all values, (repeats, rows, columns).
type Memory interface {
	Source

	// Held returns the values, not a copy.
	Held() []float32
}

// SlabBytes bounds the values that a pass over responses holds at once.
const SlabBytes = 8 << 20

// TileColumns returns the number of whole columns that a pass holds at once.
func TileColumns(repeats, rows int) int { return max(1, SlabBytes/4/max(repeats*rows, 1)) }

// Buffers holds what reading rows reads, for reuse.
var Buffers = sync.Pool{New: func() any { return new([]float32) }}

// rowsOfTiles is ReadRows of a source whose columns are stored together: all of it is read, a tile at a time, since
// each row is spread over it.
func rowsOfTiles(ctx context.Context, s Columns, repeat, from, to int, out []float32) error {
	repeats, rows, columns := s.Shape()
	width := TileColumns(repeats, rows)
	tile := make([]float32, repeats*rows*min(width, columns))
	for at := 0; at < columns; at += width {
		w := min(width, columns-at)
		if err := s.ReadTile(ctx, at, at+w, tile); err != nil {
			return err
		}
		for k := from; k < to; k++ {
			copy(out[(k-from)*columns+at:][:w], tile[(repeat*rows+k)*w:])
		}
	}
	return nil
}
