package tune

import (
	"context"
	"fmt"
	"math"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/phases"
	"github.com/brainwavlm/bwlm/internal/brain/sections"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/torch"
)

// Step takes one optimizer step on a block and returns its loss.
func (t *Trainer) Step(ctx context.Context, b Block, seed uint64) (loss float64, err error) {
	defer torch.Part(ctx, phases.PhaseStep)()
	y, err := t.ReadTargets(ctx, b)
	if err != nil {
		return 0, err
	}
	err = t.Session.Train(ctx, seed, func(s *torch.Scope) error {
		if loss, err = t.Backward(s, b, y, seed); err != nil {
			return err
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return fault.New(fault.BadData, "tune", fmt.Sprintf("%s[%d:%d]", b.Story, b.From, b.To), "the loss is %v",
				loss).
				WithHint("lower train.lr; the last good checkpoint is kept")
		}
		defer torch.Part(ctx, phases.PartOptimizer)()
		t.update()
		return nil
	})
	return loss, windows.SoundError(err)
}

// Backward computes the loss of a block and the gradients of all parameters that are tuned. Each rank computes its
// share of the units and of the voxels; loss and gradients are those of one process, bit for bit.
func (t *Trainer) Backward(s *torch.Scope, b Block, y *Targets, seed uint64) (float64, error) {
	stim := t.Study.Stimuli[b.Story]
	section := sections.Of(stim.Tuning, b.From, b.To, t.Study.Experiment.Train.ContextRows)
	u := &unitPass{trainer: t, stim: stim, seed: seed,
		units: t.Reader.Units(stim, section.Vectors.From, section.Vectors.To)}
	loss := func(s *torch.Scope, vectors *torch.Tensor) (float64, error) {
		return t.backward(s, b, y, section, vectors)
	}
	switch {
	case !t.tunes:
		return loss(s, u.frozen(s))
	case len(u.units) == 0:
		return loss(s, u.empty(s))
	}
	u.share(t.Study.Options.Ranks)
	return u.backward(s, loss)
}

// unitPass is one pass forward and backward through the units of a block.
//
// The gradient of the loss stops at the vectors of the windows. From there each unit carries its
// part into the model. The first units keep their activations from the
// forward pass, as many as memory allows; the others are computed again. Each unit has its own
// random numbers, so both ways give bit-identical results.
type unitPass struct {
	trainer *Trainer
	stim    *windows.Stimulus
	units   []windows.Unit // of this rank
	seed    uint64
	held    []*torch.Tensor // vectors of the first units, with their activations
	ranks   *shares         // nil where one process has one unit
}

// frozen returns the vectors of all units (windows, E) without gradients.
func (u *unitPass) frozen(s *torch.Scope) *torch.Tensor {
	return s.Frozen(func(s *torch.Scope) *torch.Tensor {
		parts := []*torch.Tensor{u.empty(s)}
		for _, unit := range u.units {
			parts = append(parts, u.trainer.hidden(s, u.stim, unit).ToType(torch.Float32))
		}
		return torch.Cat(0, parts...)
	})
}

// empty returns the vectors of no window (0, E).
func (u *unitPass) empty(s *torch.Scope) *torch.Tensor {
	return s.Zeros(0, u.trainer.Study.Model.Architecture().Width*u.trainer.states())
}

// backward calls loss, which returns its value after a backward pass to the vectors (windows, E) of all units, and
// carries the gradient of the vectors into the model.
func (u *unitPass) backward(s *torch.Scope, loss func(s *torch.Scope, vectors *torch.Tensor) (float64,
	error)) (value float64, err error) {
	if i := len(u.held); i < min(u.trainer.Held, len(u.units)) {
		u.forward(s, u.units[i], true, func(s *torch.Scope, x *torch.Tensor) {
			u.held = append(u.held, x)
			value, err = u.backward(s, loss)
		})
		return value, err
	}
	var parts []*torch.Tensor
	for _, x := range u.held {
		parts = append(parts, s.Attach(x).Detach())
	}
	for _, unit := range u.units[len(u.held):] {
		u.forward(s, unit, false, func(inner *torch.Scope, x *torch.Tensor) { parts = append(parts, s.Attach(x)) })
	}
	vectors, at, err := u.ranks.gather(s, u, parts)
	if err != nil {
		return 0, err
	}
	vectors = vectors.Detach().RequireGrad(true)
	if value, err = loss(s, vectors); err != nil {
		return 0, err
	}
	grad := vectors.Grad(s)
	for i, unit := range u.units {
		n := unit.Windows.Len()
		part := grad.Narrow(0, at, n)
		at += n
		into := func(s *torch.Scope, x *torch.Tensor) { s.Attach(x).Mul(s.Attach(part)).Sum().Backward() }
		if i < len(u.held) {
			into(s, u.held[i])
		} else {
			u.forward(s, unit, true, into)
		}
		u.ranks.take(s)
	}
	return value, u.ranks.sum(s)
}

// forward computes the vectors x (windows, E) of a unit in a scope of its own with the random numbers of the unit.
func (u *unitPass) forward(s *torch.Scope, unit windows.Unit, grad bool, do func(s *torch.Scope, x *torch.Tensor)) {
	mode := s.Mode()
	mode.Grad, mode.Seed = grad, torch.Seed(u.seed, uint64(unit.Windows.From))
	err := torch.Do(s.Context(), mode, func(s *torch.Scope) error {
		do(s, u.trainer.hidden(s, u.stim, unit).ToType(torch.Float32))
		return nil
	})
	if err != nil {
		panic(err)
	}
}
