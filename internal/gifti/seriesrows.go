package gifti

import (
	"fmt"
	"io"

	"github.com/brainwavlm/bwlm/internal/raw"
)

// Columns is the number of vertices.
func (s *Series) Columns() int { return s.Vertices }

// Each calls visit with each row, the values of all vertices in a slice that is used again. NaN, as on the medial
// wall, stays NaN. Memory is that of one row, or PassBytes if vertices come first in the file.
func (s *Series) Each(visit func(row int, values []float32) error) error {
	return s.each(s.scan, visit)
}

// each is Each for a file that scan goes through.
func (s *Series) each(scan func(visitor) error, visit func(row int, values []float32) error) error {
	var fromVisitor error
	checked := func(row int, values []float32) error {
		fromVisitor = visit(row, values)
		return fromVisitor
	}
	var err error
	if s.form == verticesFirst {
		most := min(s.Rows, max(1, s.PassBytes/4/s.Vertices))
		whole := make([]float32, most*s.Vertices)
		for from := 0; from < s.Rows && err == nil; from += most {
			err = s.pass(scan, from, whole[:min(most, s.Rows-from)*s.Vertices], checked)
		}
	} else {
		err = s.inOrder(scan, checked)
	}
	if fromVisitor != nil {
		return fromVisitor
	}
	return err
}

// inOrder reads rows that come one after another.
func (s *Series) inOrder(scan func(visitor) error, visit func(row int, values []float32) error) error {
	values, row := make([]float32, s.Vertices), 0
	err := scan(func(array int, e *raw.Element, text io.Reader) error {
		n, err := s.open(array, e, text)
		if err != nil {
			return err
		}
		rows := 1
		if s.form == rowsFirst {
			rows = s.Rows
		}
		for range rows {
			if err := n.read(values); err != nil {
				return err
			}
			if err := visit(row, values); err != nil {
				return err
			}
			row++
		}
		return n.finish()
	})
	if err == nil && row != s.Rows {
		return s.damaged("", fmt.Errorf("it has %d rows, want %d", row, s.Rows))
	}
	return err
}

// pass reads rows from from on, as many as turned has room for, of an array whose vertices come one after another.
func (s *Series) pass(scan func(visitor) error, from int, turned []float32,
	visit func(row int, values []float32) error) error {
	to := from + len(turned)/s.Vertices
	err := scan(func(array int, e *raw.Element, text io.Reader) error {
		n, err := s.open(array, e, text)
		if err != nil {
			return err
		}
		series := make([]float32, s.Rows)
		for v := range s.Vertices {
			if err := n.read(series); err != nil {
				return err
			}
			for row := from; row < to; row++ {
				turned[(row-from)*s.Vertices+v] = series[row]
			}
		}
		return n.finish()
	})
	if err != nil {
		return err
	}
	for row := from; row < to; row++ {
		at := (row - from) * s.Vertices
		if err := visit(row, turned[at:at+s.Vertices]); err != nil {
			return err
		}
	}
	return nil
}

// open reads an array, which must have the size of the first.
func (s *Series) open(array int, e *raw.Element, text io.Reader) (*numbers, error) {
	shape, err := shapeOf(e)
	if err != nil {
		return nil, err
	}
	if array >= s.arrays {
		return nil, fmt.Errorf("there are more than the %d arrays that are declared", s.arrays)
	}
	if err := s.same(shape); err != nil {
		return nil, err
	}
	return shape.open(e, text)
}
