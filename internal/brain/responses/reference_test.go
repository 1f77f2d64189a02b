package responses

import (
	"math"

	"github.com/brainwavlm/bwlm/brain/dataset"
)

// These two are the references for what a pass over the rows measures.

// constantIn returns the voxels that do not vary over rows from ≤ k < to in any repeat.
func constantIn(m *dataset.Matrix, from, to int) []int {
	varies := make([]bool, m.Voxels)
	for r := range m.Repeats {
		for k := from + 1; k < to; k++ {
			first, row := m.Row(r, from), m.Row(r, k)
			for v := range row {
				varies[v] = varies[v] || row[v] != first[v]
			}
		}
	}
	var constant []int
	for v, yes := range varies {
		if !yes {
			constant = append(constant, v)
		}
	}
	return constant
}

// rawIn returns the voxels whose mean is more than 3 SD away from 0, as in scanner units that were
// neither z-scored nor detrended. Constant voxels are not among them.
func rawIn(m *dataset.Matrix) []int {
	sum, square := make([]float64, m.Voxels), make([]float64, m.Voxels)
	n := m.Repeats * m.Rows
	for k := range n {
		for v, x := range m.Row(0, k) {
			sum[v] += float64(x)
		}
	}
	for k := range n {
		for v, x := range m.Row(0, k) {
			d := float64(x) - sum[v]/float64(n)
			square[v] += d * d
		}
	}
	var raw []int
	for v := range sum {
		mean, sd := sum[v]/float64(n), math.Sqrt(square[v]/float64(n))
		if sd > 0 && math.Abs(mean) > 3*sd {
			raw = append(raw, v)
		}
	}
	return raw
}
