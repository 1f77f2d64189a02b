package planning

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/torch"
)

// operations returns the floating-point operations of the products that do forms, two for each multiplication with its
// addition. What is done element by element counts 0, being limited by memory.
func operations(ctx context.Context, do func(context.Context) error) (float64, error) {
	p := torch.NewProfile()
	err := do(p.Context(ctx))
	sum := 0.
	for _, k := range p.Report().Kernels {
		sum += 1e9 * k.GFLOP
	}
	return sum, err
}

// countReading counts the operations of reading the last group of clips of a piece: without cached activations, with
// them, and at all layers.
func (c *calibration) countReading(ctx context.Context, piece *windows.Stimulus) error {
	st := c.trainer.Study
	all := piece.All(piece.Groups[len(piece.Groups)-1]).Windows
	layers := c.trainer.ReadLayers()
	own := *c.trainer.Reader.Frozen
	own.Cache = windows.NewCache(planCache, nil, nil)
	defer own.Cache.Close()
	count := func(r *windows.Reader, layers []int) (float64, error) {
		one := *r
		one.Frozen = &own
		n, err := operations(ctx, func(ctx context.Context) error {
			_, err := one.Part(ctx, piece, all.From, all.To, layers)
			return err
		})
		return n / float64(all.Len()), err
	}
	whole, err := count(c.trainer.Reader, layers)
	if err != nil {
		return err
	}
	if slices.Max(layers) >= c.trainer.Reader.Shared { // else the vectors are read once
		if c.flops.tuned, err = count(c.trainer.Reader, layers); err != nil {
			return err
		}
	}
	c.flops.front = whole - c.flops.tuned
	if c.flops.base, err = count(st.Reader(st.Model), st.AllLayers()); err != nil {
		return err
	}
	c.flops.step = backwardShare[st.Experiment.Train.Mode] * c.flops.tuned
	return nil
}

// backwardShare is a step's number of operations for each of its forward pass: gradients of activations take as many
// again, and so do those of weights.
var backwardShare = map[experiment.TrainMode]float64{experiment.TrainReadout: 1, experiment.TrainLoRA: 2,
	experiment.TrainFull: 3}

// readoutOperations returns the operations of the trained readouts in a run: forward, gradients of weights and of
// features.
func readoutOperations(w *work) float64 {
	rows := 0
	for _, p := range w.st.Subjects {
		rows += p.RowsOf(study.Train)
	}
	each := float64(w.parameters-w.modelParameters) / float64(len(w.st.Subjects))
	return 3 * 2 * each * float64(rows*w.st.Experiment.Train.Epochs)
}
