package stats

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/brainwavlm/bwlm/fault"
)

// Unit is what the paired test swaps as one, and with it what its p is about.
type Unit int

// The units.
const (
	Blocks   Unit = iota // blocks of rows: more rows of these stories, of these people
	Stories              // whole stories: more stories, of these people
	Subjects             // whole people: more people
)

// PairedOptions say how predictions are swapped. The zero value is useful.
type PairedOptions struct {
	Permutations int // 0: 1000
	Seed         uint64
	BlockRows    int // least rows of a block; 0: BlockLength of the responses' median autocorrelation time
	Unit         Unit
	OneSided     bool // tuned better than base; else a difference either way
}

// Tests is a family of paired tests, one table: the voxels of a person, or the groups.
type Tests struct {
	Base, Tuned, Delta []float64 // r, or a group's mean r; 0 where not scored
	Scored             []bool
	Significance
}

// Paired is the outcome of [PairedTest].
type Paired struct {
	Groups       Tests   // in the order of the groups: one family
	Voxels       []Tests // by subject: a family each
	Units        []int   // by group: what could be swapped. With n of them no two-sided p is below 2/2ⁿ
	BlockRows    int
	Permutations int
}

// PairedTest asks whether the tuned system predicts better than the base, or worse. If there is no difference it does
// not matter which is called which, so in each permutation the two predictions are swapped in a random half of the
// blocks of rows, every r is computed anew from the rows so mixed, and p is the share of permutations whose difference
// reaches the true one, (#{|Δ*| ≥ |Δ|} + 1)/(n + 1). Predictions are z-scored per person and voxel before, since r does
// not see their size but a mixture would.
//
// Swaps are common to all voxels, so that PMax and the groups' means keep what voxels share, and to all people who
// share a story. Whole stories or people are swapped on demand, for a p about stories or people in general. Groups are
// averaged as [PairedBootstrap] does: over a person's voxels, then over people.
//
// The cost is permutations × blocks × voxels, whatever the rows. The result depends on the seed only.
func PairedTest(ctx context.Context, subjects []Subject, groups []Group, opt PairedOptions) (*Paired, error) {
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
	out := &Paired{BlockRows: opt.BlockRows, Permutations: opt.Permutations}
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

// swaps says for each subject and permutation which of the subject's blocks are swapped.
type swaps struct {
	units   [][]int   // by subject: the unit of each block
	swapped [][][]int // by subject and permutation: the blocks
}

func newSwaps(subjects []Subject, p *plan, opt PairedOptions) *swaps {
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

// count gives the units in which the subjects of a group have rows.
func (w *swaps) count(group Group) int {
	seen := map[int]bool{}
	for s, units := range w.units {
		if group.takes(s) {
			for _, unit := range units {
				seen[unit] = true
			}
		}
	}
	return len(seen)
}

// groupTotal sums a group over the people who have voxels of it.
type groupTotal struct {
	subjects    float64
	base, tuned float64
	null        []float64 // difference, by permutation
}

// swapSubject tests the voxels of one subject and adds their means to the groups.
func swapSubject(ctx context.Context, subject Subject, blocks []block, swapped, member [][]int,
	totals []groupTotal, oneSided bool) (*Tests, error) {
	n := subject.Voxels
	t := &Tests{Base: make([]float64, n), Tuned: make([]float64, n), Delta: make([]float64, n), Scored: make([]bool, n)}
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
	for tile := range slices.Chunk(f.tests, tileVoxels) {
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

// testGroups tests the groups' means.
func testGroups(totals []groupTotal, opt PairedOptions) Tests {
	n := len(totals)
	t := Tests{Base: make([]float64, n), Tuned: make([]float64, n), Delta: make([]float64, n), Scored: make([]bool, n)}
	unscored := make([]bool, n)
	for g, total := range totals {
		if t.Scored[g] = total.subjects > 0; !t.Scored[g] {
			unscored[g] = true
			continue
		}
		t.Base[g], t.Tuned[g] = total.base/total.subjects, total.tuned/total.subjects
		t.Delta[g] = t.Tuned[g] - t.Base[g]
	}
	f := newFamily(unscored, opt.Permutations, !opt.OneSided)
	f.add(f.tests, t.Delta, func(g int, null []float64) {
		floats.AddScaled(null, 1/totals[g].subjects, totals[g].null)
	})
	t.Significance = f.significance(t.Delta)
	return t
}

// pair is one voxel's two predictions, as sums over rows: all that r needs, whatever is swapped.
type pair struct {
	rows, y, yy float64
	base, tuned moments
	swap        []moments // of each block, tuned less base
}

// moments are the sums over rows of a prediction x, of its square, and of its product with the response.
type moments struct{ x, xx, xy float64 }

func (m *moments) add(o moments, times float64) {
	m.x += times * o.x
	m.xx += times * o.xx
	m.xy += times * o.xy
}

// newPair takes column i of a tile of block sums, (blocks, sums × width), and gives both predictions SD 1.
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
			return // constant: 0 everywhere
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

// score gives r of both systems after some blocks were swapped.
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
