package stats

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/brainwavlm/bwlm/fault"
)

// Story is one stimulus as one person heard it: responses and what two systems predicted, each
// (Rows, voxels of the subject).
type Story struct {
	// Name says which rows of different people belong together: row k of equally named stories is the same
	// moment of the same stimulus. A part of a story needs a name of its own, such as "alice[250:362]".
	Name  string
	Rows  int
	Want  []float32
	Base  []float32
	Tuned []float32 // nil in all stories of all subjects: Base is scored alone
}

// Subject is the test rows of one person.
type Subject struct {
	Voxels  int
	Stories []Story
}

// Group is a named set of voxels, such as a region of interest.
type Group struct {
	Name string
	// Columns holds each subject's columns, in the order of the subjects; a subject with none takes no part.
	// A nil Columns means all voxels of all subjects.
	Columns [][]int
}

// takes tells whether subject s has voxels of the group.
func (g Group) takes(s int) bool { return g.Columns == nil || len(g.Columns[s]) > 0 }

// BootstrapOptions say how rows are drawn again. The zero value is useful.
type BootstrapOptions struct {
	Resamples int // 0: 2000
	Seed      uint64
	BlockRows int // least rows of a block; 0: BlockLength of the responses' median autocorrelation time
}

// Interval is the lower and upper end of a 95 % interval.
type Interval [2]float64

// Score is a mean r, or a difference of two, with its interval; nil where there were too few blocks.
type Score struct {
	Mean float64   `json:"mean_r"`
	CI95 *Interval `json:"ci95"`
}

// GroupScore is the outcome for one group.
type GroupScore struct {
	Name   string
	Voxels int // scored, over all subjects
	Blocks int // of rows that the group's subjects have
	Base   Score
	Tuned  *Score // nil if there is no tuned system
	Delta  *Score // Tuned - Base, from the same draws
	Reason string // why there is no interval; empty if there is one

	draws []float64 // Delta of each draw, ascending; nil where there is no interval
}

// Bootstrap is the outcome of [PairedBootstrap].
type Bootstrap struct {
	Groups    []GroupScore
	BlockRows int // least rows of a block
	Resamples int
}

const defaultResamples = 2000

// PairedBootstrap scores one or two systems per group of voxels: r of each voxel over all its test rows,
// averaged over the voxels of each subject and then over subjects. Intervals come from drawing blocks of rows
// with replacement, as many as there are, and computing every r anew in each draw. Blocks are common to all
// voxels, to both systems and to the subjects who share a story, so what is common to them (the stimulus,
// spatially correlated noise) stays common; none crosses the border of a story.
//
// The interval is the percentile interval, widened for the small number of blocks K as Hesterberg proposes
// (Am. Stat. 69(4), 2015): the tail is Φ(-√(K/(K-1)) t), t the quantile of Student's t with K-1 degrees of
// freedom. Under 20 blocks there is none, and Reason says so.
//
// A voxel is scored if its responses vary and at least one system's prediction does; a system that predicts a
// constant where the other does not has r = 0 there. In a draw where a column happens to be constant its r is 0.
//
// Sums of each block replace its rows, so the cost is resamples × blocks × voxels, whatever the rows. The
// result depends on the seed only, not on the number of processors.
func PairedBootstrap(ctx context.Context, subjects []Subject, groups []Group, opt BootstrapOptions) (*Bootstrap, error) {
	if opt.Resamples == 0 {
		opt.Resamples = defaultResamples
	}
	paired, err := check("bootstrap", subjects, groups)
	if err != nil {
		return nil, err
	}
	if opt.Resamples < 2 || opt.BlockRows < 0 {
		return nil, fault.New(fault.BadData, "bootstrap", "", "%d resamples of blocks of %d rows", opt.Resamples, opt.BlockRows)
	}
	if opt.BlockRows == 0 {
		opt.BlockRows = BlockLength(responseTau(subjects))
	}
	plan := newPlan(subjects, opt.BlockRows)
	draws := plan.draw(opt.Resamples, opt.Seed)
	totals := make([]total, len(groups))
	for g := range totals {
		totals[g] = newTotal(len(draws))
	}
	for s, subject := range subjects {
		scores, rows, err := scoreDraws(ctx, subject, plan.blocks[s], draws, len(groups), memberships(groups, s, subject.Voxels))
		if err != nil {
			return nil, err
		}
		for g := range groups {
			totals[g].add(scores[g], rows)
		}
	}
	out := &Bootstrap{BlockRows: opt.BlockRows, Resamples: opt.Resamples}
	for g, group := range groups {
		out.Groups = append(out.Groups, totals[g].score(group, plan, paired))
	}
	return out, nil
}

// responseTau is the median over subjects of their responses' median autocorrelation time.
func responseTau(subjects []Subject) float64 {
	var taus []float64
	for _, subject := range subjects {
		var responses []float32
		var lengths []int
		for _, story := range subject.Stories {
			responses, lengths = append(responses, story.Want...), append(lengths, story.Rows)
		}
		taus = append(taus, MedianAutocorrelationTime(responses, lengths, subject.Voxels))
	}
	slices.Sort(taus)
	return quantile(taus, .5)
}

// total gathers a group's scores over subjects, one place per draw.
type total struct {
	voxels      int
	base, tuned []float64 // sums over subjects of the mean r over voxels
	subjects    []float64 // who have rows in the draw
}

func newTotal(draws int) total {
	return total{base: make([]float64, draws), tuned: make([]float64, draws), subjects: make([]float64, draws)}
}

func (t *total) add(s drawScores, rows []float64) {
	t.voxels += s.voxels
	for d, n := range rows {
		if n > 0 && s.voxels > 0 {
			t.base[d] += s.base[d] / float64(s.voxels)
			t.tuned[d] += s.tuned[d] / float64(s.voxels)
			t.subjects[d]++
		}
	}
}

// score turns the draws into means and intervals. Draw 0 is the sample itself.
func (t *total) score(group Group, p *plan, paired bool) GroupScore {
	out := GroupScore{Name: group.Name, Voxels: t.voxels, Blocks: p.count(group)}
	var base, tuned, delta []float64
	for d, n := range t.subjects {
		if n > 0 {
			base, tuned = append(base, t.base[d]/n), append(tuned, t.tuned[d]/n)
			delta = append(delta, (t.tuned[d]-t.base[d])/n)
		}
	}
	switch {
	case len(base) == 0:
		out.Reason = "no voxel can be scored: all are constant"
		base, tuned, delta = []float64{0}, []float64{0}, []float64{0}
	case out.Blocks < minBlocks:
		out.Reason = fmt.Sprintf("%d blocks of at least %d rows; an interval needs %d", out.Blocks, p.rows, minBlocks)
	}
	summarise := func(values []float64) Score {
		s := Score{Mean: values[0]}
		if out.Reason == "" {
			s.CI95 = interval(values[1:], out.Blocks)
		}
		return s
	}
	out.Base = summarise(base)
	if paired {
		t, d := summarise(tuned), summarise(delta)
		out.Tuned, out.Delta = &t, &d
		if out.Reason == "" {
			out.draws = slices.Sorted(slices.Values(delta[1:]))
		}
	}
	return out
}

// interval is the widened percentile interval of the values of draws from k blocks.
func interval(values []float64, k int) *Interval {
	tail := widened(.025, k)
	values = slices.Sorted(slices.Values(values))
	return &Interval{quantile(values, tail), quantile(values, 1-tail)}
}

// widened is the share of draws from k blocks to leave out on one side so that the side misses with probability p.
func widened(p float64, k int) float64 {
	n := float64(k)
	return distuv.UnitNormal.CDF(math.Sqrt(n/(n-1)) * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(p))
}

// narrowed is the inverse of widened: the p that belongs to a share of draws.
func narrowed(share float64, k int) float64 {
	n := float64(k)
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.CDF(math.Sqrt((n-1)/n) * distuv.UnitNormal.Quantile(share))
}

// check refuses what does not fit together and says whether there are two systems.
func check(what string, subjects []Subject, groups []Group) (paired bool, err error) {
	refuse := func(where, why string, args ...any) (bool, error) {
		return false, fault.New(fault.BadData, what, where, why, args...)
	}
	if len(subjects) == 0 {
		return refuse("", "no subjects")
	}
	first := true
	for s, subject := range subjects {
		if subject.Voxels < 1 || len(subject.Stories) == 0 {
			return refuse("", "subject %d has %d voxels and %d stories", s, subject.Voxels, len(subject.Stories))
		}
		seen := map[string]bool{}
		for _, story := range subject.Stories {
			if seen[story.Name] {
				return refuse(story.Name, "subject %d has this story twice", s)
			}
			seen[story.Name] = true
			size := story.Rows * subject.Voxels
			if story.Rows < 1 || len(story.Want) != size || len(story.Base) != size {
				return refuse(story.Name, "subject %d has %d responses and %d predictions, want %d rows × %d voxels",
					s, len(story.Want), len(story.Base), story.Rows, subject.Voxels)
			}
			if first {
				first, paired = false, story.Tuned != nil
			}
			if paired != (story.Tuned != nil) || paired && len(story.Tuned) != size {
				return refuse(story.Name, "subject %d has %d tuned predictions beside %d of base", s, len(story.Tuned), size)
			}
		}
	}
	for _, group := range groups {
		if group.Columns != nil && len(group.Columns) != len(subjects) {
			return refuse(group.Name, "columns for %d subjects of %d", len(group.Columns), len(subjects))
		}
		for s, columns := range group.Columns {
			for _, v := range columns {
				if v < 0 || v >= subjects[s].Voxels {
					return refuse(group.Name, "column %d of subject %d, who has %d voxels", v, s, subjects[s].Voxels)
				}
			}
		}
	}
	return paired, nil
}
