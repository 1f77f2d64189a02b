package study

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/responses"
)

// leastRepeats can be divided into halves that both have a noise ceiling.
const leastRepeats = 4

// usesTestRepeats reports whether repeats of the test rows have a part in the tuning.
func usesTestRepeats(exp *experiment.Experiment) bool { return exp.Train.Reliability == Test.String() }

// checkRepeats refuses to tune on repeats of the test rows, unless that is allowed.
func (st *Study) checkRepeats(context.Context) error {
	if !usesTestRepeats(st.Experiment) || st.Experiment.Data.UseTestRepeats {
		return nil
	}
	err := fault.New(fault.Usage, weighVoxels, "train.reliability",
		"test would weigh voxels by the rows that are scored afterwards").
		WithHint("name another split, or give a file: train.weights; data.use_test_repeats: true allows it, and all " +
			"tables are marked")
	err.Err = results.ErrTestRepeats
	return err
}

// TestRepeats says how repeats of the test rows had a part in the tuning; "" if they had none.
func (st *Study) TestRepeats() string {
	if !usesTestRepeats(st.Experiment) {
		return ""
	}
	for _, p := range st.Subjects {
		if p.odd == nil {
			return results.TestRepeatsShared
		}
	}
	return results.TestRepeatsSplit
}

// halves divides the repeats of the test stories, where all have enough of them: odd ones are for weights and ceilings,
// even ones for scores. Of an odd number the last is left out, so that a ceiling is one of as many repeats as a score.
// The other stories are in both. It returns nil, nil if a test story has too few.
func (p *Subject) halves(opened []*dataset.Responses) (odd, even []*dataset.Responses) {
	tested := map[string]bool{}
	for _, r := range p.Parts[Test] {
		tested[r.Story] = true
	}
	for _, r := range opened {
		if !tested[r.Story] {
			odd, even = append(odd, r), append(even, r)
			continue
		}
		if r.Repeats < leastRepeats {
			return nil, nil
		}
		var first, second []int
		for k := 0; k+1 < r.Repeats; k += 2 {
			first, second = append(first, k), append(second, k+1)
		}
		odd, even = append(odd, responses.Only(r, first...)), append(even, responses.Only(r, second...))
	}
	return odd, even
}
