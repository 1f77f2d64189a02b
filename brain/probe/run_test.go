package probe_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/probe"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/roikeys"
	"github.com/brainwavlm/bwlm/internal/sim"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/wavlm"
)

// simulated is a small simulated study whose test stories have phones and speakers beside words: a phone is a word's
// first or second half.
func simulated(t *testing.T) *brain.Study {
	t.Helper()
	s, err := sim.New(sim.Options{Seed: 3, TuneStories: 2, ValStories: 1, TestStories: 4, ProbeStories: 1,
		Rows: 24, Voxels: 40, TestRepeats: 1})
	require.NoError(t, err)
	spec := s.Dataset.Spec()
	for i := range spec.Stories {
		story := &spec.Stories[i]
		words, err := story.Words.Load(t.Context())
		require.NoError(t, err)
		var phones []dataset.Word
		for _, w := range words {
			half := (w.Onset + w.Offset) / 2
			phones = append(phones, dataset.Word{Onset: w.Onset, Offset: half, Text: w.Text[:1] + "0"},
				dataset.Word{Onset: half, Offset: w.Offset, Text: w.Text[1:2]})
		}
		story.Phones, story.Speaker = dataset.Value(phones), fmt.Sprint("voice ", i%2)
	}
	data, err := dataset.New(spec)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "model")
	require.NoError(t, sim.WriteNano(dir))
	model, err := wavlm.Load(t.Context(), dir, speech.Options{})
	require.NoError(t, err)
	t.Cleanup(model.Close)
	e := experiment.Default()
	e.Model = experiment.Model{Path: dir, Layer: 3, WindowSeconds: sim.TR, StrideSeconds: sim.TR, Pooling: "mean",
		Normalise: "story", Downsample: "average"}
	e.Data.Path, e.Data.Subjects, e.Data.Trim = "simulated", []string{sim.Listener}, [2]int{}
	e.Data.Train, e.Data.Val, e.Data.Test = s.TuneStories, s.ValStories, s.TestStories
	e.Eval.ChunkRows, e.Eval.Boots, e.Device, e.Out = 12, 2, "cpu", filepath.Join(t.TempDir(), "run")
	st, err := brain.New(t.Context(), e, data, model, brain.Options{})
	require.NoError(t, err)
	t.Cleanup(st.Close)
	return st
}

// TestRun asks the nano model, which was trained on speech, and as a "tuned" one the same weights.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("probes of every layer of two models")
	}

	st := simulated(t)
	words, err := st.Internal().Data.Words(t.Context(), "test-01")
	require.NoError(t, err)
	glove := filepath.Join(t.TempDir(), "vectors.txt")
	lex, err := sim.LoadLexicon()
	require.NoError(t, err)
	require.NotEmpty(t, words)
	text := ""
	for i, w := range lex.Words {
		text += fmt.Sprintf("%s %g %g\n", w, lex.Planted[i][0], lex.Control[i][0])
	}
	require.NoError(t, os.WriteFile(glove, []byte(text), 0o644))

	var phases []progress.Phase
	opt := probe.Options{Glove: glove, Layers: []int{0, 3}, Frames: 240, Seed: 1, Progress: func(e progress.Event) {
		assert.LessOrEqual(t, e.Done, e.Total)
		if len(phases) == 0 || phases[len(phases)-1] != e.Phase {
			phases = append(phases, e.Phase)
		}
	}}
	r, err := probe.Run(t.Context(), st, &brain.Tuned{Model: st.Internal().Model}, opt)
	require.NoError(t, err)
	_, err = json.Marshal(r)
	require.NoError(t, err, "no number is NaN")
	assert.Equal(t, []progress.Phase{"read base", "read untrained", "read tuned", "probe"}, phases)
	assert.InDelta(t, 240, r.Frames, 10)
	require.Len(t, r.Probes, 8)
	for name, p := range r.Probes {
		require.Empty(t, p.Skipped, name)
		assert.Len(t, p.Base, 2, name)
		assert.Equal(t, p.Base, p.Tuned, "the same weights: %s", name)
		assert.Len(t, p.Untrained, 2)
		assert.Len(t, p.Selectivity.Untrained, 2)
		assert.Positive(t, p.PCA.Dims)
	}
	loud := r.Probes["loudness"]
	assert.Greater(t, loud.Base[0], .6)
	assert.Greater(t, loud.Selectivity.Base[0], .5)
	assert.Greater(t, r.Probes["spectrum"].Base[0], .5)
	assert.Len(t, r.Probes["spectrum"].ByDimension["base"][1], 16)
	identity := r.Probes["word_identity"]
	assert.Greater(t, identity.Base[1], 3*identity.Chance, "the nano model knows its words")
	assert.Greater(t, identity.Selectivity.Base[1], .2)
	phones := r.Probes["phonemes"]
	assert.Greater(t, phones.Base[1], phones.Chance)
	assert.InDelta(t, .5, r.Probes["speaker"].Chance, .01)
	assert.InDelta(t, 1, r.CKA[0], 1e-6)
	for _, model := range []string{"base", "tuned", "untrained"} {
		for _, d := range r.IntrinsicDimension[model] {
			assert.Greater(t, d, 1.)
		}
	}
	for _, region := range []string{roikeys.All, roikeys.Tuned, sim.Auditory} {
		require.Contains(t, r.ROIs, region)
		assert.Len(t, r.ROIs[region].Base, 2)
		assert.Equal(t, r.ROIs[region].Base, r.ROIs[region].Tuned)
	}

	_, err = probe.Run(t.Context(), st, nil, probe.Options{Layers: []int{99}})
	assert.Equal(t, fault.Usage, fault.KindOf(err))
}

// TestSkippedProbesSayWhy asks about a story without annotations.
func TestSkippedProbesSayWhy(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st := simulated(t)
	spec := st.Internal().Data.Spec()
	for i := range spec.Stories {
		spec.Stories[i].Words, spec.Stories[i].Phones, spec.Stories[i].Speaker = dataset.Input[[]dataset.Word]{},
			dataset.Input[[]dataset.Word]{}, ""
	}
	data, err := dataset.New(spec)
	require.NoError(t, err)
	st.Internal().Data = data
	r, err := probe.Run(t.Context(), st, nil, probe.Options{Layers: []int{1}, Frames: 120,
		Stories: []string{"probe-01"}, NoROIs: true})
	require.NoError(t, err)
	for name, why := range map[string]string{"word_vectors": "has no words", "word_identity": "has no words",
		"word_rate": "has no words",
		"phonemes":  "has no phones", "speaker": "has no speaker"} {
		assert.Contains(t, r.Probes[name].Skipped, "story probe-01 "+why, name)
		assert.Empty(t, r.Probes[name].Base)
	}
	assert.Len(t, r.Probes["loudness"].Base, 1)
	assert.Empty(t, r.Probes["loudness"].Tuned)
	assert.Nil(t, r.CKA)
	assert.Nil(t, r.ROIs)
}
