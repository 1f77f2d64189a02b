package peft

import (
	"fmt"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// state holds the tensors of an adapter by their paths in the adapted model. It is the source of a
// loaded adapter's parameters.
type state struct {
	path    string // of the file
	base    string // identity of the base model; "": not recorded
	names   []string
	keys    map[string]string // in the file, by name
	tensors map[string]array
	inside  map[string]bool // modules with a tensor in the file, and all modules above them
	claimed map[string]bool // tensors that the model has a place for
	// start is the part of the file's paths that the model's paths lack. PEFT wraps whole models, so
	// the file of a task's model has the name of the encoder before each path of the encoder, such
	// as "wavlm.". The first module that is found decides.
	start   string
	decided bool
}

func newState(path string) *state {
	return &state{path: path, keys: map[string]string{}, tensors: map[string]array{}, inside: map[string]bool{},
		claimed: map[string]bool{}}
}

// add puts a tensor under a name.
func (st *state) add(name, key string, v array) {
	st.names = append(st.names, name)
	st.keys[name], st.tensors[name] = key, v
	for i, c := range name {
		if c == '.' {
			st.inside[name[:i]] = true
		}
	}
}

// readState reads the tensors of a file and checks what does not depend on config and model.
func readState(f *ckpt.File, path string) (*state, error) {
	st := newState(path)
	var problems []string
	bad := func(key, why string, args ...any) { problems = append(problems, key+": "+fmt.Sprintf(why, args...)) }
	for info := range f.Tensors() {
		v := array{shape: info.Shape}
		switch info.DType {
		case ckpt.F32, ckpt.F16, ckpt.BF16, ckpt.F64:
			var err error
			if v.data, err = f.Float32(info.Name); err != nil {
				return nil, err
			}
		default:
			bad(info.Name, "dtype %v, want floats", info.DType)
		}
		if len(v.shape) == 0 || info.Len() == 0 {
			bad(info.Name, "shape %v, want at least one element of a vector or matrix", v.shape)
		}
		if i := slices.IndexFunc(v.data, func(v float32) bool { return v-v != 0 }); i >= 0 {
			bad(info.Name, "element %d is %g", i, v.data[i])
		}
		name := modelPath(info.Name)
		if _, twice := st.tensors[name]; twice {
			bad(info.Name, "%s stands under another key too", name)
			continue
		}
		st.add(name, info.Name, v)
	}
	if len(problems) > 0 {
		return nil, fault.Wrap(fault.BadData, loadAdapter, path, &nn.LoadError{Problems: problems})
	}
	if len(st.names) == 0 {
		return nil, fault.New(fault.BadData, loadAdapter, path, "holds no tensors")
	}
	return st, nil
}

// wrappers are the modules that PyTorch puts around a whole model: torch.compile and data parallelism.
var wrappers = []string{"_orig_mod.", "module."}

// modelPath strips the prefixes of PEFT and PyTorch's wrappers from a key.
func modelPath(key string) string {
	bare := func(key string) string {
		for _, w := range wrappers {
			key = strings.TrimPrefix(key, w)
		}
		return key
	}
	return bare(strings.TrimPrefix(bare(key), prefix))
}

// find returns the file's path of the model's module at path, if the file has a tensor in it.
func (st *state) find(path string) (name string, ok bool) {
	if !st.decided {
		st.start, st.decided = st.startBefore(path)
	}
	name = st.start + path
	return name, st.inside[name]
}

// startBefore returns the shortest start that leads to a module of the file.
func (st *state) startBefore(path string) (start string, ok bool) {
	if st.inside[path] {
		return "", true
	}
	for module := range st.inside {
		before, found := strings.CutSuffix(module, "."+path)
		if before += "."; found && (!ok || len(before) < len(start) || len(before) == len(start) && before < start) {
			start, ok = before, true
		}
	}
	return start, ok
}

// head returns the start of the file's paths that the model's paths lack.
func (st *state) head() string { return st.start }

// Tensor returns the file's tensor for a parameter, which must have the shape that the model needs.
func (st *state) Tensor(s *torch.Scope, name string, shape []int, _ nn.Init) (*torch.Tensor, error) {
	if !strings.HasPrefix(name, sharedPrefix) {
		name = st.head() + name
	}
	v, ok := st.tensors[name]
	st.claimed[name] = true
	switch {
	case !ok:
		return nil, fmt.Errorf("the file has no %s", name)
	case !slices.Equal(v.shape, shape):
		return nil, fmt.Errorf("shape %v in the file, want %v", v.shape, shape)
	}
	return s.FromFloat32(v.data, shape...), nil
}

// of returns the tensors of the module at name, a path of the file.
func (st *state) of(name string) parameters {
	return func(end string) (array, bool) {
		v, ok := st.tensors[name+"."+end]
		return v, ok
	}
}
