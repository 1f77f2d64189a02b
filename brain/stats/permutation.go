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

// Significance holds the p and q of a family of tests, such as the voxels of one subject. A test
// that could not be made has p and q of 1 and does not count in the family.
type Significance struct {
	P    []float64 // uncorrected
	PMax []float64 // family-wise: the share of permutations whose largest score reaches the observed score
	Q    []float64 // false discovery rate over the family after Benjamini and Hochberg
	QBY  []float64 // the same after Benjamini and Yekutieli
}

// PermutationOptions configures [PermutationTest]. The zero value is useful.
type PermutationOptions struct {
	Permutations int // 0: 1000
	Seed         uint64
	BlockRows    int   // least rows of a block; 0: BlockLength of the median autocorrelation time of the responses
	Lengths      []int // rows of each story, in sequence; nil: one story. No block crosses a border
	TwoSided     bool  // alternative: |r| is above chance; false: r is above chance
}

// PermutationResult is the result of [PermutationTest].
type PermutationResult struct {
	R        []float64 // as Correlation returns it
	Constant []bool    // not scored
	Significance
	BlockRows, Blocks, Permutations int
	TwoSided                        bool
}

const (
	defaultPermutations = 1000
	minShuffledBlocks   = 5 // four have 24 orders, too few for a p below .05
)

// sameScore is the rounding of a score. A permutation with the observed score, apart from rounding,
// counts as reaching it.
const sameScore = 1e-12

// PermutationTest tests for each voxel whether r of pred and measured, both (rows, voxels), is
// above chance. Each permutation puts blocks of rows of the responses into another order and
// computes r anew. p is the share of permutations that reach the observed r, which is counted, too:
//
//	p = (#{r* ≥ r} + 1) / (n + 1)
//
// Blocks are permuted instead of rows because neighbouring rows are correlated. The correlation
// across the borders of blocks is lost, which makes p slightly too small: for first-order
// autoregressive series with φ = .8, a one-sided p of .05 has an error rate of .073 with blocks of
// 10 rows, and of .057 with the length of the zero options. Permutations are common to all voxels,
// so that PMax accounts for their dependence.
//
// Memory is that of a tile of voxels in addition to the two matrices. The result depends on the
// seed but not on the number of processors.
func PermutationTest(ctx context.Context, pred, measured []float32, rows, voxels int,
	opt PermutationOptions) (*PermutationResult, error) {
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
	out := &PermutationResult{Permutations: opt.Permutations, BlockRows: opt.BlockRows, TwoSided: opt.TwoSided}
	out.R, out.Constant = Correlation(pred, measured, rows, voxels)
	if out.BlockRows == 0 {
		out.BlockRows = BlockLength(MedianAutocorrelationTime(measured, opt.Lengths, voxels))
	}
	blocks := cutBlocks(opt.Lengths, out.BlockRows)
	if out.Blocks = len(blocks); out.Blocks < minShuffledBlocks {
		return nil, fault.New(fault.BadData, "permutation test", "",
			"%d rows make %d blocks of at least %d, a test needs %d",
			rows, out.Blocks, out.BlockRows, minShuffledBlocks).
			WithHint("score more rows, or use shorter blocks if the responses have a short autocorrelation time")
	}
	rng := rand.New(rand.NewPCG(opt.Seed, 0))
	orders := make([][]int, opt.Permutations)
	for d := range orders {
		orders[d] = rng.Perm(len(blocks))
	}
	f := newFamily(out.Constant, opt.Permutations, opt.TwoSided)
	for tile := range slices.Chunk(f.tests, tileColumns) {
		if ctx.Err() != nil {
			return nil, fault.Wrap(fault.Interrupted, "permutation test", "", context.Cause(ctx))
		}
		f.add(tile, out.R, func(v int, null []float64) {
			p, _ := unitColumn(pred, rows, voxels, v)
			y, _ := unitColumn(measured, rows, voxels, v)
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

// rowRange is the rows From ≤ k < To.
type rowRange struct{ From, To int }

// cutBlocks divides stories of the given lengths, in sequence, into equal blocks of at least least
// rows. A shorter story is one block.
func cutBlocks(lengths []int, least int) (blocks []rowRange) {
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

// family collects the null scores of the tests of one table.
type family struct {
	tests    []int // the tests that can be made
	twoSided bool
	same     []bool    // tests of what is the same within the resolution: p is 1; nil: none
	p        []float64 // of all tests, 1 for those that cannot be made
	largest  []float64 // by permutation: the largest score of the tests
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

// extreme returns the score in the direction of the alternative.
func (f *family) extreme(score float64) float64 {
	if f.twoSided {
		return math.Abs(score)
	}
	return score
}

// isSame reports whether what a test compares is the same within the resolution.
func (f *family) isSame(v int) bool { return f.same != nil && f.same[v] }

// add computes the null scores of some tests in parallel. null writes the scores of one test, one
// per permutation.
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
			if f.p[v] = 1; !f.isSame(v) {
				f.p[v] = float64(reached+1) / float64(len(f.largest)+1)
			}
		}
	})
	for _, s := range scores {
		for d, x := range s {
			f.largest[d] = max(f.largest[d], x)
		}
	}
}

// significance returns p and q after all tests have been added.
func (f *family) significance(score []float64) Significance {
	s := Significance{P: f.p, PMax: slices.Clone(f.p), Q: slices.Clone(f.p), QBY: slices.Clone(f.p)}
	largest := slices.Sorted(slices.Values(f.largest))
	p := make([]float64, len(f.tests))
	for i, v := range f.tests {
		below, _ := slices.BinarySearch(largest, f.extreme(score[v])-sameScore)
		if s.PMax[v] = 1; !f.isSame(v) {
			s.PMax[v] = float64(len(largest)-below+1) / float64(len(largest)+1)
		}
		p[i] = f.p[v]
	}
	q, by := BenjaminiHochberg(p), BenjaminiYekutieli(p)
	for i, v := range f.tests {
		s.Q[v], s.QBY[v] = q[i], by[i]
	}
	return s
}
