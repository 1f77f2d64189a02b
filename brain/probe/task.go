package probe

import (
	"context"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"

	"github.com/brainwavlm/bwlm/torch"
)

// task is one probe: its items and what is to be predicted from them.
type task struct {
	name, score string // "r" or "accuracy"
	words       bool   // of the set of words, otherwise of frames
	rows        []int  // of the set
	targets     []float32
	labels      []int // instead of targets
	classes     int
	kinds       []int // the items' words, where each counts once
	units       []int // items that share a label by nature: they get a random one together
	folds       []fold
	skipped     string
}

// skip returns a task that is left out.
func skip(name, why string) *task { return &task{name: name, skipped: why} }

// run scores features x (n, C) of the whole set; for several targets, also each of them.
func (t *task) run(ctx context.Context, device torch.Device, x []float32, channels int, random bool,
	seed uint64) (score float64, each []float64, err error) {
	x = take(x, channels, t.rows)
	order := make([]int, len(t.rows))
	for i := range order {
		order[i] = i
	}
	if random {
		order = permuteLabels(t.units, torch.Seed(seed, uint64(len(t.name)), uint64(t.name[0])))
	}
	if t.labels != nil {
		score, err = accuracy(ctx, device, x, pick(t.labels, order), t.classes, t.folds)
		return score, nil, err
	}
	y := take(t.targets, len(t.targets)/len(t.rows), order)
	each, err = regress(ctx, device, x, y, len(t.rows), t.folds, t.kinds)
	if err != nil {
		return 0, nil, err
	}
	return floats.Sum(each) / float64(len(each)), each, nil
}

// permuteLabels gives each item another one, whose label it takes: units swap labels as a whole, the k-th
// item of a unit taking that of the k-th of the other, round and round where that has fewer.
func permuteLabels(units []int, seed uint64) []int {
	var members [][]int
	at := map[int]int{}
	for i, u := range units {
		k, there := at[u]
		if !there {
			k = len(members)
			at[u] = k
			members = append(members, nil)
		}
		members[k] = append(members[k], i)
	}
	out := make([]int, len(units))
	for k, other := range rand.New(rand.NewPCG(seed, 6)).Perm(len(members)) {
		for j, i := range members[k] {
			out[i] = members[other][j%len(members[other])]
		}
	}
	return out
}

// chance returns the accuracy of the most frequent class.
func (t *task) chance() float64 {
	if t.labels == nil {
		return 0
	}
	counts := make([]float64, t.classes)
	for _, l := range t.labels {
		counts[l]++
	}
	return floats.Max(counts) / float64(len(t.labels))
}
