package study_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// divided returns the experiment and the data of stories that two subjects have heard; b has not heard wolf.
func divided(t *testing.T) (*experiment.Experiment, *dataset.Dataset) {
	t.Helper()
	spec := dataset.Spec{Name: "made", TR: 2, RowTime: .5}
	a, b := dataset.Subject{Name: "a"}, dataset.Subject{Name: "b"}
	for _, name := range []string{"s1", "s2", "s3", "s4", "wolf"} {
		spec.Stories = append(spec.Stories, dataset.Story{Name: name})
		r := dataset.Response{Story: name, Matrix: dataset.Value(dataset.NewMatrix(1, 1, []float32{1}))}
		a.Responses = append(a.Responses, r)
		if name != "wolf" {
			b.Responses = append(b.Responses, r)
		}
	}
	spec.Subjects = []dataset.Subject{a, b}
	data, err := dataset.New(spec)
	require.NoError(t, err)
	exp := experiment.Default()
	exp.Eval.Folds, exp.Out, exp.Data.Subjects = "stories", "out", []string{"a", "b"}
	return exp, data
}

func TestEachStoryIsTestedOnceAndTheNextOnesValidate(t *testing.T) {
	exp, data := divided(t)
	exp.Data.Train, exp.Data.Val, exp.Data.Test = []string{"s[1-2]"}, []string{"s4"}, []string{"s3"}
	folds, err := study.Folds(exp, data)
	require.NoError(t, err)
	var got [][3][]string
	for _, f := range folds {
		d := f.Experiment.Data
		got = append(got, [3][]string{d.Test, d.Val, d.Train})
		assert.Equal(t, []string{f.Story}, d.Test)
		assert.Equal(t, "out/folds/"+f.Story, f.Experiment.Out)
		assert.Equal(t, "none", f.Experiment.Eval.Folds)
	}
	assert.Equal(t, [][3][]string{
		{{"s1"}, {"s2"}, {"s4", "s3"}}, {{"s2"}, {"s4"}, {"s3", "s1"}},
		{{"s4"}, {"s3"}, {"s1", "s2"}}, {{"s3"}, {"s1"}, {"s2", "s4"}}}, got)
	assert.Equal(t, []string{"s[1-2]"}, exp.Data.Train, "the experiment stays as it is")

	exp.Data.Val = []string{"s4", "wolf"}
	exp.Data.Subjects = []string{"a"}
	folds, err = study.Folds(exp, data)
	require.NoError(t, err)
	assert.Equal(t, []string{"s2", "s4"}, folds[0].Experiment.Data.Val, "as many as data.val has")
}

func TestStoriesThatCannotBeFolds(t *testing.T) {
	for name, c := range map[string]struct {
		train, val, test []string
		kind             fault.Kind
		want             string
	}{
		"rows":          {[]string{"s1"}, []string{"s1[0:1]"}, []string{"s2"}, fault.Usage, "s1[0:1] are rows"},
		"too few":       {[]string{"s1"}, nil, []string{"s2"}, fault.BadData, "2 stories: one tests"},
		"many validate": {nil, []string{"s1", "s2", "s3"}, []string{"s4"}, fault.BadData, "4 stories: one tests, 3"},
		"twice":         {[]string{"s1", "s2"}, []string{"s3"}, []string{"s?"}, fault.BadData, "s1 is listed twice"},
		"not heard": {[]string{"s1", "s2"}, []string{"s3"}, []string{"wolf"}, fault.BadData,
			"subject b has no"},
		"no such story": {[]string{"s1", "s9"}, []string{"s3"}, []string{"s2"}, fault.Usage,
			`there is no story "s9"`},
	} {
		exp, data := divided(t)
		exp.Data.Train, exp.Data.Val, exp.Data.Test = c.train, c.val, c.test
		_, err := study.Folds(exp, data)
		require.Error(t, err, name)
		faulttest.Require(t, c.kind, err, c.want)
	}
}

func TestStoriesOfAFoldThatShareAudioAreFoundBeforeTheFirstTraining(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st := studytest.Tiny(t, study.Options{}, nil)
	require.NoError(t, st.AuditFolds(t.Context(), ""))
	// one and two train in this fold; in another one is tested while two trains.
	same := studytest.Tiny(t, study.Options{}, func(_ *experiment.Experiment, s *dataset.Spec) {
		s.Stories[1].SameAs = &dataset.SameAs{Story: "one", Row: 3}
	})
	faulttest.Require(t, fault.BadData, same.AuditFolds(t.Context(), ""), "stories share audio")
	copied := studytest.Tiny(t, study.Options{}, func(_ *experiment.Experiment, s *dataset.Spec) {
		s.Stories[1].Audio = s.Stories[0].Audio
	})
	require.Error(t, copied.AuditFolds(t.Context(), ""), "by sound")
	allowed := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		e.Data.AllowLeak = true
		s.Stories[1].SameAs = &dataset.SameAs{Story: "one", Row: 3}
	})
	require.NoError(t, allowed.AuditFolds(t.Context(), ""))
}

func TestARunHasNoFolds(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Eval.Folds = "stories"
	})
	_, err := st.Begin(t.Context())
	faulttest.Require(t, fault.Usage, err, "each fold is a run of its own")
}
