package stepbench

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/brain/phases"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/wavlm"
)

// TestStepWorkByHand adds up two layers of a model whose widths are different primes or nearly so.
func TestStepWorkByHand(t *testing.T) {
	cfg := wavlm.Default(wavlm.WavLM)
	cfg.Hidden, cfg.Inner, cfg.PosKernel, cfg.PosGroups, cfg.ConvWidth = 10, 23, 4, 5, []int{7}
	shape := stepShape{clips: []int{11, 11, 11}, layer: 2, rank: 2, adapted: 3, windows: 3, rows: 1, context: 1,
		bottleneck: 13, voxels: 59, subjects: 2}
	w := stepWork(cfg, shape)
	const n = 3 * 11 // frames of all windows
	projection := 2 * n * 7 * 10
	position := 2 * 3 * 12 * 10 * 2 * 4
	square, feed, gate := 2*n*10*10, 2*n*10*23, 2*n*10*8
	adapter := 2 * n * 10 * 2 // A, and B as much
	product := 2 * n * 11 * 10
	readouts := 2 * (2*10*13 + 2*13*59)
	resampling := 2 * 2 * 3 * 10
	forward := projection + position + 2*(4*square+2*feed+gate+3*2*adapter+2*product) + resampling + readouts
	above := 4*square + 2*feed + gate + 3*4*adapter + 4*product // layer 1: every input and every tuned weight
	first := square + 2*feed + 3*3*adapter + 4*product          // layer 0: nothing to the inputs of q, k, v, gate and A
	assert.Equal(t, float64(forward), w.Forward)
	assert.Equal(t, float64(above+first+resampling+2*readouts), w.Backward)
	assert.Equal(t, float64(2*product), w.Recomputed)
	assert.Equal(t, w.Forward+w.Backward, w.Total())

	shape.read = []int{1, 1, 2} // of layer 1
	const spared = n - 4
	// q, out, feed-forward, gate, q's adapter, attention
	less := 2*(2*spared*10*10) + 2*(2*spared*10*23) + 2*spared*10*8 + 2*(2*spared*10*2) + 2*(2*spared*11*10)
	assert.Equal(t, w.Forward-float64(less), stepWork(cfg, shape).Forward)
	assert.Equal(t, w.Backward-float64(less+2*(2*spared*10*2)+2*(2*spared*11*10)), stepWork(cfg, shape).Backward,
		"adapter and attention go back to both")
	assert.Equal(t, w.Recomputed-float64(2*spared*11*10), stepWork(cfg, shape).Recomputed)
	shape.read = nil

	shape.depth = 1 // hidden state 0 is kept
	assert.Equal(t, float64(forward-projection-position), stepWork(cfg, shape).Forward)
	assert.Equal(t, w.Backward, stepWork(cfg, shape).Backward)
	shape.depth = 2 // hidden state 1, so that layer 1 is the lowest
	w = stepWork(cfg, shape)
	assert.Equal(t, float64((forward-projection-position-resampling-readouts)/2+resampling+readouts), w.Forward)
	assert.Equal(t, float64(first+resampling+2*readouts), w.Backward)
	shape.clips = []int{33} // one clip of as many frames: three times the attention
	assert.Equal(t, w.Forward+float64(2*2*product), stepWork(cfg, shape).Forward)
}

// TestStepWorkIsWhatKernelsDo compares the count with the shapes of the products that a step really calls.
func TestStepWorkIsWhatKernelsDo(t *testing.T) {
	opt := smallStep()
	opt.Subjects, opt.Seconds = 2, 1.3
	b, err := newBench(t.Context(), opt)
	require.NoError(t, err)
	defer b.close()
	require.NoError(t, b.fill(t.Context()))
	p := torch.NewProfile()
	_, err = b.step(p.Context(t.Context()), 1)
	require.NoError(t, err)
	done := 0.
	for _, k := range p.Report().Kernels {
		done += k.GFLOP * 1e9
	}
	assert.InEpsilon(t, b.work().Forward, done, 1e-9)
}

// TestProfileOfStep looks for every part, and for time that is in none.
func TestProfileOfStep(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	opt := smallStep()
	opt.Config.Hidden, opt.Config.Inner, opt.Config.Layers = 128, 512, 9
	opt.Voxels = 2000
	p := torch.NewProfile()
	times, err := Run(p.Context(t.Context()), opt)
	require.NoError(t, err)
	timed := p.Report().Phases
	require.Len(t, timed, 4)
	assert.Equal(t, []string{phases.PhaseOpening, phases.PhaseFill, phases.PhaseStep, phases.PhasePeak},
		[]string{timed[0].Name, timed[1].Name, timed[2].Name, timed[3].Name})
	step := timed[2]
	assert.Equal(t, 4, step.Times, "with the first")
	took := 0.
	for _, s := range times.Steps {
		took += s
	}
	assert.Less(t, took, step.Seconds)
	assert.Less(t, step.Other, .05*step.Seconds, "in no part")
	parts := map[string]torch.PartTime{}
	for _, part := range step.Parts {
		parts[part.Name] = part
	}
	assert.Len(t, parts, 8)
	for _, name := range []string{speech.PartAttention, speech.PartFeedForward, speech.PartNorms} {
		require.Len(t, parts[name].Numbers, 9, name)
		for _, n := range parts[name].Numbers {
			assert.Positive(t, n.Forward, name)
			assert.Positive(t, n.Backward, name)
		}
	}
	assert.Positive(t, parts[speech.PartEmbedding].Forward)
	assert.Zero(t, parts[speech.PartEmbedding].Backward, "it is frozen")
	assert.Positive(t, parts[phases.PartReadout].Backward)
	assert.Positive(t, parts[phases.PartLoss].Backward)
	assert.Positive(t, parts[phases.PartOptimizer].Seconds)
	assert.Positive(t, parts[phases.PartData].Seconds)
}
