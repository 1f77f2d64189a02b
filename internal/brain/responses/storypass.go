package responses

import (
	"context"
	"math"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/colstats"
)

// storyPass measures one story, a tile of its columns after another.
type storyPass struct {
	st      *story
	scratch [][]float32 // by repeat a row without drift, and the mean of them

	// What is measured of all rows; nil if that is known.
	fit       *fit
	scan      *scan
	restFirst [][]float32 // by repeat, the first row without drift
	restVary  [][]bool    // by repeat and column, without drift

	// What is measured of some rows.
	rows    []design.Rows // behind the z-score, in the order of its sums
	moments *colstats.Moments
	parts   []part

	held []float32 // all values, (repeats, rows, columns); nil: they are read as often as they are needed
}

func newStoryPass(st *story) *storyPass {
	p := &storyPass{st: st}
	for range st.Repeats + 1 {
		p.scratch = append(p.scratch, make([]float32, st.Columns))
	}
	return p
}

// begin has the pass measure all rows, with as many Legendre polynomials of drift.
func (p *storyPass) begin(polynomials int) {
	st := p.st
	p.scan, p.fit = newScan(st.Responses), &fit{}
	st.fit = p.fit
	if polynomials == 0 {
		return
	}
	p.fit.varies = p.scan.varies
	for range st.Repeats {
		p.fit.drift = append(p.fit.drift, colstats.NewDrift(st.Rows, st.Columns, polynomials-1))
		p.restFirst, p.restVary = append(p.restFirst, make([]float32, st.Columns)),
			append(p.restVary, make([]bool, st.Columns))
	}
}

// run measures the story and fills in what was found.
func (p *storyPass) run(ctx context.Context) error {
	st := p.st
	var err error
	if p.held != nil {
		err = p.tile(ctx, &tile{Responses: st.Responses, to: st.Columns, held: p.held})
	} else {
		err = newPass(st.Responses, st.hold).tiles(ctx, func(t *tile) error { return p.tile(ctx, t) })
	}
	if err == nil && p.fit != nil {
		err = p.scan.bad.Err(st.Source, st.Where)
	}
	if err != nil {
		if p.fit != nil {
			st.fit = nil
		}
		return err
	}
	switch {
	case p.fit == nil:
	case p.fit.drift == nil:
		p.fit.constant = constant(p.scan.varies)
		p.fit.raw, _ = p.scan.means()
	default:
		p.fit.constant = constant(p.restVary)
	}
	return nil
}

// tile measures some columns. Each sum over rows runs in the order in which it would run over a
// matrix in memory. One repeat without drift, the usual case, takes two passes over the rows.
func (p *storyPass) tile(ctx context.Context, t *tile) error {
	ordered := ascend(p.rows)
	once := p.fit != nil && p.fit.drift == nil && t.Repeats == 1
	use := func(k, column int, rows [][]float32) {
		rows = p.clean(k, column, rows)
		if p.fit != nil && p.fit.drift != nil {
			for i, row := range rows {
				vary(p.restFirst[i], p.restVary[i], k == 0, column, row)
			}
		}
		mean := p.mean(column, rows)
		if p.moments != nil && ordered && contains(p.rows, k) {
			p.moments.Add(column, mean)
		}
		for _, part := range p.parts {
			if contains(part.rows, k) {
				part.own.add(column, mean)
			}
		}
	}
	var err error
	if once {
		look := p.scan.look(0)
		err = t.together(ctx, 0, t.Rows, func(k, column int, rows [][]float32) {
			look(k, column, rows[0])
			use(k, column, rows)
		})
	} else {
		if p.fit != nil {
			err = p.whole(ctx, t)
		}
		if err == nil {
			err = t.together(ctx, 0, t.Rows, use)
		}
	}
	if err == nil && p.moments != nil && !ordered {
		err = p.over(ctx, t, p.rows, p.moments.Add)
	}
	if err != nil {
		return err
	}
	return p.squares(ctx, t, once && ordered)
}

// whole looks through all rows of each repeat and fits the drift.
func (p *storyPass) whole(ctx context.Context, t *tile) error {
	for i := range t.Repeats {
		look := p.scan.look(i)
		err := t.each(ctx, i, 0, t.Rows, func(k, column int, row []float32) {
			look(k, column, row)
			if p.fit.drift != nil {
				p.fit.drift[i].Fit(0, k, column, row)
			}
		})
		if err != nil {
			return err
		}
	}
	for i, drift := range p.fit.drift {
		for l := 1; l < drift.Orders(); l++ {
			if err := t.each(ctx, i, 0, t.Rows, func(k, column int,
				row []float32) {
				drift.Fit(l, k, column, row)
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// squares is the second pass of the moments.
func (p *storyPass) squares(ctx context.Context, t *tile, once bool) error {
	again := p.fit != nil && p.fit.drift == nil
	if again {
		p.scan.moments.Centre(t.from, t.to)
	}
	if p.moments != nil {
		p.moments.Centre(t.from, t.to)
	}
	if once {
		return t.together(ctx, 0, t.Rows, func(k, column int, rows [][]float32) {
			p.scan.lookAgain(k, column, rows[0])
			if p.moments != nil && contains(p.rows, k) {
				p.moments.AddSquares(column, rows[0])
			}
		})
	}
	for i := 0; i < t.Repeats && again; i++ {
		if err := t.each(ctx, i, 0, t.Rows, p.scan.lookAgain); err != nil {
			return err
		}
	}
	if p.moments != nil {
		return p.over(ctx, t, p.rows, p.moments.AddSquares)
	}
	return nil
}

// over visits the mean over repeats of some ranges of rows, in their order.
func (p *storyPass) over(ctx context.Context, t *tile, ranges []design.Rows,
	visit func(column int, row []float32)) error {
	for _, r := range ranges {
		err := t.together(ctx, r.From, r.To, func(k, column int, rows [][]float32) {
			visit(column, p.mean(column, p.clean(k, column, rows)))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// clean removes the drift from row k of each repeat.
func (p *storyPass) clean(k, column int, rows [][]float32) [][]float32 {
	if p.st.drift == nil {
		return rows
	}
	for i, row := range rows {
		out := p.scratch[i][column:][:len(row)]
		p.st.drift[i].Remove(k, column, row, out)
		for c, varies := range p.st.varies[i][column:][:len(row)] {
			if !varies {
				out[c] = 0 // and not what rounding leaves of the fit, which a z-score would turn into noise
			}
		}
		rows[i] = out
	}
	return rows
}

// mean returns the mean over repeats.
func (p *storyPass) mean(column int, rows [][]float32) []float32 {
	if len(rows) == 1 {
		return rows[0]
	}
	out := p.scratch[len(rows)][column:][:len(rows[0])]
	for c := range out {
		sum := 0.
		for _, row := range rows {
			sum += float64(row[c])
		}
		out[c] = float32(sum / float64(len(rows)))
	}
	return out
}

// part are the rows of a story in a split, with their extremes.
type part struct {
	rows  []design.Rows
	split int
	own   *extremes
}

// fold takes the story's extremes, as z-scores if z is not nil, into those of all stories of the split.
func (p part) fold(all *extremes, z *design.ZScore) {
	for c, least := range p.own.least {
		largest := p.own.largest[c]
		if z != nil {
			least, largest = z.Value(c, least), z.Value(c, largest)
		}
		all.least[c], all.largest[c] = min(all.least[c], least), max(all.largest[c], largest)
	}
}

// extremes are the least and largest value of each column in some rows.
type extremes struct{ least, largest []float32 }

func newExtremes(columns int) *extremes {
	e := &extremes{make([]float32, columns), make([]float32, columns)}
	for c := range columns {
		e.least[c], e.largest[c] = float32(math.Inf(1)), float32(math.Inf(-1))
	}
	return e
}

// add takes in part of a row, which begins at a column.
func (e *extremes) add(column int, row []float32) {
	least, largest := e.least[column:][:len(row)], e.largest[column:][:len(row)]
	for c, x := range row {
		if x < least[c] {
			least[c] = x
		}
		if x > largest[c] {
			largest[c] = x
		}
	}
}
