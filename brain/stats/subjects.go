package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// minSubjects is the least number of subjects for an interval over subjects. With fewer, the number
// of different draws is too small for its ends to be meaningful.
const minSubjects = 5

// ResampleSubjects evaluates a statistic for 2000 draws of n subjects with replacement. With fewer
// than five subjects it returns nil and the reason.
func ResampleSubjects(n int, seed uint64, statistic func(drawn []int) float64) (draws []float64, reason string) {
	if n < minSubjects {
		return nil, fmt.Sprintf("%d subjects, an interval over subjects needs %d", n, minSubjects)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	drawn := make([]int, n)
	for range defaultResamples {
		for i := range drawn {
			drawn[i] = r.IntN(n)
		}
		draws = append(draws, statistic(drawn))
	}
	return draws, ""
}

// SubjectInterval returns the percentile interval of draws of n subjects, widened for the small
// number of subjects as [PairedBootstrap] does for blocks. It is nil if an end is not finite or
// there are no draws.
func SubjectInterval(draws []float64, n int) *Interval {
	if len(draws) == 0 {
		return nil
	}
	ci := interval(draws, n)
	for _, end := range ci {
		if math.IsInf(end, 0) || math.IsNaN(end) {
			return nil
		}
	}
	return ci
}

// MeanOverSubjects returns the mean of one value per subject with its interval over subjects.
func MeanOverSubjects(values []float64, seed uint64) (score Score, reason string) {
	mean := func(drawn []int) float64 {
		sum := 0.
		for _, i := range drawn {
			sum += values[i]
		}
		return sum / float64(len(drawn))
	}
	draws, reason := ResampleSubjects(len(values), seed, mean)
	all := make([]int, len(values))
	for i := range all {
		all[i] = i
	}
	return Score{Mean: mean(all), CI95: SubjectInterval(draws, len(values))}, reason
}
