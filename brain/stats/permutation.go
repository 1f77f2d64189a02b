package stats

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/parallel"
)

// Significance holds what permutations say of a row of tests, such as the voxels of one person. A
// test that could not be made has p and q of 1, and is not counted in the family.
type Significance struct {
	P    []float64 // of each test alone
	PMax []float64 // corrected for the whole family: how often the largest of all reaches this one
	Q    []float64 // false discovery rate by Benjamini and Hochberg over the family
	QBY  []float64 // by Benjamini and Yekutieli
}

// PermutationOptions say how rows are shuffled. The zero value is useful.
type PermutationOptions struct {
	Permutations int // 0: 1000
	Seed         uint64
	BlockRows    int   // least rows of a block; 0: BlockLength of the responses' median autocorrelation time
	Lengths      []int // rows of each story, one after another; nil: one story. No block crosses a border
	TwoSided     bool  // |r| above chance; else r above chance
}

// Permutation is the outcome of [PermutationTest].
type Permutation struct {
	R        []float64 // as Correlation gives it
	Constant []bool    // not scored
	Significance
	BlockRows, Blocks, Permutations int
	TwoSided                        bool
}

const (
	defaultPermutations = 1000
	minShuffledBlocks   = 5 // four have 24 orders, of which one is the true one: no p below .05 that means anything
)

// sameScore is the difference of two scores that is rounding: an order of blocks that gives the
// very score again has to count as reaching it.
const sameScore = 1e-12

// PermutationTest asks of each voxel whether its r, of pred and want (rows, voxels), is more than
// two series make that have nothing to do with each other. Blocks of the responses' rows are put
// into another order, and r is computed anew; p is the share of orders that reach the true r, with
// the true one counted:
//
//	p = (#{r* ≥ r} + 1) / (n + 1)
//
// Neighbouring rows depend on each other, so blocks are shuffled, not rows: within a block the
// series stay what they are. What is cut is their memory over a block's borders, and so p is a
// little too small: for first-order processes with φ = .8 in both series a one-sided p of .05 is
// one of .073 with blocks of 10 rows, .057 with the length that the zero options choose. One order
// serves all voxels, so that what they share (noise, their number) is in PMax.
//
// Memory is that of a tile of voxels beside the two matrices. The result depends on the seed only,
// not on the number of processors.
func PermutationTest(ctx context.Context, pred, want []float32, rows, voxels int, opt PermutationOptions) (*Permutation, error) {
	if opt.Permutations == 0 {
		opt.Permutations = defaultPermutations
	}
	if opt.Lengths == nil {
		opt.Lengths = []int{rows}
	}
	if opt.Permutations < 1 || opt.BlockRows < 0 {
		return nil, fault.New(fault.BadData, "permutation test", "", "%d permutations of blocks of %d rows",
			opt.Permutations, opt.BlockRows)
	}
	out := &Permutation{Permutations: opt.Permutations, BlockRows: opt.BlockRows, TwoSided: opt.TwoSided}
	out.R, out.Constant = Correlation(pred, want, rows, voxels)
	if out.BlockRows == 0 {
		out.BlockRows = BlockLength(MedianAutocorrelationTime(want, opt.Lengths, voxels))
	}
	blocks := cut(opt.Lengths, out.BlockRows)
	if out.Blocks = len(blocks); out.Blocks < minShuffledBlocks {
		return nil, fault.New(fault.BadData, "permutation test", "", "%d rows make %d blocks of at least %d, a test needs %d",
			rows, out.Blocks, out.BlockRows, minShuffledBlocks).
			WithHint("score more rows, or take shorter blocks if the responses have a short memory")
	}
	rng := rand.New(rand.NewPCG(opt.Seed, 0))
	orders := make([][]int, opt.Permutations)
	for d := range orders {
		orders[d] = rng.Perm(len(blocks))
	}
	f := newFamily(out.Constant, opt.Permutations, opt.TwoSided)
	for tile := range slices.Chunk(f.tests, tileVoxels) {
		if ctx.Err() != nil {
			return nil, fault.Wrap(fault.Interrupted, "permutation test", "", context.Cause(ctx))
		}
		f.add(tile, out.R, func(v int, null []float64) {
			p, _ := unit(pred, rows, voxels, v)
			y, _ := unit(want, rows, voxels, v)
			shuffled := make([]float64, rows)
			for d, order := range orders {
				at := 0
				for _, b := range order {
					at += copy(shuffled[at:], y[blocks[b].From:blocks[b].To])
				}
				null[d] = floats.Dot(p, shuffled)
			}
		})
	}
	out.Significance = f.significance(out.R)
	return out, nil
}

// rowRange is rows From ≤ k < To.
type rowRange struct{ From, To int }

// cut divides stories of the given lengths, one after another, into equal blocks of at least least
// rows; a story that is shorter is one block.
func cut(lengths []int, least int) (blocks []rowRange) {
	first := 0
	for _, n := range lengths {
		count := blocksOf(n, least)
		for b := range count {
			blocks = append(blocks, rowRange{first + n*b/count, first + n*(b+1)/count})
		}
		first += n
	}
	return blocks
}

// family gathers the null scores of tests that are shown in one table.
type family struct {
	tests    []int // those that can be made
	twoSided bool
	p        []float64 // of all tests, 1 where none was made
	largest  []float64 // by permutation, over the tests
}

func newFamily(unscored []bool, permutations int, twoSided bool) *family {
	f := &family{twoSided: twoSided, p: make([]float64, len(unscored)), largest: make([]float64, permutations)}
	for v, skip := range unscored {
		f.p[v] = 1
		if !skip {
			f.tests = append(f.tests, v)
		}
	}
	for d := range f.largest {
		f.largest[d] = math.Inf(-1)
	}
	return f
}

// extreme is how far a score goes in the direction of the test.
func (f *family) extreme(score float64) float64 {
	if f.twoSided {
		return math.Abs(score)
	}
	return score
}

// add computes the null scores of some tests, in parallel, by calling null for each with a place
// for one score per permutation.
func (f *family) add(tests []int, score []float64, null func(v int, null []float64)) {
	scores := make([][]float64, len(tests))
	parallel.Ranges(len(tests), 1, func(from, to int) {
		for i := from; i < to; i++ {
			v := tests[i]
			scores[i] = make([]float64, len(f.largest))
			null(v, scores[i])
			reached := 0
			for d, s := range scores[i] {
				scores[i][d] = f.extreme(s)
				if scores[i][d] >= f.extreme(score[v])-sameScore {
					reached++
				}
			}
			f.p[v] = float64(reached+1) / float64(len(f.largest)+1)
		}
	})
	for _, s := range scores {
		for d, x := range s {
			f.largest[d] = max(f.largest[d], x)
		}
	}
}

// significance is called when all tests were added.
func (f *family) significance(score []float64) Significance {
	s := Significance{P: f.p, PMax: slices.Clone(f.p), Q: slices.Clone(f.p), QBY: slices.Clone(f.p)}
	largest := slices.Sorted(slices.Values(f.largest))
	p := make([]float64, len(f.tests))
	for i, v := range f.tests {
		below, _ := slices.BinarySearch(largest, f.extreme(score[v])-sameScore)
		s.PMax[v] = float64(len(largest)-below+1) / float64(len(largest)+1)
		p[i] = f.p[v]
	}
	q, by := BenjaminiHochberg(p), BenjaminiYekutieli(p)
	for i, v := range f.tests {
		s.Q[v], s.QBY[v] = q[i], by[i]
	}
	return s
}
