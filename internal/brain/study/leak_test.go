package study_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/internal/slowtest"
)

// leakCase is one way for test rows to hear what training rows hear, and the same with nothing
// shared. Training ends at row 18 of story "one", test rows begin the given number of rows later.
type leakCase struct {
	name        string
	gap, sound  int                          // rows from the end of training to the first test row
	change      func(*experiment.Experiment) // what makes it a leak at that gap; nil: the gap alone
	changeSound func(*experiment.Experiment) // what the sound twin has in its place
}

// A row of the tiny study hears from 2.2 s before its time (two rows of .4 s delay, 3 of Lanczos, a
// window of .2 s) to .8 s after it: 3 s, which 7 rows between training and test keep apart and 6 do
// not.
var leakCases = []leakCase{
	{name: "overlapping rows", gap: -3, sound: 7},
	{name: "neighbouring rows", gap: 0, sound: 7},
	{name: "window reach", gap: 7, sound: 7,
		change: func(e *experiment.Experiment) { e.Model.WindowSeconds = .6 }},
	{name: "clip reach", gap: 7, sound: 7,
		change: func(e *experiment.Experiment) { e.Model.Extraction, e.Model.ChunkSeconds = "chunks", .5 }},
	{name: "clip reach ahead", gap: 10, sound: 10, // 8 rows cover what longer windows would hear
		change:      func(e *experiment.Experiment) { e.Model.Extraction, e.Model.ChunkSeconds = "chunks", 1.2 },
		changeSound: func(e *experiment.Experiment) { e.Model.WindowSeconds = 1.2 }},
	{name: "Lanczos reach", gap: 6, sound: 6,
		changeSound: func(e *experiment.Experiment) { e.Model.Downsample = "average" }},
	{name: "delays", gap: 7, sound: 7,
		change: func(e *experiment.Experiment) { e.Readout.DelaysSeconds = []float64{.4, 1.6} }},
}

// The same stimulus is refused whoever has answered to it and under whatever name: within one
// subject's story, in another subject's copy of the same story, and in a story that is a piece of
// it (same_as).
func TestLeaksAreRefusedInTraining(t *testing.T) {
	arrange := map[string]func(e *experiment.Experiment, s *dataset.Spec, test string){
		"one subject": func(e *experiment.Experiment, _ *dataset.Spec, test string) {
			e.Data.Train, e.Data.Test = []string{"one[4:18]"}, []string{test}
		},
		"another subject's copy": func(e *experiment.Experiment, s *dataset.Spec, test string) {
			e.Data.Subjects = []string{"ada", "bob"}
			e.Data.Train, e.Data.Test = []string{"one[4:18]", "two"}, []string{test, "test"}
			drop(s, 1, "two")
		},
		"same_as": func(e *experiment.Experiment, s *dataset.Spec, test string) {
			e.Data.Subjects = []string{"ada", "bob"}
			copied(s, 1)
			e.Data.Train, e.Data.Test = []string{"one[4:18]", "two"},
				[]string{strings.Replace(test, "one", "piece", 1), "test"}
		},
	}
	for name, subjects := range arrange {
		for i, c := range leakCases {
			if name != "one subject" && i > 0 && !slowtest.Thorough {
				continue // what differs is how the stimulus is found, not what is heard of it
			}
			t.Run(name+"/"+c.name, func(t *testing.T) {
				try := func(gap int, change func(*experiment.Experiment)) error {
					_, err := studytest.TryTiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
						subjects(e, s, c.test(gap))
						if change != nil {
							change(e)
						}
					})
					return err
				}
				refused(t, try(c.gap, c.change), "train one[4:18]")
				assert.NoError(t, try(c.sound, c.changeSound), "without it nothing is shared")
			})
		}
	}
}

// Each study by itself is sound: ada was tuned on stimulus that bob is tested on under the name of another story.
func TestLeaksBetweenStudiesAreRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	for _, c := range leakCases {
		if (c.name == "window reach" || c.name == "Lanczos reach") && !slowtest.Thorough {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			try := func(gap int, change func(*experiment.Experiment)) error {
				st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
					copied(s, 1)
					e.Data.Train, e.Data.Test, e.Train.Epochs = []string{"one[4:18]", "two"},
						[]string{strings.Replace(c.test(gap), "one", "piece", 1), "test"}, 1
					if change != nil {
						change(e)
					}
				})
				return auditAgainst(t, st, "bob")
			}
			refused(t, try(c.gap, c.change), "train one[4:18]")
			assert.NoError(t, try(c.sound, c.changeSound))
		})
	}
}

// Leaks that are allowed are named in the notes and in the manifest.
func TestAllowedLeaksAreRecorded(t *testing.T) {
	leaky := func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Data.Train, e.Data.Test, e.Data.AllowLeak = []string{"one[4:20]", "two"}, []string{"one[21:36]"}, true
	}
	st := studytest.Tiny(t, study.Options{}, leaky)
	const leak = "train one[4:20] <-> test one[21:36]  share 2.2 s of one"
	assert.Contains(t, st.Notes, "LEAK, allowed by data.allow_leak: "+leak+"; scores on these rows are no evidence")
	run, err := st.Begin(t.Context())
	require.NoError(t, err)
	defer run.Close()
	text, err := os.ReadFile(run.File(rundir.ManifestOfRun))
	require.NoError(t, err)
	var m results.Manifest
	require.NoError(t, json.Unmarshal(text, &m))
	assert.Equal(t, []string{leak}, m.Leaks)

	sound := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment,
		_ *dataset.Spec) {
		e.Data.AllowLeak = true
	})
	assert.NotContains(t, strings.Join(sound.Notes, "\n"), "LEAK")
}

// test returns the rows of story one that begin n rows after the end of training.
func (c leakCase) test(gap int) string { return fmt.Sprintf("one[%d:36]", 18+gap) }

func refused(t *testing.T, err error, names string) {
	t.Helper()
	require.ErrorContains(t, err, names)
	assert.ErrorContains(t, err, "s of one")
	assert.Equal(t, fault.BadData, fault.KindOf(err))
}

// copied gives a subject story one under the name "piece", same_as one, in the place of one.
func copied(s *dataset.Spec, subject int) {
	piece := s.Stories[0]
	piece.Name, piece.SameAs = "piece", &dataset.SameAs{Story: "one", Row: 0}
	s.Stories = append(s.Stories, piece)
	p := &s.Subjects[subject]
	p.Responses = slices.Clone(p.Responses)
	p.Responses[0].Story = "piece"
}

// drop takes a story's responses from a subject.
func drop(s *dataset.Spec, subject int, story string) {
	p := &s.Subjects[subject]
	p.Responses = slices.DeleteFunc(slices.Clone(p.Responses),
		func(r dataset.Response) bool { return r.Story == story })
}

// auditAgainst compares what a study was tuned on with what another subject is tested on.
func auditAgainst(t *testing.T, st *study.Study, subject string) error {
	t.Helper()
	exp := *st.Experiment
	exp.Data.Subjects, exp.Train.Loss = []string{subject}, "auto"
	other, err := st.Vary(t.Context(), &exp)
	require.NoError(t, err)
	return evaluate.AuditAgainst(t.Context(), other, st.Subjects)
}

// Each study by itself is sound, but the target is tested on a piece of what the source was tuned on.
func TestAPieceOfATrainingStoryIsALeak(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		one := s.Stories[0]
		one.Name, one.SameAs = "piece", &dataset.SameAs{Story: "one", Row: 0}
		s.Stories = append(s.Stories, one)
		bob := &s.Subjects[1]
		piece := bob.Responses[0]
		piece.Story = "piece"
		bob.Responses = append(slices.Clone(bob.Responses[1:]), piece)
		e.Data.Test = []string{"test", "piece"}
	})
	err := auditAgainst(t, st, "bob")
	require.ErrorContains(t, err, "piece")
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	assert.NoError(t, auditAgainst(t, st, "cleo"), "a subject without the story")
}
