package stats

import (
	"math"
	"math/rand/v2"

	"github.com/brainwavlm/bwlm/internal/parallel"
	"gonum.org/v1/gonum/floats"
)

// spearmanBrown returns the reliability of a measurement that is k times as long, from its
// reliability r: k r / (1 + (k-1) r) (Spearman; Brown; Br. J. Psychol. 3, 1910). k is 2 for two
// halves.
func spearmanBrown(r, k float64) float64 { return k * r / (1 + (k-1)*r) }

// ISC holds the inter-subject correlation of each voxel: a noise ceiling without repeats, for
// voxels that correspond between subjects.
type ISC struct {
	Subjects [][]float64 // (subjects, voxels) r of each subject with the mean of all others
	R        []float64   // mean over subjects: lower bound of the noise ceiling
	Upper    []float64   // mean r of each subject with the mean of all, itself included: upper bound
	Defined  []bool      // false if fewer than two subjects vary; all is 0 then
}

// LeaveOneOutISC correlates each of n subjects with the mean of the others, from responses to one
// story, (n, rows, voxels). Subjects are z-scored. A subject that is constant or not finite in a
// voxel takes no part in it. R and Upper are the bounds of the noise ceiling of Nili et al. (PLoS
// Comput. Biol. 10(4), 2014). Drift that subjects share counts as signal: remove it first.
func LeaveOneOutISC(responses []float32, n, rows, voxels int) ISC {
	checkSize("responses", responses, n*rows, voxels)
	s := ISC{
		Subjects: make([][]float64, n), R: make([]float64, voxels),
		Upper: make([]float64, voxels), Defined: make([]bool, voxels),
	}
	for i := range s.Subjects {
		s.Subjects[i] = make([]float64, voxels)
	}
	eachVoxel(responses, n, rows, voxels, func(v int, members []int, units [][]float64) {
		if s.Defined[v] = len(members) > 1; !s.Defined[v] {
			return
		}
		all, others := make([]float64, rows), make([]float64, rows)
		for _, u := range units {
			floats.Add(all, u)
		}
		for k, u := range units {
			floats.SubTo(others, all, u)
			r := cosine(u, others)
			s.Subjects[members[k]][v] = r
			s.R[v] += r / float64(len(members))
			s.Upper[v] += cosine(u, all) / float64(len(members))
		}
	})
	return s
}

// Reliability holds the split-half reliability of each voxel over repeats or subjects.
type Reliability struct {
	Halves  []float64 // mean over splits of r between the means of the two halves
	Full    []float64 // reliability of the mean of all, by the Spearman-Brown formula
	CCMax   []float64 // √Full: r of a perfect model with the mean of all; 0 if undefined
	Defined []bool    // false if Halves is not above 0, or a repeat is constant or not finite
}

// SplitHalfReliability divides n repeats or subjects, (n, rows, voxels), into random halves and
// correlates the means of the halves, splits times with the same halves for all voxels. Repeats are
// z-scored. If n is odd, each split leaves out a random one, and Full is corrected for that. With
// fewer than two all voxels are undefined.
func SplitHalfReliability(responses []float32, n, rows, voxels, splits int, seed uint64) Reliability {
	checkSize("responses", responses, n*rows, voxels)
	s := Reliability{
		Halves: make([]float64, voxels), Full: make([]float64, voxels),
		CCMax: make([]float64, voxels), Defined: make([]bool, voxels),
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
	eachVoxel(responses, n, rows, voxels, func(v int, members []int, units [][]float64) {
		if len(members) < n {
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
			s.Full[v] = spearmanBrown(s.Halves[v], float64(n)/float64(half))
			s.CCMax[v] = math.Sqrt(s.Full[v])
		}
	})
	return s
}

// eachVoxel calls work for every voxel of x, (n, rows, voxels), with the indices of the repeats
// whose column varies and is finite, and with these columns, centred and of norm 1.
func eachVoxel(x []float32, n, rows, voxels int, work func(v int, members []int, units [][]float64)) {
	size := rows * voxels
	parallel.Ranges(voxels, 1, func(from, to int) {
		for v := from; v < to; v++ {
			var members []int
			var units [][]float64
			for i := range n {
				if u, ok := unitColumn(x[i*size:(i+1)*size], rows, voxels, v); ok {
					members, units = append(members, i), append(units, u)
				}
			}
			work(v, members, units)
		}
	})
}

// cosine returns r of two series of mean 0, or 0 if one of them is within rounding of 0.
func cosine(a, b []float64) float64 {
	const rounding = 1e-6 // of float32 responses, where subjects cancel each other
	length := floats.Norm(a, 2) * floats.Norm(b, 2)
	if !(length > rounding) {
		return 0
	}
	return clamp(floats.Dot(a, b) / length)
}
