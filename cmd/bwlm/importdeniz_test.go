package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/internal/labtest"
)

// Files of the Gallant laboratory go through import, check-timing, train and export.
func TestStoriesOfTheGallantLaboratoryBecomeATraining(t *testing.T) {
	if testing.Short() {
		t.Skip("a training; make test runs it")
	}
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	t.Chdir(dir)
	require.NoError(t, os.MkdirAll("sound", 0o755))
	for i, story := range []string{"story_01", "story_11"} {
		random := rand.New(rand.NewPCG(uint64(i), 6))
		samples := make([]float32, 16*audio.Rate)
		for k := range samples {
			samples[k] = float32(.1 * random.NormFloat64() * float64(1+k/8000%5))
		}
		require.NoError(t, audio.WriteWAV(filepath.Join("sound", story+".wav"), samples, audio.Rate, audio.Float32))
	}
	source := filepath.Join(labtest.Dir(t), "gallant")
	code, stdout, stderr := call(t, "import", "deniz", source, "--audio", "sound", "--rows", "all", "--stories",
		"story_01,story_11", "--out", "deniz") // the others have the same values
	require.Zero(t, code, stderr)
	assert.Regexp(t, `(?m)^subject01 +story_11 +2 +12 +7 +subject01_listening_fmri_data_val.hdf$`, stdout)
	code, stdout, stderr = call(t, "verify", "deniz")
	require.Zero(t, code, stdout+stderr)
	code, _, stderr = call(t, "check-timing", "deniz")
	require.Zero(t, code, stderr)
	answers(t, "train", "deniz/experiment.yaml", "--set", "model.path=model", "--set", "model.layer=2", "--set",
		"model.window_seconds=1", "--set", "model.stride_seconds=0.5", "--set", "data.trim=[0, 0]", "--set",
		"data.train=[\"story_01[0:7]\"]", "--set", "data.val=[\"story_01[9:12]\"]", "--set", "model.downsample=average",
		"--set", "readout.bottleneck=4", "--set", "readout.delays_seconds=[2]", "--set", "train.epochs=1", "--set",
		"train.block_rows=3", "--set", "train.context_rows=0", "--set", "eval.chunk_rows=3", "--set", "eval.boots=2",
		"--set", "device=cpu", "--set", "out=run")
	code, stdout, stderr = call(t, "export", "run", "--out", "maps")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "csv, json")
	assert.Contains(t, stderr, "no maps: nobody says where the voxels are", "the release has them as pictures alone")
	tables, err := filepath.Glob("maps/*/*/*.csv")
	require.NoError(t, err)
	if len(tables) == 0 {
		tables, err = filepath.Glob("maps/*.csv")
		require.NoError(t, err)
	}
	assert.NotEmpty(t, tables)
}
