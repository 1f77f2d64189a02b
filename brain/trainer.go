package brain

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
	"github.com/brainwavlm/bwlm/wavlm"
)

// Things that draw random numbers; each has its own seeds.
const (
	seedAdapter = iota + 1
	seedReadout
	seedOrder
	seedStep
	seedProof
)

// trainer is everything that changes while a study is tuned.
type trainer struct {
	*Study
	model    *wavlm.Model  // the one that is tuned
	adapter  *peft.Adapter // nil unless train.mode is lora
	own      *wavlm.Model  // a copy of the study's model, in mode full
	reader   *reader
	readouts []*Readout // by person
	guard    *guard     // nil if no region is guarded
	order    []block    // of an epoch, before shuffling
	adam     *nn.Adam
	session  nn.Session
	tunes    bool          // the model changes, not only the readouts
	features []rowFeatures // of training and validation stories, as last read, by hidden state of readLayers
	zscore   map[string]design.ZScore
	progress Progress
	unsaved  *checkpoint   // the best one, if the disk refused it
	valid    []voxelScores // of the last validation; nil in mode readout
}

// newTrainer makes the adapter or copy, the readouts and the optimizer, as they are before the first step.
func (st *Study) newTrainer(ctx context.Context) (*trainer, error) {
	t := &trainer{Study: st, model: st.Model, tunes: st.Experiment.Train.Mode != experiment.TrainReadout}
	err := t.prepareModel(ctx)
	if err == nil {
		err = t.prepareReadouts(ctx)
	}
	if err == nil {
		t.guard, err = t.newGuard(ctx)
	}
	if err != nil {
		t.close()
		return nil, err
	}
	t.reader = st.reader(t.model)
	t.order = blocks(t.people, st.Experiment.Train.BlockRows, st.Experiment.Train.Joint == experiment.JointShared)
	return t, nil
}

func (t *trainer) close() {
	if t.adam != nil {
		t.adam.Close()
	}
	for _, r := range t.readouts {
		r.close()
	}
	t.guard.close()
	if t.adapter != nil {
		t.adapter.Close()
	}
	if t.own != nil {
		t.own.Close()
	}
}

func (t *trainer) prepareModel(ctx context.Context) (err error) {
	exp := t.Experiment
	switch exp.Train.Mode {
	case experiment.TrainLoRA:
		if t.adapter, err = peft.New(adapterConfig(exp, t.Model.Config)); err != nil {
			return err
		}
		t.model, err = t.adapted(ctx, t.adapter, torch.Seed(exp.Train.Seed, seedAdapter))
	case experiment.TrainFull:
		t.own, err = openModel(ctx, exp, false)
		t.model = t.own
	}
	return err
}

// adapted is a view of the study's model with an adapter, whose pairs are drawn with a seed if they are new.
func (st *Study) adapted(ctx context.Context, a *peft.Adapter, seed uint64) (view *wavlm.Model, err error) {
	mode := torch.Mode{Seed: seed, Device: st.Model.Session().Device, Compute: st.Model.Session().Compute}
	err = torch.Do(ctx, mode, func(s *torch.Scope) error {
		view, err = st.Model.View(s, a, a.Store())
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, w := range a.Warnings() {
		st.note("adapter: %s", w)
	}
	return view, a.Check()
}

// adapterConfig turns the experiment's adapter into PEFT's terms. Layers that are never run are not adapted.
func adapterConfig(exp *experiment.Experiment, cfg wavlm.Config) peft.Config {
	method := &peft.LoRA{R: exp.Adapter.R, Alpha: exp.Adapter.Alpha, Dropout: exp.Adapter.Dropout, RSLoRA: exp.Adapter.Type == "rslora"}
	c := peft.Config{Method: method, BaseModel: exp.Model.Path, LayersToTransform: exp.Adapter.Layers}
	if c.LayersToTransform == nil {
		for l := range exp.Model.Layer {
			c.LayersToTransform = append(c.LayersToTransform, l)
		}
	}
	c.TargetModules = peft.Targets(exp.Adapter.Targets...)
	if strings.EqualFold(c.TargetModules.Pattern, "all-linear") { // spelt out, since a pattern knows no layers
		c.TargetModules = peft.Targets("q_proj", "k_proj", "v_proj", "out_proj", "intermediate_dense", "output_dense",
			"feature_projection.projection")
		if cfg.Family == wavlm.WavLM {
			c.TargetModules.List = append(c.TargetModules.List, "gru_rel_pos_linear")
		}
	}
	return c
}

func (t *trainer) prepareReadouts(ctx context.Context) error {
	exp := t.Experiment
	width := t.Model.Config.Hidden * len(t.delays)
	t.session = nn.Session{Stores: append([]*nn.Store(nil), t.model.Session().Stores...), Device: t.model.Session().Device,
		Compute: t.model.Session().Compute}
	var readouts, mixes, model nn.Group
	for i, p := range t.people {
		mode := torch.Mode{Seed: torch.Seed(exp.Train.Seed, seedReadout, uint64(i)), Device: t.session.Device}
		store, bottleneck := nn.NewStore(), exp.Readout.Bottleneck
		if t.pinned() {
			bottleneck = 0
		}
		err := torch.Do(ctx, mode, func(s *torch.Scope) error {
			r, err := newReadout(s, store, width, bottleneck, len(p.tuned))
			t.readouts = append(t.readouts, r)
			if err == nil && t.mixed() > 1 {
				err = t.mixReadout(s, r, p)
			}
			return err
		})
		if err != nil {
			return err
		}
		t.session.Stores = append(t.session.Stores, store)
		if !t.pinned() {
			readouts = readouts.With("readout."+p.name+".", store, nil)
		}
		if m := t.readouts[i].mix; m != nil {
			t.session.Stores = append(t.session.Stores, m.store)
			mixes = mixes.With("readout."+p.name+".", m.store, nil)
		}
	}
	readouts.LR, mixes.LR, model.LR = exp.Train.ReadoutLR, exp.Train.LayerWeightsLR, exp.Train.LR
	switch exp.Train.Mode {
	case experiment.TrainLoRA:
		model = model.With("adapter.", t.adapter.Store(), nil)
	case experiment.TrainFull:
		model = model.With("model.", t.own.Store(), trainedInFull)
	}
	return torch.Do(ctx, torch.Mode{}, func(s *torch.Scope) error {
		t.adam = nn.NewAdam(s, nn.AdamOptions{}, model, readouts, mixes)
		return nil
	})
}

// trainedInFull are the weights that full fine-tuning changes: all but the convolutions, as is the custom
// (freeze_feature_encoder in transformers), so that their output can be kept.
func trainedInFull(name string) bool { return !strings.HasPrefix(name, "feature_extractor.") }

// prove shows that the adapter is alive on windows of the first block that hears any.
func (t *trainer) prove(ctx context.Context, order []block) error {
	defer torch.Part(ctx, PhaseProof)()
	if t.adapter == nil {
		return nil
	}
	var stim *stimulus
	var runs []run
	for _, b := range order {
		stim = t.stimuli[b.story]
		sp := spanOf(stim, b, t.Experiment.Train.ContextRows)
		if runs = t.reader.runs(stim, sp.windows.From, sp.windows.To); len(runs) > 0 {
			break
		}
	}
	if len(runs) == 0 {
		return fault.New(fault.BadData, "prove adapter", t.Data.Name(), "no training row hears any audio").
			Advise("check data.train and the data set's first_tr_seconds")
	}
	run := runs[len(runs)-1]
	run.clips.To = min(run.clips.To, run.clips.From+4)
	run.windows.To = min(run.windows.To, stim.clips[run.clips.To-1].windows.To)
	plain := *t.reader
	plain.pass = wavlm.Pass{}
	return t.adapter.CheckTrains(ctx, &t.session, torch.Seed(t.Experiment.Train.Seed, seedProof), func(s *torch.Scope) *torch.Tensor {
		return plain.vectors(s, stim, run, []int{t.Experiment.Model.Layer})[0]
	})
}

// step does one optimizer step on a block and gives its loss.
func (t *trainer) step(ctx context.Context, b block, seed uint64) (loss float64, err error) {
	defer torch.Part(ctx, PhaseStep)()
	stim := t.stimuli[b.story]
	sp := spanOf(stim, b, t.Experiment.Train.ContextRows)
	runs := t.reader.runs(stim, sp.windows.From, sp.windows.To)
	err = t.session.Train(ctx, seed, func(s *torch.Scope) error {
		if t.reader.atOnce(runs) || !t.tunes {
			loss = t.backward(s, b, sp, t.vectors(s, stim, runs))
		} else {
			loss = t.backwardInRuns(s, b, sp, stim, runs, seed)
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return fault.New(fault.BadData, "tune", fmt.Sprintf("%s[%d:%d]", b.story, b.from, b.to), "the loss is %v", loss).
				Advise("lower train.lr; the last good checkpoint is kept")
		}
		defer torch.Part(ctx, PartOptimizer)()
		t.adam.Step()
		t.adam.ClearGrad()
		return nil
	})
	return loss, err
}

// mixed is the number of hidden states that the readout sees: model.layer alone, or with a layer mix all up to it.
func (t *trainer) mixed() int {
	if t.Experiment.Readout.LayerWeights == experiment.LayerWeightsNone {
		return 1
	}
	return t.Experiment.Model.Layer + 1
}

// hidden reads a run of windows: their vectors (n, E), or side by side those of all mixed states (n, L·E).
func (t *trainer) hidden(s *torch.Scope, stim *stimulus, run run) *torch.Tensor {
	top := t.Experiment.Model.Layer
	var layers []int
	for l := top + 1 - t.mixed(); l <= top; l++ {
		layers = append(layers, l)
	}
	if len(layers) == 1 {
		return t.reader.vectors(s, stim, run, layers)[0]
	}
	return torch.Cat(1, t.reader.vectors(s, stim, run, layers)...)
}

// vectors gives the windows' vectors (windows, E) with gradients, if the model is tuned.
func (t *trainer) vectors(s *torch.Scope, stim *stimulus, runs []run) *torch.Tensor {
	read := func(s *torch.Scope) *torch.Tensor {
		var xs []*torch.Tensor
		for _, run := range runs {
			xs = append(xs, t.hidden(s, stim, run))
		}
		if len(xs) == 0 {
			return s.Zeros(0, t.Model.Config.Hidden*t.mixed())
		}
		return torch.Cat(0, xs...).To(torch.Float32)
	}
	if !t.tunes {
		return s.Frozen(read)
	}
	return read(s)
}

// zscoreOf are the statistics that standardise a story's features while tuning; nil where compat wants those of the
// block.
func (t *trainer) zscoreOf(story string) *design.ZScore {
	if t.Experiment.Compat.BlockZScore {
		return nil
	}
	z := t.zscore[story]
	return &z
}

// backwardInRuns is backward for blocks whose activations do not fit in memory at once: the vectors are read without
// gradients first, the gradient of the loss with respect to them is computed, and each run of windows is read again
// to carry that gradient into the model.
func (t *trainer) backwardInRuns(s *torch.Scope, b block, sp span, stim *stimulus, runs []run, seed uint64) float64 {
	inRun := func(run run, grad bool, fn func(s *torch.Scope, x *torch.Tensor)) {
		mode := s.Mode()
		mode.Grad, mode.Seed = grad, torch.Seed(seed, uint64(run.windows.From))
		err := torch.Do(s.Context(), mode, func(s *torch.Scope) error {
			fn(s, t.hidden(s, stim, run).To(torch.Float32))
			return nil
		})
		if err != nil {
			panic(err)
		}
	}
	var data []float32
	for _, run := range runs {
		inRun(run, false, func(_ *torch.Scope, x *torch.Tensor) { data = append(data, x.Float32s()...) })
	}
	width := t.Model.Config.Hidden * t.mixed()
	vectors := s.FromFloat32(data, len(data)/width, width).RequireGrad(true)
	loss := t.backward(s, b, sp, vectors)
	grad := vectors.Grad(s).Float32s()
	for _, run := range runs {
		n := (run.windows.To - run.windows.From) * width
		part := grad[:n]
		grad = grad[n:]
		inRun(run, true, func(s *torch.Scope, x *torch.Tensor) {
			x.Mul(s.FromFloat32(part, x.Shape()...)).Sum().Backward()
		})
	}
	return loss
}

// block cuts rows and columns out of the responses: (to-from, len(columns)).
func (r *response) block(from, to int, columns []int, voxels int) []float32 {
	out := make([]float32, 0, (to-from)*len(columns))
	for k := from; k < to; k++ {
		row := r.data[k*voxels : (k+1)*voxels]
		for _, c := range columns {
			out = append(out, row[c])
		}
	}
	return out
}
