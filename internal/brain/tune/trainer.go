package tune

import (
	"context"
	"time"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/loss"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/columns"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/phases"
	"github.com/brainwavlm/bwlm/internal/brain/readout"
	"github.com/brainwavlm/bwlm/internal/brain/sections"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Sources of random numbers; each has its own seeds.
const (
	SeedAdapter = iota + 1
	SeedReadout
	seedOrder
	seedStep
	seedProof
)

// readoutPrefix begins the names of the parameters that are not of the model.
const readoutPrefix = "readout."

// Trainer is the state of a training.
type Trainer struct {
	Study     *study.Study
	Model     speech.Encoder // the one that is tuned
	Adapter   *peft.Adapter  // nil unless train.mode is lora
	own       speech.Encoder // a copy of the study's model, in mode full
	Reader    *windows.Reader
	Held      int               // units of a step whose activations stay in memory; the others are computed again
	Readouts  []*readout.Shared // by subject
	Retention *Retention        // nil without retained ROIs
	Order     []Block           // of an epoch, before shuffling
	Adam      *nn.Adam          // of all but the blocks of readouts, which have their own
	Session   nn.Session
	tunes     bool                   // the model changes, not only the readouts
	features  []encoding.RowFeatures // of training and validation stories, as last read, by hidden state of readLayers
	Zscore    map[string]design.ZScore
	Progress  rundir.Progress
	written   time.Time              // when a checkpoint was last saved, or tried
	unsaved   *checkpoint            // the best one, if it could not be written
	valid     []encoding.VoxelScores // of the last validation; nil in mode readout
	columns   [][]columns.Block      // by rank: the blocks of tuned voxels of all subjects
	loss      loss.Columns           // of subjects with several blocks
	alphas    [][]float64            // (voxels) of each subject at epoch 0; nil unless eval.reuse_alphas
	sums      *exactSum              // of a step's gradients; nil before the first step that needs one
}

// NewTrainer creates the adapter or the copy of the model, the readouts and the optimizer.
func NewTrainer(ctx context.Context, st *study.Study) (*Trainer, error) {
	t := &Trainer{Study: st, Model: st.Model, tunes: st.Experiment.Train.Mode != experiment.TrainReadout,
		loss: loss.ByColumns(st.LossName, st.Experiment.Train, st.Experiment.Compat)}
	t.shareColumns()
	err := t.prepareModel(ctx)
	if err == nil {
		err = t.prepareReadouts(ctx)
	}
	if err == nil {
		t.Retention, err = t.newRetention(ctx)
	}
	if err != nil {
		t.Close()
		return nil, err
	}
	t.Reader = st.Reader(t.Model)
	t.Reader.Ranks = st.Options.Ranks
	t.Held = int(max(1, st.Options.StepBytes/max(st.UnitBytes(), 1)))
	t.Order = Blocks(t.Study.Subjects, st.Experiment.Train)
	if len(t.Order) == 0 {
		t.Close()
		return nil, fault.New(fault.BadData, "tune", st.Data.Name(),
			"no part of data.train has %d rows, which make a block", leastKept)
	}
	return t, nil
}

func (t *Trainer) Close() {
	if t.Adam != nil {
		t.Adam.Close()
	}
	for _, r := range t.Readouts {
		r.Close()
	}
	t.Retention.close()
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
		if t.Adapter, err = peft.New(study.AdapterConfig(exp, t.Study.Model,
			torch.Seed(exp.Train.Seed, SeedAdapter))); err != nil {
			return err
		}
		if t.Model, err = t.Study.Adapted(ctx, t.Adapter); err == nil && exp.Adapter.Init != "" {
			err = t.initAdapter(ctx, exp.Adapter.Init)
		}
	case experiment.TrainFull:
		if t.own, err = study.OpenModel(ctx, exp, false, exp.Model.ReinitLayers...); err == nil {
			t.Model = t.own
		}
	}
	return err
}

func (t *Trainer) prepareReadouts(ctx context.Context) error {
	exp := t.Study.Experiment
	width := t.Study.Model.Architecture().Width * len(t.Study.Delays)
	t.Session = nn.Session{Stores: append([]*nn.Store(nil), t.Model.Session().Stores...),
		Device:  t.Model.Session().Device,
		Compute: t.Model.Session().Compute}
	var readouts, mixes, model nn.Group
	for i, p := range t.Study.Subjects {
		r, err := t.newReadout(ctx, i, width)
		if err != nil {
			return err
		}
		t.Readouts = append(t.Readouts, r)
		t.Session.Stores = append(t.Session.Stores, r.Stores()...)
		if !t.ridgeReadouts() {
			readouts = readouts.With(readoutPrefix+p.Name+".", r.Stores()[0], nil)
		}
		if r.Whole != nil {
			mixes = mixes.With(readoutPrefix+p.Name+".", r.Whole.Weights.Store, nil)
		}
	}
	readouts.LR, mixes.LR, model.LR = exp.Train.ReadoutLR, exp.Train.LayerWeightsLR, exp.Train.LR
	switch exp.Train.Mode {
	case experiment.TrainLoRA:
		model = model.With("adapter.", t.Adapter.Store(), nil)
	case experiment.TrainFull:
		model = model.With("model.", t.own.Store(), func(name string) bool {
			return study.TrainedInFull(exp, t.own,
				name)
		})
	}
	return torch.Do(ctx, torch.Mode{}, func(s *torch.Scope) error {
		t.Adam = nn.NewAdam(s, nn.AdamOptions{}, model, readouts, mixes)
		for b := range t.blocks() {
			if !t.ridgeReadouts() {
				g := nn.Group{LR: exp.Train.ReadoutLR}
				b.Adam = nn.NewAdam(s, nn.AdamOptions{}, g.With("", b.Store, nil))
			}
		}
		return nil
	})
}

// Prove checks that the adapter trains, on windows of the first block that has any.
func (t *Trainer) Prove(ctx context.Context, order []Block) error {
	defer torch.Part(ctx, phases.PhaseProof)()
	if t.Adapter == nil {
		return nil
	}
	var stim *windows.Stimulus
	var runs []windows.Unit
	for _, b := range order {
		stim = t.Study.Stimuli[b.Story]
		section := sections.Of(stim.Tuning, b.From, b.To, t.Study.Experiment.Train.ContextRows)
		if runs = t.Reader.Units(stim, section.Vectors.From, section.Vectors.To); len(runs) > 0 {
			break
		}
	}
	if len(runs) == 0 {
		return fault.New(fault.BadData, "check adapter", t.Study.Data.Name(),
			"no training row has audio in its stimulus window").
			WithHint("check data.train and the data set's first_tr_seconds")
	}
	run := runs[len(runs)-1]
	run.Clips.To = min(run.Clips.To, run.Clips.From+4)
	run.Windows.To = min(run.Windows.To, stim.Clips[run.Clips.To-1].Windows.To)
	plain := *t.Reader
	plain.Pass = speech.Pass{}
	return windows.SoundError(t.Adapter.CheckTrains(ctx, &t.Session,
		torch.Seed(t.Study.Experiment.Train.Seed, seedProof), func(s *torch.Scope) *torch.Tensor {
			return plain.Vectors(s, stim, run, []int{t.Study.Experiment.Model.Layer})[0]
		}))
}

// states returns the number of hidden states of the readout's input: model.layer alone, or with
// layer weights all up to it.
func (t *Trainer) states() int {
	if t.Study.Experiment.Readout.LayerWeights == experiment.LayerWeightsNone {
		return 1
	}
	return t.Study.Experiment.Model.Layer + 1
}

// hidden returns the vectors of consecutive windows (n, E), or those of all weighted states concatenated (n, L·E).
func (t *Trainer) hidden(s *torch.Scope, stim *windows.Stimulus, run windows.Unit) *torch.Tensor {
	top := t.Study.Experiment.Model.Layer
	var layers []int
	for l := top + 1 - t.states(); l <= top; l++ {
		layers = append(layers, l)
	}
	if len(layers) == 1 {
		return t.Reader.Vectors(s, stim, run, layers)[0]
	}
	return torch.Cat(1, t.Reader.Vectors(s, stim, run, layers)...)
}

// zscoreOf returns the statistics that standardise a story's features while tuning; nil where a
// compat switch uses those of the block.
func (t *Trainer) zscoreOf(story string) *design.ZScore {
	if t.Study.Experiment.Compat.BlockZScore {
		return nil
	}
	z := t.Zscore[story]
	return &z
}
