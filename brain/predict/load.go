package predict

import (
	"cmp"
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/basemodel"
	"github.com/brainwavlm/bwlm/internal/brain/readout"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/speech/pretrained"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

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
	case note.Delays[0] == 0:
		err = fault.New(fault.Usage, rundir.OpenPredictor, run,
			"its rows are clips, of which a row is standardised by others").
			WithHint("score clips as the test split of an experiment")
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
	if opt.Open == nil {
		opt.Open = pretrained.Open
	}
	model, err := opt.Open(ctx, base, speech.Options{Device: opt.Device, Compute: compute, Frozen: true,
		Context: speech.Context(p.exp.Model.Context)})
	if err != nil {
		return err
	}
	if p.model, err = extract.Adapt(ctx, model, adapters); err != nil {
		return err
	}
	if err := p.checkBase(run, opt); err != nil {
		return err
	}
	p.Notes = p.model.Notes
	if p.exp.Model, err = windows.Resolved(p.exp.Model, p.model.Model); err != nil {
		return err
	}
	p.reader = opt.Batcher.Reader(p.model.Model, p.exp.Model, p.exp.Train.UnitWindows)
	p.alone = opt.Batcher.Alone(p.model.Model, p.exp.Model, p.exp.Train.UnitWindows)
	if opt.Batcher.Exact() && p.streams() == nil {
		p.reader = p.alone // exact as well, and with the bits of a stream
	}
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
	if err == nil {
		return p.openReliability(run)
	}
	if fault.KindOf(err) == fault.Internal {
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
