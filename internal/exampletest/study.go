// Package exampletest makes a small study on disk for the tests of examples: recordings, responses, the nano model of
// internal/sim, an experiment file, and a finished run.
package exampletest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/sim"
	"github.com/brainwavlm/bwlm/npy"
	"github.com/brainwavlm/bwlm/torch"
)

// Sizes of the study.
const (
	Voxels = 60
	rows   = 40
	tr     = .4 // seconds
)

// Main runs the tests of an example on one thread, since small models gain nothing from more.
func Main(m *testing.M) {
	if err := torch.Setup(torch.SetupOptions{Threads: 1}); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// Model writes the nano model into a folder.
func Model(t testing.TB) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "nano")
	require.NoError(t, sim.WriteNano(dir))
	return dir
}

// Recording writes seconds of a tone whose loudness changes every TR, and returns the path and these loudnesses.
func Recording(t testing.TB, seconds float64, seed uint64) (path string, loud []float64) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "story.wav")
	samples, loud := tone(int(math.Round(seconds/tr)), seed)
	require.NoError(t, audio.WriteWAV(path, samples, audio.Rate, audio.PCM16))
	return path, loud
}

func tone(rows int, seed uint64) (samples []float32, loud []float64) {
	r := rand.New(rand.NewPCG(seed, 4))
	for range rows {
		loud = append(loud, r.Float64())
		for n := range int(tr * audio.Rate) {
			samples = append(samples, float32(.9*loud[len(loud)-1]*math.Sin(float64(n)/3)+.02*r.NormFloat64()))
		}
	}
	return samples, loud
}

// Study writes the files of [WriteStudy] into a folder of the test and returns the experiment file.
func Study(t testing.TB) (file string) {
	t.Helper()
	file, err := WriteStudy(t.TempDir())
	require.NoError(t, err)
	return file
}

// WriteStudy writes a data set of one subject, whose voxels follow the loudness one TR later, the nano model and an
// experiment file into a folder.
func WriteStudy(dir string) (file string, err error) {
	if err := sim.WriteNano(filepath.Join(dir, "nano")); err != nil {
		return "", err
	}
	layout := fmt.Sprintf("name: tones\ntr_seconds: %g\nrow_time: 0.5\nstories:\n", tr)
	heard := "subjects:\n  ada:\n"
	for i, story := range []string{"train", "val", "test"} {
		samples, loud := tone(rows, uint64(i))
		if err := audio.WriteWAV(filepath.Join(dir, story+".wav"), samples, audio.Rate, audio.PCM16); err != nil {
			return "", err
		}
		if err := npy.Write(filepath.Join(dir, story+".npy"), []int{rows, Voxels}, responses(loud,
			uint64(i))); err != nil {
			return "", err
		}
		layout += fmt.Sprintf("  %s: {audio: %s.wav, first_tr_seconds: 0}\n", story, story)
		heard += fmt.Sprintf("    %s: %s.npy\n", story, story)
	}
	if err := os.WriteFile(filepath.Join(dir, "dataset.yaml"), []byte(layout+heard), 0o644); err != nil {
		return "", err
	}
	file = filepath.Join(dir, "study.yaml")
	return file, os.WriteFile(file, []byte(experimentFile), 0o644)
}

// responses (rows, voxels) follow the loudness of the row before, and noise.
func responses(loud []float64, seed uint64) (y []float32) {
	r := rand.New(rand.NewPCG(seed, 5))
	for k := range loud {
		for v := range Voxels {
			y = append(y, float32(float64(v%5-2)*loud[max(k-1, 0)]+.2*r.NormFloat64()))
		}
	}
	return y
}

const experimentFile = `
model: {path: nano, layer: 2, window_seconds: 0.2, stride_seconds: 0.2, pooling: mean}
data: {path: ., subjects: ada, train: train, val: val, test: test, trim: [4, 2]}
readout: {bottleneck: 6, delays_seconds: [0.4, 0.8]}
train: {epochs: 2, lr: 1e-3, readout_lr: 1e-2}
eval: {boots: 2, chunk_rows: 8}
device: cpu
out: run
`

// Run trains a readout of the model of Study and returns the directory of the finished run.
func Run(t testing.TB) (dir string) {
	t.Helper()
	exp, err := experiment.Load(Study(t), "train.mode=readout")
	require.NoError(t, err)
	study, err := brain.Open(t.Context(), exp, brain.Options{})
	require.NoError(t, err)
	defer study.Close()
	run, err := study.Begin(t.Context())
	require.NoError(t, err)
	defer run.Close()
	_, err = study.Fit(t.Context(), run)
	require.NoError(t, err)
	return run.Dir
}
