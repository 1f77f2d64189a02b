package study

import (
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
)

// noStories refuses folds over stories where rows are clips.
func noStories() *fault.Error {
	return fault.New(fault.Usage, "divide clips", "eval.folds", "stories, and rows of this data set are clips").
		WithHint("write label:COLUMN, such as label:fold, for a fold of each label")
}

// noLabels refuses folds over labels where rows are TRs.
func noLabels(column string) *fault.Error {
	return fault.New(fault.Usage, "divide stories", "eval.folds", "label:%s, and rows of the data set are TRs", column).
		WithHint("write stories; labels are those of clips, in data sets with design: event")
}

// labelFolds returns the folds of eval.folds: label:COLUMN: those that [Folds] makes of stories, made of the labels in
// a column of the clips that data.train, data.val and data.test name.
func labelFolds(exp *experiment.Experiment, data *dataset.Dataset, column string) ([]Fold, error) {
	if len(data.Events()[0].Labels) == 0 {
		return nil, fault.New(fault.Usage, "divide clips", "eval.folds", "label:%s, and the clips have no labels",
			column).WithHint("add a column %s to a table of events", column)
	}
	var labels []string
	of, validate := map[string]Split{}, 0
	for i, entries := range [][]string{exp.Data.Train, exp.Data.Val, exp.Data.Test} {
		var list []string // in the order of the entries
		for _, entry := range entries {
			more, err := data.Labels(column, []string{entry})
			if err != nil {
				return nil, err
			}
			for _, label := range more {
				if !slices.Contains(list, label) {
					list = append(list, label)
				}
			}
		}
		for _, label := range list {
			if !isFolder(label) {
				return nil, fault.New(fault.BadData, "divide clips", "eval.folds",
					"the label %q of column %s cannot name a folder and a split", label, column).
					WithHint("write labels of letters, digits, blanks, - and _")
			}
			if at, twice := of[label]; twice {
				return nil, fault.New(fault.BadData, "divide clips", "eval.folds",
					"clips with %s=%s are in data.%s and in data.%s", column, label, at, Split(i)).
					WithHint("name each label of the column in one of them, such as data.test: %s=%s", column, label)
			}
			of[label] = Split(i)
		}
		if labels = append(labels, list...); Split(i) == Val {
			validate = len(list)
		}
	}
	if err := enough("labels", len(labels), validate); err != nil {
		return nil, err.WithHint("choose a column with more labels, or set eval.folds: none")
	}
	entries := make([]string, len(labels))
	for i, label := range labels {
		entries[i] = column + "=" + label
	}
	return rotated(exp, labels, entries, validate), nil
}

// isFolder reports whether a label can be the name of a folder, and of nothing else in a split.
func isFolder(label string) bool {
	return filepath.IsLocal(label) && label != "." && label == strings.TrimSpace(label) &&
		!strings.ContainsAny(label, `/\*?[]:&=!`) && !strings.ContainsFunc(label, unicode.IsControl)
}

// useOfLabels returns clips as uses of splits that are called by their labels in a column.
func (st *Study) useOfLabels(subject string, rows design.Rows, column string) (used []design.Use) {
	each := st.Data.ClipRows()
	for k, e := range st.Data.ClipsIn(rows) {
		one := design.Rows{Story: rows.Story, From: rows.From + k*each, To: rows.From + (k+1)*each}
		label := e.Labels[column]
		if n := len(used); n > 0 && used[n-1].Split == label {
			used[n-1].Rows.To += each
			continue
		}
		used = append(used, design.Use{Split: label, Subject: subject, Rows: one})
	}
	return slices.Clip(used)
}
