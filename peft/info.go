package peft

import (
	"context"
	"strings"
)

// Module is a part of an adapter's file.
type Module struct {
	Path       string  `json:"path"`
	Rank       int     `json:"rank,omitempty"` // where the method has one
	Parameters int     `json:"parameters"`
	State      Verdict `json:"state"` // as far as the file tells
}

// Modules are the adapted layers and own copies of parameters in the file, in its order.
func (f *File) Modules() (list []Module) {
	at := map[string]int{}
	for _, name := range f.state.names {
		if strings.HasPrefix(name, sharedPrefix) {
			continue
		}
		path, adapted := f.moduleOf(name)
		i, ok := at[path]
		if !ok {
			i = len(list)
			at[path] = i
			m := Module{Path: path, State: Unknown}
			if adapted {
				facts := f.Config.Method.Look(f.state.of(path))
				m.Rank, m.State = facts.Rank, facts.Dead
			}
			list = append(list, m)
		}
		list[i].Parameters += len(f.state.tensors[name].Data)
		if strings.HasSuffix(name, keptBias) && list[i].State == Dead {
			list[i].State = Unknown // its own bias may differ from the model's
		}
	}
	return list
}

// moduleOf parts a name into the module and the end of the key.
func (f *File) moduleOf(name string) (path string, adapted bool) {
	for _, end := range append(f.Config.Method.Keys(), keptBias) {
		if path, ok := strings.CutSuffix(name, "."+end); ok {
			return path, true
		}
	}
	path, _ = cutLast(name)
	return path, false
}

// Method is the name of the file's method: lora, rslora, dora, ia3, vera, ln_tuning, bitfit.
func (f *File) Method() string { return methodName(f.Config.Method) }

// methodName is a method's own name, or PEFT's in small letters.
func methodName(m Method) string {
	if n, ok := m.(interface{ Name() string }); ok {
		return n.Name()
	}
	return strings.ToLower(m.Type())
}

// Params is the number of trained numbers in the file.
func (f *File) Params() (n int) {
	for _, m := range f.Modules() {
		n += m.Parameters
	}
	return n
}

// Plain is a LoRA of the same effect with scale 1 in every layer, so that a program that knows neither rsLoRA nor
// patterns of alpha gets it right.
func (f *File) Plain(ctx context.Context) (*File, error) {
	out, err := Combine(ctx, Combination{Kind: Cat}, []float64{1}, f)
	if err == nil {
		out.Card = f.Card
	}
	return out, err
}
