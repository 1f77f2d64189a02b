package stats

import (
	"fmt"
	"math"
	"slices"
)

const (
	minBlockRows   = 10 // the haemodynamic response alone spans about ten TRs
	blocksPerTau   = 3  // over 3 τ the autocorrelation of a first-order process falls to 5 %
	minSeriesToTau = 4  // shorter series have no pair of lags
)

// MinBlocks is the least number of blocks of an interval: with fewer, the spread of resamples is a poor estimate of the
// spread of samples.
const MinBlocks = 20

// BlockLength returns the rows of a bootstrap block for an autocorrelation time in rows: max(10,
// ⌈3τ⌉).
func BlockLength(tau float64) int {
	return max(minBlockRows, int(math.Ceil(blocksPerTau*tau)))
}

// autocorrelationTime returns the integrated autocorrelation time 1 + 2 Σ ρ(k) of a series, in
// rows: 1 for white noise, (1+φ)/(1-φ) for a first-order process. The series consists of stories of
// the given lengths (nil: one story); products do not cross their borders and each story has its
// own mean.
//
// The sum is truncated by Geyer's initial positive sequence (Stat. Sci. 7(4), 1992): sums of pairs
// ρ(2k)+ρ(2k+1) are positive in theory, so the first that is not is noise. The result is at least
// 1: negatively correlated rows need no shorter blocks than independent ones.
func autocorrelationTime(series []float64, lengths []int) float64 {
	stories := split(series, lengths)
	centred := make([][]float64, len(stories))
	variance, longest := 0.0, 0
	for i, story := range stories {
		centred[i] = centre(story)
		for _, x := range centred[i] {
			variance += x * x
		}
		longest = max(longest, len(story))
	}
	if !(variance > 0) || math.IsInf(variance, 0) || longest < minSeriesToTau {
		return 1
	}
	rho := func(lag int) float64 {
		sum := 0.0
		for _, story := range centred {
			for t := lag; t < len(story); t++ {
				sum += story[t] * story[t-lag]
			}
		}
		return sum / variance
	}
	tau := -1.0
	for lag := 0; lag+1 < longest; lag += 2 {
		pair := rho(lag) + rho(lag+1)
		if !(pair > 0) {
			break
		}
		tau += 2 * pair
	}
	return max(1, tau)
}

// MedianAutocorrelationTime returns the median [AutocorrelationTime] of the columns of x, (Σ
// lengths, voxels), that are not constant; 1 if all are.
func MedianAutocorrelationTime(x []float32, lengths []int, voxels int) float64 {
	rows := 0
	for _, n := range lengths {
		rows += n
	}
	d := describeColumns(x, rows, voxels)
	series, taus := make([]float64, rows), []float64(nil)
	for v := range voxels {
		if d.constant[v] {
			continue
		}
		for t := range series {
			series[t] = float64(x[t*voxels+v])
		}
		taus = append(taus, autocorrelationTime(series, lengths))
	}
	if len(taus) == 0 {
		return 1
	}
	slices.Sort(taus)
	return quantile(taus, .5)
}

// split cuts a series into stories of the given lengths.
func split(series []float64, lengths []int) [][]float64 {
	if lengths == nil {
		return [][]float64{series}
	}
	stories, rest := make([][]float64, len(lengths)), series
	for i, n := range lengths {
		if n < 0 || n > len(rest) {
			panic(fmt.Sprintf("stats: stories of %v rows do not fit a series of %d", lengths, len(series)))
		}
		stories[i], rest = rest[:n], rest[n:]
	}
	if len(rest) > 0 {
		panic(fmt.Sprintf("stats: stories of %v rows leave out %d of %d", lengths, len(rest), len(series)))
	}
	return stories
}

// centre returns x minus its mean.
func centre(x []float64) []float64 {
	mean := 0.0
	for _, value := range x {
		mean += value / float64(len(x))
	}
	y := make([]float64, len(x))
	for i, value := range x {
		y[i] = value - mean
	}
	return y
}

// quantile returns the q-quantile of sorted values by linear interpolation (Hyndman and Fan's type
// 7).
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}
