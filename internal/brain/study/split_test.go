package study_test

import (
	"slices"
	"strconv"
	"strings"
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
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/testnum"
)

func TestResponsesAreStandardisedByRule(t *testing.T) {
	split := func(zscore experiment.ZScore) *study.Subject {
		st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Data.Train, e.Data.Val, e.Data.Test = []string{"one", "two[4:18]"}, []string{"val"},
				[]string{"two[30:40]", "test"}
			e.Data.ZScore = zscore
		})
		return st.Subjects[0]
	}
	p := split("story")
	for story, rows := range map[string]design.Rows{"one": {From: 4, To: 38}, "two": {From: 4, To: 18},
		"val": {From: 4, To: 38}, "test": {From: 4, To: 38}} {
		mean, sd := studytest.Moments(studytest.Responses(t, p, story), p.Voxels, 7, rows)
		assert.InDelta(t, 0, mean, 1e-6, story)
		assert.InDelta(t, 1, sd, 1e-6, story)
	}
	mean, _ := studytest.Moments(studytest.Responses(t, p, "two"), p.Voxels, 7, design.Rows{From: 30, To: 40})
	assert.Greater(t, mean*mean, 1e-4, "of a story in two splits the training rows alone count")

	p = split("train")
	x, rows, err := p.ReadSplit(t.Context(), study.Train)
	require.NoError(t, err)
	assert.Equal(t, 34+14, rows)
	mean, sd := studytest.Moments(x, p.Voxels, 7)
	assert.InDelta(t, 0, mean, 1e-6)
	assert.InDelta(t, 1, sd, 1e-6)
	mean, _ = studytest.Moments(studytest.Responses(t, p, "test"), p.Voxels, 7, design.Rows{From: 4, To: 38})
	assert.Greater(t, mean*mean, 1e-6, "other stories keep their distance")

	p = split("none")
	assert.Nil(t, p.Responses.ZScore("one"))
}

func TestStatisticsOfFeaturesCountRowsOnce(t *testing.T) {
	heard := func(split study.Split, rows ...design.Rows) *study.Subject {
		p := &study.Subject{}
		for _, r := range rows {
			p.Parts[split] = append(p.Parts[split], design.Rows{Story: "s", From: r.From, To: r.To})
		}
		return p
	}
	subjects := []*study.Subject{heard(study.Train, design.Rows{From: 10, To: 20}),
		heard(study.Train, design.Rows{From: 15, To: 25}, design.Rows{From: 40, To: 50}),
		heard(study.Val, design.Rows{From: 60, To: 70})}
	assert.Equal(t, []design.Rows{{From: 10, To: 25}, {From: 40, To: 50}}, study.StatisticsRows(subjects, "s"),
		"validation rows do not take part")
	assert.Equal(t, []design.Rows{{From: 60, To: 70}}, study.StatisticsRows(subjects[2:], "s"))
	assert.Nil(t, study.StatisticsRows(subjects, "other"))
}

// Rows that were trimmed before are trimmed again only where somebody asks for it.
func TestTrimmedResponsesAreNotTrimmedAgain(t *testing.T) {
	for _, c := range []struct {
		name     string
		trimmed  bool
		set      string
		want     design.Rows
		contains string
	}{
		{"the default", false, "", design.Rows{From: 10, To: 35}, ""},
		{"trimmed before", true, "", design.Rows{From: 0, To: 40}, "data.trim [10 5] is not applied"},
		{"asked for", true, "data.trim=[10, 5]", design.Rows{From: 10, To: 35}, "data.trim [10 5] cuts more"},
		{"asked for none", true, "data.trim=[0, 0]", design.Rows{From: 0, To: 40}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
				e.Data.Trim, s.Trimmed = experiment.Default().Data.Trim, c.trimmed
				if c.set != "" {
					require.NoError(t, e.Set(c.set))
				}
			})
			c.want.Story = "test"
			assert.Equal(t, []design.Rows{c.want}, st.Subjects[0].Parts[study.Test])
			trim := slices.DeleteFunc(slices.Clone(st.Notes),
				func(n string) bool { return !strings.Contains(n, "data.trim") })
			if c.contains == "" {
				assert.Empty(t, trim)
				return
			}
			require.Len(t, trim, 1)
			assert.Contains(t, trim[0], c.contains)
		})
	}
}

func TestConstantVoxelsAreLeftOut(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	flat := func(_ *experiment.Experiment, s *dataset.Spec) {
		for i := range s.Subjects[0].Responses {
			m, err := s.Subjects[0].Responses[i].Matrix.Load(t.Context())
			require.NoError(t, err)
			m.Data = slices.Clone(m.Data)
			for k := range m.Rows {
				m.Data[k*m.Voxels+2] = 5
			}
			s.Subjects[0].Responses[i].Matrix = dataset.Value(m)
		}
	}
	for _, drift := range []string{"none", "legendre:4"} {
		st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
			flat(e, s)
			e.Data.Detrend = drift
		})
		p := st.Subjects[0]
		assert.Len(t, p.Tuned, 59)
		assert.NotContains(t, p.Tuned, 2)
		assert.Contains(t, st.Notes, "ada/one: 1 of 60 voxels are constant; they are left out of means")
		summary, err := evaluate.Evaluate(t.Context(), st, nil, "")
		require.NoError(t, err)
		assert.Positive(t, summary.Test.Base.MeanR)
	}
	_, err := studytest.TryTiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		flat(e, s)
		s.ROIs = []dataset.ROI{{Name: "dead", Region: dataset.Value(dataset.Region{Columns: []int{2}})}}
		e.Data.ROI = []string{"dead"}
	})
	require.ErrorContains(t, err, "no tuned voxel varies in the training rows")
	assert.Equal(t, fault.BadData, fault.KindOf(err))
}

func TestTunedRegions(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		s.ROIs = append(s.ROIs, dataset.ROI{Name: "back", Region: dataset.Value(dataset.Region{Columns: []int{9, 3}})})
		e.Data.ROI = []string{"front", "back"}
	})
	assert.Equal(t, []int{0, 1, 2, 3, 9}, st.Subjects[0].Tuned)
	assert.Equal(t, experiment.LossTemporal, st.LossName)
	assert.Contains(t, st.Notes, "train.loss: auto means temporal here: 5 varying targets")
	p := st.Subjects[0]
	x, err := p.Read(t.Context(), []int{3, 9}, design.Rows{Story: "one", From: 7, To: 9})
	require.NoError(t, err)
	all := studytest.Responses(t, p, "one")
	assert.Equal(t, []float32{all[60*7+3], all[60*7+9], all[60*8+3], all[60*8+9]}, x)
}

func TestOnlyNamedStoriesAreLoaded(t *testing.T) {
	e := experiment.Default()
	e.Data.Train, e.Data.Val, e.Data.Test = []string{"on[ae]", "t?o[3:9]"}, []string{"a[b]c"}, []string{"z"}
	data := studytest.Tiny(t, study.Options{}, func(*experiment.Experiment, *dataset.Spec) {}).Data
	for story, want := range map[string]bool{"one": true, "two": true, "ono": false, "z": true, "zz": false,
		"a[b]c": true, "abc": true} {
		got, err := study.Mentioned(e, data, story)
		require.NoError(t, err)
		assert.Equal(t, want, got, story)
	}
	e.Data.Test = []string{"z[5:2]"}
	_, err := study.Mentioned(e, data, "z")
	assert.Equal(t, fault.Usage, fault.KindOf(err))
}

func TestStudiesAreRefused(t *testing.T) {
	cases := []struct {
		name   string
		change func(*experiment.Experiment, *dataset.Spec)
		kind   fault.Kind
		want   string
	}{
		{"a leak within a story", func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Data.Train, e.Data.Test = []string{"one[4:20]"}, []string{"one[21:36]"}
		}, fault.BadData, "one"},
		{"a leak between subjects", func(e *experiment.Experiment, s *dataset.Spec) {
			s.Subjects[2].Responses = append(s.Subjects[2].Responses[:2:2], s.Subjects[0].Responses[1])
			s.Subjects[2].Responses[2].Matrix = dataset.Value(dataset.NewMatrix(40, 8, testnum.Values(320, 1)))
			e.Data.Subjects = []string{"ada", "cleo"}
			e.Data.Train, e.Data.Test = []string{"one", "two[4:20]"}, []string{"test", "two[21:36]"}
			e.Train.Loss = "temporal"
		}, fault.BadData, "two"},
		{"a layer that is not there", func(e *experiment.Experiment, _ *dataset.Spec) { e.Model.Layer = 4 },
			fault.Usage, "hidden states 0 to 3"},
		{"an adapter below the input", func(e *experiment.Experiment, _ *dataset.Spec) { e.Model.Layer = 0 },
			fault.Usage, "readout"},
		{"an adapter that never runs", func(e *experiment.Experiment,
			_ *dataset.Spec) {
			e.Adapter.Layers = []int{0, 2}
		}, fault.Usage, "layer 2 is not run"},
		{"too few voxels for the spatial loss", func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Train.Loss, e.Data.Subjects = "spatial", []string{"cleo"}
		}, fault.Usage, "use temporal"},
		{"no rows to validate", func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Data.Subjects, e.Data.Train, e.Data.Val = []string{"cleo"}, []string{"one"}, []string{"two"}
			e.Train.Loss = "mse"
		}, fault.BadData, "no rows for data.val"},
		{"too few rows for the drift", func(e *experiment.Experiment, s *dataset.Spec) {
			s.Subjects[0].Responses[3].Matrix = dataset.Value(dataset.NewMatrix(20, 60, testnum.Values(1200, 1)))
			e.Data.Detrend = "legendre:20"
		}, fault.BadData, "20 rows cannot carry drift of degree 20"},
		{"two sizes of brain", func(e *experiment.Experiment, s *dataset.Spec) {
			s.Subjects[0].Responses[1] = s.Subjects[1].Responses[1]
		}, fault.BadData, "53 voxels, the other stories of the subject have 60"},
		{"windows longer than a story", func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Model.WindowSeconds, e.Model.StrideSeconds = 20, 17
		}, fault.BadData, "give no window"},
		{"nobody", func(e *experiment.Experiment, _ *dataset.Spec) { e.Data.Subjects = []string{"dan"} }, fault.Usage,
			"dan"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := studytest.TryTiny(t, study.Options{}, c.change)
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, c.kind, fault.KindOf(err), err)
		})
	}
}

func TestNotes(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, nil)
	assert.Contains(t, st.Notes, "readout.delays_seconds [0.4 0.8] are [1 2] TRs of 0.4 s")
	assert.Contains(t, st.Notes,
		"ada/one: 60 of 60 columns look raw (|mean| above 3 SD); consider data.detrend: legendre:N")
	st = studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Data.Detrend, e.Train.ContextRows = "legendre:2", 1
		e.Data.Train, e.Data.Test = []string{"one", "two[4:18]"}, []string{"two[30:40]"}
	})
	assert.Contains(t, st.Notes,
		"train.context_rows 1 is less than the longest delay of 2 TRs: the first rows of each block lack their history")
	assert.Contains(t, st.Notes, "data.detrend is fitted over the whole of two, whose rows are in several splits")
	for _, note := range st.Notes {
		assert.NotContains(t, note, "look raw")
	}
}

// A subject whose scanning began two rows later has rows of its own in a story, at the same seconds of the audio.
func TestSubjectsWithTheirOwnClocks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	late := 2 * studytest.TinyTR
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		e.Data.Subjects = []string{"ada", "bob"}
		for i := range s.Subjects {
			if s.Subjects[i].Name != "bob" {
				continue
			}
			for k := range s.Subjects[i].Responses {
				if r := &s.Subjects[i].Responses[k]; r.Story == "one" {
					first := late
					r.First = &first
					r.Rows = &dataset.RowSpan{First: first, Last: first + studytest.TinyRows*studytest.TinyTR}
				}
			}
		}
	})
	alias := "one@" + strconv.FormatFloat(late, 'g', -1, 64)
	var stories []string
	for _, r := range st.Subjects[1].Parts[study.Train] {
		stories = append(stories, r.Story)
	}
	require.Contains(t, stories, alias)
	require.NotContains(t, stories, "one")
	whole, own := st.Stimuli["one"], st.Stimuli[alias]
	samples := func(w windows.Wave) []float32 {
		x, err := w.Read(t.Context(), 0, w.Len())
		require.NoError(t, err)
		return x
	}
	assert.Equal(t, samples(whole.Samples), samples(own.Samples))
	place := func(d *design.StoryDesign, row int) float64 { // the mean number of the windows behind a row
		x := make([]float32, len(whole.Windows))
		for i := range x {
			x[i] = float32(i)
		}
		return float64(d.Weights.Apply(x, 1)[row])
	}
	for row := 10; row < 20; row++ {
		assert.InDelta(t, place(whole.Tuning, row+2), place(own.Tuning, row), 1e-3)
	}
	run, _ := studytest.MustFit(t, st)
	scores, err := evaluate.EvaluateRun(t.Context(), st, run)
	require.NoError(t, err)
	assert.NotNil(t, scores.Test.Tuned)
}

// One subject's responses under the name of another one: a transfer would be perfect, and every mean counts him twice.
func TestResponsesUnderTwoNamesAreRefused(t *testing.T) {
	twice := func(allow bool) (*study.Study, error) {
		return studytest.TryTiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
			e.Data.AllowLeak, e.Data.Subjects = allow, []string{"ada", "bob"}
			s.Subjects[1].Responses = slices.Clone(s.Subjects[0].Responses)
		})
	}
	_, err := twice(false)
	faulttest.Require(t, fault.BadData, err, "subject bob, story one: has the same values as subject ada, story one",
		"set data.allow_leak: true")
	st, err := twice(true)
	require.NoError(t, err)
	t.Cleanup(st.Close)
	assert.Contains(t, strings.Join(st.Notes, "\n"), "RESPONSES LISTED TWICE, allowed by data.allow_leak: ")
}
