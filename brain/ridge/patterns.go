package ridge

import "fmt"

// A share is rows whose products with the responses are summed together. Share 1+f are the rows that fold f holds out,
// and share 0 is the rest: with a weight of 1-k of a row that k folds hold out, the sum over all shares counts each row
// once.
type share struct {
	rows    []int
	weights []float32 // nil: 1
}

// sharesOf divides the rows from ≤ k < to, counted from the first of them, into shares. The folds that hold out each
// row are given.
func sharesOf(in [][]int, folds, from, to int) []share {
	out := make([]share, 1+folds)
	for row := from; row < to; row++ {
		k := len(in[row])
		if k != 1 {
			out[0].rows, out[0].weights = append(out[0].rows, row-from), append(out[0].weights, float32(1-k))
		}
		for _, f := range in[row] {
			out[1+f].rows = append(out[1+f].rows, row-from)
		}
	}
	return out
}

// foldsOfRows returns the folds that hold out each row.
func foldsOfRows(folds [][]int, rows int) [][]int {
	out := make([][]int, rows)
	for f, held := range folds {
		for _, row := range held {
			out[row] = append(out[row], f)
		}
	}
	return out
}

// pattern is rows that the same folds hold out.
type pattern struct {
	folds []int
	rows  []int // ascending, counted from the first of a range
}

// patternsOf groups the rows from ≤ k < to by the folds that hold them out, in the order of their first rows.
func patternsOf(in [][]int, from, to int) (out []pattern) {
	at := map[string]int{}
	for row := from; row < to; row++ {
		key := fmt.Sprint(in[row])
		p, known := at[key]
		if !known {
			p = len(out)
			at[key], out = p, append(out, pattern{folds: in[row]})
		}
		out[p].rows = append(out[p].rows, row-from)
	}
	return out
}
