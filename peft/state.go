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
	names   []string
	keys    map[string]string // in the file, by name
	tensors map[string]array
	inside  map[string]bool // modules with a tensor in the file, and all modules above them
	claimed map[string]bool // tensors that the model has a place for
	// heads are possible starts of the file's paths that the model's paths lack. PEFT wraps whole
	// models, so the file of a model with a head has the name of the encoder before each path. The
	// first layer that is found decides.
	heads []string
}

func newState(path string) *state {
	return &state{path: path, keys: map[string]string{}, tensors: map[string]array{}, inside: map[string]bool{},
		claimed: map[string]bool{}, heads: []string{""}}
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
	first, common := "", true
	for _, name := range st.names {
		head, _, nested := strings.Cut(name, ".")
		if strings.HasPrefix(name, sharedPrefix) {
			continue
		}
		common = common && nested && (first == "" || head == first)
		first = head
	}
	if common && first != "" {
		st.heads = append(st.heads, first+".")
	}
	return st, nil
}

// modelPath strips the prefixes of PEFT and torch.compile from a key.
func modelPath(key string) string {
	const compiled = "_orig_mod."
	key = strings.TrimPrefix(key, compiled)
	key = strings.TrimPrefix(key, prefix)
	return strings.TrimPrefix(key, compiled)
}

// find returns the file's path of the model's module at path, if the file has a tensor in it.
func (st *state) find(path string) (name string, ok bool) {
	for _, head := range st.heads {
		if st.inside[head+path] {
			st.heads = []string{head}
			return head + path, true
		}
	}
	return "", false
}

// head returns the start of the file's paths that the model's paths lack.
func (st *state) head() string { return st.heads[0] }

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
