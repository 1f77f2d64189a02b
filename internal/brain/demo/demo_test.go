package demo

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/sim"
	"github.com/brainwavlm/bwlm/npy"
	"github.com/brainwavlm/bwlm/torch"
)

// small is a study that runs in seconds; its numbers mean nothing.
var small = sim.Options{TuneStories: 4, ValStories: 1, TestStories: 4, ProbeStories: 3, Rows: 60, Voxels: 60,
	TestRepeats: 2}

func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("two whole studies")
	}
	live := torch.Live()
	out := filepath.Join(t.TempDir(), "demo")
	var last Event
	opt := Options{Seed: 5, Out: out, size: small, epochs: 1, Progress: func(e Event) {
		assert.Empty(t, e.Warning)
		assert.GreaterOrEqual(t, e.Done, last.Done, "the bar never goes back")
		last = e
	}}
	r, err := Run(t.Context(), opt)
	require.NoError(t, err)
	assert.Equal(t, last.Total, last.Done, "all work was foreseen")
	assert.Equal(t, live, torch.Live(), "tensors left behind")

	// Every r can be computed again from the files.
	dir := filepath.Join(out, "whole_cortex", "eval", "test", sim.Listener)
	read := func(name string) *npy.Array {
		a, err := npy.Read(filepath.Join(dir, name+".npy"))
		require.NoError(t, err)
		return a
	}
	want, err := read("responses").Float32()
	require.NoError(t, err)
	shape := read("responses").Shape
	assert.Equal(t, []int{240, 60}, shape)
	for name, s := range map[string]float64{"base": r.WholeCortex.Test.Base.MeanR,
		"tuned": r.WholeCortex.Test.Tuned.MeanR} {
		pred, err := read(name + "_pred").Float32()
		require.NoError(t, err)
		scores, constant := stats.Correlation(pred, want, shape[0], shape[1])
		mean, _ := stats.Mean(scores, constant, nil)
		assert.InDelta(t, s, mean, 1e-9, name)
	}

	// The JSON has the agreed keys.
	var tree map[string]any
	text, err := os.ReadFile(filepath.Join(out, marker))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &tree))
	for _, path := range [][]string{
		{"schema"}, {"whole_cortex", "test", "base", "rois", "semantic"},
		{"auditory_cortex", "test", "delta", "rois", "auditory", "ci95"},
		{"shuffled", "test", "tuned", "mean_r"}, {"controls", "spectrum", "rois", "semantic"},
		{"controls", "word_rate"},
		{"controls", "word_identity"}, {"probes", "lexical", "base"}, {"probes", "lexical", "shuffled"},
		{"probes", "acoustic", "auditory_cortex"}, {"transfer", "related", "base"}, {"transfer", "unrelated", "ci95"},
	} {
		var at any = tree
		for _, key := range path {
			at = at.(map[string]any)[key]
			require.NotNil(t, at, path)
		}
	}

	// Once more, with frames kept on disk: the same bytes.
	disk, again := t.TempDir(), filepath.Join(t.TempDir(), "demo")
	_, err = Run(t.Context(), Options{Seed: 5, Out: again, Study: brain.Options{CacheDir: disk}, size: small,
		epochs: 1})
	require.NoError(t, err)
	same, err := os.ReadFile(filepath.Join(again, marker))
	require.NoError(t, err)
	assert.Equal(t, string(text), string(same))
	kept, err := os.ReadDir(disk)
	require.NoError(t, err)
	assert.NotEmpty(t, kept)

	// A directory is replaced only when asked, and only if a demo made it.
	_, err = Run(t.Context(), opt)
	assert.Equal(t, fault.Exists, fault.KindOf(err))
	opt.Force, opt.Out = true, t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(opt.Out, "thesis.tex"), []byte("x"), 0o644))
	_, err = Run(t.Context(), opt)
	assert.Equal(t, fault.Exists, fault.KindOf(err))
	assert.FileExists(t, filepath.Join(opt.Out, "thesis.tex"))
}

func TestDemoInTooLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	_, err := Run(t.Context(), Options{Out: t.TempDir(), Study: brain.Options{MaxBytes: 1 << 20}, size: small,
		epochs: 1})
	assert.Equal(t, fault.Memory, fault.KindOf(err))
}
