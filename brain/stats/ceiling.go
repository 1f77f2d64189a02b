package stats

import "math"

// NoiseCeiling holds the noise ceiling of each voxel, estimated from repeated presentations of a
// story. Variances are over rows.
type NoiseCeiling struct {
	Repeats int
	TP      []float64 // total power: mean variance of a single repeat
	SP      []float64 // signal power: the part of TP that repeats share; as an estimate it can be negative
	RawEV   []float64 // explainable variance without correction, Var(ȳ)/TP: 1/Repeats for pure noise
	EV      []float64 // explainable variance, corrected for the number of repeats: SP/TP
	CCMax   []float64 // r of a perfect model with the mean of these repeats; 0 if undefined
	Defined []bool    // false if SP ≤ 0, or a repeat is constant or not finite
}

// Ceiling estimates the noise ceiling from n repeats, (n, rows, voxels), for scores against their
// mean:
//
//	TP    = mean over repeats of Var(y)
//	SP    = (n Var(ȳ) - TP) / (n - 1)
//	RawEV = Var(ȳ) / TP
//	EV    = RawEV - (1 - RawEV)/(n - 1) = SP / TP
//	CCMax = √(SP / Var(ȳ))
//
// after Schoppe et al., Front. Comput. Neurosci. 10:10 (2016). Repeats are used as given: z-scored
// ones have TP = 1 and SP = EV, others have SP in their squared units. With one repeat all voxels
// are undefined.
func Ceiling(repeats []float32, n, rows, voxels int) NoiseCeiling {
	checkSize("repeats", repeats, n*rows, voxels)
	c, _ := CeilingByRows(n, rows, voxels, func(repeat, from, to int, out []float32) error {
		copy(out, repeats[(repeat*rows+from)*voxels:(repeat*rows+to)*voxels])
		return nil
	})
	return c
}

// ReadRepeat fills out with the rows from ≤ t < to of a repeat, (to-from, voxels).
type ReadRepeat func(repeat, from, to int, out []float32) error

// CeilingByRows is [Ceiling] for repeats that are read in slabs of rows, three times each. The
// result is bit-identical. An error is that of read.
func CeilingByRows(n, rows, voxels int, read ReadRepeat) (NoiseCeiling, error) {
	c := NoiseCeiling{
		Repeats: n, TP: make([]float64, voxels), SP: make([]float64, voxels),
		RawEV: make([]float64, voxels), EV: make([]float64, voxels),
		CCMax: make([]float64, voxels), Defined: make([]bool, voxels),
	}
	if n < 2 || voxels == 0 {
		return c, nil
	}
	r := repeatRows{read: read, n: n, rows: rows, voxels: voxels}
	fixed, means := make([]bool, voxels), make([][]float64, n)
	for i := range n {
		d := newColumnStats(voxels)
		if err := r.each(i, d.add); err != nil {
			return c, err
		}
		d.end()
		means[i] = d.mean
		for v, constant := range d.constant {
			fixed[v] = fixed[v] || constant
		}
	}
	for i := range n {
		err := r.each(i, func(row []float32) {
			for v, y := range row {
				x := float64(y) - means[i][v]
				c.TP[v] += x * x / float64(rows*n)
			}
		})
		if err != nil {
			return c, err
		}
	}
	shared := make([]float64, voxels) // Var(ȳ)
	err := r.together(func(row [][]float32) {
		for v := range voxels {
			average := 0. // of the centred repeats
			for i := range n {
				average += (float64(row[i][v]) - means[i][v]) / float64(n)
			}
			shared[v] += average * average / float64(rows)
		}
	})
	if err != nil {
		return c, err
	}
	for v := range voxels {
		if fixed[v] {
			c.TP[v] = 0
			continue
		}
		others := float64(n - 1)
		c.SP[v] = (float64(n)*shared[v] - c.TP[v]) / others
		e := shared[v] / c.TP[v]
		c.RawEV[v], c.EV[v] = e, e-(1-e)/others
		if c.Defined[v] = c.SP[v] > 0; c.Defined[v] {
			c.CCMax[v] = min(1, math.Sqrt(c.SP[v]/shared[v]))
		}
	}
	return c, nil
}

// repeatRows visits rows of repeats in bounded memory.
type repeatRows struct {
	read            ReadRepeat
	n, rows, voxels int
}

// slabValues is the number of values that are read at a time.
const slabValues = 1 << 20

// each visits every row of one repeat.
func (r *repeatRows) each(repeat int, visit func(row []float32)) error {
	step := max(1, min(r.rows, slabValues/r.voxels))
	x := make([]float32, step*r.voxels)
	for from := 0; from < r.rows; from += step {
		to := min(from+step, r.rows)
		if err := r.read(repeat, from, to, x[:(to-from)*r.voxels]); err != nil {
			return err
		}
		for t := range to - from {
			visit(x[t*r.voxels:][:r.voxels])
		}
	}
	return nil
}

// together visits every row, with all repeats at a time.
func (r *repeatRows) together(visit func(row [][]float32)) error {
	step := max(1, min(r.rows, slabValues/(r.n*r.voxels)))
	x, row := make([][]float32, r.n), make([][]float32, r.n)
	for i := range x {
		x[i] = make([]float32, step*r.voxels)
	}
	for from := 0; from < r.rows; from += step {
		to := min(from+step, r.rows)
		for i := range x {
			if err := r.read(i, from, to, x[i][:(to-from)*r.voxels]); err != nil {
				return err
			}
		}
		for t := range to - from {
			for i := range x {
				row[i] = x[i][t*r.voxels:][:r.voxels]
			}
			visit(row)
		}
	}
	return nil
}
