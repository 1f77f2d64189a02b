package study_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// labelled is a data set of 24 clips with five folds, two groups, and eight odd labels.
func labelled(t *testing.T) (*experiment.Experiment, *dataset.Dataset) {
	t.Helper()
	spec := dataset.Spec{Name: "clips", Design: dataset.DesignEvent, TR: 1}
	for k := range 24 {
		spec.Events = append(spec.Events, dataset.Event{Name: fmt.Sprintf("clip-%02d", k),
			Audio: dataset.Value([]float32{1}), Labels: map[string]string{"fold": fmt.Sprint(k % 5),
				"group": []string{"low", "high"}[k%2], "odd": fmt.Sprint("a/", k%8)}})
	}
	spec.Subjects = []dataset.Subject{{Name: "ada", Responses: []dataset.Response{
		{Matrix: dataset.Value(dataset.NewMatrix(24, 1, make([]float32, 24)))}}}}
	data, err := dataset.New(spec)
	require.NoError(t, err)
	exp := experiment.Default()
	exp.Data.Subjects, exp.Out, exp.Eval.Folds = []string{"ada"}, "out", "label:fold"
	exp.Data.Train, exp.Data.Val = []string{"fold=2", "fold=0", "fold=1"}, []string{"fold=3"}
	exp.Data.Test = []string{"fold=4"}
	return exp, data
}

func TestEachLabelIsTestedOnceAndTheNextOneValidates(t *testing.T) {
	exp, data := labelled(t)
	folds, err := study.Folds(exp, data)
	require.NoError(t, err)
	require.Len(t, folds, 5)
	tested := map[string]int{}
	order := []int{2, 0, 1, 3, 4} // as the splits list them
	for i, f := range folds {
		d, k, next := f.Experiment.Data, order[i], order[(i+1)%5]
		assert.Equal(t, fmt.Sprint(k), f.Story)
		assert.Equal(t, "out/folds/"+f.Story, f.Experiment.Out)
		assert.Equal(t, []string{fmt.Sprint("fold=", k)}, d.Test)
		assert.Equal(t, []string{fmt.Sprint("fold=", next)}, d.Val)
		assert.Len(t, d.Train, 3)
		assert.Equal(t, "none", f.Experiment.Eval.Folds)
		parsed, err := dataset.ParseSplit(d.Test)
		require.NoError(t, err)
		rows, err := data.Resolve(parsed, nil, [2]int{})
		require.NoError(t, err)
		for _, r := range rows {
			for _, e := range data.Events()[r.From:r.To] {
				tested[e.Name]++
			}
		}
	}
	require.Len(t, tested, 24)
	for name, n := range tested {
		assert.Equal(t, 1, n, name)
	}
}

func TestLabelsThatCannotBeFolds(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*experiment.Experiment)
		kind   fault.Kind
		want   string
	}{
		"too few": {func(e *experiment.Experiment) {
			e.Eval.Folds, e.Data.Train, e.Data.Val = "label:group", []string{"group=low"}, nil
			e.Data.Test = []string{"group=high"}
		}, fault.BadData, "2 labels: one tests"},
		"in two splits": {func(e *experiment.Experiment) { e.Eval.Folds = "label:group" }, fault.BadData,
			"are in data.train and in data.val; name each label of the column in one of them, such as data.test"},
		"no column": {func(e *experiment.Experiment) { e.Eval.Folds = "label:fould" }, fault.Usage,
			`there is no column "fould"; did you mean "fold"?`},
		"no folder": {func(e *experiment.Experiment) { e.Eval.Folds = "label:odd" }, fault.BadData,
			"of column odd cannot name a folder and a split"},
		"stories": {func(e *experiment.Experiment) { e.Eval.Folds = "stories" }, fault.Usage, "write label:COLUMN"},
	} {
		exp, data := labelled(t)
		c.change(exp)
		_, err := study.Folds(exp, data)
		require.Error(t, err, name)
		faulttest.Require(t, c.kind, err, c.want)
	}
	exp, data := divided(t)
	exp.Eval.Folds = "label:fold"
	_, err := study.Folds(exp, data)
	faulttest.Require(t, fault.Usage, err, "rows of the data set are TRs")
}

// Clips that are all in training in the first fold are in different splits in a later one.
func TestClipsOfDifferentFoldsThatSoundTheSameAreFoundBeforeTheFirstTraining(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st, err := tinyClips(t, nil)
	require.NoError(t, err)
	defer st.Close()
	require.NoError(t, st.AuditFolds(t.Context(), "fold"))
	same, err := tinyClips(t, func(_ *experiment.Experiment, s *dataset.Spec) {
		s.Events[8].Audio = s.Events[0].Audio // of folds 1 and 0, and categories 2 and 0
	})
	require.NoError(t, err, "both train")
	defer same.Close()
	faulttest.Require(t, fault.BadData, same.AuditFolds(t.Context(), "fold"), "clip-00")
	faulttest.Require(t, fault.BadData, same.AuditFolds(t.Context(), "category"), "clip-08")
	require.NoError(t, same.AuditFolds(t.Context(), "group"), "both are low")
}
