package brain

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/brainwavlm/bwlm/brain/align"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/frames"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/wavlm"
)

// Options are what a study needs beside its experiment. The zero value is useful.
type Options struct {
	MaxBytes   int64         // most memory of the process, from which the next two follow; 0: as the experiment's max_memory says
	CacheBytes int64         // budget in memory of what no tuning changes; 0: 2 GiB
	Disk       *frames.Store // keeps that beyond the budget, and for other runs; nil: nothing does
	HalfFrames bool          // round it to bf16, which takes half the room and changes results a little
	BatchBytes int64         // aim for the memory of one forward and backward pass; 0: 2.5 GiB
	Purpose    string        // for the looks at test rows of a sealed experiment: the command
	Progress   func(Event)   // called from the goroutine that works; may be nil
	Details    bool          // events at the end of an epoch have Details
}

// Event tells where a long computation is.
type Event struct {
	Phase string  // "read base", "tune", "validate", "score", "warning"
	Done  int     // of Total
	Total int     // 0 if unknown
	Epoch int     // while tuning
	Loss  float64 // of the last step
	R     float64 // of the readout on the last step's rows, or of validation
	Note  string  // of a warning

	Took    time.Duration // by the last step
	Details *Details      // at the end of an epoch, if Options.Details wants them
}

// Study is an experiment with its data and model at hand.
type Study struct {
	Experiment *experiment.Experiment
	Data       *dataset.Dataset
	Model      *wavlm.Model // untuned
	Audit      *align.Report
	Notes      []string // what the user should know, from data and model

	opt      Options
	people   []*person
	stimuli  map[string]*stimulus
	stories  []string // in the data set's order
	delays   []int    // in TRs
	loss     Loss
	lossName string
	frozen   *frozen
	waves    map[string][]float32 // stories as the model hears them; shared with variants
	owns     bool                 // the cache of frozen
	closes   bool                 // the model
	took     time.Duration        // to open it
}

// Open opens the data set and the model that the experiment names.
func Open(ctx context.Context, exp *experiment.Experiment, opt Options) (*Study, error) {
	defer torch.Part(ctx, PhaseOpening)()
	start := time.Now()
	exp, note, err := settled(exp)
	if err != nil {
		return nil, err
	}
	data, err := dataset.Open(exp.Data.Path)
	if err != nil {
		return nil, err
	}
	model, err := openModel(ctx, exp, true)
	if err != nil {
		return nil, err
	}
	st, err := New(ctx, exp, data, model, opt)
	if err != nil {
		model.Close()
		return nil, err
	}
	if note != "" {
		st.note("%s", note)
	}
	st.closes, st.took = true, time.Since(start)
	return st, nil
}

// openModel loads the experiment's model on its device. A frozen one takes less memory in bf16.
func openModel(ctx context.Context, exp *experiment.Experiment, frozen bool) (*wavlm.Model, error) {
	device, err := deviceOf(exp.Device)
	if err != nil {
		return nil, err
	}
	compute, err := computeOf(exp.DType)
	if err != nil {
		return nil, err
	}
	return wavlm.Load(ctx, exp.Model.Path, wavlm.Options{Device: device, Compute: compute, Frozen: frozen})
}

// New makes a study of data and a model that are at hand. It loads the responses and audio of the splits, and
// refuses splits that share stimulus.
func New(ctx context.Context, exp *experiment.Experiment, data *dataset.Dataset, model *wavlm.Model, opt Options) (*Study, error) {
	if opt.Progress == nil {
		opt.Progress = func(Event) {}
	}
	st := &Study{Experiment: exp, Data: data, Model: model, opt: opt, Notes: slices.Clone(model.Notes), waves: map[string][]float32{}, owns: true}
	st.frozen = &frozen{model: model, normalise: exp.Model.Normalise == "window", half: opt.HalfFrames && model.Session().Compute == torch.Float32}
	if st.frozen.half {
		st.note("what no tuning changes is rounded to bf16: results are not, to the last bits, those without")
	}
	err := st.prepare(ctx)
	if err == nil {
		err = st.shareMemory(cmp.Or(opt.MaxBytes, exp.MaxBytes()))
	}
	if err != nil {
		st.Close()
		return nil, err
	}
	st.opt.BatchBytes, st.opt.CacheBytes = cmp.Or(st.opt.BatchBytes, defaultBatchBytes), cmp.Or(st.opt.CacheBytes, defaultCacheBytes)
	st.frozen.cache = newCache(st.opt.CacheBytes, opt.Disk, func(err error) { st.opt.Progress(Event{Phase: "warning", Note: err.Error()}) })
	return st, nil
}

// prepare loads what the experiment needs and checks it.
func (st *Study) prepare(ctx context.Context) error {
	for _, step := range []func(context.Context) error{st.checkModel, st.loadPeople, st.weigh, st.auditSplits, st.loadStimuli, st.chooseLoss, st.noteMethod} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close frees what the study holds.
func (st *Study) Close() {
	if st.owns {
		st.frozen.cache.close()
	}
	if st.closes {
		st.Model.Close()
	}
}

func (st *Study) checkModel(context.Context) error {
	exp := st.Experiment
	if n := st.Model.Config.Layers; exp.Model.Layer > n {
		return fault.New(fault.Usage, "open study", "model.layer", "%d, the model has hidden states 0 to %d", exp.Model.Layer, n)
	}
	if exp.Train.Mode == "lora" && exp.Model.Layer == 0 {
		return fault.New(fault.Usage, "open study", "model.layer", "0 is below all layers that an adapter could change").
			Advise("read a higher layer, or use train.mode: readout")
	}
	for _, l := range exp.Adapter.Layers {
		if l >= exp.Model.Layer {
			return fault.New(fault.Usage, "open study", "adapter.layers", "layer %d is never run when hidden state %d is read", l, exp.Model.Layer).
				Advise("hidden state %d is the output of layer %d, the layers below it are 0 to %d", exp.Model.Layer, exp.Model.Layer-1, exp.Model.Layer-1)
		}
	}
	var err error
	st.delays, err = align.Delays(exp.Readout.DelaysSeconds, st.Data.TR())
	return err
}

func (st *Study) loadPeople(ctx context.Context) error {
	names, err := st.Data.Subjects(st.Experiment.Data.Subjects...)
	if err != nil {
		return err
	}
	for _, name := range names {
		p, err := loadPerson(ctx, st.Experiment, st.Data, name)
		if err != nil {
			return err
		}
		st.people = append(st.people, p)
		st.noteRaw(p)
	}
	return nil
}

// noteRaw warns of responses in scanner units, and of constant voxels.
func (st *Study) noteRaw(p *person) {
	for _, story := range st.Data.StoriesOf(p.name) {
		r := p.responses[story]
		if r == nil {
			continue
		}
		if raw := r.repeats.Raw(); len(raw) > 0 && st.Experiment.Data.Detrend == "none" {
			st.note("%s/%s: %d of %d columns look raw (|mean| above 3 SD); consider data.detrend: legendre:N", p.name, story, len(raw), p.voxels)
		}
		if c := r.repeats.Constant(0, r.rows); len(c) > 0 {
			st.note("%s/%s: %d of %d voxels are constant; they are left out of means", p.name, story, len(c), p.voxels)
		}
	}
}

func (st *Study) auditSplits(context.Context) (err error) {
	if st.Audit, err = audit(st.reach(), st.Data, st.people); err != nil {
		return err
	}
	return st.refuse(st.Audit)
}

// refuse refuses the leaks of an audit, or, where the experiment allows them, notes each.
func (st *Study) refuse(report *align.Report) error {
	if !st.Experiment.Data.AllowLeak {
		return report.Err()
	}
	for _, leak := range report.Leaks {
		st.note("LEAK, allowed by data.allow_leak: %s; scores on these rows are no evidence", leak)
	}
	return nil
}

// reach is the audio that one row depends on.
func (st *Study) reach() align.Reach {
	exp, tr, rowTime := st.Experiment, st.Data.TR(), st.Data.RowTime()
	if exp.Compat.TimesAtTRStarts {
		rowTime = 0
	}
	behind := clipLength(exp.Model)
	reach := align.LanczosReach(behind, tr, st.delays)
	if exp.Model.Downsample == "average" {
		reach = align.AverageReach(behind, tr, rowTime, st.delays)
	}
	if exp.Model.Mode == "block" { // a frame hears its clip to the end
		reach.Ahead += behind
	}
	return reach
}

func (st *Study) loadStimuli(ctx context.Context) error {
	st.stimuli = map[string]*stimulus{}
	for _, story := range st.Data.Stories() {
		rows := 0
		for _, p := range st.people {
			if r := p.responses[story]; r != nil && p.statisticsRows(story) != nil {
				rows = max(rows, r.rows)
			}
		}
		if rows == 0 {
			continue
		}
		s, err := st.loadStimulus(ctx, story, func(align.Clock, int) int { return rows })
		if err != nil {
			return err
		}
		s.statistics = statisticsRows(st.people, story)
		st.stimuli[story] = s
		st.stories = append(st.stories, story)
	}
	return nil
}

// loadStimulus reads the audio of a story, if no variant has done so, and cuts it. The function says how many rows it
// has, given its clock and samples.
func (st *Study) loadStimulus(ctx context.Context, story string, rows func(align.Clock, int) int) (*stimulus, error) {
	wave, err := st.wave(ctx, story)
	if err != nil {
		return nil, err
	}
	clock, err := st.Data.Clock(story)
	if err != nil {
		return nil, err
	}
	return cut(st.Experiment, clock, story, wave, rows(clock, len(wave)))
}

// wave is the audio of a story as the model hears it.
func (st *Study) wave(ctx context.Context, story string) ([]float32, error) {
	if wave := st.waves[story]; wave != nil {
		return wave, nil
	}
	defer torch.Part(ctx, PartData)()
	wave, err := st.Data.Audio(ctx, story)
	if err != nil {
		return nil, err
	}
	if st.normalises() {
		wave = wavlm.Normalise(wave)
	}
	st.waves[story] = wave
	return wave, nil
}

// normalises says whether the whole waveform of a story is standardised.
func (st *Study) normalises() bool {
	how := st.Experiment.Model.Normalise
	return how == "story" || how == "auto" && st.Model.Preprocessor.Normalise
}

// statisticsRows are the rows of a story behind the z-score of its features: those of the first split in which
// anybody has the story.
func statisticsRows(people []*person, story string) []align.Rows {
	for _, split := range Splits {
		var rows []align.Rows
		for _, p := range people {
			for _, r := range p.parts[split] {
				if r.Story == story {
					rows = append(rows, align.Rows{From: r.From, To: r.To})
				}
			}
		}
		if rows != nil {
			return union(rows)
		}
	}
	return nil
}

// union sorts ranges of rows and joins those that touch, so that each row counts once.
func union(rows []align.Rows) (out []align.Rows) {
	slices.SortFunc(rows, func(a, b align.Rows) int { return cmp.Compare(a.From, b.From) })
	for _, r := range rows {
		if last := len(out) - 1; last >= 0 && r.From <= out[last].To {
			out[last].To = max(out[last].To, r.To)
			continue
		}
		out = append(out, r)
	}
	return out
}

// chooseLoss resolves train.loss for the people at hand.
func (st *Study) chooseLoss(context.Context) error {
	least := len(st.people[0].tuned)
	for _, p := range st.people {
		least = min(least, len(p.tuned))
	}
	loss, name, err := newLoss(st.Experiment.Train, least, st.Experiment.Compat.ShrunkenLossR)
	if err != nil {
		return fault.New(fault.Usage, "open study", "train.loss", "%v", err)
	}
	st.loss, st.lossName = loss, name
	if st.Experiment.Train.Loss == "auto" {
		st.note("train.loss: auto means %s here: %d varying targets", name, least)
	}
	return nil
}

// noteMethod says how seconds became rows, and what that costs.
func (st *Study) noteMethod(context.Context) error {
	exp := st.Experiment
	st.note("readout.delays_seconds %v are %v TRs of %g s", exp.Readout.DelaysSeconds, st.delays, st.Data.TR())
	if longest := slices.Max(st.delays); exp.Train.HaloTRs < longest && !exp.Compat.NoHalo {
		st.note("train.halo_trs %d is less than the longest delay of %d TRs: the first rows of each block lack their history", exp.Train.HaloTRs, longest)
	}
	if exp.Readout.LayerMix != "none" && exp.Eval.Layer == "model" {
		st.note("readout.layer_mix trains hidden states below %d too, and scores read that one alone; eval.layer: voxel gives each voxel its best", exp.Model.Layer)
	}
	if story := st.inSeveralSplits(); story != "" && exp.Data.Detrend != "none" {
		st.note("data.detrend is fitted over the whole of %s, whose rows are in several splits", story)
	}
	return nil
}

// inSeveralSplits finds a story of which more than one split has rows.
func (st *Study) inSeveralSplits() string {
	for _, story := range st.stories {
		in := 0
		for _, split := range Splits {
			if slices.Contains(st.storiesOf(split), story) {
				in++
			}
		}
		if in > 1 {
			return story
		}
	}
	return ""
}

// note adds to Notes what is not there yet.
func (st *Study) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(st.Notes, text) {
		st.Notes = append(st.Notes, text)
	}
}

// reader reads windows with a model, which may be a tuned view of the study's, or one of its shape and front end.
func (st *Study) reader(model *wavlm.Model) *reader {
	exp := st.Experiment
	r := &reader{model: model, frozen: st.frozen, token: exp.Model.Token}
	r.pass.Regularise = wavlm.Regularise{Hidden: exp.Train.Dropout, Attention: exp.Train.Dropout, Projection: exp.Train.Dropout,
		LayerDrop: exp.Train.LayerDrop, Time: wavlm.Spans{Prob: exp.Train.SpecAugment, Length: 10, Min: 2}}
	r.batch = batchSize(model.Config, exp.Model, st.opt.BatchBytes)
	if model.Store() == st.Model.Store() {
		r.shared = max(model.SharedStates(), 0)
		if model.SharedStates() < 0 { // an adapter in the front end
			r.frozen = &frozen{model: model, normalise: st.frozen.normalise, half: st.frozen.half}
		}
	}
	r.keep = st.keptDepth(r)
	return r
}

// keptDepth is the depth of the frames that are kept, such that training, validation and evaluation share them. The
// untuned model, to which no depth is too much, so goes by the adapter that there will be; -1 if there will be none.
func (st *Study) keptDepth(r *reader) int {
	switch train := st.Experiment.Train; {
	case r.disturbed():
		return 0
	case r.shared <= r.model.Config.Layers:
		return r.shared
	case train.Mode == "readout":
		return -1
	case train.Mode == "full" || slices.Contains(st.Experiment.Adapter.Targets, "all-linear"):
		return 0
	case len(st.Experiment.Adapter.Layers) > 0:
		return slices.Min(st.Experiment.Adapter.Layers) + 1
	}
	return 1
}

// OnProgress sends the events of what follows elsewhere.
func (st *Study) OnProgress(to func(Event)) { st.opt.Progress = to }

// Progress tells whoever follows the study of work that is done outside it.
func (st *Study) Progress(e Event) { st.opt.Progress(e) }
