package stats

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/brainwavlm/bwlm/fault"
)

// Unit is the unit within which [PairedTest] swaps predictions. It determines what p generalises
// to.
type Unit int

// The units.
const (
	Blocks   Unit = iota // blocks of rows: to further rows of these stories and subjects
	Stories              // whole stories: to further stories of these subjects
	Subjects             // whole subjects: to further subjects
)

// PairedOptions configures [PairedTest]. The zero value is useful.
type PairedOptions struct {
	Permutations int // 0: 1000
	Seed         uint64
	BlockRows    int // least rows of a block; 0: BlockLength of the median autocorrelation time of the responses
	Unit         Unit
	OneSided     bool // alternative: tuned is better than base; false: tuned differs from base
}

// TestFamily holds the paired tests of one table, which are one family: the voxels of a subject, or
// the groups.
type TestFamily struct {
	Base, Tuned, Delta []float64 // r, or the mean r of a group; 0 if not scored
	Scored             []bool
	Unresolved         []bool // predictions are the same within the resolution of the arithmetic; p is 1
	Significance
}

// PairedResult is the result of [PairedTest].
type PairedResult struct {
	Groups       TestFamily   // in the order of the groups
	Voxels       []TestFamily // by subject
	Units        []int        // by group: number of units. With n units no two-sided p is below 2/2ⁿ
	BlockRows    int
	Permutations int
}

// PairedTest tests whether the tuned model predicts better than the base model, or differently.
// Under the null hypothesis the two predictions are exchangeable: each permutation swaps them in a
// random half of the blocks of rows and computes every r anew, and p is the share of permutations
// whose difference reaches the observed one, (#{|Δ*| ≥ |Δ|} + 1)/(n + 1). Predictions are z-scored
// per subject and voxel first: r does not depend on their scale, but a mixture of the two would.
//
// Swaps are common to all voxels, so that PMax and the means of groups keep the dependence between
// voxels, and to all subjects who share a story. Groups are averaged as in [PairedBootstrap]: over
// the voxels of a subject, then over subjects.
//
// A voxel whose two predictions differ by no more than [Subject.Resolution] in every row has p = 1, and so has a group
// of such voxels. They stay in the family: leaving them out would choose the tests by their outcome.
//
// The cost is permutations × blocks × voxels, independent of the number of rows. The result depends
// on the seed but not on the number of processors.
func PairedTest(ctx context.Context, subjects []Subject, groups []Group, opt PairedOptions) (*PairedResult, error) {
	const what = "paired test"
	paired, err := check(what, subjects, groups)
	if err != nil {
		return nil, err
	}
	if opt.Permutations == 0 {
		opt.Permutations = defaultPermutations
	}
	if !paired || opt.Permutations < 1 || opt.BlockRows < 0 {
		return nil, fault.New(fault.BadData, what, "", "%d permutations of blocks of %d rows; two systems: %t",
			opt.Permutations, opt.BlockRows, paired)
	}
	if opt.BlockRows == 0 {
		opt.BlockRows = BlockLength(responseTau(subjects))
	}
	plan := newPlan(subjects, opt.BlockRows)
	swaps := newSwaps(subjects, plan, opt)
	out := &PairedResult{BlockRows: opt.BlockRows, Permutations: opt.Permutations}
	totals := make([]groupTotal, len(groups))
	for g, group := range groups {
		totals[g].null = make([]float64, opt.Permutations)
		out.Units = append(out.Units, swaps.count(group))
	}
	for s, subject := range subjects {
		member := memberships(groups, s, subject.Voxels)
		tests, err := swapSubject(ctx, subject, plan.blocks[s], swaps.swapped[s], member, totals, opt.OneSided)
		if err != nil {
			return nil, err
		}
		out.Voxels = append(out.Voxels, *tests)
	}
	out.Groups = testGroups(totals, opt)
	return out, nil
}

// swaps holds the blocks of each subject that each permutation swaps.
type swaps struct {
	units   [][]int   // by subject: the unit of each block
	swapped [][][]int // by subject and permutation: the blocks that are swapped
}

func newSwaps(subjects []Subject, p *blockPlan, opt PairedOptions) *swaps {
	w := &swaps{units: make([][]int, len(subjects)), swapped: make([][][]int, len(subjects))}
	stories := map[string]int{}
	total := 0
	for s, subject := range subjects {
		for _, b := range p.blocks[s] {
			unit := b.index
			switch opt.Unit {
			case Stories:
				name := subject.Stories[b.story].Name
				if _, known := stories[name]; !known {
					stories[name] = len(stories)
				}
				unit = stories[name]
			case Subjects:
				unit = s
			}
			w.units[s] = append(w.units[s], unit)
			total = max(total, unit+1)
		}
		w.swapped[s] = make([][]int, opt.Permutations)
	}
	rng := rand.New(rand.NewPCG(opt.Seed, 0))
	swap := make([]bool, total)
	for d := range opt.Permutations {
		for u := range swap {
			swap[u] = rng.IntN(2) == 1
		}
		for s, units := range w.units {
			for b, unit := range units {
				if swap[unit] {
					w.swapped[s][d] = append(w.swapped[s][d], b)
				}
			}
		}
	}
	return w
}

// count returns the number of units in which the subjects of a group have rows.
func (w *swaps) count(group Group) int {
	seen := map[int]bool{}
	for s, units := range w.units {
		if group.includes(s) {
			for _, unit := range units {
				seen[unit] = true
			}
		}
	}
	return len(seen)
}

// groupTotal sums the scores of a group over its subjects.
type groupTotal struct {
	subjects    float64
	resolved    bool // some voxel is
	base, tuned float64
	null        []float64 // difference, by permutation
}

// swapSubject tests the voxels of one subject and adds their means to the totals of the groups.
func swapSubject(ctx context.Context, subject Subject, blocks []block, swapped, member [][]int,
	totals []groupTotal, oneSided bool) (*TestFamily, error) {
	n := subject.Voxels
	t := &TestFamily{Base: make([]float64, n), Tuned: make([]float64, n), Delta: make([]float64, n),
		Scored: make([]bool, n), Unresolved: subject.unresolved()}
	everywhere := make([][]int, n)
	for v := range everywhere {
		everywhere[v] = []int{0}
	}
	unscored := make([]bool, n)
	for v := range unscored {
		unscored[v] = true
	}
	for _, v := range scorable(subject, everywhere) {
		unscored[v], t.Scored[v] = false, true
	}
	voxels := make([]float64, len(totals))
	for v, scored := range t.Scored {
		if scored {
			for _, g := range member[v] {
				voxels[g]++
			}
		}
	}
	f := newFamily(unscored, len(swapped), !oneSided)
	f.same = t.Unresolved
	for tile := range slices.Chunk(f.tests, tileColumns) {
		if ctx.Err() != nil {
			return nil, fault.Wrap(fault.Interrupted, "paired test", "", context.Cause(ctx))
		}
		sums := sumBlocks(subject, blocks, tile)
		pairs, nulls := make([]pair, len(tile)), make([][]float64, len(tile))
		for i, v := range tile {
			pairs[i] = newPair(subject, blocks, sums, i, len(tile))
			t.Base[v], t.Tuned[v] = pairs[i].score(nil)
			t.Delta[v] = t.Tuned[v] - t.Base[v]
		}
		f.add(tile, t.Delta, func(v int, null []float64) {
			i, _ := slices.BinarySearch(tile, v)
			for d, which := range swapped {
				base, tuned := pairs[i].score(which)
				null[d] = tuned - base
			}
			nulls[i] = slices.Clone(null)
		})
		for i, v := range tile {
			for _, g := range member[v] {
				totals[g].resolved = totals[g].resolved || !t.Unresolved[v]
				totals[g].base += t.Base[v] / voxels[g]
				totals[g].tuned += t.Tuned[v] / voxels[g]
				floats.AddScaled(totals[g].null, 1/voxels[g], nulls[i])
			}
		}
	}
	for g, count := range voxels {
		if count > 0 {
			totals[g].subjects++
		}
	}
	t.Significance = f.significance(t.Delta)
	return t, nil
}

// testGroups tests the means of the groups.
func testGroups(totals []groupTotal, opt PairedOptions) TestFamily {
	n := len(totals)
	t := TestFamily{Base: make([]float64, n), Tuned: make([]float64, n), Delta: make([]float64, n),
		Scored: make([]bool, n), Unresolved: make([]bool, n)}
	unscored := make([]bool, n)
	for g, total := range totals {
		if t.Scored[g] = total.subjects > 0; !t.Scored[g] {
			unscored[g] = true
			continue
		}
		t.Base[g], t.Tuned[g] = total.base/total.subjects, total.tuned/total.subjects
		t.Delta[g] = t.Tuned[g] - t.Base[g]
		t.Unresolved[g] = !total.resolved
	}
	f := newFamily(unscored, opt.Permutations, !opt.OneSided)
	f.same = t.Unresolved
	f.add(f.tests, t.Delta, func(g int, null []float64) {
		floats.AddScaled(null, 1/totals[g].subjects, totals[g].null)
	})
	t.Significance = f.significance(t.Delta)
	return t
}

// pair holds the two predictions of one voxel as sums over rows, from which r follows for any
// swaps.
type pair struct {
	rows, y, yy float64
	base, tuned moments
	swap        []moments // of each block: tuned − base
}

// moments holds the sums over rows of a prediction x, its square, and its product with the
// response.
type moments struct{ x, xx, xy float64 }

func (m *moments) add(o moments, times float64) {
	m.x += times * o.x
	m.xx += times * o.xx
	m.xy += times * o.xy
}

// newPair returns the pair of column i of a tile of block sums, (blocks, sums × width), with both
// predictions scaled to SD 1.
func newPair(subject Subject, blocks []block, blockSums [][]float64, i, width int) pair {
	p := pair{swap: make([]moments, len(blocks))}
	for _, story := range subject.Stories {
		p.rows += float64(story.Rows)
	}
	at := func(k, sum int) float64 { return blockSums[k][sum*width+i] }
	base, tuned := make([]moments, len(blocks)), make([]moments, len(blocks))
	for k := range blocks {
		p.y += at(k, sumY)
		p.yy += at(k, sumYY)
		base[k] = moments{at(k, sumP), at(k, sumPP), at(k, sumPY)}
		tuned[k] = moments{at(k, sumQ), at(k, sumQQ), at(k, sumQY)}
		p.base.add(base[k], 1)
		p.tuned.add(tuned[k], 1)
	}
	standardise := func(total *moments, parts []moments) {
		if total.xx <= 0 {
			return // constant: all sums are 0
		}
		sd := math.Sqrt(total.xx / p.rows)
		for k, m := range parts {
			parts[k] = moments{m.x / sd, m.xx / (sd * sd), m.xy / sd}
		}
		*total = moments{total.x / sd, p.rows, total.xy / sd}
	}
	standardise(&p.base, base)
	standardise(&p.tuned, tuned)
	for k := range blocks {
		p.swap[k] = tuned[k]
		p.swap[k].add(base[k], -1)
	}
	return p
}

// score returns r of both models with some blocks swapped.
func (p *pair) score(swapped []int) (base, tuned float64) {
	var moved moments
	for _, k := range swapped {
		moved.add(p.swap[k], 1)
	}
	a, b := p.base, p.tuned
	a.add(moved, 1)
	b.add(moved, -1)
	return pearson(p.rows, a.x, a.xx, p.y, p.yy, a.xy), pearson(p.rows, b.x, b.xx, p.y, p.yy, b.xy)
}
