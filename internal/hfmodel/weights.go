package hfmodel

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Loading is the operation of errors about weights.
const Loading = "load weights"

// Weights is a checkpoint as the source of a model's parameters. It collects problems, so that one error lists all.
type Weights struct {
	File   *ckpt.File
	Any    bool              // accepts values that no trained weights have
	Random []string          // starts of the names of parameters that are not read
	Keys   map[string]string // parameter to key in the file
	May    []string          // parameters that start at random where the file lacks them, with a note
	Notes  []string          // for the user
	Unused []string          // keys that belong to no parameter

	problems []string
	failed   error // of reading the file
}

// RandomLayers makes layers start at random, whose names begin with prefix and their number. The model has as many as
// layers says.
func (w *Weights) RandomLayers(prefix string, list []int, layers int) {
	for _, l := range list {
		if l < 0 || l >= layers {
			w.Problem("there is no layer %d to start at random, the last is %d", l, layers-1)
		}
		w.Random = append(w.Random, fmt.Sprint(prefix, l, "."))
	}
}

// NoteUnused notes the keys that are left out, and why.
func (w *Weights) NoteUnused(why string) {
	slices.Sort(w.Unused)
	if len(w.Unused) > 0 {
		w.Notes = append(w.Notes, "not used, since they belong to "+why+": "+List(w.Unused))
	}
}

// Tensor reads a parameter.
func (w *Weights) Tensor(s *torch.Scope, name string, shape []int, init nn.Init) (*torch.Tensor, error) {
	key, ok := w.Keys[name]
	delete(w.Keys, name)
	switch {
	case ok && slices.ContainsFunc(w.Random, func(start string) bool { return strings.HasPrefix(name, start) }):
		return init(s, shape), nil
	case ok:
		if t := w.read(s, key, shape); t != nil {
			return t, nil
		}
	case slices.Contains(w.May, name):
		w.Notes = append(w.Notes, "the checkpoint has no "+name+": it starts at random")
		return init(s, shape), nil
	default:
		w.Problem("%s: missing", name)
	}
	return s.Zeros(1).Expand(shape...), nil // a placeholder until the verdict, which takes no memory
}

// read returns the tensor stored under key, nil if it has a problem.
func (w *Weights) read(s *torch.Scope, key string, shape []int) *torch.Tensor {
	info, _ := w.File.Info(key)
	if !slices.Equal(info.Shape, shape) {
		w.Problem("%s: shape %s, want %s", key, tuple(info.Shape), tuple(shape))
		return nil
	}
	switch info.DType {
	case ckpt.F32, ckpt.F16, ckpt.BF16, ckpt.F64:
	default:
		w.Problem("%s: dtype %v, want F32, F16, BF16 or F64", key, info.DType)
		return nil
	}
	values, err := w.File.Float32(key)
	var bad *fault.Error
	switch {
	case err == nil:
	case errors.As(err, &bad) && bad.Kind == fault.BadData:
		w.Problem("%s: %s", key, bad.Reason)
		return nil
	default:
		w.failed = cmp.Or(w.failed, err)
		return nil
	}
	if why := w.suspicious(values, len(shape)); why != "" {
		w.Problem("%s: %s", key, why)
		return nil
	}
	return s.FromFloat32(values, shape...)
}

// suspicious describes values that no trained weights have: not finite, or a matrix of zeros.
func (w *Weights) suspicious(values []float32, rank int) string {
	if w.Any {
		return ""
	}
	zero := true
	for i, v := range values {
		if v-v != 0 { // NaN or infinite
			return fmt.Sprintf("element %d is %g", i, v)
		}
		zero = zero && v == 0
	}
	if zero && rank > 1 {
		return "all elements are 0"
	}
	return ""
}

// tuple returns a shape as Python writes it.
func tuple(shape []int) string {
	return "(" + strings.Join(strings.Fields(strings.Trim(fmt.Sprint(shape), "[]")), ", ") + ")"
}

// Problem adds a problem.
func (w *Weights) Problem(format string, args ...any) {
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

// Problems reports whether there are any.
func (w *Weights) Problems() bool { return len(w.problems) > 0 }

// Verdict returns the error that lists all problems, once all parameters have been read; where is the path.
func (w *Weights) Verdict(where string) error {
	if w.failed != nil {
		return w.failed
	}
	var extra []string
	for _, key := range w.Keys {
		extra = append(extra, key+": not part of the architecture")
	}
	slices.Sort(extra)
	problems := append(w.problems, extra...)
	if len(problems) == 0 {
		return nil
	}
	return fault.New(fault.BadData, Loading, where, "%s", List(problems)).
		WithHint("check that %s and the weights are of the same model", ConfigFile)
}
