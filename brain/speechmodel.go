package brain

import (
	"context"

	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/wavlm"
)

// SpeechModel is a speech model from a Hugging Face folder, with an adapter in it or without. It may be used by several
// goroutines at once.
type SpeechModel struct {
	Model *wavlm.Model // adapted, if there is an adapter
	Notes []string     // what the user should know about how it was read

	base    *wavlm.Model
	adapter *peft.Adapter // nil without
}

// OpenSpeechModel reads the model in a folder and, if adapter is not "", the adapter in that folder (the format of
// Hugging Face PEFT), which must fit the model exactly. Close frees both.
func OpenSpeechModel(ctx context.Context, model, adapter string, opt wavlm.Options) (*SpeechModel, error) {
	base, err := wavlm.Load(ctx, model, opt)
	if err != nil {
		return nil, err
	}
	m := &SpeechModel{Model: base, Notes: base.Notes, base: base}
	if adapter == "" {
		return m, nil
	}
	if m.adapter, err = peft.Load(adapter); err == nil {
		m.Model, err = adapt(ctx, base, m.adapter, opt.Seed)
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	for _, w := range m.adapter.Warnings() {
		m.Notes = append(m.Notes, "adapter: "+w)
	}
	return m, nil
}

// adapt is a view of a model with an adapter, whose pairs are drawn with a seed if they are new.
func adapt(ctx context.Context, base *wavlm.Model, a *peft.Adapter, seed uint64) (view *wavlm.Model, err error) {
	mode := torch.Mode{Seed: seed, Device: base.Session().Device, Compute: base.Session().Compute}
	err = torch.Do(ctx, mode, func(s *torch.Scope) error {
		view, err = base.View(s, a, a.Store())
		return err
	})
	if err != nil {
		return nil, err
	}
	return view, a.Check()
}

// Close frees the weights. Nobody may be using them.
func (m *SpeechModel) Close() {
	if m.adapter != nil {
		m.adapter.Close()
	}
	m.base.Close()
}
