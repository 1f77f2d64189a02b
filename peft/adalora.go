package peft

import (
	"errors"
	"regexp"

	"github.com/brainwavlm/bwlm/fault"
)

// AdaLoRA is read only, and becomes a LoRA: it adds B·(E ⊙ A)·α/(r + 10⁻⁵) to a weight (Zhang et al. 2023, arXiv
// 2303.10512; the scale is that of peft 0.21, tuners/adalora/layer.py). What it does while it is trained, to share out
// ranks among layers, is not here.
type AdaLoRA struct {
	Alpha, Dropout float64
}

// Ends of the keys of AdaLoRA.
const (
	keyAdaA = "lora_A"
	keyAdaB = "lora_B"
	keyAdaE = "lora_E"
)

// Type is ADALORA.
func (m *AdaLoRA) Type() string { return "ADALORA" }

func (m *AdaLoRA) defaults() *AdaLoRA { return &AdaLoRA{Alpha: 8} }

// Keys are the three factors.
func (m *AdaLoRA) Keys() []string { return []string{keyAdaA, keyAdaB, keyAdaE} }

// Options are those of AdaLoraConfig. The ranks are those of the matrices in the file.
func (m *AdaLoRA) Options(c *Config) []Option {
	as := (*LoRA)(nil).defaults()
	list := append(as.Options(c), Option{Key: "lora_alpha", At: &m.Alpha}, Option{Key: "lora_dropout", At: (*Fraction)(&m.Dropout)})
	return append(list, inert(nil, "r", "init_r", "target_r", "tinit", "tfinal", "deltaT", "beta1", "beta2",
		"orth_reg_weight", "total_step", "rank_pattern")...)
}

// Validate refuses what cannot be.
func (m *AdaLoRA) Validate() error {
	return (&LoRA{R: 1, Alpha: m.Alpha, Dropout: m.Dropout}).Validate()
}

// Wrap is never called for a file, which is a LoRA once it is read.
func (m *AdaLoRA) Wrap(*Site) (Layer, error) {
	return nil, errors.New("AdaLoRA is for reading; train a LoRA instead")
}

// Look is never called, either.
func (m *AdaLoRA) Look(Tensors) Facts { return Facts{Dead: Unknown} }

// become makes a LoRA of the file, whose A is E ⊙ A·r/(r + 10⁻⁵).
func (m *AdaLoRA) become(f *File) error {
	lora := &LoRA{R: 1, Alpha: m.Alpha, Dropout: m.Dropout, Init: InitTrue}
	st := newState(f.state.path)
	for _, name := range f.state.names {
		v := f.state.tensors[name]
		path, last := cutLast(name)
		switch last {
		case keyAdaA:
			e, ok := f.state.tensors[path+"."+keyAdaE]
			if !ok || len(v.Shape) != 2 || len(e.Data) != v.Shape[0] {
				return fault.New(fault.BadData, loadAdapter, f.state.path, "%s and %s do not fit together", name, path+"."+keyAdaE)
			}
			rank, in := v.Shape[0], v.Shape[1]
			a := make([]float32, len(v.Data))
			for i, x := range v.Data {
				a[i] = float32(float64(x) * float64(e.Data[i/in]) * float64(rank) / (float64(rank) + 1e-5))
			}
			st.add(path+"."+keyA, f.state.keys[name], Values{v.Shape, a})
			lora.RankPattern = append(lora.RankPattern, Entry{"^" + regexp.QuoteMeta(path), float64(rank)})
			lora.R = max(lora.R, rank)
		case keyAdaB:
			st.add(path+"."+keyB, f.state.keys[name], v)
		case keyAdaE:
		default:
			st.add(name, f.state.keys[name], v)
		}
	}
	if len(lora.RankPattern) == 0 {
		return fault.New(fault.BadData, loadAdapter, f.state.path, "holds no %s", keyAdaA)
	}
	lora.RankPattern = compact(lora.RankPattern, float64(lora.R))
	st.heads = f.state.heads
	f.Config.Method, f.state = lora, st
	return nil
}

// compact leaves out the entries that say what holds anyway.
func compact(entries []Entry, usual float64) (out []Entry) {
	for _, e := range entries {
		if e.Value != usual {
			out = append(out, e)
		}
	}
	return out
}

// reader is a method whose files become those of another one when they are read.
type reader interface{ become(f *File) error }
