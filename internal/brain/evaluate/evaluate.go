package evaluate

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/phases"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/torch"
)

// Baseline holds the predictions of the untuned model for the test rows, from the experiment's
// layer and from the layer with the best validation score. Tuning must beat the latter, since
// choosing a layer needs no tuning.
type Baseline struct {
	Study      *study.Study
	Groups     []stats.Group
	Base, Best []encoding.Prediction // by subject
	Resolution []float64             // of predictions, by subject, as [stats.Resolution] measures it; nil: the least
	bestLayer  int

	features []encoding.RowFeatures      // of Base, where rows are bins
	want     map[int][]float32           // the test rows of subjects, by their number, once they were read
	ceilings map[int]*stats.NoiseCeiling // likewise; nil: their test rows have no repeats
}

// ScoredLayerBaseline returns a baseline of the experiment's layer alone.
func ScoredLayerBaseline(ctx context.Context, st *study.Study) (*Baseline, error) {
	f, err := encoding.Read(ctx, st, st.Reader(st.Model), progress.Read("base"), st.StoriesOf(study.Train, study.Test),
		st.ScoredLayers()...)
	if err != nil {
		return nil, err
	}
	b := &Baseline{Study: st, bestLayer: st.Experiment.Model.Layer}
	if st.Data.IsSeries() {
		b.features = f
	}
	// The ridge comes before the groups of voxels: it measures the responses as it reads them.
	if b.Base, err = encoding.Predict(ctx, st, st.Subjects, f, study.Test); err != nil {
		return nil, err
	}
	b.Best = b.Base
	b.Groups, err = st.Groups(ctx)
	return b, err
}

// NewBaseline evaluates every layer of the untuned model.
func NewBaseline(ctx context.Context, st *study.Study) (*Baseline, error) {
	b := &Baseline{Study: st}
	var err error
	if b.Groups, err = st.Groups(ctx); err != nil {
		return nil, err
	}
	features, err := encoding.Read(ctx, st, st.Reader(st.Model), progress.Read("base"),
		st.StoriesOf(study.Train, study.Val, study.Test), st.AllLayers()...)
	if err != nil {
		return nil, err
	}
	var top float64
	for l := range features {
		st.Options.Progress(progress.Event{Phase: progress.ChooseLayer, Done: l, Total: len(features)})
		r, err := encoding.ValidationR(ctx, st, features[l:l+1])
		if err != nil {
			return nil, err
		}
		if l == 0 || r > top {
			b.bestLayer, top = l, r
		}
	}
	scored := st.ScoredLayers()
	if err = b.predictBase(ctx, features[scored[0]:st.Experiment.Model.Layer+1]); err != nil {
		return nil, err
	}
	b.Best = b.Base
	if len(scored) > 1 || b.bestLayer != st.Experiment.Model.Layer {
		b.Best, err = encoding.Predict(ctx, st, st.Subjects, features[b.bestLayer:b.bestLayer+1], study.Test)
	}
	return b, err
}

// Evaluation is a baseline and a tuned model on the same rows.
type Evaluation struct {
	*Baseline
	Summary *results.Summary
	Tuned   []encoding.Prediction     // nil if there is none
	layer   *int                      // of the tuned features; nil for regressors
	Voxels  []stats.TestFamily        // by subject: tuned against base; nil if there is no tuned system
	Margins map[string]results.Margin // of the locked analysis plan
	own     []ownFeatures             // of eval.features
	lags    []lagScores               // of bins
}

// Compare scores a tuned model (nil: none) and the baseline on the test rows. Each has its own
// ridge, fitted to the same training rows with the same folds and seeds.
func (b *Baseline) Compare(ctx context.Context, tuned *study.Tuned) (*Evaluation, error) {
	if tuned == nil {
		return b.beside(ctx, "untuned model", nil, nil)
	}
	if tuned.Untuned {
		return b.beside(ctx, "tuned model", b.Base, b.Study.ScoredLayer())
	}
	st := b.Study
	f, err := encoding.Read(ctx, st, st.Reader(tuned.Model), progress.Read("tuned"), st.StoriesOf(study.Train,
		study.Test),
		st.ScoredLayers()...)
	if err != nil {
		return nil, err
	}
	predicted, err := encoding.Predict(ctx, st, st.Subjects, f, study.Test)
	if err != nil {
		return nil, err
	}
	return b.beside(ctx, "tuned model", predicted, st.ScoredLayer())
}

// beside scores predictions of the test rows (nil: none) against the baseline.
func (b *Baseline) beside(ctx context.Context, what string, predicted []encoding.Prediction, layer *int) (*Evaluation,
	error) {
	status, err := recordTestRead(b.Study, what, b.Study.Subjects, b.Groups)
	if err != nil {
		return nil, err
	}
	e := &Evaluation{Baseline: b, Summary: &results.Summary{Schema: results.RunSchema, Notes: b.Study.Notes,
		AnalysisPlan: status}, Tuned: predicted, layer: layer}
	if status != nil {
		e.Margins = status.Margins
	}
	b.Study.Options.Progress(progress.Event{Phase: progress.Score})
	var test *stats.PairedResult
	if e.Summary.Test, test, err = e.Score(ctx); test != nil {
		e.Voxels = test.Voxels
	}
	return e, err
}

// Evaluate scores the untuned model on the test rows and, unless tuned is nil, the tuned model and
// the untuned model's best layer. The scores of each voxel and summary.json are written to dir
// unless it is empty.
func Evaluate(ctx context.Context, st *study.Study, tuned *study.Tuned, dir string) (*results.Summary, error) {
	err := checkFeatures(ctx, st)
	if err != nil {
		return nil, err
	}
	var b *Baseline
	if tuned == nil {
		b, err = ScoredLayerBaseline(ctx, st)
	} else {
		b, err = NewBaseline(ctx, st)
	}
	if err != nil {
		return nil, err
	}
	e, err := b.Compare(ctx, tuned)
	if err == nil {
		err = e.addFeatures(ctx)
	}
	if err == nil {
		err = e.addLags(ctx)
	}
	if err != nil {
		return nil, err
	}
	return e.Summary, e.Write(ctx, dir)
}

// EvaluateRun scores a finished run and writes eval/ in its directory.
func EvaluateRun(ctx context.Context, st *study.Study, run *rundir.Run) (*results.Summary, error) {
	defer torch.Part(ctx, phases.PhaseEvaluation)()
	p, err := finished(st, run)
	if err != nil {
		return nil, err
	}
	return scoreRun(ctx, st, run, p, "eval")
}

// scoreRun scores a finished run on the subjects of the study and writes the scores to its directory.
func scoreRun(ctx context.Context, st *study.Study, run *rundir.Run, p *rundir.Progress,
	dir string) (*results.Summary, error) {
	if err := checkFeatures(ctx, st); err != nil {
		return nil, err
	}
	tuned, err := st.LoadTuned(ctx, run)
	if err != nil {
		return nil, err
	}
	if tuned != nil {
		defer tuned.Close()
	}
	b, err := NewBaseline(ctx, st)
	if err != nil {
		return nil, err
	}
	e, err := b.Compare(ctx, tuned)
	if err == nil {
		err = e.addFeatures(ctx)
	}
	if err != nil {
		return nil, err
	}
	e.Summary.Epochs, e.Summary.Chosen = p.Epochs, p.Epochs[p.Best].Epoch
	var m results.Manifest
	if err := jsonfile.Read("open run", run.File(rundir.ManifestOfRun), &m); err != nil {
		return nil, err
	}
	e.Summary.Provenance = m.Provenance
	return e.Summary, e.Write(ctx, run.File(dir))
}

// finished returns the progress of a finished run.
func finished(st *study.Study, run *rundir.Run) (*rundir.Progress, error) {
	p, err := run.Progress()
	if err != nil {
		return nil, err
	}
	if p.Epoch < st.Experiment.Train.Epochs {
		return nil, fault.New(fault.BadData, "open run", run.Dir, "the training is not finished: %d of %d epochs",
			p.Epoch, st.Experiment.Train.Epochs).
			WithHint("resume %s", run.Dir)
	}
	return p, nil
}
