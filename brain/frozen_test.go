package brain

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/activations"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
	"github.com/brainwavlm/bwlm/wavlm"
)

// whole is everything that a training and its evaluation leave: the files of adapter, readout and eval, without what
// names the run's directory.
func whole(t *testing.T, opt Options, change func(*experiment.Experiment)) map[string]string {
	t.Helper()
	st := tiny(t, opt, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Data.Train, e.Train.Epochs = []string{"one"}, 1
		change(e)
	})
	run, _ := fit(t, st)
	_, err := st.EvaluateRun(t.Context(), run)
	require.NoError(t, err)
	out := map[string]string{}
	for _, dir := range []string{"adapter", "readout", "eval"} {
		require.NoError(t, filepath.WalkDir(run.file(dir), func(path string, d os.DirEntry, err error) error {
			if os.IsNotExist(err) || err == nil && d.IsDir() {
				return nil
			}
			require.NoError(t, err)
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			name := strings.TrimPrefix(path, run.Dir)
			out[name] = strings.ReplaceAll(string(data), filepath.Dir(run.Dir), "")
			return nil
		}))
	}
	require.Contains(t, out, "/eval/summary.json")
	return out
}

func openStore(t *testing.T, dir string, limit int64) *activations.Store {
	t.Helper()
	s, err := activations.Open(dir, limit)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// frozenCases are the ways in which something of the model is frozen.
var frozenCases = map[string]func(*experiment.Experiment){
	"all layers":    func(e *experiment.Experiment) {},
	"upper layer":   func(e *experiment.Experiment) { e.Adapter.Layers = []int{1} },
	"every linear":  func(e *experiment.Experiment) { e.Adapter.Targets = []string{"all-linear"} },
	"dropout":       func(e *experiment.Experiment) { e.Train.Dropout, e.Adapter.Layers = .1, []int{1} },
	"adapter drops": func(e *experiment.Experiment) { e.Adapter.Dropout, e.Adapter.Layers = .1, []int{1} },
	"full":          func(e *experiment.Experiment) { e.Train.Mode = "full" },
	"readout":       func(e *experiment.Experiment) { e.Train.Mode = "readout" },
	"block": func(e *experiment.Experiment) {
		e.Model.Extraction, e.Model.ChunkSeconds, e.Adapter.Layers = "chunks", 1.5, []int{1}
	},
	"mix": func(e *experiment.Experiment) {
		e.Adapter.Layers, e.Readout.LayerWeights, e.Eval.Layer = []int{1}, "voxel", "voxel"
	},
}

// Nothing, some, all in memory, some on disk, all there from another run: to the byte the same adapter, readout, predictions
// and summary.
func TestTheCacheChangesNothing(t *testing.T) {
	for name, change := range frozenCases {
		t.Run(name, func(t *testing.T) {
			disk := filepath.Join(t.TempDir(), "cache")
			want := whole(t, Options{CacheBytes: 1}, change)
			assert.Equal(t, want, whole(t, Options{}, change), "all in memory")
			if name != "upper layer" && name != "readout" && name != "block" {
				return // to save time: what follows does not depend on what is frozen
			}
			assert.Equal(t, want, whole(t, Options{CacheBytes: 100_000}, change), "some in memory")
			assert.Equal(t, want, whole(t, Options{CacheBytes: 1, Disk: openStore(t, disk, 1<<30)}, change), "on disk")
			small := openStore(t, filepath.Join(t.TempDir(), "cache"), 300_000)
			assert.Equal(t, want, whole(t, Options{CacheBytes: 100_000, Disk: small}, change), "some in memory, some on disk")
			second := openStore(t, disk, 1<<30)
			before, err := second.List()
			require.NoError(t, err)
			require.NotEmpty(t, before)
			assert.Equal(t, want, whole(t, Options{CacheBytes: 1, Disk: second}, change), "from another run's")
			after, err := second.List()
			require.NoError(t, err)
			assert.Len(t, after, len(before), "nothing was missing")
		})
	}
}

// Micro-batches of any size give the same result.
func TestBatchesChangeNothing(t *testing.T) {
	scores := func(bytes int64) (out []float64) {
		st := tiny(t, Options{BatchBytes: bytes}, func(e *experiment.Experiment, _ *dataset.Spec) { e.Train.LR, e.Train.ReadoutLR = 1e-3, 1e-3 })
		run, p := fit(t, st)
		s, err := st.EvaluateRun(t.Context(), run)
		require.NoError(t, err)
		for _, e := range p.Epochs {
			out = append(out, e.ValR)
		}
		return append(out, s.Test.Base.MeanR, s.Test.Tuned.MeanR, s.Test.Delta.MeanR)
	}
	want := scores(0)
	for _, bytes := range []int64{1, 1 << 18, 1 << 20} {
		assert.InDeltaSlice(t, want, scores(bytes), torchtest.Rounding(), "%d bytes", bytes)
	}
}

// A cached run computes nothing that is frozen: with the weights below spoilt it ends alike.
func TestTheCacheIsUsed(t *testing.T) {
	st := tiny(t, Options{}, func(e *experiment.Experiment, _ *dataset.Spec) { e.Adapter.Layers = []int{1} })
	tr := trainerOf(t, st)
	stim := st.stimuli["one"]
	read := func(r *reader) [][]float32 {
		x, err := r.features(t.Context(), stim, []int{2})
		require.NoError(t, err)
		return x
	}
	want, base := read(tr.reader), read(st.reader(st.Model))
	assert.Equal(t, 2, tr.reader.shared)
	var depths []int
	for key := range st.frozen.cache.groups {
		depths = append(depths, key.depth)
		assert.Equal(t, 2, key.depth, "hidden state 1, the input of layer 1")
	}
	assert.NotEmpty(t, depths)
	require.NoError(t, st.Model.Session().Infer(t.Context(), func(s *torch.Scope) error {
		for name, p := range st.Model.Store().Params() {
			if !strings.HasPrefix(name, "encoder.layers.1.") && !strings.Contains(name, "rel_attn_embed") {
				p.CopyFrom(s.Zeros(p.Shape()...))
			}
		}
		return nil
	}))
	assert.Equal(t, want, read(tr.reader))
	assert.Equal(t, base, read(st.reader(st.Model)))
}

// What may be kept ends below the first weight that is tuned, the first thing that is random, and the lowest layer that is
// read.
func TestDepths(t *testing.T) {
	depths := map[string]int{"all layers": 1, "upper layer": 2, "every linear": 0, "dropout": 0, "adapter drops": 2, "full": 0, "readout": -1, "block": 2, "mix": 1}
	for name, change := range frozenCases {
		st := tiny(t, Options{}, func(e *experiment.Experiment, _ *dataset.Spec) { change(e) })
		tr := trainerOf(t, st)
		require.NoError(t, tr.session.Train(t.Context(), 1, func(s *torch.Scope) error {
			if want := depths[name]; want < 0 {
				assert.Equal(t, want, tr.reader.keep, name)
				assert.Less(t, 2, tr.reader.fixed(s), name)
			} else {
				assert.Equal(t, want, tr.reader.depth(s, tr.readLayers()), name)
				assert.Equal(t, want, st.reader(st.Model).depth(s, tr.readLayers()), "%s: the untuned model shares it", name)
			}
			return nil
		}))
	}
}

// The fingerprint changes with all that frames depend on, and with nothing else.
func TestFingerprints(t *testing.T) {
	base := func() *Study { return tiny(t, Options{}, nil) }
	st := base()
	f, stim := st.frozen, st.stimuli["one"]
	key := frameKey{"one", stim.groups[5], 1}
	want := f.printFrames(stim, key).key
	assert.Equal(t, want, base().frozen.printFrames(stim, key).key, "another study of the same model")
	other := map[string]activations.Key{}
	add := func(name string, f *frozen, stim *stimulus, key frameKey) { other[name] = f.printFrames(stim, key).key }
	add("depth", f, stim, frameKey{"one", stim.groups[5], 2})
	add("clips", f, stim, frameKey{"one", stim.groups[6], 1})
	add("audio", f, st.stimuli["two"], key)
	normalised, half := *f, *f
	normalised.normalise, half.half = true, true
	add("normalise", &normalised, stim, key)
	add("half", &half, stim, key)
	touch := func(weight string) activations.Key {
		st := base()
		require.NoError(t, st.Model.Session().Infer(t.Context(), func(s *torch.Scope) error {
			p := st.Model.Store().Param(weight)
			p.CopyFrom(s.Use(p).Scale(1.5))
			return nil
		}))
		return st.frozen.printFrames(stim, key).key
	}
	other["front end"] = touch("feature_extractor.conv_layers.0.conv.weight")
	other["projection"] = touch("feature_projection.projection.weight")
	assert.Equal(t, want, touch("encoder.layers.0.attention.q_proj.weight"), "above")
	seen := map[activations.Key]string{want: "the first"}
	for name, key := range other {
		assert.Empty(t, seen[key], name)
		seen[key] = name
	}
	one, two := f.printVectors(stim, vectorKey{"one", len(stim.windows), 1, "mean", false}), f.printVectors(stim, vectorKey{"one", len(stim.windows), 1, "last", false})
	assert.NotEqual(t, one.key, two.key)
	assert.Equal(t, "one, 160 windows: mean of hidden state 1", one.about)
	assert.Equal(t, fmt.Sprintf("one, clips %d to %d: hidden state 0", key.clips.From, key.clips.To), f.printFrames(stim, key).about)
}

// A damaged file is reported and computed again.
func TestDamagedFramesAreComputedAgain(t *testing.T) {
	disk := t.TempDir()
	change := frozenCases["upper layer"]
	want := whole(t, Options{CacheBytes: 1, Disk: openStore(t, disk, 1<<30)}, change)
	files, err := filepath.Glob(filepath.Join(disk, "*"))
	require.NoError(t, err)
	for i, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		switch i % 3 {
		case 0:
			data[len(data)-1] ^= 1
		case 1:
			data = data[:len(data)/2]
		}
		require.NoError(t, os.WriteFile(file, data, 0o666))
	}
	var warned []string
	got := whole(t, Options{CacheBytes: 1, Disk: openStore(t, disk, 1<<30), Progress: func(e Event) {
		if e.Phase == "warning" {
			warned = append(warned, e.Note)
		}
	}}, change)
	assert.Equal(t, want, got)
	assert.Greater(t, len(warned), len(files)/3, "all that were read")
	for _, note := range warned {
		assert.Contains(t, note, "the file is damaged")
	}
}

// A disk that takes nothing costs one warning.
func TestADiskThatIsFull(t *testing.T) {
	change := frozenCases["upper layer"]
	want := whole(t, Options{}, change)
	disk := openStore(t, t.TempDir(), 1<<30)
	disk.Close() // as if it were gone
	var warned []string
	got := whole(t, Options{CacheBytes: 1, Disk: disk, Progress: func(e Event) {
		if e.Phase == "warning" {
			warned = append(warned, e.Note)
		}
	}}, change)
	assert.Equal(t, want, got)
	assert.NotEmpty(t, warned)
}

// Frames that are rounded to bf16 are so whether they are kept or not, and the run says it.
func TestHalfFrames(t *testing.T) {
	change := frozenCases["upper layer"]
	want := whole(t, Options{CacheBytes: 1, HalfFrames: true}, change)
	assert.Equal(t, want, whole(t, Options{HalfFrames: true}, change))
	assert.Equal(t, want, whole(t, Options{CacheBytes: 1, HalfFrames: true, Disk: openStore(t, t.TempDir(), 1<<30)}, change))
	assert.NotEqual(t, want["/adapter/adapter_model.safetensors"], whole(t, Options{}, change)["/adapter/adapter_model.safetensors"])
	assert.Contains(t, want["/eval/summary.json"], "rounded to bf16")
	st := tiny(t, Options{HalfFrames: true}, nil)
	variant, err := st.Vary(t.Context(), st.Experiment)
	require.NoError(t, err)
	assert.Contains(t, fmt.Sprint(variant.Notes), "rounded to bf16")
	vectors := whole(t, Options{HalfFrames: true}, frozenCases["readout"]) // of which no frames are kept
	assert.Equal(t, whole(t, Options{}, frozenCases["readout"])["/readout/ada.safetensors"], vectors["/readout/ada.safetensors"])
}

// Groups are of one length, begin where a length begins, and hold no more than they may.
func TestGroups(t *testing.T) {
	var clips []clip
	add := func(n, samples int) {
		for range n {
			clips = append(clips, clip{0, samples, design.Rows{}})
		}
	}
	add(1, 4000)
	add(1, 8000)
	add(20, 64000)
	add(3, 32*16000)
	add(2, 16*16000)
	assert.Equal(t, []design.Rows{{From: 0, To: 1}, {From: 1, To: 2}, {From: 2, To: 10}, {From: 10, To: 18}, {From: 18, To: 22},
		{From: 22, To: 23}, {From: 23, To: 24}, {From: 24, To: 25}, {From: 25, To: 27}}, groups(clips))
}

// An adapter inside the front end, which training never makes, is heard all the same.
func TestAdaptersOfTheFrontEndAreHeard(t *testing.T) {
	st := tiny(t, Options{}, nil)
	var view *wavlm.Model
	require.NoError(t, st.Model.Session().Infer(t.Context(), func(s *torch.Scope) (err error) {
		view, err = st.Model.View(s, louderFront{})
		return err
	}))
	plain, err := st.reader(st.Model).features(t.Context(), st.stimuli["one"], []int{1})
	require.NoError(t, err)
	got, err := st.reader(view).features(t.Context(), st.stimuli["one"], []int{1})
	require.NoError(t, err)
	assert.NotEqual(t, plain, got)
}

// louderFront is an adapter that scales the output of the last convolution.
type louderFront struct{}

type louder struct{ nn.Layer }

func (l louder) Forward(x *torch.Tensor) *torch.Tensor { return l.Layer.Forward(x).Scale(3) }

func (louderFront) Param(_ *nn.Builder, _ string, p *torch.Tensor) *torch.Tensor { return p }
func (louderFront) Finish(*nn.Builder)                                           {}

func (louderFront) Wrap(_ *nn.Builder, path string, base nn.Layer) nn.Layer {
	if path == "feature_extractor.conv_layers.6.conv" {
		return louder{base}
	}
	return base
}

// The same on a model that is wide enough for bits to depend on what is computed together: any run of clips, kept or not,
// gives those of their groups.
func TestFramesAreThoseOfTheirGroups(t *testing.T) {
	m, st := wide(t)
	read := func(f *frozen, clips design.Rows, depth int) (out []float32) {
		require.NoError(t, m.Session().Infer(t.Context(), func(s *torch.Scope) error {
			out = f.frames(s, st, clips, depth).Float32s()
			return nil
		}))
		return out
	}
	for _, depth := range []int{0, 2} {
		f := &frozen{model: m, cache: newCache(1<<30, nil, nil)}
		defer f.cache.close()
		all := read(f, design.Rows{From: 4, To: 74}, depth)
		width := len(all) / 70
		differs := false
		for from := 4; from < 60; from += 9 {
			for _, n := range []int{1, 2, 5, 11} {
				want := all[(from-4)*width : (from-4+n)*width]
				assert.Equal(t, want, read(f, design.Rows{From: from, To: from + n}, depth))
				assert.Equal(t, want, read(&frozen{model: m}, design.Rows{From: from, To: from + n}, depth))
				require.NoError(t, m.Session().Infer(t.Context(), func(s *torch.Scope) error {
					differs = differs || !slices.Equal(want, f.compute(s, st, design.Rows{From: from, To: from + n}, depth).Float32s())
					return nil
				}))
			}
		}
		assert.True(t, differs, "bits do not depend on what is computed together, so this shows nothing")
	}
}

// The last layer of a pass works out only the frames that are read, so that a state's last bits depend on whether it is the
// last; whatever was read and kept before, a pass gives what it gives without a cache.
func TestLayersReadBeforeChangeNoBit(t *testing.T) {
	m, st := wide(t)
	read := func(c *cache, layers ...int) [][]float32 {
		r := &reader{model: m, frozen: &frozen{model: m, cache: c}, shared: m.SharedStates(), keep: 1, pooling: "last", batch: 8}
		x, err := r.features(t.Context(), st, layers)
		require.NoError(t, err)
		return x
	}
	assert.NotEqual(t, read(nil, 1)[0], read(nil, 1, 2)[0], "bits do not depend on it, so this shows nothing")
	for _, before := range [][]int{{1}, {2}, {0, 1}, {0, 2}} {
		c := newCache(1<<30, nil, nil)
		read(c, before...)
		assert.Equal(t, read(nil, 0, 1, 2), read(c, 0, 1, 2), "after %v", before)
		assert.Equal(t, read(nil, 0, 1), read(c, 0, 1), "after %v", before)
		c.close()
	}
}

// wide is a model whose bits depend on what is computed together, and a sound.
func wide(t *testing.T) (*wavlm.Model, *stimulus) {
	t.Helper()
	c := wavlm.Default(wavlm.WavLM)
	c.Hidden, c.Layers, c.Heads, c.Inner, c.PosGroups = 96, 2, 4, 384, 4
	c.ConvWidth = []int{64, 64, 64, 64, 64, 64, 64}
	m, err := wavlm.Fresh(t.Context(), c, wavlm.Options{Seed: 3})
	require.NoError(t, err)
	t.Cleanup(m.Close)
	sound, _ := tinySound(1)
	st := &stimulus{name: "one", samples: sound, windows: design.Windows(len(sound), 16000, .5, .1)}
	st.own(experiment.Model{})
	return m, st
}
