package rowsource

import "context"

// Clips returns a source whose rows are those of s in another order: row k is row order[k], the response to the clip of
// a name. Names are for errors.
func Clips(s Source, order []int, names []string) Source {
	c := clips{s, order, names}
	if tiles, ok := s.(Columns); ok {
		return clipTiles{c, tiles}
	}
	return c
}

// clips is a source in another order of rows.
type clips struct {
	Source
	order []int
	names []string
}

// RowName names a row in an error.
func (c clips) RowName(k int) string { return "clip " + c.names[k] }

// ReadRows reads row after row.
func (c clips) ReadRows(ctx context.Context, repeat, from, to int, out []float32) error {
	_, _, width := c.Shape()
	for k := from; k < to; k++ {
		row := out[(k-from)*width:][:width]
		if err := c.Source.ReadRows(ctx, repeat, c.order[k], c.order[k]+1, row); err != nil {
			return err
		}
	}
	return nil
}

// clipTiles is such a source whose columns are stored together.
type clipTiles struct {
	clips
	tiles Columns
}

// ReadTile reads whole columns and puts their rows in order.
func (c clipTiles) ReadTile(ctx context.Context, from, to int, out []float32) error {
	repeats, rows, _ := c.Shape()
	width := to - from
	stored := make([]float32, repeats*rows*width)
	if err := c.tiles.ReadTile(ctx, from, to, stored); err != nil {
		return err
	}
	for i := range repeats {
		for k, at := range c.order {
			copy(out[(i*rows+k)*width:][:width], stored[(i*rows+at)*width:])
		}
	}
	return nil
}
