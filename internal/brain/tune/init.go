package tune

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

const initialValues = "read initial values"

// initAdapter gives the adapter the values of one in a folder, which must have the same form. Layers that the folder
// has beyond those of the adapter are left out.
func (t *Trainer) initAdapter(ctx context.Context, dir string) error {
	given, err := peft.Load(dir)
	if err != nil {
		return err
	}
	defer given.Close()
	if err := sameScale(t.Adapter.Config, given.Config, dir); err != nil {
		return err
	}
	if _, err := t.Study.Model.WithAdapter(ctx, given); err != nil { // its parameters enter with a view
		return err
	}
	session := nn.Session{Stores: []*nn.Store{t.Adapter.Store(), given.Store()}, Device: t.Model.Session().Device}
	return session.Train(ctx, 0, func(s *torch.Scope) error {
		for name, p := range t.Adapter.Store().Params() {
			v := given.Store().Param(name)
			if v == nil {
				return fault.New(fault.BadData, initialValues, dir, "there is no %s", name).
					WithHint("give an adapter with the same adapter.targets and adapter.layers")
			}
			if !slices.Equal(v.Shape(), p.Shape()) {
				return fault.New(fault.BadData, initialValues, dir, "%s has shape %v, want %v", name, v.Shape(),
					p.Shape()).
					WithHint("give an adapter with the same adapter.r")
			}
			p.CopyFrom(v)
		}
		return nil
	})
}

// sameScale returns an error unless both adapters are plain LoRA with one rank and scale.
func sameScale(ours, given peft.Config, dir string) error {
	a, _ := ours.Method.(*peft.LoRA)
	b, ok := given.Method.(*peft.LoRA)
	switch {
	case !ok || b.DoRA || b.BiasB || b.RankPattern != nil || b.AlphaPattern != nil:
		return fault.New(fault.BadData, initialValues, dir,
			"is not a plain LoRA of one rank").WithHint("give one that train.mode: lora wrote")
	case a.R != b.R || a.Alpha != b.Alpha || a.RSLoRA != b.RSLoRA:
		return fault.New(fault.BadData, initialValues, dir, "has rank %d and alpha %g (rslora: %v), the experiment %d "+
			"and %g (%v)",
			b.R, b.Alpha, b.RSLoRA, a.R, a.Alpha, a.RSLoRA).WithHint("set adapter.r, adapter.alpha and adapter.type " +
			"to those of the adapter")
	}
	return nil
}

// initReadout gives the parameters of a subject's readout the values of a file, whose columns, where it names them,
// must be the tuned voxels.
func initReadout(s *torch.Scope, store *nn.Store, pattern string, p *study.Subject) error {
	path := study.FileOf(pattern, p.Name)
	f, err := ckpt.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for name, param := range store.Params() {
		v, err := rundir.ReadTensor(s, f, name)
		if err != nil {
			return err
		}
		if !slices.Equal(v.Shape(), param.Shape()) {
			return fault.New(fault.BadData, initialValues, path, "%s has shape %v, the readout of %s %v", name,
				v.Shape(), p.Name, param.Shape()).
				WithHint("check readout.bottleneck, readout.delays_seconds and data.roi")
		}
		param.CopyFrom(v)
	}
	if _, ok := f.Info("columns"); !ok {
		return nil
	}
	columns, err := f.Int64("columns")
	if err != nil {
		return err
	}
	if !slices.Equal(columns, rundir.Int64s(p.Tuned)) {
		return fault.New(fault.BadData, initialValues, path, "is for other voxels than those that %s is tuned on",
			p.Name).
			WithHint("check data.roi")
	}
	return nil
}
