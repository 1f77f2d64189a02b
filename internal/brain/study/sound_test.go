package study_test

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// chatter is 16 s of syllables, gliding tones with three overtones, that another seed makes anew.
func chatter(seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 21))
	out := make([]float32, 16*dataset.SampleRate)
	for at := 0; at < len(out); {
		n, hertz, glide, loud := 1500+r.IntN(3500), 200+600*r.Float64(), .5+r.Float64(), .1+.3*r.Float64()
		overtones := [3]float64{r.Float64(), r.Float64(), r.Float64()}
		for i := range min(n, len(out)-at) {
			u := float64(i) / float64(n)
			phase := 2 * math.Pi * hertz * float64(i) / dataset.SampleRate * (1 + (glide-1)*u/2)
			x := math.Sin(phase)
			for k, g := range overtones {
				x += g * math.Sin(float64(k+2)*phase)
			}
			out[at+i] = float32(loud * math.Sin(math.Pi*u) * x / 2)
		}
		at += n + r.IntN(1500)
	}
	return out
}

// chatters gives each story of the tiny study its own chatter, and story "test" what change makes of that of "one".
func chatters(s *dataset.Spec, change func(one []float32) []float32) {
	for i := range s.Stories {
		s.Stories[i].Audio = dataset.Value(chatter(uint64(i)))
		if s.Stories[i].Name == "test" && change != nil {
			s.Stories[i].Audio = dataset.Value(change(chatter(0)))
		}
	}
}

func TestOneRecordingUnderTwoNamesIsRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	louder := func(x []float32) []float32 {
		out := make([]float32, len(x))
		for i := range x {
			out[i] = .31 * x[max(i-3000, 0)]
		}
		return out
	}
	same := func(x []float32) []float32 { return x }
	try := func(change func([]float32) []float32, more func(*experiment.Experiment, *dataset.Spec)) (*study.Study,
		error) {
		return studytest.TryTiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
			chatters(s, change)
			if more != nil {
				more(e, s)
			}
		})
	}
	_, err := try(nil, nil)
	require.NoError(t, err, "four recordings")
	changes := map[string]func([]float32) []float32{"the same samples": same, "later and quieter": louder}
	for name, change := range changes {
		_, err := try(change, nil)
		require.ErrorContains(t, err, "train one (", name)
		assert.ErrorContains(t, err, "<-> test test (", name)
		assert.ErrorContains(t, err, `set data.allow_shared: ["one:test"]`, name)
		assert.Equal(t, fault.BadData, fault.KindOf(err), name)
	}
	_, err = try(louder, func(e *experiment.Experiment, _ *dataset.Spec) { e.Data.Train = []string{"two"} })
	assert.NoError(t, err, "no split but one takes it")
	_, err = try(louder, func(_ *experiment.Experiment, s *dataset.Spec) {
		s.Stories[3].SameAs = &dataset.SameAs{Story: "one", Row: 100}
	})
	assert.NoError(t, err, "same_as names the pair, and the windows do not overlap at the row that it says")

	st, err := try(louder, func(e *experiment.Experiment, _ *dataset.Spec) { e.Data.AllowShared = []string{"te*:one"} })
	require.NoError(t, err)
	t.Cleanup(st.Close)
	assert.Contains(t, strings.Join(st.Notes, "\n"), "SHARED AUDIO, allowed by data.allow_shared: train one (")
	assert.Contains(t, st.Audit.String(), "allowed  train one (")
	run, err := st.Begin(t.Context())
	require.NoError(t, err)
	defer run.Close()
	text, err := os.ReadFile(run.File(rundir.ManifestOfRun))
	require.NoError(t, err)
	var m results.Manifest
	require.NoError(t, json.Unmarshal(text, &m))
	assert.Equal(t, 4, m.AudioCompared)
	require.Len(t, m.SharedAudio, 1)
	assert.Contains(t, m.SharedAudio[0], "sound the same for")
}

// Another subject of a transfer is tested on what the source was tuned on, under another name.
func TestCopiesBetweenStudiesAreRefused(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		chatters(s, nil)
		piece := s.Stories[0]
		piece.Name = "piece"
		piece.Audio = dataset.Value(chatter(0)[5000:])
		s.Stories = append(s.Stories, piece)
		bob := &s.Subjects[1]
		again := bob.Responses[0]
		again.Story = "piece"
		bob.Responses = append(bob.Responses[1:len(bob.Responses):len(bob.Responses)], again)
		e.Data.Test = []string{"test", "piece"}
	})
	err := auditAgainst(t, st, "bob")
	require.ErrorContains(t, err, "piece (")
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	assert.NoError(t, auditAgainst(t, st, "cleo"), "who has not heard it")
}

// A second study finds the fingerprints in the cache; a plan compares audio only then; a file that changed is read
// again.
func TestFingerprintsAreKept(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	dir, cache := t.TempDir(), t.TempDir()
	decoded := 0
	files := func(e *experiment.Experiment, s *dataset.Spec) {
		chatters(s, nil)
		for i := range s.Stories {
			story := &s.Stories[i]
			path := filepath.Join(dir, story.Name+".wav")
			if _, err := os.Stat(path); err != nil {
				require.NoError(t, audio.WriteWAV(path, chatter(uint64(i)), dataset.SampleRate, audio.PCM16))
			}
			story.Audio = dataset.Input[[]float32]{Path: path, Load: func(ctx context.Context) ([]float32, error) {
				clip, err := audio.Load(ctx, path, audio.Options{})
				return clip.Samples, err
			}}
			story.Stream = func(ctx context.Context, visit func([]float32) error) error {
				decoded++
				_, err := audio.Stream(ctx, path, audio.Options{}, visit)
				return err
			}
		}
	}
	open := func(opt study.Options) (*study.Study, error) {
		opt.CacheDir = cache
		return studytest.TryTiny(t, opt, files)
	}
	st, err := open(study.Options{OnlyCachedPrints: true})
	require.NoError(t, err)
	st.Close()
	assert.Contains(t, st.Audit.String(), "audio not compared yet")

	for range 2 {
		st, err = open(study.Options{})
		require.NoError(t, err)
		st.Close()
		assert.Contains(t, st.Audit.String(), "audio of 4 stories compared: no two splits share 3 s")
		entries, err := os.ReadDir(cache)
		require.NoError(t, err)
		assert.Len(t, entries, 4, "one for each file")
	}
	st, err = open(study.Options{OnlyCachedPrints: true})
	require.NoError(t, err)
	assert.Contains(t, st.Audit.String(), "audio of 4 stories compared")
	st.Close()
	assert.Zero(t, decoded, "the audio that the study holds is not decoded again")

	require.NoError(t, audio.WriteWAV(filepath.Join(dir, "test.wav"), chatter(1), dataset.SampleRate, audio.PCM16))
	_, err = open(study.Options{})
	assert.ErrorContains(t, err, "train two (0.0 to")
}

// The adapter of a run on another data set may have been tuned on the test story, whatever it is called there.
func TestCopiesInOtherDataSetsAreRefused(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"dataset.yaml": "name: elsewhere\ntr_seconds: 0.4\nrow_time: 0.5\nstories:\n  solo: {audio: solo.wav}\n" +
			"  duo: {audio: duo.wav}\nsubjects:\n  x: {solo: x.txt, duo: x.txt}\n",
		"x.txt": strings.Repeat("1 2\n2 1\n", 20),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	write := func(name string, samples []float32) {
		require.NoError(t, audio.WriteWAV(filepath.Join(dir, name), samples, dataset.SampleRate, audio.PCM16))
	}
	write("solo.wav", chatter(3)[4000:]) // story test of the tiny study
	write("duo.wav", chatter(77))
	st := studytest.Tiny(t, study.Options{}, func(_ *experiment.Experiment, s *dataset.Spec) { chatters(s, nil) })
	other := *st.Experiment
	other.Data.Path, other.Data.Train, other.Data.Val, other.Data.Test = dir, []string{"duo"}, []string{"duo"},
		[]string{"solo"}
	assert.NoError(t, st.AuditOtherData(t.Context(), &other), "its test story was not tuned on")
	other.Data.Val = []string{"solo"}
	err := st.AuditOtherData(t.Context(), &other)
	require.ErrorContains(t, err, "tuned on solo of elsewhere (")
	assert.ErrorContains(t, err, "test test (")
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	other.Data.Path = filepath.Join(dir, "nowhere")
	assert.Equal(t, fault.Missing, fault.KindOf(st.AuditOtherData(t.Context(), &other)))
}
