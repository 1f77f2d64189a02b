package peft

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/torch"
)

// inFile is an adapter in memory with one layer.
func inFile(m *LoRA, a, b array) *File {
	f := &File{Config: Config{Method: m, TargetModules: Targets("up")}, state: newState("memory")}
	f.state.add("layers.0.up."+keyA, "", a)
	f.state.add("layers.0.up."+keyB, "", b)
	return f
}

// deltaOf is s·B·A of a file's one layer.
func deltaOf(t *testing.T, f *File) []float32 {
	t.Helper()
	xs, err := f.factors(1)
	require.NoError(t, err)
	require.Len(t, xs, 1)
	var out []float32
	require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
		x := xs[0]
		n := len(x.a) / x.rank()
		out = s.FromFloat64(x.b, x.shapeB[0], x.rank()).MatMul(s.FromFloat64(x.a, x.rank(),
			n)).MulScalar(x.weight).ToType(torch.Float32).Float32s()
		return nil
	}))
	return out
}

// The combinations are those that PEFT makes of two adapters.
func TestCombinationsAreThoseOfPEFT(t *testing.T) {
	noLeak(t)
	g, err := ckpt.Open(filepath.Join(goldens, "base", "peft", "multi.safetensors"))
	require.NoError(t, err)
	defer g.Close()
	read := func(name string) array {
		info, ok := g.Info(name)
		require.True(t, ok, name)
		v, err := g.Float32(name)
		require.NoError(t, err)
		return array{info.Shape, v}
	}
	var meta struct{ Weights []float64 }
	require.NoError(t, json.Unmarshal([]byte(g.Metadata()["meta"]), &meta))
	a := inFile(&LoRA{R: 4, Alpha: 8}, read("a/A"), read("a/B"))
	b := inFile(&LoRA{R: 4, Alpha: 2}, read("b/A"), read("b/B"))
	for name, how := range map[string]Combination{
		"cat": {Kind: Cat}, "linear": {Kind: Linear}, "svd_rank4": {Kind: SVD, Rank: 4},
		"svd_rank8": {Kind: SVD, Rank: 8},
		"ties":      {Kind: TIES}, "ties_frequency": {Kind: TIES, Frequency: true, Density: .5},
		"magnitude_prune": {Kind: Magnitude},
	} {
		c, err := Combine(t.Context(), how, meta.Weights, a, b)
		require.NoError(t, err, name)
		assert.Less(t, furthest(t, read(name+"/delta").data, deltaOf(t, c)), 2e-6, name)
		if _, ok := g.Info(name + "/A"); ok {
			assert.Less(t, furthest(t, read(name+"/A").data, c.state.tensors["layers.0.up."+keyA].data), 1e-6, name)
			assert.Less(t, furthest(t, read(name+"/B").data, c.state.tensors["layers.0.up."+keyB].data), 1e-6, name)
		}
		exact := furthest(t, read("exact_weighted_delta").data, deltaOf(t, c))
		assert.Equal(t, name == "cat" || name == "svd_rank8", exact < 1e-5, "%s is off by %g", name, exact)
	}
}

// PEFT 0.21 multiplies rsLoRA by √r too much and forgets the bias of B (huggingface/peft#3761,
// #3449); ranks of single layers it cannot load again (#3737).
func TestCombinationsThatPEFTGetsWrong(t *testing.T) {
	m := base(t)
	_, a := m.adapted(t, Config{Method: &LoRA{R: 3, Alpha: 7, RSLoRA: true, RankPattern: []Entry{{"1.up", 2}},
		AlphaPattern: []Entry{{"2.up", 5}}},
		TargetModules: Targets("up")})
	_, b := m.adapted(t, Config{Method: &LoRA{R: 4, Alpha: 2, BiasB: true}, TargetModules: Targets("up", "0.down")})
	for _, how := range []Combination{{Kind: Cat}, {Kind: SVD, Rank: 6}} {
		f, err := Combine(t.Context(), how, []float64{.5, -2}, a.File(), b.File())
		require.NoError(t, err)
		dir := filepath.Join(t.TempDir(), "c")
		require.NoError(t, f.Save(dir))
		c, err := Load(dir)
		require.NoError(t, err)
		_, err = m.view(t, c)
		require.NoError(t, err)
		require.NoError(t, c.Check())
		require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
			for _, l := range c.Layers() {
				want := s.ZerosOf(torch.Float64, l.weight.Shape()...)
				bias := s.ZerosOf(torch.Float64, l.bias.Shape()...)
				for i, part := range []*Adapter{a, b} {
					if p := part.byPath[l.Path]; p != nil {
						w, d := p.layer.merge(rowRange{0, l.weight.Dim(0)},
							s.ZerosOf(torch.Float64, l.weight.Shape()...), s.ZerosOf(torch.Float64, l.bias.Shape()...))
						want, bias = want.Add(w.MulScalar([]float64{.5, -2}[i])),
							bias.Add(d.MulScalar([]float64{.5, -2}[i]))
					}
				}
				w, d := l.layer.merge(rowRange{0, l.weight.Dim(0)}, s.ZerosOf(torch.Float64, l.weight.Shape()...),
					s.ZerosOf(torch.Float64, l.bias.Shape()...))
				assert.Less(t, w.Sub(want).MaxAbs(), 1e-6, "%s %s", how.Kind, l.Path)
				assert.Less(t, d.Sub(bias).MaxAbs(), 1e-6, "%s %s", how.Kind, l.Path)
			}
			return nil
		}))
	}
}

func TestCombinationsThatCannotBeRightAreRefused(t *testing.T) {
	m := base(t)
	file := func(cfg Config) *File {
		_, a := m.adapted(t, cfg)
		return a.File()
	}
	good := file(Config{Method: &LoRA{R: 3, Alpha: 7}, TargetModules: Targets("up")})
	for says, other := range map[string]Config{
		"is a DoRA": {Method: &LoRA{R: 3, Alpha: 7, DoRA: true}, TargetModules: Targets("up")},
		"biases":    {Method: &LoRA{R: 3, Alpha: 7}, TargetModules: Targets("up"), Bias: BiasOnly},
		"modules of": {Method: &LoRA{R: 3, Alpha: 7}, TargetModules: Targets("up"),
			ModulesToSave: []string{"0.down"}},
		"only LoRA":    {Method: &IA3{}, TargetModules: Targets("up")},
		"ranks 3 and ": {Method: &LoRA{R: 2, Alpha: 7}, TargetModules: Targets("up")},
	} {
		_, err := Combine(t.Context(), Combination{Kind: Linear}, []float64{1, 1}, good, file(other))
		isFault(t, err, fault.BadData, says)
	}
	for says, how := range map[string]Combination{"is no way": {Kind: "dare"}, "density": {Kind: TIES, Density: 2},
		"rank of -1": {Kind: SVD, Rank: -1}} {
		_, err := Combine(t.Context(), how, []float64{1}, good)
		isFault(t, err, fault.Usage, says)
	}
	_, err := Combine(t.Context(), Combination{Kind: Cat}, []float64{1, 2}, good)
	isFault(t, err, fault.Usage, "2 weights for 1 adapters")
}
