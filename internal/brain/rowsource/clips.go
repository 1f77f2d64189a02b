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

// TimeMeans returns a source of one repeat whose row k is the mean over rows from ≤ i < to of repeat k of s: of time
// courses (clips, times, columns) the mean response to each clip.
func TimeMeans(s Source, from, to int) Source { return timeMeans{s, from, to} }

type timeMeans struct {
	Source
	from, to int
}

// Shape returns one repeat with a row for each time course.
func (m timeMeans) Shape() (repeats, rows, columns int) {
	clips, _, columns := m.Source.Shape()
	return 1, clips, columns
}

// ReadRows averages the times of each clip, in float64.
func (m timeMeans) ReadRows(ctx context.Context, _, from, to int, out []float32) error {
	_, _, width := m.Shape()
	times, sum := make([]float32, (m.to-m.from)*width), make([]float64, width)
	for k := from; k < to; k++ {
		if err := m.Source.ReadRows(ctx, k, m.from, m.to, times); err != nil {
			return err
		}
		clear(sum)
		for i, v := range times {
			sum[i%width] += float64(v)
		}
		for c, v := range sum {
			out[(k-from)*width+c] = float32(v / float64(m.to-m.from))
		}
	}
	return nil
}
