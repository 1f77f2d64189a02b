package responses

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/colstats"
	"github.com/brainwavlm/bwlm/internal/parallel"
)

// scoreAgain z-scores standardised values of some columns once more.
func scoreAgain(z *design.ZScore, columns []int, out []float32) {
	for i, c := range columns {
		out[i] = z.Value(c, out[i])
	}
}

// fitAgain measures the standardised values of ranges of a story, which is in memory, for a split.
func (st *story) fitAgain(split int, ranges []design.Rows, x []float32) *design.ZScore {
	p := piece{st: st, x: x, rows: st.Responses.Rows}
	m := colstats.NewMoments(count(ranges), st.Columns)
	each := func(add func(column int, row []float32)) {
		parallel.Ranges(st.Columns, leastColumns, func(a, b int) {
			rows, out := p.repeats(allRepeats), make([]float32, b-a)
			columns := make([]int, b-a)
			for c := range columns {
				columns[c] = a + c
			}
			for _, r := range ranges {
				for k := r.From; k < r.To; k++ {
					st.standardise(p.row(k, allRepeats, rows), k, 0, rows, columns, out)
					add(a, out)
				}
			}
		})
	}
	each(m.Add)
	m.Centre(0, st.Columns)
	each(m.AddSquares)
	mean, sd := m.MeanSD()
	z := &design.ZScore{Mean: mean, SD: sd}
	st.again[split].Store(z)
	return z
}

// scoreLarge measures the standardised values of stories that cannot be held, reading them twice.
func (x *Selection) scoreLarge(ctx context.Context) error {
	for _, r := range x.ranges {
		st := x.subject.stories[r.Story]
		if st.fits() || st.again[x.scored].Load() != nil {
			continue
		}
		rows := x.subject.Select(of(x.ranges, r.Story)...)
		m := colstats.NewMoments(rows.Rows, rows.Columns)
		each := func(add func(column int, row []float32)) error {
			return rows.EachRows(ctx, 0, rows.Columns, func(_ int, y []float32) error {
				for ; len(y) > 0; y = y[rows.Columns:] {
					add(0, y[:rows.Columns])
				}
				return nil
			})
		}
		if err := each(m.Add); err != nil {
			return err
		}
		m.Centre(0, rows.Columns)
		if err := each(m.AddSquares); err != nil {
			return err
		}
		mean, sd := m.MeanSD()
		st.again[x.scored].Store(&design.ZScore{Mean: mean, SD: sd})
	}
	return nil
}
