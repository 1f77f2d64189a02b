package peft

import (
	"errors"
	"regexp"

	"github.com/brainwavlm/bwlm/fault"
)

// adaLoRA is AdaLoRA, which is read only and becomes a LoRA. It adds B·(E ⊙ A)·α/(r + 10⁻⁵) to a
// weight (Zhang et al. 2023, arXiv 2303.10512; the scale is that of peft 0.21,
// tuners/adalora/layer.py). Its allocation of ranks to layers, which happens in training, is left
// out.
type adaLoRA struct {
	alpha, dropout float64
}

// Ends of the keys of AdaLoRA.
const (
	keyAdaA = "lora_A"
	keyAdaB = "lora_B"
	keyAdaE = "lora_E"
)

func (m *adaLoRA) peftType() string { return "ADALORA" }

func (m *adaLoRA) defaults() *adaLoRA { return &adaLoRA{alpha: 8} }

func (m *adaLoRA) keys() []string { return []string{keyAdaA, keyAdaB, keyAdaE} }

// options returns those of AdaLoraConfig. Ranks come from the matrices in the file.
func (m *adaLoRA) options(c *Config) []option {
	as := (*LoRA)(nil).defaults()
	list := append(as.options(c), option{key: "lora_alpha", at: &m.alpha},
		option{key: "lora_dropout", at: (*pythonFloat)(&m.dropout)})
	return append(list, inert(nil, "r", "init_r", "target_r", "tinit", "tfinal", "deltaT", "beta1", "beta2",
		"orth_reg_weight", "total_step", "rank_pattern")...)
}

func (m *adaLoRA) validate() error {
	return (&LoRA{R: 1, Alpha: m.alpha, Dropout: m.dropout}).validate()
}

// wrap and inspect are never called: a file is a LoRA once it is read.
func (m *adaLoRA) wrap(*targetLayer) (adaptedLayer, error) {
	return nil, errors.New("AdaLoRA is for reading; train a LoRA instead")
}

func (m *adaLoRA) inspect(parameters) inspection { return inspection{state: Unknown} }

// become turns the file into a LoRA whose A is E ⊙ A·r/(r + 10⁻⁵).
func (m *adaLoRA) become(f *File) error {
	lora := &LoRA{R: 1, Alpha: m.alpha, Dropout: m.dropout, Init: InitTrue}
	st := newState(f.state.path)
	for _, name := range f.state.names {
		v := f.state.tensors[name]
		path, last := cutLast(name)
		switch last {
		case keyAdaA:
			e, ok := f.state.tensors[path+"."+keyAdaE]
			if !ok || len(v.shape) != 2 || len(e.data) != v.shape[0] {
				return fault.New(fault.BadData, loadAdapter, f.state.path, "%s and %s do not fit together", name,
					path+"."+keyAdaE)
			}
			rank, in := v.shape[0], v.shape[1]
			a := make([]float32, len(v.data))
			for i, x := range v.data {
				a[i] = float32(float64(x) * float64(e.data[i/in]) * float64(rank) / (float64(rank) + 1e-5))
			}
			st.add(path+"."+keyA, f.state.keys[name], array{v.shape, a})
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
	st.start, st.decided, st.base = f.state.start, f.state.decided, f.state.base
	f.Config.Method, f.state = lora, st
	return nil
}

// compact leaves out entries with the usual value.
func compact(entries []Entry, usual float64) (out []Entry) {
	for _, e := range entries {
		if e.Value != usual {
			out = append(out, e)
		}
	}
	return out
}

// reader is a method whose files are converted to another one's when they are read.
type reader interface{ become(f *File) error }
