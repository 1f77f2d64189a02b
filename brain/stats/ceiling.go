package stats

import "math"

// NoiseCeiling says, per voxel, how much of a response to a repeated story is the story's doing. All
// variances are over rows.
type NoiseCeiling struct {
	Repeats int
	TP      []float64 // total power: mean variance of a single repeat
	SP      []float64 // signal power: the part of TP that repeats share; an estimate, so it can be negative
	RawEV   []float64 // explainable variance as it is found, Var(ȳ)/TP: 1/Repeats for pure noise
	EV      []float64 // explainable variance, corrected for the number of repeats: SP as a share of TP
	CCMax   []float64 // the r that a perfect model reaches against the mean of these repeats; 0 if undefined
	Defined []bool    // false where SP ≤ 0, or a repeat is constant or not finite: no ceiling to divide by
}

// Ceiling estimates the noise ceiling from repeats, (n, rows, voxels), for a score against their mean:
//
//	TP    = mean over repeats of Var(y)
//	SP    = (n Var(ȳ) - TP) / (n - 1)
//	RawEV = Var(ȳ) / TP
//	EV    = RawEV - (1 - RawEV)/(n - 1) = SP / TP
//	CCMax = √(SP / Var(ȳ))
//
// after Schoppe et al., Front. Comput. Neurosci. 10:10 (2016), and, for EV, Schoppe's form of the corrected
// explainable variance. Repeats are used as given: of z-scored ones TP is 1 and SP equals EV; others have SP in
// their own units, squared. One repeat bounds nothing: all voxels are then undefined.
func Ceiling(repeats []float32, n, rows, voxels int) NoiseCeiling {
	mustHold("repeats", repeats, n*rows, voxels)
	c := NoiseCeiling{
		Repeats: n, TP: make([]float64, voxels), SP: make([]float64, voxels),
		RawEV: make([]float64, voxels), EV: make([]float64, voxels),
		CCMax: make([]float64, voxels), Defined: make([]bool, voxels),
	}
	if n < 2 {
		return c
	}
	size := rows * voxels
	fixed := make([]bool, voxels)
	average := make([]float64, size) // of the repeats, each less its mean
	for i := range n {
		y := repeats[i*size : (i+1)*size]
		d := describe(y, rows, voxels)
		for at := range y {
			v := at % voxels
			x := float64(y[at]) - d.mean[v]
			c.TP[v] += x * x / float64(rows*n)
			average[at] += x / float64(n)
		}
		for v, constant := range d.constant {
			fixed[v] = fixed[v] || constant
		}
	}
	shared := make([]float64, voxels) // Var(ȳ)
	for at, x := range average {
		shared[at%voxels] += x * x / float64(rows)
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
	return c
}
