package studytest

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/wavlm"
)

// The tiny study: stories of synthetic sound, subjects whose voxels follow its two bands, and a
// WavLM of three layers with random weights.
const (
	TinyTR   = .4 // seconds
	TinyRows = 40 // of each story
)

var TinyStories = []string{"one", "two", "val", "test"}

// TinySound is a low and a high tone whose loudness changes every TR, and those loudnesses (rows, 2).
func TinySound(seed uint64) (samples []float32, bands [][2]float64) {
	r := rand.New(rand.NewPCG(seed, 1))
	const n = int(TinyTR * dataset.SampleRate)
	for k := range TinyRows {
		b := [2]float64{r.Float64(), r.Float64()}
		bands = append(bands, b)
		for i := range n {
			at := float64(k*n+i) / dataset.SampleRate
			x := b[0]*math.Sin(2*math.Pi*300*at) + b[1]*math.Sin(2*math.Pi*2500*at) + .02*r.NormFloat64()
			samples = append(samples, float32(.3*x))
		}
	}
	return samples, bands
}

// TinyAnswer plants responses (rows, voxels): a weighted sum of the bands one row before, and noise.
func TinyAnswer(bands [][2]float64, voxels int, subject, story uint64) []float32 {
	weights := rand.New(rand.NewPCG(subject, 2))
	noise := rand.New(rand.NewPCG(subject, 3+story))
	w := make([][2]float64, voxels)
	for v := range w {
		w[v] = [2]float64{weights.NormFloat64(), weights.NormFloat64()}
	}
	out := make([]float32, 0, len(bands)*voxels)
	for k := range bands {
		before := [2]float64{.5, .5}
		if k > 0 {
			before = bands[k-1]
		}
		for v := range w {
			out = append(out, float32(10+w[v][0]*before[0]+w[v][1]*before[1]+.2*noise.NormFloat64()))
		}
	}
	return out
}

// TinySubjects have different numbers of voxels; cleo has not heard story two.
var TinySubjects = []struct {
	Name   string
	Voxels int
	Heard  []string
}{
	{"ada", 60, TinyStories},
	{"bob", 53, TinyStories},
	{"cleo", 8, []string{"one", "val", "test"}},
}

// tinySpec describes the data of the tiny study.
func tinySpec() dataset.Spec {
	spec := dataset.Spec{Name: "tiny", TR: TinyTR, RowTime: .5,
		ROIs: []dataset.ROI{{Name: "front", Region: dataset.Value(dataset.Region{Columns: []int{0, 1, 2, 3}})}}}
	bands := map[string][][2]float64{}
	for i, name := range TinyStories {
		sound, b := TinySound(uint64(i))
		bands[name] = b
		spec.Stories = append(spec.Stories, dataset.Story{Name: name, Audio: dataset.Value(sound)})
	}
	for i, p := range TinySubjects {
		s := dataset.Subject{Name: p.Name}
		for k, story := range TinyStories {
			if !slices.Contains(p.Heard, story) {
				continue
			}
			m := dataset.NewMatrix(TinyRows, p.Voxels, TinyAnswer(bands[story], p.Voxels, uint64(i), uint64(k)))
			s.Responses = append(s.Responses, dataset.Response{Story: story, Matrix: dataset.Value(m)})
		}
		spec.Subjects = append(spec.Subjects, s)
	}
	spec.Derived = []dataset.Subject{{Name: "both", From: []string{"ada"}, Responses: spec.Subjects[0].Responses}}
	return spec
}

// TinyModel writes the speech model into dir.
func TinyModel(ctx context.Context, dir string) error {
	c := wavlm.Default(wavlm.WavLM)
	c.Hidden, c.Layers, c.Heads, c.Inner, c.PosKernel, c.PosGroups = 16, 3, 2, 32, 8, 2
	c.ConvWidth = []int{8, 8, 8, 8, 8, 8, 8}
	c.InitSize = .3 // so that its parts matter as in a trained one
	m, err := wavlm.Fresh(ctx, c, speech.Options{Seed: 7})
	if err != nil {
		return err
	}
	defer m.Close()
	return m.Save(ctx, dir)
}

// tinyExperiment is a training of the tiny study that takes a second; dir holds the model and the run.
func tinyExperiment(dir string) *experiment.Experiment {
	e := experiment.Default()
	e.Model.Path, e.Model.Layer, e.Model.WindowSeconds, e.Model.StrideSeconds = filepath.Join(dir, "model"), 2, .2, .1
	e.Model.Pooling = "mean"
	e.Data.Path, e.Data.Subjects = filepath.Join(dir, "in memory"), []string{"ada"}
	e.Data.Train, e.Data.Val, e.Data.Test, e.Data.Trim = []string{"one", "two"}, []string{"val"}, []string{"test"},
		[2]int{4, 2}
	e.Readout.Bottleneck, e.Readout.DelaysSeconds = 6, []float64{.4, .8}
	e.Train.Epochs, e.Train.BlockRows, e.Train.ContextRows, e.Train.LR, e.Train.ReadoutLR = 2, 10, 2, 1e-2, 1e-2
	e.Eval.ChunkRows, e.Eval.Boots = 8, 2
	e.Out = filepath.Join(dir, "run")
	e.Device = torchtest.Name()
	return e
}

// openTiny opens the tiny study of an experiment whose model has been written.
func openTiny(ctx context.Context, e *experiment.Experiment, spec dataset.Spec, opt study.Options) (*study.Study,
	error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	data, err := dataset.New(spec)
	if err != nil {
		return nil, err
	}
	model, err := study.OpenModel(ctx, e, true)
	if err != nil {
		return nil, err
	}
	st, err := study.New(ctx, e, data, model, opt)
	if err != nil {
		model.Close()
		return nil, err
	}
	st.OwnsModel = true
	return st, nil
}

// Tiny makes a tiny study; change (may be nil) alters its experiment and data.
func Tiny(t *testing.T, opt study.Options, change func(*experiment.Experiment, *dataset.Spec)) *study.Study {
	t.Helper()
	st, err := TryTiny(t, opt, change)
	require.NoError(t, err)
	t.Cleanup(st.Close)
	return st
}

// TryTiny opens a tiny study and measures its responses.
func TryTiny(t *testing.T, opt study.Options, change func(*experiment.Experiment, *dataset.Spec)) (*study.Study,
	error) {
	t.Helper()
	st, err := TryUnread(t, opt, change)
	if err == nil {
		if err = st.Measure(t.Context()); err != nil {
			st.Close()
			st = nil
		}
	}
	return st, err
}

// TryUnread opens a tiny study and leaves its responses unread.
func TryUnread(t *testing.T, opt study.Options, change func(*experiment.Experiment, *dataset.Spec)) (*study.Study,
	error) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, TinyModel(t.Context(), filepath.Join(dir, "model")))
	e, spec := tinyExperiment(dir), tinySpec()
	if change != nil {
		change(e, &spec)
	}
	return openTiny(t.Context(), e, spec, opt)
}

// Upend mirrors the responses to a story about their means, those of some columns or of all, so
// that a model that predicted them well now does badly. Where a test needs an epoch to be worse
// than another, this makes it so whatever the last bits of the training are.
func Upend(st *study.Study, story string, columns ...int) {
	for _, p := range st.Subjects {
		if p.Responses.Rows(story) == 0 {
			continue
		}
		m, err := st.Data.ReadResponses(context.Background(), p.Name, story) // in memory, and not a copy
		if err != nil {
			panic(err)
		}
		z := p.Responses.ZScore(story)
		for i := range m.Data {
			if len(columns) > 0 && !slices.Contains(columns, i%m.Voxels) {
				continue
			}
			mean := 0.
			if z != nil {
				mean = z.Mean[i%m.Voxels]
			}
			m.Data[i] = float32(2*mean) - m.Data[i]
		}
	}
}

// TinyGettingWorse is tiny with a training of which every epoch is worse than the untuned model.
func TinyGettingWorse(t *testing.T, change func(*experiment.Experiment, *dataset.Spec)) (st *study.Study) {
	t.Helper()
	worse := func(e progress.Event) {
		if e.Phase == progress.Tune && e.Done == 1 {
			Upend(st, "val")
		}
	}
	st = Tiny(t, study.Options{Progress: worse}, change)
	return st
}
