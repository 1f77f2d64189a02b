package peft

import (
	"fmt"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/ckpt"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Ends of the keys of a pair.
const (
	endA = ".lora_A.weight"
	endB = ".lora_B.weight"
)

// pairs are the tensors of an adapter file, as the source of a loaded adapter.
type pairs struct {
	path    string // of the file
	keys    []string
	tensors map[string]loaded // by path in the file's model
	claimed map[string]bool   // layers that the model has, by path in the file's model
	// heads are what may stand before the model's paths in the file's. PEFT wraps whole models, so the adapter of a
	// speech recogniser says wavlm.encoder.layers.0 where the encoder alone says encoder.layers.0. The first layer
	// that is found decides.
	heads []string
}

type loaded struct {
	shape []int
	data  []float32
}

// readPairs checks all that can be said of the tensors without a model.
func readPairs(f *ckpt.File, path string) (*pairs, error) {
	p := &pairs{path: path, tensors: map[string]loaded{}, claimed: map[string]bool{}}
	var problems []string
	bad := func(key, why string, args ...any) { problems = append(problems, key+": "+fmt.Sprintf(why, args...)) }
	for info := range f.Tensors() {
		name := modelPath(info.Name)
		if _, ok := layerOf(name); !ok {
			bad(info.Name, "is not part of a LoRA pair")
			continue
		}
		p.keys = append(p.keys, info.Name)
		t := loaded{shape: info.Shape}
		switch info.DType {
		case ckpt.F32, ckpt.F16, ckpt.BF16, ckpt.F64:
			var err error
			if t.data, err = f.Float32(info.Name); err != nil {
				return nil, err
			}
		default:
			bad(info.Name, "dtype %v, want floats", info.DType)
		}
		if len(t.shape) != 2 || info.Len() == 0 {
			bad(info.Name, "shape %v, want a matrix", t.shape)
		}
		if i := slices.IndexFunc(t.data, func(v float32) bool { return v-v != 0 }); i >= 0 {
			bad(info.Name, "element %d is %g", i, t.data[i])
		}
		if _, twice := p.tensors[name]; twice {
			bad(info.Name, "%s stands under another key too", name)
		}
		p.tensors[name] = t
	}
	for _, key := range p.keys {
		name := modelPath(key)
		layer, _ := layerOf(name)
		for _, other := range []string{layer + endA, layer + endB} {
			if _, ok := p.tensors[other]; !ok {
				bad(key, "there is no %s", other)
			}
		}
	}
	if len(problems) > 0 {
		return nil, fault.Wrap(fault.BadData, loadAdapter, path, &nn.LoadError{Problems: problems})
	}
	if len(p.keys) == 0 {
		return nil, fault.New(fault.BadData, loadAdapter, path, "holds no tensors")
	}
	p.heads = []string{""}
	first, _, _ := strings.Cut(modelPath(p.keys[0]), ".")
	if !slices.ContainsFunc(p.keys, func(key string) bool { return !strings.HasPrefix(modelPath(key), first+".") }) {
		p.heads = append(p.heads, first+".")
	}
	return p, nil
}

// modelPath strips what PEFT and torch.compile put before a layer's path.
func modelPath(key string) string {
	const compiled = "_orig_mod."
	key = strings.TrimPrefix(key, compiled)
	key = strings.TrimPrefix(key, prefix)
	return strings.TrimPrefix(key, compiled)
}

// layerOf is the path of the layer that a tensor adapts.
func layerOf(name string) (layer string, ok bool) {
	layer, ok = strings.CutSuffix(name, endA)
	if !ok {
		layer, ok = strings.CutSuffix(name, endB)
	}
	return layer, ok && layer != ""
}

// find gives the file's path of the layer that the model has at path.
func (p *pairs) find(path string) (name string, ok bool) {
	for _, head := range p.heads {
		name = head + path
		if _, ok := p.tensors[name+endA]; ok {
			p.heads = []string{head}
			p.claimed[name] = true
			return name, true
		}
	}
	return "", false
}

// head is what stands before the model's paths.
func (p *pairs) head() string { return p.heads[0] }

// check wants the pair of a layer to have the shapes that it should.
func (p *pairs) check(name string, rank int, base *nn.Dense) error {
	for _, want := range []struct {
		key   string
		shape []int
	}{{name + endA, []int{rank, base.In()}}, {name + endB, []int{base.Out(), rank}}} {
		if got := p.tensors[want.key].shape; !slices.Equal(got, want.shape) {
			return fmt.Errorf("%s: shape %v in the file, want %v", want.key, got, want.shape)
		}
	}
	return nil
}

// Tensor is the matrix of the file for a parameter that has been found and checked.
func (p *pairs) Tensor(s *torch.Scope, name string, shape []int, _ nn.Init) (*torch.Tensor, error) {
	return s.FromFloat32(p.tensors[p.head()+name].data, shape...), nil
}

// unclaimed are the keys for which the model has no layer.
func (p *pairs) unclaimed() (keys []string) {
	for _, key := range p.keys {
		if layer, _ := layerOf(modelPath(key)); !p.claimed[layer] {
			keys = append(keys, key)
		}
	}
	return keys
}
