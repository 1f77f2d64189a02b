package evaluate_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
)

func everybody(e *experiment.Experiment, _ *dataset.Spec) {
	e.Data.Subjects = []string{"ada", "bob", "cleo"}
}

// With all rows the scores are those of Evaluate, subject by subject; voxel counts differ.
func TestScoreSubjectsEqualsEvaluateForEachSubject(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, everybody)
	all, err := evaluate.ScoreSubjects(t.Context(), st, nil, []float64{.5, 1})
	require.NoError(t, err)
	require.Len(t, all, 2)
	b, err := evaluate.ScoredLayerBaseline(t.Context(), st)
	require.NoError(t, err)
	e, err := b.Compare(t.Context(), nil)
	require.NoError(t, err)
	for i, p := range st.Subjects {
		want, err := e.Scores(t.Context(), p.Name)
		require.NoError(t, err)
		alone := e.Summary.Test.SubjectScores[i]
		assert.Equal(t, p.Name, alone.Subject)
		assert.InDelta(t, want.Base.MeanR, alone.Base, 1e-9)
		assert.Equal(t, want.Rows, alone.Rows)
		assert.Nil(t, alone.Delta)
		assert.Empty(t, want.SubjectScores, "one subject is the table already")
		got := all[1][i]
		assert.Equal(t, p.Name, got.Subject)
		assert.InDelta(t, want.Base.MeanR, got.MeanR, 1e-9)
		assert.InDelta(t, want.Base.ROIs["front"], got.ROIs["front"], 1e-9)
		assert.InDelta(t, float64(got.Rows)*studytest.TinyTR/60, got.Minutes, 1e-9)
		assert.NotEqual(t, got.MeanR, all[0][i].MeanR)
	}
	assert.Equal(t, []int{68, 68, 34}, []int{all[1][0].Rows, all[1][1].Rows, all[1][2].Rows},
		"cleo has not heard story two")
	assert.Equal(t, []int{34, 34, 17}, []int{all[0][0].Rows, all[0][1].Rows, all[0][2].Rows})

	one, err := evaluate.ScoreSubjects(t.Context(), st, nil, []float64{.5}, "bob")
	require.NoError(t, err)
	require.Len(t, one[0], 1)
	assert.InDelta(t, all[0][1].MeanR, one[0][0].MeanR, 1e-6, "whoever else is scored")
}

func TestLessDataIsTheSameStoriesCutShort(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, everybody)
	p := st.Subjects[0]
	q := p.Begun(.75, st.Experiment) // 51 of 68 rows
	total := 0
	for _, r := range q.Parts[study.Train] {
		assert.Equal(t, 4, r.From, "a story is recorded from its start")
		total += r.To - r.From
	}
	assert.Equal(t, 51, total)
	assert.Len(t, q.Parts[study.Train], 2)
	assert.Equal(t, p.Parts[study.Test], q.Parts[study.Test])
	assert.Same(t, p, p.Begun(1, st.Experiment))
	for _, r := range q.Parts[study.Train] {
		if r.To < 38 {
			mean, sd := studytest.Moments(studytest.Responses(t, q, r.Story), q.Voxels, 7,
				design.Rows{From: r.From, To: r.To})
			assert.InDelta(t, 0, mean, 1e-6, "standardised by the rows that are left")
			assert.InDelta(t, 1, sd, 1e-6)
		}
	}
	firsts := map[string]bool{}
	for seed := range uint64(20) {
		exp := *st.Experiment
		exp.Train.Seed = seed
		some := p.Begun(.4, &exp)
		firsts[some.Parts[study.Train][0].Story] = true
	}
	assert.Len(t, firsts, 2, "the order of stories is drawn")
}

func TestUnmetStories(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		everybody(e, s)
		extra, copied := s.Stories[1], s.Stories[0]
		sound, bands := studytest.TinySound(9)
		extra.Name, extra.Audio = "extra", dataset.Value(sound)
		copied.Name, copied.SameAs = "copy", &dataset.SameAs{Story: "one", Row: 0}
		s.Stories = append(s.Stories, extra, copied)
		for _, story := range []string{"extra", "copy"} {
			r := s.Subjects[1].Responses[1]
			r.Story = story
			if story == "extra" {
				voxels := studytest.TinySubjects[1].Voxels
				answer := studytest.TinyAnswer(bands, voxels, 1, 9)
				r.Matrix = dataset.Value(dataset.NewMatrix(studytest.TinyRows, voxels, answer))
			}
			s.Subjects[1].Responses = append(s.Subjects[1].Responses, r)
		}
	})
	for _, c := range []struct {
		target  string
		sources []string
		want    []string
		why     string
	}{
		{"bob", []string{"ada", "cleo"}, []string{"extra"}, "a copy of a story that was met is that story"},
		{"bob", []string{"cleo"}, []string{"two", "extra"}, "cleo has not heard two"},
		{"ada", []string{"bob", "cleo"}, nil, "she has heard nothing else"},
	} {
		got, err := evaluate.Unmet(t.Context(), st, c.target, c.sources...)
		require.NoError(t, err)
		assert.Equal(t, c.want, got, c.why)
	}
	base, after, err := evaluate.ScoreOn(t.Context(), st, nil, "bob", []string{"extra"})
	require.NoError(t, err)
	assert.Equal(t, 34, base.Rows)
	assert.Equal(t, base, after, "the model is the same")
	assert.Greater(t, base.MeanR, .2)
	_, err = os.Stat(st.Experiment.Out)
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, _, err = evaluate.ScoreOn(t.Context(), st, nil, "bob", []string{"test"})
	assert.Equal(t, fault.BadData, fault.KindOf(err), "test rows are refused")
}
