package stats

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/brainwavlm/bwlm/fault"
)

// Story holds one subject's responses to a stimulus and the predictions of two models, each (Rows,
// Voxels of the subject).
type Story struct {
	// Name identifies the stimulus across subjects: row k of stories with the same name is the same
	// moment. A part of a story needs a name of its own, such as "alice[250:362]".
	Name      string
	Stimulus  string // of which it is a part, "alice"; "": Name
	Rows      int
	Responses []float32
	Base      []float32
	Tuned     []float32 // nil in all stories of all subjects: Base is scored alone
}

// Subject holds the test rows of one subject.
type Subject struct {
	Voxels  int
	Stories []Story

	// Resolution is the part of a voxel's largest prediction below which two predictions are the same, as [Resolution]
	// measures it. Less than four units in the last place of a float32 means that.
	Resolution float64
}

// Group is a named set of voxels, such as a region of interest.
type Group struct {
	Name string
	// Columns holds the columns of each subject, in the order of the subjects. A subject without
	// columns takes no part. Nil means all voxels of all subjects.
	Columns [][]int
}

// includes reports whether subject s has voxels of the group.
func (g Group) includes(s int) bool { return g.Columns == nil || len(g.Columns[s]) > 0 }

// BootstrapOptions configures [PairedBootstrap]. The zero value is useful.
type BootstrapOptions struct {
	Resamples int // 0: 2000
	Seed      uint64
	BlockRows int // least rows of a block; 0: BlockLength of the median autocorrelation time of the responses
}

// Interval holds the lower and upper end of a 95 % interval.
type Interval [2]float64

// Score is a mean r, or a difference of two, with its interval, which is nil with too few blocks.
type Score struct {
	Mean float64   `json:"mean_r"`
	CI95 *Interval `json:"ci95"`
}

// GroupScore is the result for one group.
type GroupScore struct {
	Name   string
	Voxels int // scored voxels of all subjects
	Blocks int // blocks of rows of the subjects in the group
	Base   Score
	Tuned  *Score // nil without a tuned model
	Delta  *Score // Tuned − Base, from the same draws
	Reason string // why there is no interval; empty if there is one

	draws []float64 // Delta of each draw, ascending; nil without an interval
}

// BootstrapResult is the result of [PairedBootstrap].
type BootstrapResult struct {
	Groups    []GroupScore
	BlockRows int // least rows of a block
	Resamples int
}

const defaultResamples = 2000

// PairedBootstrap scores one or two models per group of voxels: r of each voxel over all its test
// rows, averaged over the voxels of each subject and then over subjects. Intervals come from a
// block bootstrap: blocks of rows are drawn with replacement, as many as there are, and every r is
// computed anew in each draw. The draws are common to all voxels, to both models and to the
// subjects who share a story, which keeps the dependence between them (the stimulus, spatially
// correlated noise). No block crosses the border of a story.
//
// The interval is the percentile interval, widened for the small number of blocks K after
// Hesterberg (Am. Stat. 69(4), 2015): the tail is Φ(-√(K/(K-1)) t) with t the quantile of Student's
// t with K-1 degrees of freedom. With fewer than 20 blocks there is no interval, and Reason gives
// the number.
//
// A voxel is scored if its responses vary and the prediction of at least one model does. A model
// that predicts a constant where the other does not has r = 0 there. A column that is constant in a
// draw has r = 0 in that draw.
//
// The cost is resamples × blocks × voxels, independent of the number of rows, since each block is
// reduced to its sums. The result depends on the seed but not on the number of processors.
func PairedBootstrap(ctx context.Context, subjects []Subject, groups []Group,
	opt BootstrapOptions) (*BootstrapResult, error) {
	if opt.Resamples == 0 {
		opt.Resamples = defaultResamples
	}
	paired, err := check("bootstrap", subjects, groups)
	if err != nil {
		return nil, err
	}
	if opt.Resamples < 2 || opt.BlockRows < 0 {
		return nil, fault.New(fault.BadData, "bootstrap", "", "%d resamples of blocks of %d rows",
			opt.Resamples, opt.BlockRows)
	}
	if opt.BlockRows == 0 {
		opt.BlockRows = BlockLength(responseTau(subjects))
	}
	plan := newPlan(subjects, opt.BlockRows)
	draws := plan.draw(opt.Resamples, opt.Seed)
	totals, err := scoreGroups(ctx, subjects, groups, plan.blocks, draws)
	if err != nil {
		return nil, err
	}
	out := &BootstrapResult{BlockRows: opt.BlockRows, Resamples: opt.Resamples}
	for g, group := range groups {
		out.Groups = append(out.Groups, totals[g].score(group, plan, paired))
	}
	return out, nil
}

// BlocksOf returns the least rows of a block and the number of blocks with which [PairedBootstrap] would resample the
// subjects, of whom only Responses are used, and why there would be no interval of all voxels; "" if there would be.
// Least is BlockRows of its options.
func BlocksOf(subjects []Subject, least int) (rows, blocks int, reason string) {
	if least == 0 {
		least = BlockLength(responseTau(subjects))
	}
	p := newPlan(subjects, least)
	return p.rows, p.total, p.tooFew(p.total)
}

// tooFew returns why a number of blocks allows no interval; "" if it does.
func (p *blockPlan) tooFew(blocks int) string {
	if blocks >= MinBlocks {
		return ""
	}
	return fmt.Sprintf("%d blocks of at least %d rows; an interval needs %d", blocks, p.rows, MinBlocks)
}

// responseTau returns the median over subjects of the median autocorrelation time of their
// responses.
func responseTau(subjects []Subject) float64 {
	var taus []float64
	for _, subject := range subjects {
		var responses []float32
		var lengths []int
		for _, story := range subject.Stories {
			responses, lengths = append(responses, story.Responses...), append(lengths, story.Rows)
		}
		taus = append(taus, MedianAutocorrelationTime(responses, lengths, subject.Voxels))
	}
	slices.Sort(taus)
	return quantile(taus, .5)
}

// drawTotals sums the scores of a group over subjects, by draw.
type drawTotals struct {
	voxels      int
	base, tuned []float64 // sums over subjects of the mean r over voxels
	subjects    []float64 // number of subjects with rows in the draw
}

func newTotal(draws int) drawTotals {
	return drawTotals{base: make([]float64, draws), tuned: make([]float64, draws), subjects: make([]float64, draws)}
}

func (t *drawTotals) add(s drawScores, rows []float64) {
	t.voxels += s.voxels
	for d, n := range rows {
		if n > 0 && s.voxels > 0 {
			t.base[d] += s.base[d] / float64(s.voxels)
			t.tuned[d] += s.tuned[d] / float64(s.voxels)
			t.subjects[d]++
		}
	}
}

// score returns means and intervals from the draws. Draw 0 is the sample itself.
func (t *drawTotals) score(group Group, p *blockPlan, paired bool) GroupScore {
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
	default:
		out.Reason = p.tooFew(out.Blocks)
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

// interval returns the widened percentile interval of values from draws of k blocks.
func interval(values []float64, k int) *Interval {
	tail := widenTail(.025, k)
	values = slices.Sorted(slices.Values(values))
	return &Interval{quantile(values, tail), quantile(values, 1-tail)}
}

// widenTail returns the share of draws of k blocks to leave out on one side, so that the interval
// misses on that side with probability p.
func widenTail(p float64, k int) float64 {
	n := float64(k)
	return distuv.UnitNormal.CDF(math.Sqrt(n/(n-1)) * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(p))
}

// narrowTail is the inverse of [widenTail]: the p of a share of draws.
func narrowTail(share float64, k int) float64 {
	n := float64(k)
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.CDF(math.Sqrt((n-1)/n) * distuv.UnitNormal.Quantile(share))
}

// check validates sizes and reports whether there are two models.
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
			if story.Rows < 1 || len(story.Responses) != size || len(story.Base) != size {
				return refuse(story.Name, "subject %d has %d responses and %d predictions, want %d rows × %d voxels",
					s, len(story.Responses), len(story.Base), story.Rows, subject.Voxels)
			}
			if first {
				first, paired = false, story.Tuned != nil
			}
			if paired != (story.Tuned != nil) || paired && len(story.Tuned) != size {
				return refuse(story.Name, "subject %d has %d tuned predictions and %d of base", s, len(story.Tuned),
					size)
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
					return refuse(group.Name, "column %d of subject %d, which has %d voxels", v, s, subjects[s].Voxels)
				}
			}
		}
	}
	return paired, nil
}

// scoreGroups adds up, for each group of voxels, the scores of all subjects in each draw of their blocks.
func scoreGroups(ctx context.Context, subjects []Subject, groups []Group, blocks [][]block,
	draws [][]float64) ([]drawTotals, error) {
	totals := make([]drawTotals, len(groups))
	for g := range totals {
		totals[g] = newTotal(len(draws))
	}
	for s, subject := range subjects {
		scores, rows, err := scoreDraws(ctx, subject, blocks[s], draws, len(groups),
			memberships(groups, s, subject.Voxels))
		if err != nil {
			return nil, err
		}
		for g := range groups {
			totals[g].add(scores[g], rows)
		}
	}
	return totals, nil
}
