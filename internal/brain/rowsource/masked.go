package rowsource

import (
	"context"
	"slices"
)

// Masked returns a source in which some columns, ascending, are 0 in all rows, whatever they hold.
func Masked(s Source, columns []int) Source {
	switch tiles, ok := s.(Columns); {
	case len(columns) == 0:
		return s
	case ok:
		return maskedTiles{masked{s, columns}, tiles}
	}
	return masked{s, columns}
}

// masked is a source without the values of some columns.
type masked struct {
	Source
	columns []int
}

// ReadRows reads rows and empties the columns.
func (m masked) ReadRows(ctx context.Context, repeat, from, to int, out []float32) error {
	if err := m.Source.ReadRows(ctx, repeat, from, to, out); err != nil {
		return err
	}
	_, _, width := m.Shape()
	empty(out[:(to-from)*width], width, 0, m.columns)
	return nil
}

// maskedTiles is such a source whose columns are stored together.
type maskedTiles struct {
	masked
	tiles Columns
}

// ReadTile reads whole columns and empties those that are masked.
func (m maskedTiles) ReadTile(ctx context.Context, from, to int, out []float32) error {
	if err := m.tiles.ReadTile(ctx, from, to, out); err != nil {
		return err
	}
	first, _ := slices.BinarySearch(m.columns, from)
	last, _ := slices.BinarySearch(m.columns, to)
	repeats, rows, _ := m.Shape()
	empty(out[:repeats*rows*(to-from)], to-from, from, m.columns[first:last])
	return nil
}

// empty sets columns of rows of a width to 0; column from is the first of a row.
func empty(rows []float32, width, from int, columns []int) {
	for ; len(rows) > 0; rows = rows[width:] {
		for _, c := range columns {
			rows[c-from] = 0
		}
	}
}
