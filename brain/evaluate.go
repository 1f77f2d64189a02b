package brain

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/brain/seal"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/ckpt"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/wavlm"
)

// Summary is what an evaluation found, as bwlm eval prints it.
type Summary struct {
	Schema int      `json:"schema"`
	Test   Scores   `json:"test"`
	Epochs []Epoch  `json:"epochs,omitempty"` // of the training, if there was one
	Chosen int      `json:"chosen_epoch,omitempty"`
	Notes  []string `json:"notes,omitempty"`

	Seal *seal.Status `json:"seal,omitempty"` // if the experiment was sealed before its training
}

// Scores are the scores of one split.
type Scores struct {
	Rows          int      `json:"rows"` // of the person with most
	Subjects      []string `json:"subjects"`
	Base          System   `json:"base"`
	BaseBestLayer *System  `json:"base_best_layer,omitempty"`
	Tuned         *System  `json:"tuned,omitempty"`
	Delta         *Delta   `json:"delta,omitempty"`            // tuned less base
	DeltaBest     *Delta   `json:"delta_best_layer,omitempty"` // tuned less base at its best layer
	Ceiling       *System  `json:"ceiling,omitempty"`
}

// System is the score of one way to predict: the mean over people of the mean r of their voxels that vary.
type System struct {
	Layer *int               `json:"layer,omitempty"`
	MeanR float64            `json:"mean_r"`
	CI95  *stats.Interval    `json:"ci95"`
	ROIs  map[string]float64 `json:"rois"`

	OfCeiling *Share `json:"percent_of_ceiling,omitempty"`
}

// Delta is the difference of two systems with a paired interval.
type Delta struct {
	MeanR float64         `json:"mean_r"`
	CI95  *stats.Interval `json:"ci95"`
	Significance
	Reason   string                `json:"no_interval_because,omitempty"`
	ROIs     map[string]DeltaROI   `json:"rois"`
	Auditory *stats.NonInferiority `json:"auditory_loss,omitempty"` // of 5 % of the other system's r, if a region is auditory cortex
}

// DeltaROI is a Delta of one region.
type DeltaROI struct {
	MeanR float64         `json:"mean_r"`
	CI95  *stats.Interval `json:"ci95"`
	Significance
}

// Tuned is the outcome of a training as an evaluation needs it.
type Tuned struct {
	Model *wavlm.Model
	close func()
}

// Close frees what came with the model.
func (t *Tuned) Close() { t.close() }

// LoadTuned reads the tuned model of a finished run. It is nil where training changed readouts only.
func (st *Study) LoadTuned(ctx context.Context, run *Run) (*Tuned, error) {
	switch st.Experiment.Train.Mode {
	case "lora":
		return st.LoadAdapter(ctx, run.file("adapter"))
	case "full":
		exp := *st.Experiment
		exp.Model.Path = run.file("model")
		m, err := openModel(ctx, &exp)
		if err != nil {
			return nil, err
		}
		return &Tuned{m, m.Close}, nil
	}
	return nil, nil
}

// LoadAdapter adapts the study's model with the adapter in a folder.
func (st *Study) LoadAdapter(ctx context.Context, dir string) (*Tuned, error) {
	a, err := peft.Load(dir)
	if err != nil {
		return nil, err
	}
	view, err := st.adapted(ctx, a, 0)
	if err != nil {
		a.Close()
		return nil, err
	}
	return &Tuned{view, a.Close}, nil
}

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
	b.base, err = st.predict(ctx, f, Test)
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
	if b.base, err = st.predict(ctx, features[scored[0]:st.Experiment.Model.Layer+1], Test); err != nil {
		return nil, err
	}
	b.best = b.base
	if len(scored) > 1 || b.bestLayer != st.Experiment.Model.Layer {
		b.best, err = st.predict(ctx, features[b.bestLayer:b.bestLayer+1], Test)
	}
	return b, err
}

// Evaluation is a baseline beside a tuned model.
type Evaluation struct {
	*Baseline
	Summary *Summary
	tuned   []prediction // nil if there is none
	layer   *int         // that tuned is read from; nil for regressors
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
	predicted, err := st.predict(ctx, f, Test)
	if err != nil {
		return nil, err
	}
	return b.beside(ctx, "tuned model", predicted, st.scoredLayer())
}

// beside scores predictions of the test rows (nil: none) beside the baseline's.
func (b *Baseline) beside(ctx context.Context, what string, predicted []prediction, layer *int) (*Evaluation, error) {
	status, err := b.study.look(what, b.groups)
	if err != nil {
		return nil, err
	}
	e := &Evaluation{Baseline: b, Summary: &Summary{Schema: 1, Notes: b.study.Notes, Seal: status}, tuned: predicted, layer: layer}
	b.study.opt.Progress(Event{Phase: "score"})
	e.Summary.Test, err = e.Scores(ctx)
	return e, err
}

// Evaluate scores the untuned model and, if there is a tuned one (else nil), that and the untuned model's best layer,
// on the test rows. Dir takes the
// scores of each voxel and summary.json; "" writes none.
func (st *Study) Evaluate(ctx context.Context, tuned *Tuned, dir string) (*Summary, error) {
	start := st.Baseline
	if tuned == nil {
		start = st.untuned
	}
	b, err := start(ctx)
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

// everything is the group of all voxels, under a name that no region has; tunedGroup those that the loss looked at.
const (
	everything = ""
	tunedGroup = "tuned"
)

// groups are all voxels, the tuned ones, and the regions of the data set.
func (st *Study) groups(ctx context.Context) ([]stats.Group, error) {
	groups := []stats.Group{{Name: everything}, {Name: tunedGroup}}
	for _, p := range st.people {
		groups[1].Columns = append(groups[1].Columns, p.tuned)
	}
	for _, roi := range st.regions() {
		if roi == tunedGroup {
			return nil, fault.New(fault.BadData, "evaluate", st.Data.Name(), "%q means the tuned voxels, so no region can have that name", roi)
		}
		g := stats.Group{Name: roi}
		for _, p := range st.people {
			columns, err := region(ctx, st.Data, roi, p.name, p.voxels)
			if err != nil {
				return nil, err
			}
			g.Columns = append(g.Columns, columns)
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// subjects puts predictions beside the responses of some people, story by story, as the bootstrap wants them.
func (e *Evaluation) subjects(who []int, base []prediction) []stats.Subject {
	out := make([]stats.Subject, len(who))
	for k, i := range who {
		p := e.study.people[i]
		out[k].Voxels = p.voxels
		from := 0
		for _, r := range p.parts[Test] {
			n := (r.To - r.From) * p.voxels
			s := stats.Story{Name: fmt.Sprintf("%s[%d:%d]", r.Story, r.From, r.To), Rows: r.To - r.From,
				Want: p.responses[r.Story].data[r.From*p.voxels : r.To*p.voxels], Base: base[i].pred[from : from+n]}
			if e.tuned != nil {
				s.Tuned = e.tuned[i].pred[from : from+n]
			}
			out[k].Stories = append(out[k].Stories, s)
			from += n
		}
	}
	return out
}

// Scores compares the systems on the test rows of the named people, all if none is named.
func (e *Evaluation) Scores(ctx context.Context, names ...string) (out Scores, err error) {
	st := e.study
	var who []int
	for i, p := range st.people {
		if len(names) == 0 || slices.Contains(names, p.name) {
			who = append(who, i)
			out.Subjects = append(out.Subjects, p.name)
			out.Rows = max(out.Rows, e.base[i].rows)
		}
	}
	groups := groupsOf(e.groups, who)
	b, d, err := e.against(ctx, who, e.base, groups)
	if err != nil {
		return out, err
	}
	layer := st.scoredLayer()
	out.Base = system(b, layer, func(g stats.GroupScore) stats.Score { return g.Base })
	out.Ceiling = e.ceiling(who)
	out.Base.OfCeiling = out.Base.shareOf(out.Ceiling)
	if e.tuned == nil {
		return out, nil
	}
	best, dBest, err := e.against(ctx, who, e.best, groups)
	if err != nil {
		return out, err
	}
	bestLayer := system(best, &e.bestLayer, func(g stats.GroupScore) stats.Score { return g.Base })
	after := system(b, e.layer, func(g stats.GroupScore) stats.Score { return *g.Tuned })
	bestLayer.OfCeiling, after.OfCeiling = bestLayer.shareOf(out.Ceiling), after.shareOf(out.Ceiling)
	out.BaseBestLayer, out.Tuned, out.Delta, out.DeltaBest = &bestLayer, &after, d, dBest
	return out, nil
}

// groupsOf restricts groups to some people.
func groupsOf(all []stats.Group, who []int) []stats.Group {
	out := slices.Clone(all)
	for g := range out {
		if all[g].Columns == nil {
			continue
		}
		out[g].Columns = nil
		for _, i := range who {
			out[g].Columns = append(out[g].Columns, all[g].Columns[i])
		}
	}
	return out
}

// system reads one side of a bootstrap.
func system(b *stats.Bootstrap, layer *int, side func(stats.GroupScore) stats.Score) System {
	s := System{Layer: layer, ROIs: map[string]float64{}}
	for _, g := range b.Groups {
		score := side(g)
		if g.Name == everything {
			s.MeanR, s.CI95 = score.Mean, score.CI95
			continue
		}
		s.ROIs[g.Name] = score.Mean
	}
	return s
}

// Write leaves each person's scores and ceilings per voxel, predictions and responses as .npy below dir, a description of
// their rows, columns and regions (test/layout.json), and summary.json; dir "" writes nothing.
func (e *Evaluation) Write(dir string) error {
	if dir == "" {
		return nil
	}
	for i, p := range e.study.people {
		want, rows := p.want(Test)
		f := voxelFiles{dir: dir, subject: p.name, rows: rows, voxels: p.voxels}
		f.matrix("responses", want)
		baseR := f.system("base", e.base[i].pred, want)
		if e.tuned != nil {
			f.system("base_best_layer", e.best[i].pred, want)
			tunedR := f.system("tuned", e.tuned[i].pred, want)
			for v := range tunedR {
				tunedR[v] -= baseR[v]
			}
			f.vector("delta_r", tunedR)
		}
		if c, ok := p.testCeiling(); ok {
			ceiling := make([]float32, p.voxels)
			for v, r := range c.CCMax {
				ceiling[v] = float32(r)
			}
			f.vector("ceiling", ceiling)
		}
		if f.err != nil {
			return f.err
		}
	}
	if err := writeJSON(filepath.Join(dir, "test", layoutFile), e.layout()); err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, "summary.json"), e.Summary)
}

// voxelFiles writes the .npy files of one person.
type voxelFiles struct {
	dir, subject string
	rows, voxels int
	err          error // the first
}

func (f *voxelFiles) put(name string, shape []int, x []float32) {
	if f.err != nil {
		return
	}
	r := Run{Dir: f.dir}
	path, err := r.path("test", f.subject, name+".npy")
	if err == nil {
		err = ckpt.WriteNPY(path, shape, x)
	}
	f.err = err
}

func (f *voxelFiles) matrix(name string, x []float32) { f.put(name, []int{f.rows, f.voxels}, x) }
func (f *voxelFiles) vector(name string, x []float32) { f.put(name, []int{f.voxels}, x) }

// system writes the predictions of a system and the score of each voxel, which it gives back.
func (f *voxelFiles) system(name string, pred, want []float32) []float32 {
	r, _ := stats.Correlation(pred, want, f.rows, f.voxels)
	out := make([]float32, len(r))
	for v := range r {
		out[v] = float32(r[v])
	}
	f.matrix(name+"_pred", pred)
	f.vector(name+"_r", out)
	return out
}
