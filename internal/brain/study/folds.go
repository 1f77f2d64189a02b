package study

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
)

// FoldsDir is the folder of the runs of eval.folds below out, FoldsFile the file of their scores.
const (
	FoldsDir  = "folds"
	FoldsFile = "folds.json"
)

// Fold is a training with one story, or the clips of one label, to test it on.
type Fold struct {
	Story      string // tested, or the label of the clips that are
	Validation []string
	Experiment *experiment.Experiment // an ordinary one, whose out is its folder below that of the whole
}

// Folds returns the experiments of eval.folds: stories. The stories of data.train, data.val and data.test, in this
// order, are each tested once; those that follow it, as many as data.val has, validate; all others train. Entries
// that are rows of a story, and subjects without one of the stories, are errors, as are too few stories (of kind
// BadData). Where rows are clips, labels take the place of stories.
func Folds(exp *experiment.Experiment, data *dataset.Dataset) ([]Fold, error) {
	switch column := exp.Eval.Label(); {
	case data.IsEvents() && column == "":
		return nil, noStories()
	case data.IsEvents():
		return labelFolds(exp, data, column)
	case column != "":
		return nil, noLabels(column)
	}
	var stories []string
	validate := 0
	for i, entries := range [][]string{exp.Data.Train, exp.Data.Val, exp.Data.Test} {
		list, err := wholeStories(entries, data)
		if err != nil {
			return nil, err
		}
		if i == int(Val) {
			validate = len(list)
		}
		for _, s := range list {
			if slices.Contains(stories, s) {
				return nil, fault.New(fault.BadData, "divide stories", "eval.folds", "story %s is listed twice", s).
					WithHint("list each story once, in data.train, data.val or data.test")
			}
			stories = append(stories, s)
		}
	}
	if err := enough("stories", len(stories), validate); err != nil {
		return nil, err.WithHint("list more stories, or set eval.folds: none and split the rows of those there are")
	}
	subjects, err := data.Subjects(exp.Data.Subjects...)
	if err != nil {
		return nil, err
	}
	for _, subject := range subjects {
		for _, s := range stories {
			if !slices.Contains(data.StoriesOf(subject), s) {
				return nil, fault.New(fault.BadData, "divide stories", "eval.folds",
					"subject %s has no responses to story %s, which is tested in one of the folds", subject, s).
					WithHint("leave the subject or the story out")
			}
		}
	}
	return rotated(exp, stories, stories, validate), nil
}

// enough refuses too few stories or labels for folds.
func enough(what string, n, validate int) *fault.Error {
	if n >= 3 && n >= validate+2 {
		return nil
	}
	return fault.New(fault.BadData, "divide "+what, "eval.folds",
		"%d %s: one tests, %d validate and one at least trains, and an interval over %s needs 3", n, what,
		max(validate, 1), what)
}

// rotated returns a fold for each name: its entry of a split is tested, the next ones validate, the others train.
func rotated(exp *experiment.Experiment, names, entries []string, validate int) (out []Fold) {
	for k, test := range names {
		others := slices.Concat(entries[k+1:], entries[:k])
		e := *exp
		e.Data.Train, e.Data.Val, e.Data.Test = slices.Clone(others[validate:]), slices.Clone(others[:validate]),
			[]string{entries[k]}
		e.Eval.Folds, e.Out = "none", filepath.Join(exp.Out, FoldsDir, test)
		out = append(out, Fold{Story: test, Validation: e.Data.Val, Experiment: &e})
	}
	return out
}

// wholeStories resolves the entries of a split to names of stories.
func wholeStories(entries []string, data *dataset.Dataset) (out []string, err error) {
	parsed, err := dataset.ParseSplit(entries)
	if err != nil {
		return nil, err
	}
	for _, e := range parsed {
		if !e.Whole {
			return nil, fault.New(fault.Usage, "divide stories", "eval.folds", "%s are rows of a story", e).
				WithHint("list whole stories")
		}
		rows := map[string]int{}
		for _, s := range data.Stories() {
			rows[s] = 1
		}
		found, err := data.Resolve([]dataset.SplitEntry{e}, rows, [2]int{})
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			out = append(out, r.Story)
		}
	}
	return out, nil
}

// AuditFolds refuses stories of the study of a fold of which two share audio: they are in different splits in some
// fold, whose training would otherwise be refused after the earlier ones. With a column, folds are the labels in it of
// clips, and clips of different labels are compared.
func (st *Study) AuditFolds(ctx context.Context, column string) error {
	if st.Experiment.Data.AllowLeak {
		return nil
	}
	var used []design.Use
	for _, p := range st.Subjects {
		for _, split := range Splits {
			for _, r := range p.Parts[split] {
				if column != "" {
					used = append(used, st.useOfLabels(p.Name, r, column)...)
					continue
				}
				used = append(used, design.Use{Split: r.Story, Subject: p.Name, Rows: r})
			}
		}
	}
	report, err := design.Audit(st.StimulusWindow(), st.Data.AuditStories(), used)
	if err != nil {
		return err
	}
	if len(report.Leaks) > 0 {
		var pairs []string
		for _, l := range report.Leaks {
			pairs = append(pairs, fmt.Sprint(l))
		}
		return fault.New(fault.BadData, "audit folds", "eval.folds", "stories share audio: %s",
			strings.Join(pairs, "; ")).WithHint("leave one of them out: each is tested while others train")
	}
	if err := st.FindCopies(ctx, report); err != nil {
		return err
	}
	return report.Err()
}
