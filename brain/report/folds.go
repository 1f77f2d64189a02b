package report

import (
	"maps"
	"slices"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/roikeys"
)

// foldsPart are the tables of folds.
type foldsPart struct {
	One, Many string // what folds are: story, stories
	Tuned     bool
	Folds     []results.Fold
	Means     []foldLine
	Reason    string // why there is no interval
}

// foldLine is a mean over folds; Delta marks a difference.
type foldLine struct {
	Name  string
	Mean  float64
	Delta bool
	CI    *stats.Interval
}

// foldTables returns what the page says of folds; nil if it is about none.
func (rep *Report) foldTables() *foldsPart {
	f := rep.folds
	if f == nil {
		return nil
	}
	p := &foldsPart{One: "story", Many: "stories", Tuned: f.Tuned != nil, Folds: f.Folds, Reason: f.Base.Reason}
	if f.Label != "" {
		p.One, p.Many = f.Label, "labels of "+f.Label
	}
	add := func(name string, m results.FoldMean, delta bool) {
		p.Means = append(p.Means, foldLine{name, m.Mean, delta, m.CI95})
	}
	add("untuned, all voxels", f.Base, false)
	if f.Tuned != nil {
		add("untuned, best layer, all voxels", *f.BaseBestLayer, false)
		add("tuned, all voxels", *f.Tuned, false)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Features)) {
		add(name+", all voxels", f.Features[name], false)
	}
	for _, roi := range roikeys.Sorted(f.Delta) {
		add("Δr, "+roikeys.Label(roi), f.Delta[roi], true)
	}
	return p
}
