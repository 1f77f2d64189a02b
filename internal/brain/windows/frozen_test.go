package windows_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/internal/activations"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
	"github.com/brainwavlm/bwlm/wavlm"
)

// whole is everything that a training and its evaluation leave: the files of adapter, readout and eval, without what
// names the run's directory.
func whole(t *testing.T, opt study.Options, change func(*experiment.Experiment)) map[string]string {
	t.Helper()
	st := studytest.Tiny(t, opt, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Data.Train, e.Train.Epochs = []string{"one"}, 1
		change(e)
	})
	run, _ := studytest.MustFit(t, st)
	_, err := evaluate.EvaluateRun(t.Context(), st, run)
	require.NoError(t, err)
	out := map[string]string{}
	for _, dir := range []string{"adapter", "readout", "eval"} {
		require.NoError(t, filepath.WalkDir(run.File(dir), func(path string, d os.DirEntry, err error) error {
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

// Nothing, some, all in memory, some on disk, all there from another run: to the byte the same
// adapter, readout, predictions and summary.
func TestTheCacheChangesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("many trainings")
	}
	for name, change := range frozenCases {
		t.Run(name, func(t *testing.T) {
			disk := filepath.Join(t.TempDir(), "cache")
			want := whole(t, study.Options{CacheBytes: 1}, change)
			assert.Equal(t, want, whole(t, study.Options{}, change), "all in memory")
			if name != "upper layer" && name != "readout" && name != "block" {
				return // to save time: what follows does not depend on what is frozen
			}
			assert.Equal(t, want, whole(t, study.Options{CacheBytes: 100_000}, change), "some in memory")
			assert.Equal(t, want, whole(t, study.Options{CacheBytes: 1, CacheDir: disk}, change), "on disk")
			small := filepath.Join(t.TempDir(), "cache")
			assert.Equal(t, want, whole(t, study.Options{CacheBytes: 100_000, CacheDir: small, DiskBytes: 300_000},
				change), "some in memory, some on disk")
			second := studytest.OpenStore(t, disk, 1<<30)
			before, err := second.List()
			require.NoError(t, err)
			require.NotEmpty(t, before)
			assert.Equal(t, want, whole(t, study.Options{CacheBytes: 1, CacheDir: disk}, change), "from another run's")
			after, err := second.List()
			require.NoError(t, err)
			assert.Len(t, after, len(before), "nothing was missing")
		})
	}
}

// Bounds on memory give bit-identical results, whether a step keeps the activations of all units, some or one.
func TestMemoryChangesNoBit(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
	dir := t.TempDir()
	require.NoError(t, studytest.TinyModel(t.Context(), filepath.Join(dir, "model")))
	train := func(bytes int64) string {
		e := studytest.Resumed(dir, filepath.Join(dir, fmt.Sprint("run of ", bytes)))
		e.Train.UnitWindows, e.Train.Dropout = 4, .1
		require.NoError(t, studytest.TrainOnce(t.Context(), e, study.Options{StepBytes: bytes}))
		return e.Out
	}
	want := studytest.Outcome(t, train(0))
	for _, bytes := range []int64{1, 1 << 18, 1 << 20} {
		studytest.Same(t, want, train(bytes), fmt.Sprint(bytes, " bytes"))
	}
}

// A cached run computes nothing that is frozen: with the weights below spoilt it ends alike.
func TestTheCacheIsUsed(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment,
		_ *dataset.Spec) {
		e.Adapter.Layers = []int{1}
	})
	tr := studytest.TrainerOf(t, st)
	stim := st.Stimuli["one"]
	read := func(r *windows.Reader) [][]float32 {
		x, err := r.Features(t.Context(), stim, []int{2})
		require.NoError(t, err)
		return x
	}
	want, base := read(tr.Reader), read(st.Reader(st.Model))
	assert.Equal(t, 2, tr.Reader.Shared)
	var depths []int
	for key := range st.Frozen.Cache.Groups {
		depths = append(depths, key.Depth)
		assert.Equal(t, 2, key.Depth, "hidden state 1, the input of layer 1")
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
	assert.Equal(t, want, read(tr.Reader))
	assert.Equal(t, base, read(st.Reader(st.Model)))
}

// What may be kept ends below the first weight that is tuned, the first thing that is random, and
// the lowest layer that is read.
func TestDepths(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	depths := map[string]int{"all layers": 1, "upper layer": 2, "every linear": 0, "dropout": 0, "adapter drops": 2,
		"full": 0, "readout": -1, "block": 2, "mix": 1}
	for name, change := range frozenCases {
		st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) { change(e) })
		tr := studytest.TrainerOf(t, st)
		require.NoError(t, tr.Session.Train(t.Context(), 1, func(s *torch.Scope) error {
			if want := depths[name]; want < 0 {
				assert.Equal(t, want, tr.Reader.CacheDepth, name)
				assert.Less(t, 2, tr.Reader.SharedStates(s), name)
			} else {
				assert.Equal(t, want, tr.Reader.Depth(s, tr.ReadLayers()), name)
				assert.Equal(t, want, st.Reader(st.Model).Depth(s, tr.ReadLayers()), "%s: the untuned model shares it",
					name)
			}
			return nil
		}))
	}
}

// The fingerprint changes with all that frames depend on, and with nothing else.
func TestFingerprints(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	base := func() *study.Study { return studytest.Tiny(t, study.Options{}, nil) }
	st := base()
	f, stim := st.Frozen, st.Stimuli["one"]
	key := windows.FrameKey{Story: "one", Clips: stim.Groups[5], Depth: 1}
	want := f.PrintFrames(stim, key).Key
	assert.Equal(t, want, base().Frozen.PrintFrames(stim, key).Key, "another study of the same model")
	other := map[string]activations.Key{}
	add := func(name string, f *windows.Frozen, stim *windows.Stimulus, key windows.FrameKey) {
		other[name] = f.PrintFrames(stim, key).Key
	}
	add("depth", f, stim, windows.FrameKey{Story: "one", Clips: stim.Groups[5], Depth: 2})
	add("clips", f, stim, windows.FrameKey{Story: "one", Clips: stim.Groups[6], Depth: 1})
	add("audio", f, st.Stimuli["two"], key)
	normalised, half := *f, *f
	normalised.Normalise, half.Half = true, true
	add("normalise", &normalised, stim, key)
	add("half", &half, stim, key)
	touch := func(weight string) activations.Key {
		st := base()
		require.NoError(t, st.Model.Session().Infer(t.Context(), func(s *torch.Scope) error {
			p := st.Model.Store().Param(weight)
			p.CopyFrom(s.Attach(p).MulScalar(1.5))
			return nil
		}))
		return st.Frozen.PrintFrames(stim, key).Key
	}
	other["front end"] = touch("feature_extractor.conv_layers.0.conv.weight")
	other["projection"] = touch("feature_projection.projection.weight")
	assert.Equal(t, want, touch("encoder.layers.0.attention.q_proj.weight"), "above")
	seen := map[activations.Key]string{want: "the first"}
	for name, key := range other {
		assert.Empty(t, seen[key], name)
		seen[key] = name
	}
	one, two := f.PrintVectors(stim, windows.VectorKey{Story: "one", Windows: len(stim.Windows), Layer: 1,
		Pooling: "mean", Last: false}), f.PrintVectors(stim,
		windows.VectorKey{Story: "one", Windows: len(stim.Windows), Layer: 1, Pooling: "last", Last: false})
	assert.NotEqual(t, one.Key, two.Key)
	assert.Equal(t, "one, 160 windows: mean of hidden state 1", one.About)
	assert.Equal(t, fmt.Sprintf("one, clips %d to %d: hidden state 0", key.Clips.From, key.Clips.To),
		f.PrintFrames(stim, key).About)
}

// A damaged file is reported and computed again.
func TestDamagedFramesAreComputedAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	disk := t.TempDir()
	change := frozenCases["upper layer"]
	want := whole(t, study.Options{CacheBytes: 1, CacheDir: disk}, change)
	files, err := filepath.Glob(filepath.Join(disk, "*"))
	require.NoError(t, err)
	damaged := map[string][]byte{}
	for i, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		switch i % 3 {
		case 0:
			data[len(data)-1] ^= 1
		case 1:
			data = data[:len(data)/2]
		case 2:
			continue
		}
		damaged[file] = data
		require.NoError(t, os.WriteFile(file, data, 0o666))
	}
	var warned []string
	got := whole(t, study.Options{CacheBytes: 1, CacheDir: disk, Progress: func(e progress.Event) {
		if e.Phase == progress.Warning {
			warned = append(warned, e.Note)
		}
	}}, change)
	assert.Equal(t, want, got)
	mended := 0
	for file, data := range damaged {
		now, err := os.ReadFile(file)
		require.NoError(t, err)
		if string(now) != string(data) {
			mended++
		}
	}
	assert.Len(t, warned, mended, "each that was read, once")
	assert.Greater(t, mended, len(files)/6, "though not every file is read again")
	for _, note := range warned {
		assert.Contains(t, note, "the file is damaged")
	}
}

// A disk that takes nothing costs one warning.
func TestADiskThatIsFull(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
	change := frozenCases["upper layer"]
	want := whole(t, study.Options{}, change)
	disk := t.TempDir()
	var warned []string
	got := whole(t, study.Options{CacheBytes: 1, CacheDir: disk, Progress: func(e progress.Event) {
		assert.NoError(t, os.RemoveAll(disk)) // under the open cache
		if e.Phase == progress.Warning {
			warned = append(warned, e.Note)
		}
	}}, change)
	assert.Equal(t, want, got)
	assert.NotEmpty(t, warned)
}

// Frames that are rounded to bf16 are so whether they are kept or not, and the run says it.
func TestHalfFrames(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
	change := frozenCases["upper layer"]
	want := whole(t, study.Options{CacheBytes: 1, HalfFrames: true}, change)
	assert.Equal(t, want, whole(t, study.Options{HalfFrames: true}, change))
	assert.Equal(t, want, whole(t, study.Options{CacheBytes: 1, HalfFrames: true, CacheDir: t.TempDir()}, change))
	assert.NotEqual(t, want["/adapter/adapter_model.safetensors"],
		whole(t, study.Options{}, change)["/adapter/adapter_model.safetensors"])
	assert.Contains(t, want["/eval/summary.json"], "cached in bf16")
	st := studytest.Tiny(t, study.Options{HalfFrames: true}, nil)
	variant, err := st.Vary(t.Context(), st.Experiment)
	require.NoError(t, err)
	assert.Contains(t, fmt.Sprint(variant.Notes), "cached in bf16")
	vectors := whole(t, study.Options{HalfFrames: true}, frozenCases["readout"]) // of which no frames are kept
	assert.Equal(t, whole(t, study.Options{}, frozenCases["readout"])["/readout/ada.safetensors"],
		vectors["/readout/ada.safetensors"])
}

// Groups are of one length, begin where a length begins, and hold no more than they may.
func TestGroups(t *testing.T) {
	var clips []windows.Clip
	add := func(n, samples int) {
		for range n {
			clips = append(clips, windows.Clip{Start: 0, End: samples, Windows: design.Rows{}})
		}
	}
	add(1, 4000)
	add(1, 8000)
	add(20, 64000)
	add(3, 32*16000)
	add(2, 16*16000)
	assert.Equal(t, []design.Rows{{From: 0, To: 1}, {From: 1, To: 2}, {From: 2, To: 10}, {From: 10, To: 18},
		{From: 18, To: 22},
		{From: 22, To: 23}, {From: 23, To: 24}, {From: 24, To: 25}, {From: 25, To: 27}}, windows.Groups(clips))
}

// An adapter inside the front end, which training never makes, is heard all the same.
func TestAdaptersOfTheFrontEndAreHeard(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, nil)
	view, err := st.Model.WithAdapter(t.Context(), louderFront{})
	require.NoError(t, err)
	plain, err := st.Reader(st.Model).Features(t.Context(), st.Stimuli["one"], []int{1})
	require.NoError(t, err)
	got, err := st.Reader(view).Features(t.Context(), st.Stimuli["one"], []int{1})
	require.NoError(t, err)
	assert.NotEqual(t, plain, got)
}

// louderFront is an adapter that scales the output of the last convolution.
type louderFront struct{}

type louder struct{ nn.Layer }

func (l louder) Forward(x *torch.Tensor) *torch.Tensor { return l.Layer.Forward(x).MulScalar(3) }

func (louderFront) Param(_ *nn.Builder, _ string, p *torch.Tensor) *torch.Tensor { return p }

func (louderFront) Finish(*nn.Builder)  {}
func (louderFront) Stores() []*nn.Store { return nil }
func (louderFront) Seed() uint64        { return 0 }
func (louderFront) Check() error        { return nil }

func (louderFront) Wrap(_ *nn.Builder, path string, base nn.Layer) nn.Layer {
	if path == "feature_extractor.conv_layers.6.conv" {
		return louder{base}
	}
	return base
}

// The same on a model that is wide enough for bits to depend on what is computed together: any run
// of clips, kept or not, gives those of their groups.
func TestFramesAreThoseOfTheirGroups(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	m, st := wide(t)
	read := func(f *windows.Frozen, clips design.Rows, depth int) (out []float32) {
		require.NoError(t, m.Session().Infer(t.Context(), func(s *torch.Scope) error {
			out = f.Frames(s, st, clips, depth).Float32s()
			return nil
		}))
		return out
	}
	for _, depth := range []int{0, 2} {
		f := &windows.Frozen{Model: m, Cache: windows.NewCache(1<<30, nil, nil)}
		defer f.Cache.Close()
		all := read(f, design.Rows{From: 4, To: 74}, depth)
		width := len(all) / 70
		differs := false
		for from := 4; from < 60; from += 9 {
			for _, n := range []int{1, 2, 5, 11} {
				want := all[(from-4)*width : (from-4+n)*width]
				assert.Equal(t, want, read(f, design.Rows{From: from, To: from + n}, depth))
				assert.Equal(t, want, read(&windows.Frozen{Model: m}, design.Rows{From: from, To: from + n}, depth))
				require.NoError(t, m.Session().Infer(t.Context(), func(s *torch.Scope) error {
					differs = differs || !slices.Equal(want, f.Compute(s, st, design.Rows{From: from, To: from + n},
						depth).Float32s())
					return nil
				}))
			}
		}
		assert.True(t, differs, "bits do not depend on what is computed together, so this shows nothing")
	}
}

// The last layer of a pass works out only the frames that are read, so that a state's last bits
// depend on whether it is the last; whatever was read and kept before, a pass gives what it gives
// without a cache.
func TestLayersReadBeforeChangeNoBit(t *testing.T) {
	if testing.Short() {
		t.Skip("many readings")
	}
	m, st := wide(t)
	read := func(c *windows.Cache, layers ...int) [][]float32 {
		r := &windows.Reader{Model: m, Frozen: &windows.Frozen{Model: m, Cache: c}, Shared: m.FrozenDepth(),
			CacheDepth: 1, Pooling: "last", Unit: 8}
		x, err := r.Features(t.Context(), st, layers)
		require.NoError(t, err)
		return x
	}
	assert.NotEqual(t, read(nil, 1)[0], read(nil, 1, 2)[0], "bits do not depend on it, so this shows nothing")
	for _, before := range [][]int{{1}, {2}, {0, 1}, {0, 2}} {
		c := windows.NewCache(1<<30, nil, nil)
		read(c, before...)
		assert.Equal(t, read(nil, 0, 1, 2), read(c, 0, 1, 2), "after %v", before)
		assert.Equal(t, read(nil, 0, 1), read(c, 0, 1), "after %v", before)
		c.Close()
	}
}

// wide is a model whose bits depend on what is computed together, and a sound.
func wide(t *testing.T) (speech.Encoder, *windows.Stimulus) {
	t.Helper()
	c := wavlm.Default(wavlm.WavLM)
	c.Hidden, c.Layers, c.Heads, c.Inner, c.PosGroups = 96, 2, 4, 384, 4
	c.ConvWidth = []int{64, 64, 64, 64, 64, 64, 64}
	m, err := wavlm.Fresh(t.Context(), c, speech.Options{Seed: 3})
	require.NoError(t, err)
	t.Cleanup(m.Close)
	sound, _ := studytest.TinySound(1)
	st := &windows.Stimulus{Name: "one", Samples: windows.InMemory(sound),
		Windows: design.Windows(len(sound), 16000, .5, .1)}
	st.Own(experiment.Model{})
	return m, st
}
