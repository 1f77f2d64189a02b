package design

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/brain/colstats"
)

// wholeZScore is FitZScore and Apply over a matrix in memory: the order of sums to which Moments is
// bit-identical.
func wholeZScore(x []float32, rows, cols int, over ...Rows) (ZScore, []float32) {
	if len(over) == 0 {
		over = []Rows{{To: rows}}
	}
	z := ZScore{Mean: make([]float64, cols), SD: make([]float64, cols)}
	n := 0.
	for _, r := range over {
		for k := r.From; k < r.To; k++ {
			for c := range cols {
				z.Mean[c] += float64(x[k*cols+c])
			}
			n++
		}
	}
	for c := range cols {
		z.Mean[c] /= max(n, 1)
	}
	for _, r := range over {
		for k := r.From; k < r.To; k++ {
			for c := range cols {
				d := float64(x[k*cols+c]) - z.Mean[c]
				z.SD[c] += d * d
			}
		}
	}
	for c := range cols {
		if z.SD[c] = math.Sqrt(z.SD[c] / max(n, 1)); z.SD[c] == 0 {
			z.SD[c] = 1
		}
	}
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32((float64(v) - z.Mean[i%cols]) / z.SD[i%cols])
	}
	return z, out
}

// wholeDetrend is Detrend over a matrix in memory whose rest is kept in float64 from one order to
// the next.
func wholeDetrend(x []float32, rows, cols, order int) []float32 {
	rest := make([]float64, len(x))
	for i, v := range x {
		rest[i] = float64(v)
	}
	fit := make([]float64, cols)
	for _, p := range colstats.Legendre(rows, order) {
		clear(fit)
		for k, pk := range p {
			for c, v := range rest[k*cols:][:cols] {
				fit[c] += pk * v
			}
		}
		for k, pk := range p {
			for c, f := range fit {
				rest[k*cols+c] -= pk * f
			}
		}
	}
	out := make([]float32, len(x))
	for i, v := range rest {
		out[i] = float32(v)
	}
	return out
}

// Row by row, and by parts of rows, the results are bit-identical to those from whole matrices in memory.
func TestStatisticsByRowsAreBitIdentical(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for try := range 60 {
		rows, cols := 1+r.IntN(50), 1+r.IntN(9)
		x := make([]float32, rows*cols)
		for i := range x {
			x[i] = float32(1e4*r.Float64()*float64(1+i%cols) + r.NormFloat64())
			switch i % cols {
			case 1:
				x[i] = .1
			case 2: // sums depend on their order
				x[i] = float32(r.NormFloat64() * math.Pow(10, 16*r.Float64()-8))
			}
		}
		t.Run(fmt.Sprint(try), func(t *testing.T) {
			var over []Rows
			for range r.IntN(3) { // in any order, and they may overlap
				from := r.IntN(rows)
				over = append(over, Rows{From: from, To: from + r.IntN(rows-from) + 1})
			}
			want, applied := wholeZScore(x, rows, cols, over...)
			z := FitZScore(x, rows, cols, over...)
			require.Equal(t, want, z)
			require.Equal(t, applied, z.Apply(x))

			order := r.IntN(min(rows, 13))
			require.Equal(t, wholeDetrend(x, rows, cols, order), Detrend(x, rows, cols, order))

			d, half := colstats.NewDrift(rows, cols, order), cols/2
			for l := range order + 1 {
				for k := range rows {
					d.Fit(l, k, 0, x[k*cols:][:half])
				}
				for k := range rows {
					d.Fit(l, k, half, x[k*cols:][half:cols])
				}
			}
			for k := range rows {
				out := make([]float32, cols-half)
				d.Remove(k, half, x[k*cols:][half:cols], out)
				require.Equal(t, wholeDetrend(x, rows, cols, order)[k*cols+half:(k+1)*cols], out)
			}
		})
	}
}

// The design matrix of a story is resampling, z-score and delays, one after another.
func TestMatrixIsItsSteps(t *testing.T) {
	const channels = 4
	x := normals(60*channels, 1)
	for _, over := range [][]Rows{nil, {{From: 3, To: 11}}, {{From: 20, To: 28}, {From: 2, To: 9}}} {
		d := exampleStory(BOLD{Delays: []int{1, 3}}, 30, 60)
		d.Statistics = over
		rows := d.Weights.Apply(x, channels)
		z, scaled := wholeZScore(rows, 30, channels, over...)
		got, found := d.Matrix(x, channels)
		require.Equal(t, FIR(scaled, 30, channels, d.Delays), got)
		require.Equal(t, z, found)
		require.Equal(t, z, d.ZScore(x, channels))

		rowsAlready := &StoryDesign{Delays: d.Delays, Statistics: over}
		got, _ = rowsAlready.Matrix(rows, channels)
		require.Equal(t, FIR(scaled, 30, channels, d.Delays), got)
	}
}
