package peft

import (
	"context"
	"strings"
)

// Module is an adapted layer, or a module of the model that the adapter has copies of, in an
// adapter's file.
type Module struct {
	Path       string   `json:"path"`
	Rank       int      `json:"rank,omitempty"` // where the method has one
	Parameters int      `json:"parameters"`
	State      Activity `json:"state"` // as far as the file alone tells
}

// Modules returns the modules of the file in its order.
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
				found := f.Config.Method.inspect(f.state.of(path))
				m.Rank, m.State = found.rank, found.state
			}
			list = append(list, m)
		}
		list[i].Parameters += len(f.state.tensors[name].data)
		if strings.HasSuffix(name, ownBias) && list[i].State == Inactive {
			list[i].State = Unknown // its own bias may differ from the model's
		}
	}
	return list
}

// moduleOf returns the module of a tensor's name, and whether the tensor belongs to an adapted
// layer.
func (f *File) moduleOf(name string) (path string, adapted bool) {
	for _, end := range append(f.Config.Method.keys(), ownBias) {
		if path, ok := strings.CutSuffix(name, "."+end); ok {
			return path, true
		}
	}
	path, _ = cutLast(name)
	return path, false
}

// Method returns the name of the file's method: lora, rslora, dora, ia3, vera, ln_tuning or bitfit.
func (f *File) Method() string { return methodName(f.Config.Method) }

// methodName returns a method's own name, or else PEFT's in lower case.
func methodName(m Method) string {
	if n, ok := m.(interface{ name() string }); ok {
		return n.name()
	}
	return strings.ToLower(m.peftType())
}

// Params returns the number of trained numbers in the file.
func (f *File) Params() (n int) {
	for _, m := range f.Modules() {
		n += m.Parameters
	}
	return n
}

// Plain returns a LoRA of the same effect whose scale is 1 in every layer, for programs that know
// neither rsLoRA nor patterns of alpha.
func (f *File) Plain(ctx context.Context) (*File, error) {
	out, err := Combine(ctx, Combination{Kind: Cat}, []float64{1}, f)
	if err == nil {
		out.Card = f.Card
	}
	return out, err
}
