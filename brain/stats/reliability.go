package stats

import (
	"math"
	"math/rand/v2"

	"github.com/brainwavlm/bwlm/internal/parallel"
	"gonum.org/v1/gonum/floats"
)

// SpearmanBrown gives the reliability of a measurement made k times as long, from its reliability
// r: k r / (1 + (k-1) r), after Spearman and after Brown (Br. J. Psychol. 3, 1910). Two halves: k
// is 2.
func SpearmanBrown(r, k float64) float64 { return k * r / (1 + (k-1)*r) }

// InterSubject says, per voxel, how much of one person's response others share: a ceiling without
// repeats, for voxels that correspond between people.
type InterSubject struct {
	Subjects [][]float64 // r of each person with the mean of all others, (people, voxels)
	R        []float64   // mean of these: what a model of the shared response reaches at least, if it is perfect
	Upper    []float64   // mean r of each person with the mean of all, that person included: what no model exceeds
	Defined  []bool      // false where fewer than two people vary; all is 0 there
}

// LeaveOneOut correlates each of n people with the mean of the others, from responses (n, rows,
// voxels) to one story. Everybody is z-scored, so that nobody's units weigh more; who is constant
// or not finite in a voxel takes no part in it. R and Upper are the two ends of the noise ceiling
// of Nili et al. (PLoS Comput. Biol. 10(4), 2014). Drift that everybody has is shared, too: take it
// out before.
func LeaveOneOut(responses []float32, n, rows, voxels int) InterSubject {
	mustHold("responses", responses, n*rows, voxels)
	s := InterSubject{
		Subjects: make([][]float64, n), R: make([]float64, voxels), Upper: make([]float64, voxels), Defined: make([]bool, voxels),
	}
	for i := range s.Subjects {
		s.Subjects[i] = make([]float64, voxels)
	}
	each(responses, n, rows, voxels, func(v int, who []int, units [][]float64) {
		if s.Defined[v] = len(who) > 1; !s.Defined[v] {
			return
		}
		all, others := make([]float64, rows), make([]float64, rows)
		for _, u := range units {
			floats.Add(all, u)
		}
		for k, u := range units {
			floats.SubTo(others, all, u)
			r := cosine(u, others)
			s.Subjects[who[k]][v] = r
			s.R[v] += r / float64(len(who))
			s.Upper[v] += cosine(u, all) / float64(len(who))
		}
	})
	return s
}

// Reliability says, per voxel, how well one half of the repeats, or of the people, agrees with the
// other.
type Reliability struct {
	Halves  []float64 // mean over splits of r between the means of the two halves
	Full    []float64 // reliability of the mean of all, by Spearman and Brown
	CCMax   []float64 // √Full: the r that a perfect model reaches against the mean of all; 0 if undefined
	Defined []bool    // false where Halves is not above 0, or a repeat is constant or not finite
}

// SplitHalf divides n repeats, or people, responses (n, rows, voxels), into halves at random, so
// many times, the same for all voxels, and correlates the means of the halves. Everybody is
// z-scored. One of an odd number is left out of each split, by chance, and Full is corrected for
// that. Fewer than two bound nothing.
func SplitHalf(responses []float32, n, rows, voxels, splits int, seed uint64) Reliability {
	mustHold("responses", responses, n*rows, voxels)
	s := Reliability{
		Halves: make([]float64, voxels), Full: make([]float64, voxels), CCMax: make([]float64, voxels), Defined: make([]bool, voxels),
	}
	half := n / 2
	if half < 1 || splits < 1 {
		return s
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	orders := make([][]int, splits)
	for i := range orders {
		orders[i] = rng.Perm(n)
	}
	each(responses, n, rows, voxels, func(v int, who []int, units [][]float64) {
		if len(who) < n {
			return
		}
		a, b := make([]float64, rows), make([]float64, rows)
		for _, order := range orders {
			clear(a)
			clear(b)
			for k := range half {
				floats.Add(a, units[order[k]])
				floats.Add(b, units[order[half+k]])
			}
			s.Halves[v] += cosine(a, b) / float64(splits)
		}
		if s.Defined[v] = s.Halves[v] > 0; s.Defined[v] {
			s.Full[v] = SpearmanBrown(s.Halves[v], float64(n)/float64(half))
			s.CCMax[v] = math.Sqrt(s.Full[v])
		}
	})
	return s
}

// each calls work for every voxel of x, (n, rows, voxels), with the numbers of those whose column
// varies and is finite and with their columns, centred and of length 1.
func each(x []float32, n, rows, voxels int, work func(v int, who []int, units [][]float64)) {
	size := rows * voxels
	parallel.Ranges(voxels, 1, func(from, to int) {
		for v := from; v < to; v++ {
			var who []int
			var units [][]float64
			for i := range n {
				if u, ok := unit(x[i*size:(i+1)*size], rows, voxels, v); ok {
					who, units = append(who, i), append(units, u)
				}
			}
			work(v, who, units)
		}
	})
}

// cosine is r of two series of mean 0; 0 if one of them is nothing but rounding.
func cosine(a, b []float64) float64 {
	const rounding = 1e-6 // of float32 responses: what is left where people cancel
	length := floats.Norm(a, 2) * floats.Norm(b, 2)
	if !(length > rounding) {
		return 0
	}
	return clamp(floats.Dot(a, b) / length)
}
