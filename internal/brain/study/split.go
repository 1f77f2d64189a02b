package study

import (
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
)

// Split is one of the three uses of rows.
type Split int

// Train is fitted, Val chooses (epoch, layer), Test is scored once.
const (
	Train Split = iota
	Val
	Test
)

// Splits lists all three; statistics of one may be used in those after it.
var Splits = []Split{Train, Val, Test}

func (s Split) String() string { return [...]string{"train", "val", "test"}[s] }

// Trim returns how many rows are left out at both ends of a story. The default of data.trim is not applied to responses
// whose data set says that they were trimmed before.
func Trim(exp *experiment.Experiment, data *dataset.Dataset) [2]int {
	unset := exp.Origin("data.trim") == experiment.FromDefault && exp.Data.Trim == experiment.Default().Data.Trim
	if data.Spec().Trimmed && unset {
		return [2]int{}
	}
	return exp.Data.Trim
}

// parts resolves the splits of the experiment for one subject, given the number of rows of each story.
func parts(exp *experiment.Experiment, data *dataset.Dataset, rows map[string]int) (out [3][]design.Rows, err error) {
	for i, entries := range [][]string{exp.Data.Train, exp.Data.Val, exp.Data.Test} {
		parsed, err := dataset.ParseSplit(entries)
		if err != nil {
			return out, err
		}
		if out[i], err = data.Resolve(parsed, rows, Trim(exp, data)); err != nil {
			return out, err
		}
	}
	return out, nil
}

// Audit returns the stimulus that two splits share, over all subjects.
func Audit(window design.StimulusWindow, data *dataset.Dataset, subjects []*Subject) (*design.Report, error) {
	var used []design.Use
	for _, p := range subjects {
		for _, split := range Splits {
			for _, r := range p.Parts[split] {
				used = append(used, design.Use{Split: split.String(), Subject: p.Name, Rows: r})
			}
		}
	}
	return design.Audit(window, data.AuditStories(), used)
}
