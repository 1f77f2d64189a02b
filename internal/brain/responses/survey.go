package responses

import (
	"context"
	"math"
	"sync"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/internal/brain/colstats"
	"github.com/brainwavlm/bwlm/internal/brain/rowsource"
)

// Found is what a survey of all values of responses found.
type Found struct {
	Constant []int // columns that do not vary over rows in any repeat
	Raw      []int // columns whose mean is more than 3 SD from 0, as in scanner units; constant ones are not among them

	NotFinite int       // columns with a value that is not finite
	TSNR      []float64 // of each column its mean, without sign, in SDs over rows and repeats; NaN if it is constant
}

// Survey reads all values, in bounded memory, and refuses values that are not finite. With that error it returns how
// many columns have some.
func Survey(ctx context.Context, r *dataset.Responses) (Found, error) {
	s := newScan(r)
	err := newPass(r, frugalBytes).tiles(ctx, func(t *tile) error {
		for k := range r.Repeats {
			if err := t.each(ctx, k, 0, r.Rows, s.look(k)); err != nil {
				return err
			}
		}
		s.moments.Centre(t.from, t.to)
		for k := range r.Repeats {
			if err := t.each(ctx, k, 0, r.Rows, s.lookAgain); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = s.bad.Err(r.Source, r.Where)
	}
	if err != nil {
		return Found{NotFinite: len(s.columnsBad)}, err
	}
	found := Found{Constant: constant(s.varies)}
	found.Raw, found.TSNR = s.means()
	return found, nil
}

// scan collects what Survey reports, in two passes over all values.
type scan struct {
	columns int
	first   [][]float32 // by repeat, its first row
	varies  [][]bool    // by repeat and column
	moments *colstats.Moments

	lock sync.Mutex
	rows int
	bad  rowsource.NotFinite

	columnsBad map[int]bool
}

func newScan(r *dataset.Responses) *scan {
	s := &scan{columns: r.Columns, rows: r.Rows, moments: colstats.NewMoments(r.Repeats*r.Rows, r.Columns),
		columnsBad: map[int]bool{}}
	for range r.Repeats {
		s.first, s.varies = append(s.first, make([]float32, r.Columns)), append(s.varies, make([]bool, r.Columns))
	}
	return s
}

// look is the visit of the first pass.
func (s *scan) look(repeat int) func(k, column int, row []float32) {
	return func(k, column int, row []float32) {
		vary(s.first[repeat], s.varies[repeat], k == 0, column, row)
		s.moments.Add(column, row)
		for i, x := range row {
			if x-x != 0 { // NaN and the infinities
				s.lock.Lock()
				s.bad.Add((repeat*s.rows+k)*s.columns+column+i, x)
				s.columnsBad[column+i] = true
				s.lock.Unlock()
			}
		}
	}
}

// lookAgain is the visit of the second pass.
func (s *scan) lookAgain(_, column int, row []float32) { s.moments.AddSquares(column, row) }

// means lists the columns that look raw, and returns the signal-to-noise ratio of all.
func (s *scan) means() (raw []int, tsnr []float64) {
	means, sds := s.moments.MeanSD()
	tsnr = make([]float64, s.columns)
	for c, mean := range means {
		if tsnr[c] = math.Abs(mean) / sds[c]; s.same(c) { // its SD is 1 here
			tsnr[c] = math.NaN()
		} else if math.Abs(mean) > 3*sds[c] {
			raw = append(raw, c)
		}
	}
	return raw, tsnr
}

// same reports whether a column has one value in all rows of all repeats.
func (s *scan) same(c int) bool {
	for k, first := range s.first {
		if s.varies[k][c] || first[c] != s.first[0][c] {
			return false
		}
	}
	return true
}

// vary compares a part of a row with the first row.
func vary(first []float32, varies []bool, isFirst bool, column int, row []float32) {
	first, varies = first[column:][:len(row)], varies[column:][:len(row)]
	if isFirst {
		copy(first, row)
	}
	for i, x := range row {
		if x != first[i] {
			varies[i] = true
		}
	}
}

// constant lists the columns that vary in no repeat.
func constant(varies [][]bool) (columns []int) {
	for c := range varies[0] {
		any := false
		for _, v := range varies {
			any = any || v[c]
		}
		if !any {
			columns = append(columns, c)
		}
	}
	return columns
}
