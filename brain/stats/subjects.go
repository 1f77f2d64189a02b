package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// minSubjects is the least number of people with which an interval over people is given: of fewer there are so few
// different draws that its ends mean nothing.
const minSubjects = 5

// ResampleSubjects evaluates a statistic for people drawn with replacement, as many as there are: how far a result would move
// with other people. It is nil with fewer than five subjects, and the reason says so.
func ResampleSubjects(people int, seed uint64, of func(drawn []int) float64) (draws []float64, reason string) {
	if people < minSubjects {
		return nil, fmt.Sprintf("%d people, an interval over people needs %d", people, minSubjects)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	drawn := make([]int, people)
	for range defaultResamples {
		for i := range drawn {
			drawn[i] = r.IntN(people)
		}
		draws = append(draws, of(drawn))
	}
	return draws, ""
}

// SubjectInterval is the percentile interval of the draws, widened for the small number of people as that of
// [PairedBootstrap] is for few blocks; nil where an end of it is infinite or there are no draws.
func SubjectInterval(draws []float64, people int) *Interval {
	if len(draws) == 0 {
		return nil
	}
	ci := interval(draws, people)
	for _, end := range ci {
		if math.IsInf(end, 0) || math.IsNaN(end) {
			return nil
		}
	}
	return ci
}

// MeanOverSubjects is the mean of one value for each person with its interval over people.
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
