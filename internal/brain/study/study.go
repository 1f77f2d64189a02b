package study

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"time"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/loss"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/activations"
	"github.com/brainwavlm/bwlm/internal/brain/phases"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/hub"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/speech/pretrained"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/dist"
)

// Options are the options of a study that are not in its experiment. The zero value is useful.
type Options struct {
	// most memory of the process, from which the next two follow; 0: as the experiment's max_memory says
	MaxBytes   int64
	CacheBytes int64  // memory budget of the activation cache; 0: 2 GiB
	CacheDir   string // folder of the activation cache on disk, shared by runs; "": none
	DiskBytes  int64  // size of that folder at most; 0: 10 GiB
	HalfFrames bool   // cache in bf16: half the memory, slightly different results
	// activations of one optimizer step; units beyond it are computed again in the backward pass; 0: 2.5 GiB
	StepBytes int64
	Purpose   string               // command that is recorded with reads of the test rows
	Progress  func(progress.Event) // called from the computing goroutine; may be nil
	Details   bool                 // add Details to the event at the end of an epoch

	// AllowChangedBase lets finished runs meet a model other than the one that they were trained on.
	AllowChangedBase bool

	// AllowChangedData lets finished runs meet data that are not what they were when the run began; a note says so.
	AllowChangedData bool

	// CompareSeconds is the time of a plan for comparing ways to extract features; 0: a minute; negative: none
	CompareSeconds float64

	// OnlyCachedPrints compares the audio of stories only if CacheDir has the fingerprints of all.
	OnlyCachedPrints bool

	Ranks    *dist.Group // processes that tune together; nil: this one alone
	FastSums bool        // ranks add gradients up in any order
}

// defaultDiskBytes is the size of the activation cache on disk.
const defaultDiskBytes = 10 << 30

// Study is an experiment with its open data set and model.
type Study struct {
	Experiment *experiment.Experiment
	Data       *dataset.Dataset
	Model      speech.Encoder // untuned
	Audit      *design.Report
	Notes      []string // notes on data and model for the user

	Options    Options
	Subjects   []*Subject
	Stimuli    map[string]*windows.Stimulus
	Stories    []string // in the data set's order
	Delays     []int    // in TRs
	Loss       loss.Func
	LossName   experiment.Loss
	Frozen     *windows.Frozen
	heldOut    [][]int            // chunks that each fold of a ridge holds out; nil: drawn
	waves      *waves             // shared with variants
	disk       *activations.Store // may be nil
	sounds     *sounds            // likewise
	owns       bool               // the cache of frozen
	ridgeBytes int                // responses, or sums over them, that a ridge holds at once; 0: its default
	opened     bool
	measured   bool
	PlanOut    string        // run directory whose locked analysis counts test reads; "": that of the experiment
	OwnsModel  bool          // the model
	Took       time.Duration // to open it

	clips       []int                // samples of each clip, where rows are clips
	normalise   experiment.Normalise // meaning of model.normalise for the model: not auto
	frozenDepth int                  // greatest depth with frozen activations; -1 if nothing is tuned
}

// Open opens the data set and the model that the experiment names.
func Open(ctx context.Context, exp *experiment.Experiment, opt Options) (*Study, error) {
	defer torch.Part(ctx, phases.PhaseOpening)()
	start := time.Now()
	exp, note, err := windows.Settled(exp)
	if err != nil {
		return nil, err
	}
	data, err := OpenData(exp, opt)
	if err != nil {
		return nil, err
	}
	if exp, data, err = designed(exp, data); err != nil {
		return nil, err
	}
	shapes, err := checkShapes(ctx, exp, data)
	if err != nil {
		return nil, err
	}
	model, err := OpenModel(ctx, exp, true)
	if err != nil {
		return nil, err
	}
	st, err := open(ctx, exp, data, model, shapes, opt)
	if err != nil {
		model.Close()
		return nil, err
	}
	if note != "" {
		st.Note("%s", note)
	}
	st.OwnsModel, st.Took = true, time.Since(start)
	return st, nil
}

// seedLayers is the stream of the random numbers of model.reinit_layers.
const seedLayers = 100

// OpenData opens the data set that an experiment names, with its truncated recordings where the experiment allows
// them.
func OpenData(exp *experiment.Experiment, opt Options) (*dataset.Dataset, error) {
	return dataset.Open(exp.Data.Path, func(s *dataset.Spec) {
		s.AllowTruncated = exp.Data.AllowTruncated
		if opt.CacheDir != "" {
			s.CacheDir, s.CacheOnly = filepath.Join(opt.CacheDir, CopiesFolder), opt.OnlyCachedPrints
		}
	})
}

// CopiesFolder is the folder of copies of responses in Options.CacheDir.
const CopiesFolder = "responses"

// OpenModel loads the experiment's model on its device, with some layers at random. A frozen one takes less
// memory in bf16.
func OpenModel(ctx context.Context, exp *experiment.Experiment, frozen bool, random ...int) (speech.Encoder, error) {
	if err := hub.CheckAt("open model", exp.Given("model.path"), exp.Model.Path); err != nil {
		return nil, err
	}
	device, err := torch.OpenDevice(exp.Device)
	if err != nil {
		return nil, err
	}
	compute, err := torch.ComputeType(exp.DType, device)
	if err != nil {
		return nil, err
	}
	return pretrained.Open(ctx, exp.Model.Path, speech.Options{Device: device, Compute: compute, Frozen: frozen,
		Context:      speech.Context(exp.Model.Context),
		RandomLayers: random, Seed: torch.Seed(exp.Train.Seed, seedLayers)})
}

// New returns a study of an open data set and model. Of responses and recordings it reads headers, and refuses shapes
// that do not fit the audio or each other, splits that share stimulus, and a memory bound that is too small. Then the
// audio of stories in different splits is compared.
func New(ctx context.Context, exp *experiment.Experiment, data *dataset.Dataset, model speech.Encoder,
	opt Options) (*Study, error) {
	exp, data, err := designed(exp, data)
	if err != nil {
		return nil, err
	}
	shapes, err := checkShapes(ctx, exp, data)
	if err != nil {
		return nil, err
	}
	return open(ctx, exp, data, model, shapes, opt)
}

// open returns a study of data whose shapes were checked; shapes are the notes of that.
func open(ctx context.Context, exp *experiment.Experiment, data *dataset.Dataset, model speech.Encoder,
	shapes []string, opt Options) (*Study, error) {
	if opt.Progress == nil {
		opt.Progress = func(progress.Event) {}
	}
	st := &Study{Experiment: exp, Data: data, Model: model, Options: opt,
		Notes: slices.Concat(model.Notes(), shapes),
		waves: newWaves(), sounds: newSounds(), owns: true}
	st.Frozen = &windows.Frozen{Model: model, Half: opt.HalfFrames && model.Session().Compute == torch.Float32}
	err := st.openDisk()
	if err == nil {
		err = st.prepare(ctx)
	}
	if err != nil {
		st.Close()
		return nil, err
	}
	disk := st.disk
	if opt.OnlyCachedPrints {
		disk = nil // nothing is written
	}
	st.Frozen.Cache = windows.NewCache(st.Options.CacheBytes, disk,
		func(err error) { st.Options.Progress(progress.Event{Phase: progress.Warning, Note: err.Error()}) })
	st.opened = true
	return st, nil
}

// openDisk opens the folder of the activation cache, if there is to be one.
func (st *Study) openDisk() (err error) {
	if st.Options.CacheDir != "" {
		st.disk, err = activations.Open(st.Options.CacheDir, cmp.Or(st.Options.DiskBytes, defaultDiskBytes))
	}
	return err
}

// prepare opens and checks the data that the experiment needs, by headers until the memory bound was checked.
func (st *Study) prepare(ctx context.Context) error {
	for _, step := range []func(context.Context) error{st.checkRepeats, st.checkModel, st.openSubjects, st.auditSplits,
		st.loadStimuli, st.checkLags, st.shareMemory, st.auditSound, st.chooseLoss, st.readFolds, st.noteMethod,
		st.noteRegions} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close frees the model and the cache of the study.
func (st *Study) Close() {
	if st.owns {
		st.Frozen.Cache.Close()
		if st.disk != nil {
			st.disk.Close()
		}
	}
	if st.OwnsModel {
		st.Model.Close()
	}
}

func (st *Study) checkModel(context.Context) error {
	exp := st.Experiment
	if n := st.Model.Architecture().Layers; exp.Model.Layer > n {
		return fault.New(fault.Usage, "open study", "model.layer", "%d, the model has hidden states 0 to %d",
			exp.Model.Layer, n)
	}
	if exp.Train.Mode == experiment.TrainLoRA && exp.Model.Layer == 0 {
		return fault.New(fault.Usage, "open study", "model.layer",
			"0 is below all layers that an adapter could change").
			WithHint("read a higher layer, or use train.mode: readout")
	}
	for _, l := range exp.Model.ReinitLayers {
		if l >= exp.Model.Layer {
			return fault.New(fault.Usage, "open study", "model.reinit_layers",
				"layer %d is never run when hidden state %d is read", l, exp.Model.Layer).
				WithHint("name layers below it: 0 to %d", exp.Model.Layer-1)
		}
	}
	for _, l := range exp.Adapter.Layers {
		if l >= exp.Model.Layer {
			return fault.New(fault.Usage, "open study", "adapter.layers",
				"layer %d is never run when hidden state %d is read", l, exp.Model.Layer).
				WithHint("hidden state %d is the output of layer %d, the layers below it are 0 to %d", exp.Model.Layer,
					exp.Model.Layer-1, exp.Model.Layer-1)
		}
	}
	m, err := windows.Resolved(exp.Model, st.Model)
	if err != nil {
		return err
	}
	if m.Normalise == experiment.NormaliseStory && (st.Data.IsEvents() || st.Data.IsSeries()) {
		m.Normalise = experiment.NormaliseWindow // each clip, or what is before a bin, by itself
	}
	st.normalise = m.Normalise
	if st.owns {
		st.Frozen.Normalise = m.Normalise == experiment.NormaliseWindow
	}
	st.frozenDepth = -1
	if exp.Train.Mode != experiment.TrainReadout {
		tuned, err := tunedNames(exp, st.Model)
		if err != nil {
			return err
		}
		st.frozenDepth = st.Model.FrozenDepth(tuned...)
	}
	return st.chooseDelays()
}

func (st *Study) openSubjects(ctx context.Context) error {
	names, err := st.Data.Subjects(st.Experiment.Data.Subjects...)
	if err != nil {
		return err
	}
	for _, name := range names {
		p, err := openSubject(ctx, st.Experiment, st.Data, name)
		if err != nil {
			return err
		}
		st.Subjects = append(st.Subjects, p)
	}
	st.noteCopies()
	return nil
}

// targets returns the least number of tuned voxels of a subject.
func (st *Study) targets() int {
	least := len(st.Subjects[0].Tuned)
	for _, p := range st.Subjects {
		least = min(least, len(p.Tuned))
	}
	return least
}

// chooseLoss resolves train.loss: auto for the subjects.
func (st *Study) chooseLoss(context.Context) error {
	loss, name, err := loss.New(st.Experiment.Train, st.targets(), st.Experiment.Compat)
	if err != nil {
		return fault.New(fault.Usage, "open study", "train.loss", "%v", err)
	}
	st.Loss, st.LossName = loss, name
	return nil
}

// noteLoss notes what train.loss: auto means.
func (st *Study) noteLoss() {
	if st.Experiment.Train.Loss == experiment.LossAuto {
		st.Note("train.loss: auto means %s here: %d varying targets", st.LossName, st.targets())
	}
}

// OnProgress sets the function that gets the events from now on.
func (st *Study) OnProgress(to func(progress.Event)) { st.Options.Progress = to }

// Progress reports an event of work outside the study.
func (st *Study) Progress(e progress.Event) { st.Options.Progress(e) }
