package stepbench

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/wavlm"
)

// smallStep is a step of a model of 11 narrow layers, so that layer 9 is not the last.
func smallStep() Options {
	c := wavlm.Default(wavlm.WavLM)
	c.Hidden, c.Layers, c.Heads, c.Inner, c.PosKernel, c.PosGroups = 16, 11, 2, 32, 8, 2
	c.ConvWidth = []int{8, 8, 8, 8, 8, 8, 8}
	return Options{Windows: 16, Voxels: 60, Steps: 3, Config: c, product: 256, Device: torchtest.Device()}
}

func TestBenchStep(t *testing.T) {
	times, err := Run(t.Context(), smallStep())
	require.NoError(t, err)
	assert.Len(t, times.Steps, 3)
	assert.Positive(t, times.Fill)
	assert.Positive(t, times.Min())
	assert.Positive(t, times.PeakShare())
	assert.GreaterOrEqual(t, times.Median(), times.Min())
	assert.True(t, times.Loss > -1 && times.Loss < 1 && times.Loss != 0, "a correlation: %g", times.Loss)
}

// With extraction by chunks the same windows are read from fewer clips.
func TestBenchStepInBlocks(t *testing.T) {
	opt := smallStep()
	opt.Windows, opt.ChunkSeconds = 40, 8
	b, err := newBench(t.Context(), opt)
	require.NoError(t, err)
	defer b.close()
	assert.Len(t, b.stimulus().Clips, 3, "13.75 s of audio, 4 s apart")
	times, err := Run(t.Context(), opt)
	require.NoError(t, err)
	assert.Len(t, times.Steps, 3)
	opt.ChunkSeconds = 7
	_, err = Run(t.Context(), opt)
	assert.Equal(t, fault.Usage, fault.KindOf(err))
}

// TestBenchStepTunes looks at what a step changes: the adapters below layer 9 and the readout, nothing else.
func TestBenchStepTunes(t *testing.T) {
	if testing.Short() {
		t.Skip("timed trainings")
	}
	b, err := newBench(t.Context(), smallStep())
	require.NoError(t, err)
	defer b.close()
	copies := func() (base, tuned map[string][]float32) {
		base, tuned = map[string][]float32{}, map[string][]float32{}
		for name, p := range b.study.Model.Store().Params() {
			base[name] = p.Float32s()
		}
		for name, p := range b.trainer.Params() {
			tuned[name] = p.Float32s()
		}
		return base, tuned
	}
	base, tuned := copies()
	require.Len(t, tuned, 9*3*2+4)
	require.NoError(t, b.fill(t.Context()))
	first, err := b.step(t.Context(), 1)
	require.NoError(t, err)
	last := first
	for range 30 {
		last, err = b.step(t.Context(), 2)
		require.NoError(t, err)
	}
	assert.Less(t, last, first, "it learns")
	for name, p := range b.trainer.Params() {
		assert.False(t, p.HasGrad(), "%s: gradients add up over steps", name)
	}
	baseNow, tunedNow := copies()
	assert.Equal(t, base, baseNow)
	for name := range tuned {
		assert.NotEqual(t, tuned[name], tunedNow[name], name)
	}
}

// A step reads the windows of full length, and no others.
func TestBenchStepReadsFullWindows(t *testing.T) {
	b, err := newBench(t.Context(), smallStep())
	require.NoError(t, err)
	defer b.close()
	assert.Equal(t, 16, b.windows().Len())
	for i, w := range b.stimulus().Windows {
		read := i >= b.windows().From && i < b.windows().To
		assert.Equal(t, w.End-w.Start == 4*dataset.SampleRate, read, "%d", i)
	}
	assert.Equal(t, tune.Block{Story: "train", From: 1, To: 3, Subjects: []int{0}}, b.block())
}

func TestBenchStepOfOneRow(t *testing.T) {
	opt := smallStep()
	opt.Windows = windowsOfRow
	b, err := newBench(t.Context(), opt)
	require.NoError(t, err)
	defer b.close()
	assert.Equal(t, windowsOfRow, b.windows().Len())
	assert.Equal(t, tune.Block{Story: "train", From: 1, To: 2, Subjects: []int{0}}, b.block())
}

func TestBenchStepRefuses(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"windows: 12 is no multiple of 8": func(o *Options) { o.Windows = 12 },
		"windows: 0 is no multiple of 8":  func(o *Options) { o.Windows = 0 },
		"voxels: 49, the spatial loss":    func(o *Options) { o.Voxels = 49 },
		"steps: 0, want at least 1":       func(o *Options) { o.Steps = 0 },
		"subjects: -1, want at least 1":   func(o *Options) { o.Subjects = -1 },
		"seconds: 0.02 of a window":       func(o *Options) { o.Seconds = .02 },
		"seconds: 5000 of a window":       func(o *Options) { o.Seconds = 5000 },
		"num_attention_heads":             func(o *Options) { o.Config.Heads = 3 },
	} {
		opt := smallStep()
		change(&opt)
		_, err := Run(t.Context(), opt)
		require.ErrorContains(t, err, want)
		assert.Equal(t, fault.Usage, fault.KindOf(err))
	}
}
