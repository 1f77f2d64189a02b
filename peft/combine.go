package peft

import (
	"cmp"
	"context"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/basemodel"
	"github.com/brainwavlm/bwlm/torch"
)

const combineAdapters = "combine adapters"

// Kind is a way of combining adapters.
type Kind string

// The kinds. Cat and SVD act on s·B·A: Cat is exact and its rank is the sum of the ranks, SVD is
// the best approximation of a given rank. The others act on A and B separately, as PEFT does, so
// that the product has cross terms B_i·A_j. Linear adds the matrices, Magnitude adds them after
// pruning, TIES also drops elements of the minority sign (Yadav et al. 2023, arXiv 2306.01708).
const (
	Cat       Kind = "cat"
	SVD       Kind = "svd"
	Linear    Kind = "linear"
	TIES      Kind = "ties"
	Magnitude Kind = "magnitude_prune"
)

// Combination holds the options of [Combine].
type Combination struct {
	Kind      Kind
	Rank      int     // of SVD; 0 means the largest rank of the adapters
	Density   float64 // part of each matrix that TIES and Magnitude keep; 0 means .5
	Frequency bool    // TIES: signs are counted, not weighted by size

	AllowChangedBase bool // of adapters that were trained on different base models
}

// Combine returns one LoRA of several: Σ wᵢ·sᵢ·Bᵢ·Aᵢ, exactly or approximately. It uses each
// layer's own scale, so that rsLoRA and patterns of alpha are right, and scales biases of B, too;
// PEFT 0.21 has both wrong (huggingface/peft#3761, #3449). Combine refuses DoRA, copies of the
// model's biases and modules, and different ranks where A and B are combined separately. The config
// has the rank of each layer, so that the result can be loaded (huggingface/peft#3737).
func Combine(ctx context.Context, how Combination, weights []float64, files ...*File) (*File, error) {
	if err := how.check(weights, files); err != nil {
		return nil, err
	}
	cfg := Config{Method: &LoRA{Init: InitTrue}, BaseModel: files[0].Config.BaseModel}
	out := &File{Config: cfg, state: newState("")}
	for _, f := range files {
		if err := basemodel.Check(combineAdapters, f.state.path, f.state.base, out.state.base); err != nil &&
			!how.AllowChangedBase {
			return nil, err
		}
		out.state.base = cmp.Or(out.state.base, f.state.base)
	}
	method := out.Config.Method.(*LoRA)
	var parts [][]factors
	for i, f := range files {
		list, err := f.factors(weights[i])
		if err != nil {
			return nil, err
		}
		parts = append(parts, list)
	}
	err := torch.Infer(ctx, func(s *torch.Scope) error {
		for _, layer := range byLayer(parts) {
			x, err := how.combine(s, layer)
			if err != nil {
				return err
			}
			method.R = max(method.R, x.rank())
			method.RankPattern = append(method.RankPattern, Entry{"^" + regexp.QuoteMeta(x.path), float64(x.rank())})
			method.BiasB = method.BiasB || x.bias != nil
			out.Config.TargetModules.List = append(out.Config.TargetModules.List, x.path)
			out.state.add(x.path+"."+keyA, x.path+"."+keyA, array{x.shapeA, narrow(x.a)})
			out.state.add(x.path+"."+keyB, x.path+"."+keyB, array{x.shapeB, narrow(x.b)})
			if x.bias != nil {
				out.state.add(x.path+"."+keyBiasB, x.path+"."+keyBiasB, array{[]int{len(x.bias)}, narrow(x.bias)})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if method.BiasB { // then every layer has one
		for _, path := range out.Config.TargetModules.List {
			if _, ok := out.state.tensors[path+"."+keyBiasB]; !ok {
				n := out.state.tensors[path+"."+keyB].shape[0]
				out.state.add(path+"."+keyBiasB, path+"."+keyBiasB, array{[]int{n}, make([]float32, n)})
			}
		}
	}
	method.Alpha = float64(method.R) // so that the scale is 1
	method.RankPattern = compact(method.RankPattern, float64(method.R))
	method.AlphaPattern = slices.Clone(method.RankPattern)
	return out, out.Config.validate()
}

func (how Combination) check(weights []float64, files []*File) error {
	bad := func(why string, args ...any) error { return fault.New(fault.Usage, combineAdapters, "", why, args...) }
	switch {
	case len(files) == 0:
		return bad("there is no adapter")
	case len(weights) != len(files):
		return bad("%d weights for %d adapters", len(weights), len(files))
	case !slices.Contains([]Kind{Cat, SVD, Linear, TIES, Magnitude}, how.Kind):
		return bad("%q is no way to combine; there are cat, svd, linear, ties, magnitude_prune", how.Kind)
	case how.Density < 0 || how.Density > 1:
		return bad("a density of %g, want more than 0 and at most 1", how.Density)
	case how.Rank < 0:
		return bad("a rank of %d", how.Rank)
	}
	for _, w := range weights {
		if math.IsNaN(w) || math.IsInf(w, 0) {
			return bad("a weight of %g", w)
		}
	}
	return nil
}

// factors holds s·B·A of one layer in Float64: A (r, n), B (out, r), and the product of scale and
// adapter's weight.
type factors struct {
	path           string
	a, b, bias     []float64
	shapeA, shapeB []int
	weight         float64 // w·s
}

func (x factors) rank() int { return x.shapeA[0] }

// factors returns the layers of a plain LoRA.
func (f *File) factors(weight float64) (list []factors, err error) {
	refuse := func(why string) error {
		return fault.New(fault.BadData, combineAdapters, f.state.path, "%s", why).
			WithHint("merge it into the model by itself")
	}
	m, ok := f.Config.Method.(*LoRA)
	switch {
	case !ok:
		return nil, refuse("is of type " + f.Config.Method.peftType() + ", only LoRA can be combined")
	case m.DoRA:
		return nil, refuse("is a DoRA, whose effect is not a sum (huggingface/peft#3761)")
	case m.Init.changesBase():
		return nil, refuse("was trained on a changed base model")
	case f.Config.Bias != BiasNone || len(f.Config.ModulesToSave) > 0:
		return nil, refuse("has biases or modules of its own, which cannot be weighted without the base model")
	}
	match, err := newMatcher(&f.Config)
	if err != nil {
		return nil, err
	}
	for _, name := range f.state.names {
		path, ok := strings.CutSuffix(name, "."+keyA)
		if !ok {
			continue
		}
		a, b := f.state.tensors[name], f.state.tensors[path+"."+keyB]
		bias := f.state.tensors[path+"."+keyBiasB]
		if len(a.shape) < 2 || len(b.shape) < 2 || a.shape[0] != b.shape[1] {
			return nil, fault.New(fault.BadData, combineAdapters, f.state.path,
				"%s: A %v and B %v are no pair", path, a.shape, b.shape)
		}
		rank := int(match.lookup("rank_pattern", path, float64(m.R)))
		if rank != a.shape[0] {
			return nil, fault.New(fault.BadData, combineAdapters, f.state.path,
				"%s: rank %d, the config says %d", path, a.shape[0], rank)
		}
		scale := m.scale(rank, match.lookup("alpha_pattern", path, m.Alpha))
		list = append(list, factors{
			path, widen(a.data), widen(b.data), widen(bias.data), a.shape, b.shape, weight * scale,
		})
	}
	return list, nil
}

// byLayer groups factors by layer, in the order of first appearance.
func byLayer(parts [][]factors) (layers [][]factors) {
	at := map[string]int{}
	for _, list := range parts {
		for _, x := range list {
			i, ok := at[x.path]
			if !ok {
				i = len(layers)
				at[x.path] = i
				layers = append(layers, nil)
			}
			layers[i] = append(layers[i], x)
		}
	}
	return layers
}
