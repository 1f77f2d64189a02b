package peft

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// noLeak fails the test if it leaves tensors behind.
func noLeak(t *testing.T) {
	t.Helper()
	before := torch.Live()
	t.Cleanup(func() { assert.Equal(t, before, torch.Live(), "tensors left behind") })
}

// The widths of the small model. They differ, so that nothing can be mixed up unseen.
const width, inner, depth = 6, 10, 3

// block is a residual pair of layers of a model that knows no adapters.
type block struct{ up, down nn.Linear }

type model struct {
	blocks   []block
	detached bool // reads the weights of the last block instead of calling its layers
	store    *nn.Store
}

// newModel builds layers.0.up, layers.0.down, layers.1.up and so on.
func newModel(b *nn.Builder) *model {
	m := &model{blocks: make([]block, depth), store: b.Store()}
	for i := range m.blocks {
		at := b.At("layers").Index(i)
		at.Linear(&m.blocks[i].up, "up", width, inner)
		at.Linear(&m.blocks[i].down, "down", inner, width)
	}
	return m
}

// forward maps x (N, width) to (N, width).
func (m *model) forward(x *torch.Tensor) *torch.Tensor {
	for i, b := range m.blocks {
		if m.detached && i == depth-1 {
			up, down := plain(b.up), plain(b.down)
			x = x.Add(x.Linear(up.Weight, up.Bias).Tanh().Linear(down.Weight, down.Bias))
			continue
		}
		x = x.Add(b.down.Forward(b.up.Forward(x).Tanh()))
	}
	return x
}

func plain(l nn.Linear) *nn.Dense { return bottom(l).(*nn.Dense) }

// pair are the matrices of a layer with LoRA.
func pair(l *Adapted) *lora {
	if d, ok := l.layer.(*dora); ok {
		return d.lora
	}
	return l.layer.(*lora)
}

// dense is what a layer with LoRA stands on.
func dense(l *Adapted) *nn.Dense { return bottom(pair(l).below).(*nn.Dense) }

// base is a fresh model whose parameters are freed after the test.
func base(t *testing.T) *model {
	t.Helper()
	noLeak(t)
	store := nn.NewStore()
	t.Cleanup(store.Close)
	var m *model
	require.NoError(t, torch.Do(t.Context(), torch.Mode{Seed: 1}, func(s *torch.Scope) error {
		return store.Build(s, nn.Fresh{}, nil, func(b *nn.Builder) { m = newModel(b) })
	}))
	store.Freeze()
	return m
}

// view is the model with an adapter, which is freed after the test.
func (m *model) view(t *testing.T, a *Adapter) (*model, error) {
	t.Helper()
	t.Cleanup(a.Close)
	v := &model{}
	err := torch.Do(t.Context(), torch.Mode{Seed: 2}, func(s *torch.Scope) error {
		return m.store.Build(s, nil, a, func(b *nn.Builder) { v = newModel(b) })
	})
	return v, err
}

// adapted is a view with a new adapter, whose numbers, but for A, are random.
func (m *model) adapted(t *testing.T, cfg Config) (*model, *Adapter) {
	t.Helper()
	a, err := New(cfg)
	require.NoError(t, err)
	v, err := m.view(t, a)
	require.NoError(t, err)
	require.NoError(t, a.Check())
	fill(t, a)
	return v, a
}

func fill(t *testing.T, a *Adapter) {
	t.Helper()
	require.NoError(t, torch.Do(t.Context(), torch.Mode{Seed: 3}, func(s *torch.Scope) error {
		for name, p := range a.Store().Params() {
			if !strings.HasSuffix(name, keyA) {
				p.CopyFrom(s.Attach(p).Add(s.Normal(0, .5, p.Shape()...)))
			}
		}
		return nil
	}))
}

func (m *model) session(a *Adapter) *nn.Session {
	return &nn.Session{Stores: []*nn.Store{m.store, a.Store()}}
}

// input is a batch for the small model.
func input() []float32 {
	x := make([]float32, 4*width)
	for i := range x {
		x[i] = float32(math.Sin(float64(i)*1.7 + .3))
	}
	return x
}

// output is what the model makes of input.
func (m *model) output(t *testing.T) (y []float32) {
	t.Helper()
	require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
		y = m.forward(s.FromFloat32(input(), 4, width)).Float32s()
		return nil
	}))
	return y
}

// isFault wants a *fault.Error of a kind whose text has all of the words.
func isFault(t *testing.T, err error, kind fault.Kind, words ...string) {
	t.Helper()
	var f *fault.Error
	if !assert.ErrorAs(t, err, &f) {
		return
	}
	assert.Equal(t, kind, f.Kind, err)
	for _, w := range words {
		assert.Contains(t, err.Error(), w)
	}
}

// furthest is the largest |a - b|.
func furthest(t *testing.T, a, b []float32) (d float64) {
	t.Helper()
	require.Len(t, a, len(b))
	for i := range a {
		d = max(d, math.Abs(float64(a[i])-float64(b[i])))
	}
	return d
}

// folder makes a folder with an adapter's files.
func folder(t *testing.T, config string, tensors ...ckpt.Tensor) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, ConfigFile), []byte(config), 0o600))
	if tensors != nil {
		require.NoError(t, ckpt.Write(filepath.Join(dir, weightsFile), tensors, nil))
	}
	return dir
}

// matrix is a tensor of small numbers.
func matrix(name string, shape ...int) ckpt.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(i%7-3) / 10
	}
	return ckpt.NewTensor(name, shape, values)
}

// delta is what merging adds to a weight (out, in), in Float64.
func delta(s *torch.Scope, l *Adapted) *torch.Tensor {
	w := s.ZerosOf(torch.Float64, l.weight.Shape()...)
	w, _ = l.layer.merge(rowRange{0, w.Dim(0)}, w, nil)
	return w
}
