package bidsdata

import (
	"fmt"
	"math"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Gaps counts what is not a number in the columns of a time series: NaN in all rows, as on the medial wall of a surface
// or outside of the brain, and values that are not finite in some rows, which no preprocessing leaves on purpose.
type Gaps struct {
	rows  int
	count []int // rows that are not finite
	first []int // the first of them
	inf   []bool
}

// Add takes a row. Rows have the same number of columns.
func (g *Gaps) Add(values []float32) {
	if g.count == nil {
		g.count, g.first, g.inf = make([]int, len(values)), make([]int, len(values)), make([]bool, len(values))
	}
	for c, v := range values {
		if d := v - v; d == d { // neither NaN nor infinite
			continue
		}
		if g.count[c] == 0 {
			g.first[c] = g.rows
		}
		g.count[c]++
		g.inf[c] = g.inf[c] || math.IsInf(float64(v), 0)
	}
	g.rows++
}

// Never are the columns that have no value in any row.
func (g *Gaps) Never() []int {
	var out []int
	for c, n := range g.count {
		if n == g.rows && g.rows > 0 && !g.inf[c] {
			out = append(out, c)
		}
	}
	return out
}

// Check refuses columns that lack a value in some rows only, or are infinite. File is for errors.
func (g *Gaps) Check(file string) error {
	columns, column := 0, -1
	for c, n := range g.count {
		if n > 0 && (n < g.rows || g.inf[c]) {
			if columns++; column < 0 {
				column = c
			}
		}
	}
	if column < 0 {
		return nil
	}
	return fault.New(fault.BadData, reading, quote.OneLine(file), "%s",
		fmt.Sprintf("column %d is not finite in row %d and in %d of %d rows; so are %d columns in all", column,
			g.first[column], g.count[column], g.rows, columns)).
		WithHint("find out what made them, and preprocess again")
}
