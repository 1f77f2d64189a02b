package stats

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// minStories is the least number of stimuli for an interval over stimuli.
const minStories = 3

// StoryScore holds the 95 % intervals of one group over stories, nil with fewer than three.
type StoryScore struct {
	Stories            int // stimuli of the subjects in the group
	Base, Tuned, Delta *Interval
}

// StoryIntervals returns intervals of the scores of [PairedBootstrap] that are about other stories, where those of a
// block bootstrap are about other rows of the same ones. Each stimulus is left out in turn, for all subjects (the
// delete-one jackknife; Efron and Stein, Ann. Stat. 9(3), 1981), and the interval is the score ± t·SE, with Student's
// t of K-1 degrees of freedom for K stimuli. Tuned and Delta are nil without a tuned model.
func StoryIntervals(ctx context.Context, subjects []Subject, groups []Group) ([]StoryScore, error) {
	paired, err := check("intervals over stories", subjects, groups)
	if err != nil {
		return nil, err
	}
	stimuli, longest := map[string]int{}, 1
	for _, subject := range subjects {
		for _, s := range subject.Stories {
			if _, known := stimuli[s.stimulus()]; !known {
				stimuli[s.stimulus()] = len(stimuli)
			}
			longest = max(longest, s.Rows)
		}
	}
	plan := newPlan(subjects, longest+1) // one block per story
	draws := make([][]float64, 1+len(stimuli))
	for d := range draws {
		draws[d] = make([]float64, plan.total)
	}
	has := make([]map[int]bool, len(subjects))
	for s, blocks := range plan.blocks {
		has[s] = map[int]bool{}
		for _, b := range blocks {
			k := stimuli[subjects[s].Stories[b.story].stimulus()]
			has[s][k] = true
			for d := range draws {
				if d != 1+k {
					draws[d][b.index] = 1
				}
			}
		}
	}
	totals, err := scoreGroups(ctx, subjects, groups, plan.blocks, draws)
	if err != nil {
		return nil, err
	}
	out := make([]StoryScore, len(groups))
	for g, group := range groups {
		in := map[int]bool{}
		for s := range subjects {
			for k := range has[s] {
				in[k] = in[k] || group.includes(s)
			}
		}
		out[g] = totals[g].overStories(in, paired)
	}
	return out, nil
}

// MeanOverStories returns the mean of one value per story ± t·SE, which is the jackknife of a mean. With fewer than
// three there is no interval, and the reason is returned.
func MeanOverStories(values []float64) (score Score, reason string) {
	sum := 0.
	for _, v := range values {
		sum += v
	}
	n := float64(len(values))
	score.Mean = sum / n
	if len(values) < minStories {
		return score, fmt.Sprintf("%d stories; an interval over stories needs %d", len(values), minStories)
	}
	without := []float64{score.Mean}
	for _, v := range values {
		without = append(without, (sum-v)/(n-1))
	}
	score.CI95 = jackknife(without)
	return score, ""
}

// stimulus returns the name of the stimulus of a story.
func (s Story) stimulus() string {
	if s.Stimulus != "" {
		return s.Stimulus
	}
	return s.Name
}

// overStories returns the intervals from draw 0, the sample, and the draws 1+k without stimulus k, of those in a group.
func (t *drawTotals) overStories(in map[int]bool, paired bool) (out StoryScore) {
	var base, tuned, delta []float64
	for d, n := range t.subjects {
		if d > 0 && !in[d-1] {
			continue
		}
		if n == 0 { // nothing is left without this stimulus
			return out
		}
		base, tuned = append(base, t.base[d]/n), append(tuned, t.tuned[d]/n)
		delta = append(delta, (t.tuned[d]-t.base[d])/n)
	}
	if out.Stories = len(base) - 1; out.Stories < minStories {
		return out
	}
	out.Base = jackknife(base)
	if paired {
		out.Tuned, out.Delta = jackknife(tuned), jackknife(delta)
	}
	return out
}

// jackknife returns the 95 % interval of values[0] from the values without one of the units each.
func jackknife(values []float64) *Interval {
	k := float64(len(values) - 1)
	mean, square := 0., 0.
	for _, v := range values[1:] {
		mean += v / k
	}
	for _, v := range values[1:] {
		square += (v - mean) * (v - mean)
	}
	half := math.Sqrt(square*(k-1)/k) * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: k - 1}.Quantile(.975)
	return &Interval{values[0] - half, values[0] + half}
}
