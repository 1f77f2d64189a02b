package tensorboard

import (
	"maps"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/internal/tfevents"
)

// Board writes the events of one training.
type Board struct {
	steps, epochs *tfevents.Writer
	rates         []tfevents.Scalar // learning rates
	warn          func(error)
	started       bool
	broken        bool
	from          rundir.Progress // where the training resumes
}

// Open makes the files below dir, so that a folder that cannot be written is known before a
// training starts. Later failures are passed to warn, once, and the training continues without its
// board.
func Open(dir string, exp *experiment.Experiment, warn func(error)) (*Board, error) {
	b := &Board{rates: rates(exp), warn: warn}
	var err error
	if b.steps, err = tfevents.Create(filepath.Join(dir, "steps")); err != nil {
		return nil, err
	}
	if b.epochs, err = tfevents.Create(filepath.Join(dir, "epochs")); err != nil {
		_ = b.steps.Close()
		return nil, err
	}
	return b, nil
}

// From records that the training resumes from a checkpoint. Without it, the training starts at step 0.
func (b *Board) From(p rundir.Progress) { b.from = p }

// Close closes the files. What nothing was written to is removed.
func (b *Board) Close() error {
	err := b.steps.Close()
	if e := b.epochs.Close(); err == nil {
		err = e
	}
	return err
}

// Event writes the training values of an event of a study; other events are ignored.
func (b *Board) Event(e progress.Event) {
	if b.broken || e.Phase != progress.Tune && e.Details == nil {
		return
	}
	err := b.start()
	switch {
	case err != nil:
	case e.Phase == progress.Tune:
		err = b.steps.Write(int64(e.Done), b.step(e)...)
	default:
		err = b.epochs.Write(int64(e.Details.Epoch.Step), epoch(e.Details)...)
	}
	if err != nil {
		b.broken = true
		b.warn(err)
	}
}

// start begins the sessions: steps after the checkpoint are to come, and so are epochs after the
// last one that was validated, which may be the checkpoint's own if it was saved before that.
func (b *Board) start() error {
	if b.started {
		return nil
	}
	b.started = true
	epoch := int64(0)
	if n := len(b.from.Epochs); n > 0 {
		epoch = int64(b.from.Epochs[n-1].Step) + 1
	}
	if err := b.steps.Start(int64(b.from.Step) + 1); err != nil {
		return err
	}
	return b.epochs.Start(epoch)
}

func (b *Board) step(e progress.Event) []tfevents.Scalar {
	out := []tfevents.Scalar{{Tag: "loss/train", Value: e.Loss}}
	if e.R != 0 { // the loss is one of correlation
		out = append(out, tfevents.Scalar{Tag: "score/train", Value: e.R})
	}
	out = append(out, b.rates...)
	return append(out, tfevents.Scalar{Tag: "seconds_per_step", Value: e.Took.Seconds()})
}

// rates are the learning rates of what an experiment trains. They do not change.
func rates(exp *experiment.Experiment) (out []tfevents.Scalar) {
	for _, r := range []struct {
		trained bool
		tag     string
		rate    float64
	}{
		{exp.Train.Mode != experiment.TrainReadout, "learning_rate/model", exp.Train.LR},
		{exp.Readout.Mode != experiment.ReadoutRidge, "learning_rate/readout", exp.Train.ReadoutLR},
		{exp.Readout.LayerWeights != experiment.LayerWeightsNone, "learning_rate/layer_weights",
			exp.Train.LayerWeightsLR},
	} {
		if r.trained {
			out = append(out, tfevents.Scalar{Tag: r.tag, Value: r.rate})
		}
	}
	return out
}

func epoch(d *progress.EpochMetrics) (out []tfevents.Scalar) {
	if d.Epoch.Loss != nil {
		out = append(out, tfevents.Scalar{Tag: "loss/train", Value: *d.Epoch.Loss})
	}
	out = append(out, tfevents.Scalar{Tag: "loss/validation", Value: d.Loss},
		tfevents.Scalar{Tag: "score/validation", Value: d.Epoch.ValR})
	if d.Epoch.RetainedR != nil {
		out = append(out, tfevents.Scalar{Tag: "score/retained", Value: *d.Epoch.RetainedR})
	}
	for _, name := range slices.Sorted(maps.Keys(d.Regions)) {
		out = append(out, tfevents.Scalar{Tag: "rois/" + name, Value: d.Regions[name]})
	}
	return out
}
