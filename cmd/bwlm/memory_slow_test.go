//go:build slow

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/sim"
)

// tonesStudy writes audio of two tones whose balance changes, and responses to it (rows, voxels),
// of minutes for each split, with the nano model of the demo.
func tonesStudy(t *testing.T, dir string, voxels int, minutes map[string]int) string {
	t.Helper()
	const tr = 2
	require.NoError(t, sim.WriteNano(filepath.Join(dir, "model")))
	data := filepath.Join(dir, "data")
	require.NoError(t, os.MkdirAll(data, 0o755))
	random := rand.New(rand.NewPCG(1, 1))
	stories, files := "", ""
	for _, name := range []string{"train", "val", "test"} {
		rows := minutes[name] * 60 / tr
		var sound []float32
		loud := make([]float32, rows)
		for k := range rows {
			loud[k] = random.Float32()
			for range tr * audio.Rate {
				at := float64(len(sound)) / audio.Rate
				sound = append(sound,
					.2*loud[k]*float32(math.Sin(2*math.Pi*300*at))+.2*(1-loud[k])*float32(math.Sin(2*math.Pi*2500*at)))
			}
		}
		require.NoError(t, audio.WriteWAV(filepath.Join(data, name+".wav"), sound, audio.Rate, audio.Float32))
		require.NoError(t, atomicfile.Write(filepath.Join(data, name+".npy"), func(w io.Writer) error {
			head := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", rows, voxels)
			head += string(bytes.Repeat([]byte(" "), 63-(10+len(head))%64)) + "\n"
			if _, err := fmt.Fprintf(w, "\x93NUMPY\x01\x00%c%c%s", len(head)&255, len(head)>>8, head); err != nil {
				return err
			}
			row := make([]byte, 0, 4*voxels)
			for k := range rows {
				row = row[:0]
				for v := range voxels {
					y := random.Float32()
					if k > 2 {
						y += loud[k-2] * float32(v%5-2)
					}
					row = binary.LittleEndian.AppendUint32(row, math.Float32bits(y))
				}
				if _, err := w.Write(row); err != nil {
					return err
				}
			}
			return nil
		}))
		stories += fmt.Sprintf("  %s: {audio: %s.wav}\n", name, name)
		files += fmt.Sprintf("%s: %s.npy, ", name, name)
	}
	require.NoError(t, os.WriteFile(filepath.Join(data, "dataset.yaml"),
		[]byte(fmt.Sprintf("name: tones\ntr_seconds: %d\nstories:\n%ssubjects:\n  one: {%s}\n", tr, stories,
			files[:len(files)-2])), 0o644))
	path := filepath.Join(dir, "tones.yaml")
	require.NoError(t, os.WriteFile(path, []byte(`model: {path: model, layer: 3, window_seconds: 2, stride_seconds: 2,
  pooling: mean, downsample: average}
adapter: {layers: [2]}
data: {path: data, subjects: all, train: train, val: val, test: test}
train: {epochs: 1, block_rows: 30}
eval: {alphas: [10, 100, 1000]}
out: run
`), 0o644))
	return path
}

// measured runs bwlm and gives its answer and the most memory that it had, in MB.
func measured(t *testing.T, args ...string) (answer map[string]any, peakMB float64) {
	t.Helper()
	cmd, stderr := bwlm(t, append(args, "--json", "--quiet", "--cache-dir", "none")...)
	var out bytes.Buffer
	cmd.Stdout = &out
	seconds, peakMB := watched(t, cmd, stderr)
	require.NoError(t, json.Unmarshal(out.Bytes(), &answer), out.String())
	t.Logf("%v: %.0f MB, %.0f s", args[:1], peakMB, seconds)
	return answer, peakMB
}

// An hour of audio and 95,000 voxels are evaluated in less than 6 GB: the untuned model alone, and
// at all layers beside a tuned one after a training.
func TestAnHourOfAWholeBrain(t *testing.T) {
	path := tonesStudy(t, t.TempDir(), 95_000, map[string]int{"train": 50, "val": 4, "test": 6})
	for _, command := range []string{"eval", "train"} {
		answer, peak := measured(t, command, path, "--max-memory", "6GB")
		assert.Less(t, peak, 6000.)
		assert.Greater(t, answer["test"].(map[string]any)["base"].(map[string]any)["mean_r"], .1, "it evaluates")
	}
}

// The peak of a training stays within what was allowed, whatever that is, and the result is the same.
func TestTrainingStaysWithinMaxMemory(t *testing.T) {
	dir := t.TempDir()
	path := tonesStudy(t, dir, 2000, map[string]int{"train": 10, "val": 2, "test": 3})
	score := func(answer map[string]any, system string) float64 {
		return answer["test"].(map[string]any)[system].(map[string]any)["mean_r"].(float64)
	}
	settings := []string{"--set", "model.window_seconds=4", "--set", "model.stride_seconds=1", "--set",
		"model.downsample=lanczos", "--set", "train.lr=1e-3"}
	free, peak := measured(t, append([]string{"train", path, "--set", "out=" + filepath.Join(dir, "free")},
		settings...)...)
	t.Logf("without a bound: %.0f MB", peak)
	for _, mb := range []int{700, 1000} {
		bound, peak := measured(t, append([]string{"train", path, "--set", fmt.Sprintf("out=%s/run%d", dir, mb),
			"--max-memory", fmt.Sprintf("%dMB", mb)}, settings...)...)
		assert.Less(t, peak, float64(mb))
		assert.InDelta(t, score(free, "base"), score(bound, "base"), 1e-6)
		assert.InDelta(t, score(free, "tuned"), score(bound, "tuned"), 1e-6)
	}
}
