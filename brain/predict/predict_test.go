package predict

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/testnum"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/speech"
)

// tinyRun trains the tiny study and gives its run directory.
func tinyRun(t *testing.T, change func(*experiment.Experiment, *dataset.Spec)) (st *study.Study, run string) {
	t.Helper()
	st = studytest.Tiny(t, study.Options{}, change)
	r, err := st.Begin(t.Context())
	require.NoError(t, err)
	defer r.Close()
	p, err := tune.Fit(t.Context(), st, r)
	require.NoError(t, err)
	require.Positive(t, p.Epochs[p.Best].Epoch, "validation must choose a tuned model, else these tests show nothing")
	return st, r.Dir
}

func openTinyPredictor(t *testing.T, run string, opt Options) *Predictor {
	t.Helper()
	opt.Device = torchtest.Device()
	p, err := Open(t.Context(), run, opt)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

// byHand predicts from the files of a run, window by window and voxel by voxel.
func byHand(t *testing.T, st *study.Study, run, subject string, samples []float32) (values []float64, rows int) {
	t.Helper()
	adapter := filepath.Join(run, "adapter")
	if st.Experiment.Train.Mode != "lora" {
		adapter = ""
	}
	model := st.Experiment.Model.Path
	if st.Experiment.Train.Mode == "full" {
		model = filepath.Join(run, "model")
	}
	m, err := extract.OpenModel(t.Context(), model, adapter, speech.Options{Device: torchtest.Device()})
	require.NoError(t, err)
	defer m.Close()
	const channels = 16
	windows := design.Windows(len(samples), 16000, .2, .1)
	features := make([]float32, 0, len(windows)*channels)
	for _, w := range windows {
		h, err := m.Model.HiddenStates(t.Context(), samples[w.Start:w.End], 2)
		require.NoError(t, err)
		features = append(features, studytest.OneVector(h[0], "mean")...)
	}
	rows = len(samples) * 10 / (16000 * 4) // TRs of .4 s
	times := make([]float64, rows)
	for k := range times {
		times[k] = (float64(k) + .5) * studytest.TinyTR
	}
	opt := design.LanczosOptions{Cutoff: 1 / studytest.TinyTR, ClipNegative: st.Experiment.Compat.ClipLanczos}
	x := design.Lanczos(times, design.FeatureTimes(windows), opt).Apply(features, channels)
	x = design.FitZScore(x, rows, channels).Apply(x)

	f, err := ckpt.Open(filepath.Join(run, "readout", subject+".safetensors"))
	require.NoError(t, err)
	defer f.Close()
	tensor := func(name string) []float64 {
		v, err := f.Float64(name)
		require.NoError(t, err)
		return v
	}
	w1, b1, w2, b2 := tensor("bottleneck.weight"), tensor("bottleneck.bias"), tensor("linear.weight"),
		tensor("linear.bias")
	for k := range rows {
		in := make([]float64, 0, 2*channels)
		for _, d := range []int{1, 2} {
			for c := range channels {
				if k < d {
					in = append(in, 0)
					continue
				}
				in = append(in, float64(x[(k-d)*channels+c]))
			}
		}
		mid := affine(w1, b1, in)
		values = append(values, affine(w2, b2, mid)...)
	}
	return values, rows
}

// affine is Wx + b.
func affine(w, b, x []float64) []float64 {
	out := make([]float64, len(b))
	for i := range out {
		out[i] = b[i]
		for j, v := range x {
			out[i] += w[i*len(x)+j] * v
		}
	}
	return out
}

func TestPredictIsTheRecipeStepByStep(t *testing.T) {
	if testing.Short() {
		t.Skip("a training")
	}
	for _, mode := range []string{"lora", "full", "lora, as in the release"} {
		t.Run(mode, func(t *testing.T) {
			st, run := tinyRun(t, func(e *experiment.Experiment, _ *dataset.Spec) {
				e.Train.Epochs = 3
				tuned, _, release := strings.Cut(mode, ",")
				// the readout was tuned on clipped weights
				e.Train.Mode, e.Compat.ClipLanczos = experiment.TrainMode(tuned), release
				if mode == "full" {
					e.Train.LR = 1e-4
				}
				e.Data.Subjects = []string{"ada", "bob"}
			})
			clip, _ := studytest.TinySound(99)
			clip = clip[:len(clip)-3000] // the last TR is not whole
			p := openTinyPredictor(t, run, Options{Subject: "bob"})
			got, err := p.Predict(t.Context(), clip)
			require.NoError(t, err)
			want, rows := byHand(t, st, run, "bob", clip)
			assert.Equal(t, studytest.TinyRows-1, got.Rows)
			assert.Equal(t, rows, got.Rows)
			assert.Equal(t, 53, got.Voxels)
			assert.Len(t, p.Columns, 53)
			assert.InDelta(t, .2, got.Times[0], 1e-12)
			assert.InDelta(t, .2+studytest.TinyTR*float64(rows-1), got.Times[rows-1], 1e-9)
			most := 0.
			for i := range want {
				most = max(most, math.Abs(want[i]))
				require.InDelta(t, want[i], got.Values[i], 1e-4)
			}
			assert.Greater(t, most, .1)
		})
	}
}

// TestPredictFindsWhatWasPlanted: voxels follow the loudness of two tones one row before.
func TestPredictFindsWhatWasPlanted(t *testing.T) {
	if testing.Short() {
		t.Skip("a training of many steps")
	}
	_, run := tinyRun(t, func(e *experiment.Experiment, _ *dataset.Spec) { e.Train.Epochs = 12 })
	p := openTinyPredictor(t, run, Options{})
	assert.Equal(t, "ada", p.Subject)
	assert.InDelta(t, studytest.TinyTR, p.TR, 0)
	assert.Equal(t, []int{1, 2}, p.Delays)
	clip, bands := studytest.TinySound(1234)
	got, err := p.Predict(t.Context(), clip)
	require.NoError(t, err)
	truth := studytest.TinyAnswer(bands, 60, 0, 77)
	mean := 0.
	predicted, answered := testnum.Lines(got.Values, got.Rows, 60, 0), testnum.Lines(truth, got.Rows, 60, 0)
	for v := range predicted {
		mean += testnum.Pearson(predicted[v][3:], answered[v][3:]) / 60
	}
	assert.Greater(t, mean, .3, "mean r of new audio")
}

func TestPredictorServesManyAtOnce(t *testing.T) {
	_, run := tinyRun(t, nil)
	p := openTinyPredictor(t, run, Options{})
	var clips [][]float32
	var want [][]float32
	for i := range 4 {
		clip, _ := studytest.TinySound(uint64(200 + i))
		clips = append(clips, clip[:(i+4)*16000])
		alone, err := p.Predict(t.Context(), clips[i])
		require.NoError(t, err)
		want = append(want, alone.Values)
	}
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			got, err := p.Predict(context.Background(), clips[i%4])
			assert.NoError(t, err)
			assert.Equal(t, want[i%4], got.Values, "bit-identical to a single call")
		})
	}
	all.Wait()
}

func TestPredictorEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	// there is much to interrupt
	_, run := tinyRun(t, func(e *experiment.Experiment, _ *dataset.Spec) { e.Train.UnitWindows = 1 })
	p := openTinyPredictor(t, run, Options{})
	short, _ := studytest.TinySound(5)
	long := slices.Repeat(short, 20)

	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err := p.Predict(ctx, long)
	assert.ErrorIs(t, err, context.Canceled)

	var all sync.WaitGroup
	for range 8 { // together they would take a minute
		all.Go(func() {
			_, err := p.Predict(context.Background(), long)
			assert.ErrorIs(t, err, fault.ErrClosed)
		})
	}
	time.Sleep(20 * time.Millisecond)
	p.Close()
	all.Wait()
	_, err = p.Predict(t.Context(), short)
	assert.ErrorIs(t, err, fault.ErrClosed)
	assert.Equal(t, fault.Temporary, fault.KindOf(err))
	p.Close()
}

func TestPredictRefuses(t *testing.T) {
	_, run := tinyRun(t, nil)
	p := openTinyPredictor(t, run, Options{})
	assert.InDelta(t, 1.2, p.MinSeconds(), 1e-12)
	_, err := p.Predict(t.Context(), make([]float32, 19199))
	assert.ErrorContains(t, err, "predict: 1.2 s of audio, want at least 1.2 s; a minute or more is sensible")
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	_, err = p.Predict(t.Context(), make([]float32, 19200))
	assert.NoError(t, err)
	bad := make([]float32, 32000)
	bad[7] = float32(math.NaN())
	_, err = p.Predict(t.Context(), bad)
	assert.ErrorContains(t, err, "sample 7 is NaN")
}

func TestOpenPredictorRefuses(t *testing.T) {
	_, run := tinyRun(t, func(e *experiment.Experiment, _ *dataset.Spec) { e.Data.Subjects = []string{"ada", "bob"} })
	refused := func(dir string, opt Options, kind fault.Kind, want string) {
		t.Helper()
		p, err := Open(t.Context(), dir, opt)
		require.Error(t, err)
		assert.Nil(t, p)
		assert.ErrorContains(t, err, want)
		assert.Equal(t, kind, fault.KindOf(err), err)
	}
	refused(run, Options{}, fault.Usage, `there is no subject ""; name one of ada, bob`)
	refused(run, Options{Subject: "../ada"}, fault.Usage, `there is no subject "../ada"`)
	refused(run, Options{Subject: "ada", Model: "nowhere"}, fault.Missing, "nowhere")
	refused("nowhere", Options{}, fault.Missing, "nowhere")

	readout := func(name string) string { return filepath.Join(run, "readout", name+".safetensors") }
	rewrite := func(change func(tensors []ckpt.Tensor, note map[string]string) []ckpt.Tensor) {
		t.Helper()
		f, err := ckpt.Open(readout("ada"))
		require.NoError(t, err)
		defer f.Close()
		var tensors []ckpt.Tensor
		for _, name := range f.Names() {
			x, err := f.Tensor(name)
			require.NoError(t, err)
			tensors = append(tensors, x)
		}
		note := f.Metadata()
		tensors = change(tensors, note)
		require.NoError(t, ckpt.Write(readout("changed"), tensors, note))
	}
	changed := Options{Subject: "changed"}
	rewrite(func(x []ckpt.Tensor, _ map[string]string) []ckpt.Tensor {
		return append(x[:0:0], x[1:]...) // one tensor less
	})
	refused(run, changed, fault.BadData, "")
	rewrite(func(x []ckpt.Tensor, _ map[string]string) []ckpt.Tensor {
		for i := range x {
			if x[i].Name == "bottleneck.weight" {
				x[i] = ckpt.NewTensor("bottleneck.weight", []int{6, 5}, make([]float32, 30))
			}
		}
		return x
	})
	refused(run, changed, fault.BadData, "bottleneck.weight")
	rewrite(func(x []ckpt.Tensor, note map[string]string) []ckpt.Tensor { delete(note, "readout"); return x })
	refused(run, changed, fault.BadData, "does not say TR and delays")
	rewrite(func(x []ckpt.Tensor, note map[string]string) []ckpt.Tensor {
		before := note["readout"]
		note["readout"] = strings.Replace(before, `"epoch":2`, `"epoch":0`, 1)
		note["readout"] = strings.Replace(note["readout"], `"epoch":1`, `"epoch":0`, 1)
		assert.NotEqual(t, before, note["readout"])
		return x
	})
	refused(run, changed, fault.BadData, "whose readout is random")

	require.NoError(t, os.RemoveAll(filepath.Join(run, "readout")))
	refused(run, Options{}, fault.Missing, "the training is not finished; resume "+run)
}
