package tune

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/internal/encoding"
	"github.com/brainwavlm/bwlm/brain/internal/study"
	"github.com/brainwavlm/bwlm/brain/internal/windows"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/readout"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
	"github.com/brainwavlm/bwlm/wavlm"
)

// Things that draw random numbers; each has its own seeds.
const (
	SeedAdapter = iota + 1
	SeedReadout
	seedOrder
	seedStep
	seedProof
)

// Trainer is everything that changes while a study is tuned.
type Trainer struct {
	Study    *study.Study
	Model    *wavlm.Model  // the one that is tuned
	Adapter  *peft.Adapter // nil unless train.mode is lora
	own      *wavlm.Model  // a copy of the study's model, in mode full
	Reader   *windows.Reader
	Readouts []*readout.Readout // by person
	Guard    *Guard             // nil if no region is guarded
	Order    []Block            // of an epoch, before shuffling
	Adam     *nn.Adam
	Session  nn.Session
	tunes    bool                   // the model changes, not only the readouts
	features []encoding.RowFeatures // of training and validation stories, as last read, by hidden state of readLayers
	Zscore   map[string]design.ZScore
	Progress results.Progress
	unsaved  *results.Checkpoint    // the best one, if the disk refused it
	valid    []encoding.VoxelScores // of the last validation; nil in mode readout
}

// NewTrainer makes the adapter or copy, the readouts and the optimizer, as they are before the first step.
func NewTrainer(ctx context.Context, st *study.Study) (*Trainer, error) {
	t := &Trainer{Study: st, Model: st.Model, tunes: st.Experiment.Train.Mode != experiment.TrainReadout}
	err := t.prepareModel(ctx)
	if err == nil {
		err = t.prepareReadouts(ctx)
	}
	if err == nil {
		t.Guard, err = t.newGuard(ctx)
	}
	if err != nil {
		t.Close()
		return nil, err
	}
	t.Reader = st.Reader(t.Model)
	t.Order = Blocks(t.Study.Subjects, st.Experiment.Train.BlockRows, st.Experiment.Train.Joint == experiment.JointShared)
	return t, nil
}

func (t *Trainer) Close() {
	if t.Adam != nil {
		t.Adam.Close()
	}
	for _, r := range t.Readouts {
		r.Close()
	}
	t.Guard.close()
	if t.Adapter != nil {
		t.Adapter.Close()
	}
	if t.own != nil {
		t.own.Close()
	}
}

func (t *Trainer) prepareModel(ctx context.Context) (err error) {
	exp := t.Study.Experiment
	switch exp.Train.Mode {
	case experiment.TrainLoRA:
		if t.Adapter, err = peft.New(study.AdapterConfig(exp, t.Study.Model.Config)); err != nil {
			return err
		}
		t.Model, err = t.Study.Adapted(ctx, t.Adapter, torch.Seed(exp.Train.Seed, SeedAdapter))
	case experiment.TrainFull:
		t.own, err = study.OpenModel(ctx, exp, false)
		t.Model = t.own
	}
	return err
}

func (t *Trainer) prepareReadouts(ctx context.Context) error {
	exp := t.Study.Experiment
	width := t.Study.Model.Config.Hidden * len(t.Study.Delays)
	t.Session = nn.Session{Stores: append([]*nn.Store(nil), t.Model.Session().Stores...), Device: t.Model.Session().Device,
		Compute: t.Model.Session().Compute}
	var readouts, mixes, model nn.Group
	for i, p := range t.Study.Subjects {
		mode := torch.Mode{Seed: torch.Seed(exp.Train.Seed, SeedReadout, uint64(i)), Device: t.Session.Device}
		store, bottleneck := nn.NewStore(), exp.Readout.Bottleneck
		if t.pinned() {
			bottleneck = 0
		}
		err := torch.Do(ctx, mode, func(s *torch.Scope) error {
			r, err := readout.New(s, store, width, bottleneck, len(p.Tuned))
			t.Readouts = append(t.Readouts, r)
			if err == nil && t.mixed() > 1 {
				err = t.mixReadout(s, r, p)
			}
			return err
		})
		if err != nil {
			return err
		}
		t.Session.Stores = append(t.Session.Stores, store)
		if !t.pinned() {
			readouts = readouts.With("readout."+p.Name+".", store, nil)
		}
		if m := t.Readouts[i].Mix; m != nil {
			t.Session.Stores = append(t.Session.Stores, m.Store)
			mixes = mixes.With("readout."+p.Name+".", m.Store, nil)
		}
	}
	readouts.LR, mixes.LR, model.LR = exp.Train.ReadoutLR, exp.Train.LayerWeightsLR, exp.Train.LR
	switch exp.Train.Mode {
	case experiment.TrainLoRA:
		model = model.With("adapter.", t.Adapter.Store(), nil)
	case experiment.TrainFull:
		model = model.With("model.", t.own.Store(), trainedInFull)
	}
	return torch.Do(ctx, torch.Mode{}, func(s *torch.Scope) error {
		t.Adam = nn.NewAdam(s, nn.AdamOptions{}, model, readouts, mixes)
		return nil
	})
}

// trainedInFull are the weights that full fine-tuning changes: all but the convolutions, as is the custom
// (freeze_feature_encoder in transformers), so that their output can be kept.
func trainedInFull(name string) bool { return !strings.HasPrefix(name, "feature_extractor.") }

// Prove shows that the adapter is alive on windows of the first block that hears any.
func (t *Trainer) Prove(ctx context.Context, order []Block) error {
	defer torch.Part(ctx, progress.PhaseProof)()
	if t.Adapter == nil {
		return nil
	}
	var stim *windows.Stimulus
	var runs []windows.Batch
	for _, b := range order {
		stim = t.Study.Stimuli[b.Story]
		section := stim.Tuning.Section(b.From, b.To, t.Study.Experiment.Train.ContextRows)
		if runs = t.Reader.Runs(stim, section.Vectors.From, section.Vectors.To); len(runs) > 0 {
			break
		}
	}
	if len(runs) == 0 {
		return fault.New(fault.BadData, "prove adapter", t.Study.Data.Name(), "no training row hears any audio").
			WithHint("check data.train and the data set's first_tr_seconds")
	}
	run := runs[len(runs)-1]
	run.Clips.To = min(run.Clips.To, run.Clips.From+4)
	run.Windows.To = min(run.Windows.To, stim.Clips[run.Clips.To-1].Windows.To)
	plain := *t.Reader
	plain.Pass = wavlm.Pass{}
	return t.Adapter.CheckTrains(ctx, &t.Session, torch.Seed(t.Study.Experiment.Train.Seed, seedProof), func(s *torch.Scope) *torch.Tensor {
		return plain.Vectors(s, stim, run, []int{t.Study.Experiment.Model.Layer})[0]
	})
}

// Step does one optimizer step on a block and gives its loss.
func (t *Trainer) Step(ctx context.Context, b Block, seed uint64) (loss float64, err error) {
	defer torch.Part(ctx, progress.PhaseStep)()
	stim := t.Study.Stimuli[b.Story]
	section := stim.Tuning.Section(b.From, b.To, t.Study.Experiment.Train.ContextRows)
	runs := t.Reader.Runs(stim, section.Vectors.From, section.Vectors.To)
	err = t.Session.Train(ctx, seed, func(s *torch.Scope) error {
		if t.Reader.AtOnce(runs) || !t.tunes {
			loss = t.Backward(s, b, section, t.Vectors(s, stim, runs))
		} else {
			loss = t.BackwardInRuns(s, b, section, stim, runs, seed)
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return fault.New(fault.BadData, "tune", fmt.Sprintf("%s[%d:%d]", b.Story, b.From, b.To), "the loss is %v", loss).
				WithHint("lower train.lr; the last good checkpoint is kept")
		}
		defer torch.Part(ctx, progress.PartOptimizer)()
		t.Adam.Step()
		t.Adam.ClearGrad()
		return nil
	})
	return loss, err
}

// mixed is the number of hidden states that the readout sees: model.layer alone, or with a layer mix all up to it.
func (t *Trainer) mixed() int {
	if t.Study.Experiment.Readout.LayerWeights == experiment.LayerWeightsNone {
		return 1
	}
	return t.Study.Experiment.Model.Layer + 1
}

// hidden reads a run of windows: their vectors (n, E), or side by side those of all mixed states (n, L·E).
func (t *Trainer) hidden(s *torch.Scope, stim *windows.Stimulus, run windows.Batch) *torch.Tensor {
	top := t.Study.Experiment.Model.Layer
	var layers []int
	for l := top + 1 - t.mixed(); l <= top; l++ {
		layers = append(layers, l)
	}
	if len(layers) == 1 {
		return t.Reader.Vectors(s, stim, run, layers)[0]
	}
	return torch.Cat(1, t.Reader.Vectors(s, stim, run, layers)...)
}

// Vectors gives the windows' vectors (windows, E) with gradients, if the model is tuned.
func (t *Trainer) Vectors(s *torch.Scope, stim *windows.Stimulus, runs []windows.Batch) *torch.Tensor {
	read := func(s *torch.Scope) *torch.Tensor {
		var xs []*torch.Tensor
		for _, run := range runs {
			xs = append(xs, t.hidden(s, stim, run))
		}
		if len(xs) == 0 {
			return s.Zeros(0, t.Study.Model.Config.Hidden*t.mixed())
		}
		return torch.Cat(0, xs...).ToType(torch.Float32)
	}
	if !t.tunes {
		return s.Frozen(read)
	}
	return read(s)
}

// zscoreOf are the statistics that standardise a story's features while tuning; nil where compat wants those of the
// block.
func (t *Trainer) zscoreOf(story string) *design.ZScore {
	if t.Study.Experiment.Compat.BlockZScore {
		return nil
	}
	z := t.Zscore[story]
	return &z
}

// BackwardInRuns is backward for blocks whose activations do not fit in memory at once: the vectors are read without
// gradients first, the gradient of the loss with respect to them is computed, and each run of windows is read again
// to carry that gradient into the model.
func (t *Trainer) BackwardInRuns(s *torch.Scope, b Block, section design.Section, stim *windows.Stimulus, runs []windows.Batch, seed uint64) float64 {
	inRun := func(run windows.Batch, grad bool, fn func(s *torch.Scope, x *torch.Tensor)) {
		mode := s.Mode()
		mode.Grad, mode.Seed = grad, torch.Seed(seed, uint64(run.Windows.From))
		err := torch.Do(s.Context(), mode, func(s *torch.Scope) error {
			fn(s, t.hidden(s, stim, run).ToType(torch.Float32))
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
	width := t.Study.Model.Config.Hidden * t.mixed()
	vectors := s.FromFloat32(data, len(data)/width, width).RequireGrad(true)
	loss := t.Backward(s, b, section, vectors)
	grad := vectors.Grad(s).Float32s()
	for _, run := range runs {
		n := (run.Windows.To - run.Windows.From) * width
		part := grad[:n]
		grad = grad[n:]
		inRun(run, true, func(s *torch.Scope, x *torch.Tensor) {
			x.Mul(s.FromFloat32(part, x.Shape()...)).Sum().Backward()
		})
	}
	return loss
}
