package brain

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/analysisplan"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// Baseline is what the untuned model predicts of the test rows: at the experiment's layer, and at the layer that the
// validation rows like best. A gain that a better layer gives for nothing is not a gain.
type Baseline struct {
	study      *Study
	groups     []stats.Group
	base, best []prediction // by person
	bestLayer  int
}

// untuned predicts from the experiment's layer alone.
func (st *Study) untuned(ctx context.Context) (*Baseline, error) {
	f, err := st.read(ctx, st.reader(st.Model), "read base", st.storiesOf(Train, Test), st.scoredLayers()...)
	if err != nil {
		return nil, err
	}
	b := &Baseline{study: st, bestLayer: st.Experiment.Model.Layer}
	if b.groups, err = st.groups(ctx); err != nil {
		return nil, err
	}
	b.base, err = st.predict(ctx, st.people, f, Test)
	b.best = b.base
	return b, err
}

// Baseline reads every layer of the untuned model.
func (st *Study) Baseline(ctx context.Context) (*Baseline, error) {
	b := &Baseline{study: st}
	var err error
	if b.groups, err = st.groups(ctx); err != nil {
		return nil, err
	}
	layers := make([]int, st.Model.Config.Layers+1)
	for l := range layers {
		layers[l] = l
	}
	features, err := st.read(ctx, st.reader(st.Model), "read base", st.storiesOf(Train, Val, Test), layers...)
	if err != nil {
		return nil, err
	}
	var top float64
	for l := range features {
		st.opt.Progress(Event{Phase: "choose layer", Done: l, Total: len(features)})
		r, err := st.validationR(ctx, features[l:l+1], 0)
		if err != nil {
			return nil, err
		}
		if l == 0 || r > top {
			b.bestLayer, top = l, r
		}
	}
	scored := st.scoredLayers()
	if b.base, err = st.predict(ctx, st.people, features[scored[0]:st.Experiment.Model.Layer+1], Test); err != nil {
		return nil, err
	}
	b.best = b.base
	if len(scored) > 1 || b.bestLayer != st.Experiment.Model.Layer {
		b.best, err = st.predict(ctx, st.people, features[b.bestLayer:b.bestLayer+1], Test)
	}
	return b, err
}

// Evaluation is a baseline beside a tuned model.
type Evaluation struct {
	*Baseline
	Summary *Summary
	tuned   []prediction                   // nil if there is none
	layer   *int                           // that tuned is read from; nil for regressors
	voxels  []stats.Tests                  // by person: tuned against base; nil if there is no tuned system
	margins map[string]analysisplan.Margin // that were sealed
}

// Compare scores a tuned model (nil: none) beside the baseline on the test rows, each by a ridge of its own on the
// same training rows, with the same folds and seeds.
func (b *Baseline) Compare(ctx context.Context, tuned *Tuned) (*Evaluation, error) {
	if tuned == nil {
		return b.beside(ctx, "untuned model", nil, nil)
	}
	st := b.study
	f, err := st.read(ctx, st.reader(tuned.Model), "read tuned", st.storiesOf(Train, Test), st.scoredLayers()...)
	if err != nil {
		return nil, err
	}
	predicted, err := st.predict(ctx, st.people, f, Test)
	if err != nil {
		return nil, err
	}
	return b.beside(ctx, "tuned model", predicted, st.scoredLayer())
}

// beside scores predictions of the test rows (nil: none) beside the baseline's.
func (b *Baseline) beside(ctx context.Context, what string, predicted []prediction, layer *int) (*Evaluation, error) {
	status, err := b.study.look(what, b.study.people, b.groups)
	if err != nil {
		return nil, err
	}
	e := &Evaluation{Baseline: b, Summary: &Summary{Schema: 1, Notes: b.study.Notes, Seal: status}, tuned: predicted, layer: layer}
	if status != nil {
		e.margins = status.Margins
	}
	b.study.opt.Progress(Event{Phase: "score"})
	var test *stats.Paired
	if e.Summary.Test, test, err = e.score(ctx); test != nil {
		e.voxels = test.Voxels
	}
	return e, err
}

// Evaluate scores the untuned model and, if there is a tuned one (else nil), that and the untuned model's best layer,
// on the test rows. Dir takes the
// scores of each voxel and summary.json; "" writes none.
func (st *Study) Evaluate(ctx context.Context, tuned *Tuned, dir string) (*Summary, error) {
	var b *Baseline
	var err error
	if tuned == nil {
		b, err = st.untuned(ctx)
	} else {
		b, err = st.Baseline(ctx)
	}
	if err != nil {
		return nil, err
	}
	e, err := b.Compare(ctx, tuned)
	if err != nil {
		return nil, err
	}
	return e.Summary, e.Write(dir)
}

// EvaluateRun scores a finished run and writes eval/ of its directory.
func (st *Study) EvaluateRun(ctx context.Context, run *Run) (*Summary, error) {
	defer torch.Part(ctx, PhaseEvaluation)()
	p, err := st.finished(run)
	if err != nil {
		return nil, err
	}
	return st.scoreRun(ctx, run, p, "eval")
}

// scoreRun scores a finished run on the people of the study and writes below its directory.
func (st *Study) scoreRun(ctx context.Context, run *Run, p *Progress, dir string) (*Summary, error) {
	tuned, err := st.LoadTuned(ctx, run)
	if err != nil {
		return nil, err
	}
	if tuned != nil {
		defer tuned.Close()
	}
	b, err := st.Baseline(ctx)
	if err != nil {
		return nil, err
	}
	e, err := b.Compare(ctx, tuned)
	if err != nil {
		return nil, err
	}
	e.Summary.Epochs, e.Summary.Chosen = p.Epochs, p.Epochs[p.Best].Epoch
	return e.Summary, e.Write(run.file(dir))
}

// finished gives the progress of a run that came to its end.
func (st *Study) finished(run *Run) (*Progress, error) {
	p, err := run.Progress()
	if err != nil {
		return nil, err
	}
	if p.Epoch < st.Experiment.Train.Epochs {
		return nil, fault.New(fault.BadData, "open run", run.Dir, "the training is not finished: %d of %d epochs", p.Epoch, st.Experiment.Train.Epochs).
			Advise("go on with bwlm resume %s", run.Dir)
	}
	return p, nil
}
