package nn

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/torch"
)

// net has a list of linear layers, a norm of each kind and a parameter of its own.
type net struct {
	layers [2]Linear
	norm   Layer
	group  Layer
	scale  *torch.Tensor
}

func newNet(b *Builder) *net {
	n := &net{}
	for i := range n.layers {
		b.At("encoder.layers").Index(i).Linear(&n.layers[i], "proj", 3, 4, LinearInit{NoBias: i == 1})
	}
	b.LayerNorm(&n.norm, "norm", 4, 1e-5)
	b.At("front").GroupNorm(&n.group, "group", 2, 4, 1e-5)
	n.scale = b.Param("scale", Ones, 1, 2)
	return n
}

var netNames = []string{"encoder.layers.0.proj.weight", "encoder.layers.0.proj.bias", "encoder.layers.1.proj.weight",
	"norm.weight", "norm.bias", "front.group.weight", "front.group.bias", "scale"}

func names(st *Store) (list []string) {
	for name := range st.Params() {
		list = append(list, name)
	}
	return list
}

func build(t *testing.T, st *Store, src Source, adapter Adapter) (n *net, err error) {
	t.Helper()
	do(t, 7, func(s *torch.Scope) {
		err = st.Build(s, src, adapter, func(b *Builder) { n = newNet(b) })
	})
	return n, err
}

func TestNamesAreKeysInTheOrderOfConstruction(t *testing.T) {
	st := newStore(t)
	do(t, 7, func(s *torch.Scope) {
		require.NoError(t, st.Build(s, Fresh{}, nil, func(b *Builder) {
			newNet(b)
			assert.Equal(t, st, b.Store())
			assert.Equal(t, s, b.Scope())
			assert.Equal(t, "a.b.c", b.At("a.b").full("c"))
			assert.Equal(t, "a", b.At("a").full(""))
		}))
	})
	assert.Equal(t, netNames, names(st))
	assert.Equal(t, len(netNames), st.Len())
	assert.Equal(t, 12+4+12+4*4+2, st.Numel())
	assert.Nil(t, st.Param("encoder.layers.1.proj.bias"))
	assert.Equal(t, []int{4, 3}, st.Param(netNames[0]).Shape())
}

// A second construction over the same store is a view: the same parameters, no values made.
func TestViewsShareParameters(t *testing.T) {
	st := newStore(t)
	first, err := build(t, st, Fresh{}, nil)
	require.NoError(t, err)
	second, err := build(t, st, nil, nil)
	require.NoError(t, err)
	assert.Equal(t, len(netNames), st.Len())
	assert.Same(t, first.layers[0].(*Dense).Weight, second.layers[0].(*Dense).Weight)
	assert.Same(t, first.scale, second.scale)
	assert.Nil(t, first.layers[1].(*Dense).Bias)
}

// source is a checkpoint with faults.
type source map[string]error

func (src source) Tensor(s *torch.Scope, name string, shape []int, init Init) (*torch.Tensor, error) {
	if err := src[name]; err != nil {
		return nil, err
	}
	return init(s, shape), nil
}

func TestLoadErrorListsAll(t *testing.T) {
	st := newStore(t)
	_, err := build(t, st, source{"norm.bias": errors.New("is lost"), "scale": errors.New("shape [3], want [1 2]")},
		nil)
	var load *LoadError
	require.ErrorAs(t, err, &load)
	assert.Equal(t, []string{"norm.bias: is lost", "scale: shape [3], want [1 2]"}, load.Problems)
	assert.EqualError(t, err, "norm.bias: is lost; scale: shape [3], want [1 2]")

	// Nothing to make parameters from, and one that is there has another shape.
	st = newStore(t)
	do(t, 1, func(s *torch.Scope) { st.Add("scale", s.Zeros(3)) })
	_, err = build(t, st, nil, nil)
	require.ErrorAs(t, err, &load)
	assert.Len(t, load.Problems, len(netNames))
	for i, name := range netNames[:len(netNames)-1] {
		assert.Equal(t, name+": missing", load.Problems[i])
	}
	assert.Equal(t, "scale: shape [3], want [1 2]", load.Problems[len(netNames)-1])

	var many []string
	for i := range 25 {
		many = append(many, fmt.Sprintf("p%d", i))
	}
	message := (&LoadError{many}).Error()
	assert.Contains(t, message, "p9; and 15 more")
	assert.NotContains(t, message, "p10")
}

// doubler wraps the layers at some paths.
type doubler struct {
	only, param  string
	seen, params []string
	finished     int
}

type doubled struct{ base Layer }

func (d doubled) Forward(x *torch.Tensor) *torch.Tensor { return d.base.Forward(x).MulScalar(2) }

func (a *doubler) Param(b *Builder, path string, p *torch.Tensor) *torch.Tensor {
	a.params = append(a.params, path)
	if path == a.param {
		return b.Scope().Attach(p).MulScalar(2)
	}
	return p
}

func (a *doubler) Finish(b *Builder) {
	a.finished++
	if b.full("") != "" {
		b.Problem("the builder is at %s", b.full(""))
	}
}

func (a *doubler) Wrap(b *Builder, path string, base Layer) Layer {
	a.seen = append(a.seen, path)
	if b.full("weight") != path+".weight" {
		b.Problem("%s: the builder is at %s", path, b.full(""))
	}
	if path == a.only {
		return doubled{base}
	}
	return base
}

func TestAdaptersWrapLayersAtTheirPaths(t *testing.T) {
	st := newStore(t)
	plain, err := build(t, st, Fresh{}, nil)
	require.NoError(t, err)
	a := &doubler{only: "encoder.layers.1.proj"}
	view, err := build(t, st, nil, a)
	require.NoError(t, err)
	assert.Equal(t, []string{"encoder.layers.0.proj", "encoder.layers.1.proj", "norm", "front.group"}, a.seen)
	assert.Equal(t, netNames, a.params)
	assert.Equal(t, 1, a.finished)
	do(t, 1, func(s *torch.Scope) {
		x := s.Normal(0, 1, 2, 3)
		for i, factor := range []float32{1, 2} {
			want, got := plain.layers[i].Forward(x).Float32s(), view.layers[i].Forward(x).Float32s()
			for k := range want {
				assert.Equal(t, factor*want[k], got[k])
			}
		}
	})
}

func TestAdaptersReplaceParameters(t *testing.T) {
	st := newStore(t)
	plain, err := build(t, st, Fresh{}, nil)
	require.NoError(t, err)
	do(t, 1, func(s *torch.Scope) {
		var view *net
		require.NoError(t, st.Build(s, nil, &doubler{param: "norm.weight"}, func(b *Builder) { view = newNet(b) }))
		assert.Equal(t, s.Full(2, 4).Float32s(), view.norm.(*LayerNorm).Weight.Float32s())
		assert.Equal(t, s.Full(1, 4).Float32s(), plain.norm.(*LayerNorm).Weight.Float32s())
		assert.Same(t, plain.norm.(*LayerNorm).Bias, view.norm.(*LayerNorm).Bias)
	})
}

// A convolution's slot is filled like that of a linear layer.
func TestConv(t *testing.T) {
	st := newStore(t)
	var conv, bare Layer
	do(t, 3, func(s *torch.Scope) {
		require.NoError(t, st.Build(s, Fresh{}, nil, func(b *Builder) {
			b.Conv(&conv, "conv", 2, 3, 4, 2, 0, LinearInit{Weight: FanInUniform, Bias: Ones})
			b.Conv(&bare, "bare", 2, 3, 4, 1, 0, LinearInit{Weight: FanInUniform, NoBias: true})
		}))
		assert.Equal(t, []string{"conv.weight", "conv.bias", "bare.weight"}, names(st))
		x := s.Normal(0, 1, 1, 2, 9)
		want := x.Conv1d(st.Param("conv.weight"), st.Param("conv.bias"), 2, 0, 1)
		assert.Equal(t, []int{1, 3, 3}, want.Shape())
		assert.Equal(t, want.Float32s(), conv.Forward(x).Float32s())
		assert.Equal(t, []int{1, 3, 6}, bare.Forward(x).Shape())
	})
}

type note struct{}

func TestNotesStayWithTheStore(t *testing.T) {
	st := newStore(t)
	first := st.Note(note{}, func() any { return new(int) })
	assert.Same(t, first, st.Note(note{}, func() any { return new(int) }))
	assert.NotSame(t, first, newStore(t).Note(note{}, func() any { return new(int) }))
}

func TestANameIsGivenOnce(t *testing.T) {
	st := newStore(t)
	err := torch.Infer(t.Context(), func(s *torch.Scope) error {
		st.Add("w", s.Zeros(1))
		st.Add("w", s.Zeros(1))
		return nil
	})
	assert.ErrorContains(t, err, "parameter w exists already")
}

// The starts of a fresh model, by their spread: sd of U(-a, a) is a/√3.
func TestInits(t *testing.T) {
	shape := []int{200, 10, 5} // fan-in 50
	fan := 50.
	for name, c := range map[string]struct {
		init      Init
		sd, limit float64
	}{
		"Zeros":         {Zeros, 0, 0},
		"Normal":        {Normal(.02), .02, math.Inf(1)},
		"Uniform":       {Uniform(.3), .3 / math.Sqrt(3), .3},
		"FanInUniform":  {FanInUniform, 1 / math.Sqrt(3*fan), 1 / math.Sqrt(fan)},
		"KaimingNormal": {KaimingNormal, math.Sqrt(2 / fan), math.Inf(1)},
		"XavierUniform": {XavierUniform, math.Sqrt(2 / (200 + fan)), math.Sqrt(6 / (200 + fan))},
	} {
		do(t, 11, func(s *torch.Scope) {
			x := c.init(s, shape)
			assert.Equal(t, shape, x.Shape(), name)
			assert.InDelta(t, 0, x.Mean().Item(), 4*c.sd/100, name)
			assert.InDelta(t, c.sd, x.Square().Mean().Sqrt().Item(), .03*c.sd, name)
			assert.LessOrEqual(t, x.MaxAbs(), c.limit+1e-7, name)
		})
	}
	do(t, 11, func(s *torch.Scope) { assert.Equal(t, 6., Ones(s, []int{2, 3}).Sum().Item()) })

	st := newStore(t)
	do(t, 11, func(s *torch.Scope) {
		var l Linear
		require.NoError(t, st.Build(s, Fresh{}, nil, func(b *Builder) { b.Linear(&l, "l", 25, 2000) }))
		bias := l.(*Dense).Bias
		assert.Equal(t, []int{2000}, bias.Shape())
		assert.InDelta(t, .2/math.Sqrt(3), s.Attach(bias).Square().Mean().Sqrt().Item(), .01,
			"PyTorch's bias: U(±1/√in)")
		assert.LessOrEqual(t, bias.MaxAbs(), .2)
		assert.Equal(t, 25, l.(*Dense).In())
		assert.Equal(t, 2000, l.(*Dense).Out())
	})
}

// A linear layer multiplies in the scope's compute type and gives x's type back.
func TestDenseMultipliesInTheComputeType(t *testing.T) {
	st := newStore(t)
	var l Linear
	do(t, 5, func(s *torch.Scope) {
		require.NoError(t, st.Build(s, Fresh{}, nil, func(b *Builder) { b.Linear(&l, "l", 64, 32) }))
	})
	run := func(compute torch.DType) (y []float32) {
		require.NoError(t, torch.Do(t.Context(), torch.Mode{Seed: 2, Compute: compute, Device: torchtest.Device()},
			func(s *torch.Scope) error {
				out := l.Forward(s.Normal(0, 1, 4, 64))
				assert.Equal(t, torch.Float32, out.DType())
				y = out.Float32s()
				return nil
			}))
		return y
	}
	exact, half := run(torch.Float32), run(torch.BFloat16)
	assert.NotEqual(t, exact, half)
	for i := range exact {
		assert.InDelta(t, exact[i], half[i], .05)
		assert.Equal(t, half[i], math.Float32frombits(math.Float32bits(half[i])&0xffff0000), "rounded to 8 bits")
	}
}
