package predict

import (
	"cmp"
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/basemodel"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/readout"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Predictor predicts one subject's responses to any audio, with the tuned model of a finished run and the readout that
// was trained with it. It may be used by many goroutines at once: they share its weights, and as many of their
// forward passes run at the same time as package torch has workers.
//
// Predictions have limits:
//   - Features are standardised over the rows of the clip, since a new clip has no other statistics. A row's prediction
//     so depends on the whole clip; give a minute or more, with speech as varied as in the stories of the training.
//   - The first rows (as many as the longest delay) lack their history, and Lanczos spoils up to 3 rows at both ends.
//     The response to the last seconds comes after the clip: append silence to see it.
//   - Values are in the units of the responses that were trained on, usually SDs of a voxel over a story.
//   - It is the readout that predicts, which saw few epochs. Published scores come from a ridge fitted anew (see
//     Study.Evaluate); they are no measure of these predictions.
type Predictor struct {
	Subject string
	Columns []int   // of the subject's responses, for which the voxels of a prediction stand
	TR      float64 // seconds from one row to the next
	Delays  []int   // in TRs
	Epoch   int     // from which model and readout are
	Notes   []string

	exp     *experiment.Experiment
	clock   design.Clock
	model   *extract.SpeechModel
	reader  *windows.Reader
	readout *readout.Readout
	session nn.Session // of the readout

	use  sync.RWMutex // read-locked during each prediction
	life context.Context
	end  context.CancelFunc
}

// Options say which predictor of a run to open. The zero value serves runs of one subject.
type Options struct {
	Subject string       // "": the only one
	Model   string       // folder of the speech model that was tuned, if it is not any more where it was then
	Device  torch.Device // where it computes

	// AllowChangedBase lets the run meet a speech model other than the one that it was trained on.
	AllowChangedBase bool
}

// Prediction is what somebody's voxels are expected to answer to a clip.
type Prediction struct {
	Rows, Voxels int
	Times        []float64 // of each row: the second of the clip at which the volume is acquired
	Values       []float32 // (rows, voxels)
}

// errClosed is the error of Predict after Close. It has kind Temporary: a client can try another
// process of the service.
var errClosed = &fault.Error{Kind: fault.Temporary, Op: rundir.Predicting, Reason: "the predictor is closed",
	Err: fault.ErrClosed}

// Open opens a finished run. It takes no lock and writes nothing, so any number of processes may open one run.
// Close frees it.
func Open(ctx context.Context, run string, opt Options) (*Predictor, error) {
	if err := rundir.CheckFiles(rundir.OpenPredictor, run); err != nil {
		return nil, err
	}
	exp, err := experiment.LoadRun(filepath.Join(run, rundir.ConfigFile))
	if err != nil {
		return nil, err
	}
	p := &Predictor{exp: exp}
	p.life, p.end = context.WithCancel(context.WithoutCancel(ctx))
	file, err := p.openReadout(run, opt.Subject)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := p.load(ctx, run, file, opt); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// openReadout finds the file of the subject's readout and reads its note.
func (p *Predictor) openReadout(run, subject string) (*ckpt.File, error) {
	dir := filepath.Join(run, "readout")
	files, err := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	if err != nil || len(files) == 0 {
		return nil, fault.New(fault.Missing, rundir.OpenPredictor, dir,
			"there is no readout, so the training is not finished").
			WithHint("resume %s", run)
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".safetensors"))
	}
	if subject == "" && len(names) == 1 {
		subject = names[0]
	}
	if !slices.Contains(names, subject) {
		return nil, fault.New(fault.Usage, rundir.OpenPredictor, dir, "there is no subject %q",
			subject).WithHint("name one of %s", strings.Join(names, ", "))
	}
	p.Subject = subject
	f, err := ckpt.Open(filepath.Join(dir, subject+".safetensors"))
	if err != nil {
		return nil, err
	}
	var note rundir.ReadoutNote
	err = json.Unmarshal([]byte(f.Metadata()[rundir.ReadoutKey]), &note)
	switch {
	case err != nil || !(note.TR > 0) || len(note.Delays) == 0:
		err = fault.New(fault.BadData, rundir.OpenPredictor, f.Where(rundir.ReadoutColumns),
			"the file does not say TR and delays of its data").
			WithHint("train again with this version")
	case note.Epoch == 0 && !note.Ridge:
		err = fault.New(fault.BadData, rundir.OpenPredictor, run,
			"validation chose the model as it was before training, whose readout is random").
			WithHint("train with other settings, or ask for features")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	p.TR, p.Delays, p.Epoch = note.TR, note.Delays, note.Epoch
	p.clock = design.Clock{TR: note.TR, RowTime: note.RowTime}
	if p.exp.Compat.TimesAtTRStarts {
		p.clock.RowTime = 0
	}
	return f, nil
}

// checkBase returns an error if the speech model is not the one that a readout was trained on.
func (p *Predictor) checkBase(run string, opt Options) error {
	if p.exp.Train.Mode != experiment.TrainReadout || opt.AllowChangedBase {
		return nil // an adapter knows its base, and a model that was tuned as a whole is in the run
	}
	var m results.Manifest
	if err := jsonfile.Read(rundir.OpenPredictor, filepath.Join(run, rundir.ManifestOfRun), &m); err != nil {
		return err
	}
	now, err := p.model.Model.Identity()
	if err != nil {
		return err
	}
	return basemodel.Check(rundir.OpenPredictor, run, m.Base, now)
}

// load reads the speech model and the readout.
func (p *Predictor) load(ctx context.Context, run string, f *ckpt.File, opt Options) error {
	compute, err := torch.ComputeType(p.exp.DType, opt.Device)
	if err != nil {
		return err
	}
	base, adapters := cmp.Or(opt.Model, p.exp.Model.Path), extract.Adapters{AllowChangedBase: opt.AllowChangedBase}
	switch p.exp.Train.Mode {
	case experiment.TrainLoRA:
		adapters.Dirs = []string{filepath.Join(run, "adapter")}
	case experiment.TrainFull:
		base = filepath.Join(run, "model")
	}
	p.model, err = extract.OpenAdapted(ctx, base, adapters,
		speech.Options{Device: opt.Device, Compute: compute, Frozen: true})
	if err != nil {
		return err
	}
	if err := p.checkBase(run, opt); err != nil {
		return err
	}
	p.Notes = p.model.Notes
	p.reader = windows.ClipReader(p.model.Model, p.exp.Model, p.exp.Train.UnitWindows)
	columns, err := f.Int64(rundir.ReadoutColumns)
	if err != nil {
		return err
	}
	for _, c := range columns {
		p.Columns = append(p.Columns, int(c))
	}
	store, mix := nn.NewStore(), nn.NewStore()
	p.readout = &readout.Readout{Store: store, Weights: &readout.LayerWeights{Store: mix}} // so that Close frees both
	p.session = nn.Session{Stores: []*nn.Store{store, mix}, Device: opt.Device}
	bottleneck := p.exp.Readout.Bottleneck
	if p.exp.Readout.Mode == experiment.ReadoutRidge {
		bottleneck = 0
	}
	err = torch.Do(ctx, torch.Mode{Device: opt.Device}, func(s *torch.Scope) error {
		for info := range f.Tensors() {
			into := store
			switch info.Name {
			case rundir.ReadoutColumns, readout.LayerWeightsGroups:
				continue
			case readout.LayerWeightsLogits:
				into = mix
			}
			x, err := f.Float32(info.Name)
			if err != nil {
				return err
			}
			into.Add(info.Name, s.FromFloat32(x, info.Shape...))
		}
		read := store.Len() + mix.Len()
		r, err := readout.New(s, store, p.model.Model.Architecture().Width*len(p.Delays), bottleneck,
			len(columns), nil)
		if err == nil && p.exp.Readout.LayerWeights != experiment.LayerWeightsNone {
			r.Weights, err = p.readLayerWeights(s, f, mix)
		}
		if err != nil {
			return err
		}
		if want := store.Len() + mix.Len(); want != read {
			return fault.New(fault.BadData, rundir.OpenPredictor, f.Where(rundir.ReadoutColumns),
				"has %d of %d tensors", read, want)
		}
		p.readout = r
		return nil
	})
	if err != nil && fault.KindOf(err) == fault.Internal {
		return fault.Wrap(fault.BadData, rundir.OpenPredictor, f.Where(rundir.ReadoutColumns), err)
	}
	return err
}

// readLayerWeights makes the layer weights from a store that holds their logits.
func (p *Predictor) readLayerWeights(s *torch.Scope, f *ckpt.File, store *nn.Store) (*readout.LayerWeights, error) {
	groups, err := f.Int64(readout.LayerWeightsGroups)
	if err != nil {
		return nil, err
	}
	of := make([]int, len(groups))
	for i, g := range groups {
		of[i] = int(g)
	}
	if len(of) != len(p.Columns) || slices.Min(of) < 0 {
		return nil, fault.New(fault.BadData, rundir.OpenPredictor, f.Where(readout.LayerWeightsGroups),
			"%d groups of layer weights for %d voxels", len(of), len(p.Columns))
	}
	return readout.NewLayerWeights(s, store, p.exp.Model.Layer+1, len(p.Delays), of)
}

// Voxels is how many voxels are predicted.
func (p *Predictor) Voxels() int { return len(p.Columns) }

// MinSeconds returns the duration of the shortest clip with a row.
func (p *Predictor) MinSeconds() float64 { return float64(slices.Max(p.Delays)+1) * p.TR }

// Predict predicts the responses to a clip (T, 16 kHz), one row for each whole TR of it. It returns
// the context's cause if that ends first, an error that matches fault.ErrClosed after Close, and
// else a *fault.Error of kind BadData for audio that is too short or not finite.
func (p *Predictor) Predict(ctx context.Context, samples []float32) (*Prediction, error) {
	p.use.RLock()
	defer p.use.RUnlock()
	if p.life.Err() != nil {
		return nil, errClosed
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(p.life, func() { cancel(errClosed) })()

	const edge = 1e-6 // of a TR; what rounding may take from a clip of whole TRs
	seconds := float64(len(samples)) / speech.SampleRate
	rows := int(seconds/p.TR + edge)
	if rows <= slices.Max(p.Delays) {
		return nil, fault.New(fault.BadData, rundir.Predicting, "", "%.3g s of audio, want at least %.3g s", seconds,
			p.MinSeconds()).
			WithHint("a minute or more is sensible")
	}
	if err := windows.Finite(samples); err != nil {
		return nil, err
	}
	clip, err := windows.Cut(p.exp, p.Delays, p.clock, "clip", windows.Normalised(p.exp.Model, samples), rows)
	if err != nil {
		return nil, err
	}
	x, err := p.rowFeatures(ctx, clip)
	if err != nil {
		return nil, err
	}
	out := &Prediction{Rows: rows, Voxels: p.Voxels(), Times: p.clock.Times(0, rows)}
	err = p.session.Infer(ctx, func(s *torch.Scope) error {
		out.Values = p.readout.Forward(s.FromFloat32(x, rows, len(x)/rows)).Float32s()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// rowFeatures is what the readout sees of a clip: (rows, F).
func (p *Predictor) rowFeatures(ctx context.Context, clip *windows.Stimulus) ([]float32, error) {
	layers := []int{p.exp.Model.Layer}
	if m := p.readout.Weights; m != nil {
		layers = upTo(m.States)
	}
	vectors, err := p.reader.Features(ctx, clip, layers)
	if err != nil {
		return nil, err
	}
	fs := make([]encoding.RowFeatures, len(layers))
	for i, x := range vectors {
		channels := p.model.Model.Architecture().Width
		rows, _ := clip.Tuning.Matrix(x, channels)
		fs[i] = encoding.RowFeatures{Width: clip.Tuning.Width(channels), Rows: map[string][]float32{clip.Name: rows}}
	}
	return encoding.Joined(fs, len(p.Delays)).Rows[clip.Name], nil
}

// upTo are the numbers 0 to n-1.
func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// Close interrupts predictions, waits for their end, and frees the weights. A second Close does nothing.
func (p *Predictor) Close() {
	p.end()
	p.use.Lock()
	defer p.use.Unlock()
	if p.readout != nil {
		p.readout.Close()
	}
	if p.model != nil {
		p.model.Close()
	}
}
