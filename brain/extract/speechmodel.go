package extract

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/speech/pretrained"
)

// SpeechModel is a speech model from a Hugging Face folder, with adapters in it or without. It may be used by several
// goroutines at once.
type SpeechModel struct {
	Model speech.Encoder // adapted, if there are adapters
	Notes []string       // what the user should know about how it was read

	base     speech.Encoder
	adapters []*peft.Adapter
}

// Adapters are the adapters of a speech model, by folders in the format of Hugging Face PEFT.
type Adapters struct {
	Dirs []string
	// Weights and Combine make one adapter of several LoRAs, see peft.Combine. If neither is given, all are active
	// as they are, and their effects add up. Without Combine, weights mean cat, which is exact; without Weights, all
	// weights are 1.
	Weights []float64
	Combine string
	// AllowChangedBase lets adapters into a model other than the one that they were trained on.
	AllowChangedBase bool
}

// open reads the adapters.
func (a Adapters) open(ctx context.Context) (list []*peft.Adapter, err error) {
	defer func() {
		if err != nil {
			for _, one := range list {
				one.Close()
			}
		}
	}()
	if len(a.Weights) == 0 && a.Combine == "" {
		for _, dir := range a.Dirs {
			one, err := peft.Load(dir)
			if err != nil {
				return list, err
			}
			one.AllowChangedBase = a.AllowChangedBase
			list = append(list, one)
		}
		return list, nil
	}
	f, err := a.Combined(ctx)
	if err != nil {
		return nil, err
	}
	one, err := f.Adapter()
	if err != nil {
		return nil, err
	}
	one.AllowChangedBase = a.AllowChangedBase
	return []*peft.Adapter{one}, nil
}

// Combined is the one adapter that Weights and Combine make of all.
func (a Adapters) Combined(ctx context.Context) (*peft.File, error) {
	how := peft.Combination{Kind: peft.Kind(cmp.Or(a.Combine, string(peft.Cat))),
		AllowChangedBase: a.AllowChangedBase}
	weights := a.Weights
	if len(weights) == 0 {
		weights = slices.Repeat([]float64{1}, len(a.Dirs))
	}
	var files []*peft.File
	for _, dir := range a.Dirs {
		f, err := peft.Open(dir)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return peft.Combine(ctx, how, weights, files...)
}

// OpenModel reads the model in a folder and, if adapter is not "", the adapter in that folder, see [OpenAdapted].
func OpenModel(ctx context.Context, model, adapter string, opt speech.Options) (*SpeechModel, error) {
	var a Adapters
	if adapter != "" {
		a.Dirs = []string{adapter}
	}
	return OpenAdapted(ctx, model, a, opt)
}

// OpenAdapted reads the model in a folder with adapters, which must fit the model exactly. Layers in which an adapter
// changes nothing are among the notes. Close frees all.
func OpenAdapted(ctx context.Context, model string, adapters Adapters, opt speech.Options) (*SpeechModel, error) {
	base, err := pretrained.Open(ctx, model, opt)
	if err != nil {
		return nil, err
	}
	return Adapt(ctx, base, adapters)
}

// Adapt is [OpenAdapted] with a model that is open. Close closes it, and so does an error.
func Adapt(ctx context.Context, base speech.Encoder, adapters Adapters) (m *SpeechModel, err error) {
	m = &SpeechModel{Model: base, Notes: base.Notes(), base: base}
	if len(adapters.Dirs) == 0 {
		return m, nil
	}
	if m.adapters, err = adapters.open(ctx); err == nil {
		list := make([]speech.Adapter, len(m.adapters))
		for i, a := range m.adapters {
			list[i] = a
		}
		m.Model, err = base.WithAdapter(ctx, list...)
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	for i, a := range m.adapters {
		for _, w := range a.Warnings() {
			m.Notes = append(m.Notes, "adapter: "+w)
		}
		inactive, err := a.Inactive(ctx, m.Model.Session())
		if err != nil {
			m.Close()
			return nil, err
		}
		if len(inactive) > 0 {
			m.Notes = append(m.Notes, fmt.Sprintf("adapter %s: it changes nothing in %d of %d places: %s",
				adapters.Dirs[i], len(inactive), len(a.File().Modules()), strings.Join(inactive, ", ")))
		}
	}
	return m, nil
}

// Adapters are those in the model.
func (m *SpeechModel) Adapters() []*peft.Adapter { return m.adapters }

// Close frees the weights. Nobody may be using them.
func (m *SpeechModel) Close() {
	for _, a := range m.adapters {
		a.Close()
	}
	m.base.Close()
}
