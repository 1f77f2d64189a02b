package study

import (
	"cmp"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/torch"
)

// Begun returns the subject with a share of its training rows.
func (p *Subject) Begun(share float64, exp *experiment.Experiment) *Subject {
	if share >= 1 {
		return p
	}
	all := slices.Clone(p.Parts[Train])
	total := 0
	for _, r := range all {
		total += r.To - r.From
	}
	name := fnv.New64a()
	name.Write([]byte(p.Name))
	rand.New(rand.NewPCG(torch.Seed(exp.Train.Seed, name.Sum64()), 0)).Shuffle(len(all),
		func(i, j int) { all[i], all[j] = all[j], all[i] })
	out := *p
	out.Parts[Train] = nil
	left := int(math.Round(share * float64(total)))
	for _, r := range all {
		if take := min(left, r.To-r.From); take > 0 {
			r.To = r.From + take
			left -= take
			out.Parts[Train] = append(out.Parts[Train], r)
		}
	}
	place := func(r design.Rows) int {
		return slices.IndexFunc(p.Parts[Train], func(q design.Rows) bool {
			return q.Story == r.Story &&
				q.From == r.From
		})
	}
	slices.SortFunc(out.Parts[Train], func(a, b design.Rows) int { return cmp.Compare(place(a), place(b)) })
	out.Responses = p.Responses.Resplit(out.Parts[:])
	return &out
}
