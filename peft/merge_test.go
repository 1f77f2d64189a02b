package peft

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// weights are the bytes of all parameters.
func weights(st *nn.Store) map[string][]byte {
	all := map[string][]byte{}
	for name, p := range st.Params() {
		all[name] = p.Bytes()
	}
	return all
}

var mixed = Config{Method: &LoRA{R: 3, Alpha: 7, RankPattern: []Entry{{"down", 2}}},
	TargetModules: Targets("up", "down")}

func TestMergeAndUnmerge(t *testing.T) {
	m := base(t)
	v, a := m.adapted(t, mixed)
	plain, tuned, bits := m.output(t), v.output(t), weights(m.store)
	require.Greater(t, furthest(t, plain, tuned), .1)

	merged, err := Merge(t.Context(), m.session(a), a)
	require.NoError(t, err)
	assert.Less(t, furthest(t, tuned, m.output(t)), 2e-6, "the base model is the adapted one now")
	assert.Equal(t, m.output(t), v.output(t), "the view does not count the adapter twice")
	for _, l := range a.Layers() {
		was := bits[l.Path+".weight"]
		for i, w := range dense(l).Weight.Float32s() {
			old := math.Float32frombits(uint32(was[4*i]) | uint32(was[4*i+1])<<8 | uint32(was[4*i+2])<<16 |
				uint32(was[4*i+3])<<24)
			sum := 0.
			in := dense(l).In()
			rank := pair(l).a.Dim(0)
			for r := range rank {
				sum += float64(pair(l).b.Float32s()[i/in*rank+r]) * float64(pair(l).a.Float32s()[r*in+i%in])
			}
			exact := float64(old) + pair(l).scale*sum
			assert.InDelta(t, exact, float64(w), merged.MaxRounding+1e-12)
			assert.InDelta(t, float32(exact), w, 1e-7, "rounded once")
		}
		assert.Equal(t, bits[l.Path+".bias"], dense(l).Bias.Bytes())
	}
	assert.Greater(t, merged.MaxRounding, 0.)
	assert.Less(t, merged.MaxRounding, 1.3e-7)

	_, err = Merge(t.Context(), m.session(a), a)
	isFault(t, err, fault.Internal, "merged already")

	require.NoError(t, merged.Unmerge(t.Context()))
	assert.Equal(t, bits, weights(m.store), "bit for bit")
	assert.Equal(t, plain, m.output(t))
	assert.Equal(t, tuned, v.output(t))
	isFault(t, merged.Unmerge(t.Context()), fault.Internal, "have been freed")

	again, err := Merge(t.Context(), m.session(a), a)
	require.NoError(t, err)
	again.Close()
	isFault(t, again.Unmerge(t.Context()), fault.Internal, "have been freed")
	assert.Less(t, furthest(t, tuned, m.output(t)), 2e-6, "stays merged")
}

func TestMergeIsAllOrNothing(t *testing.T) {
	m := base(t)
	_, a := m.adapted(t, mixed)
	bits := weights(m.store)
	last := a.Layers()[2*depth-1]
	require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
		b := pair(last).b.Float32s()
		b[len(b)-1] = float32(math.Inf(1))
		pair(last).b.CopyFrom(s.FromFloat32(b, pair(last).b.Shape()...))
		return nil
	}))
	live := torch.Live()
	_, err := Merge(t.Context(), m.session(a), a)
	isFault(t, err, fault.BadData, last.Path, "not finite")
	assert.Equal(t, bits, weights(m.store))
	assert.Equal(t, live, torch.Live())

	// A sum that only the narrower type of the weight cannot hold.
	require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
		pair(last).b.CopyFrom(s.Full(3e38, pair(last).b.Shape()...))
		pair(last).a.CopyFrom(s.Full(3e38, pair(last).a.Shape()...))
		return nil
	}))
	_, err = Merge(t.Context(), m.session(a), a)
	isFault(t, err, fault.BadData, last.Path, "not finite")
	assert.Equal(t, bits, weights(m.store))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Merge(ctx, m.session(a), a)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, bits, weights(m.store))
}

func TestMergeIntoHalfPrecision(t *testing.T) {
	noLeak(t)
	store := nn.NewStore()
	defer store.Close()
	a, err := New(Config{Method: &LoRA{R: 3, Alpha: 7}, TargetModules: Targets("up")})
	require.NoError(t, err)
	defer a.Close()
	var l nn.Linear
	require.NoError(t, torch.Do(t.Context(), torch.Mode{Seed: 4}, func(s *torch.Scope) error {
		store.Add("a.up.weight", s.Normal(0, 1, inner, width).ToType(torch.BFloat16))
		return store.Build(s, nil, a, func(b *nn.Builder) {
			b.At("a").Linear(&l, "up", width, inner,
				nn.LinearInit{NoBias: true})
		})
	}))
	fill(t, a)
	was := store.Param("a.up.weight").Bytes()
	merged, err := Merge(t.Context(), &nn.Session{Stores: []*nn.Store{store, a.Store()}}, a)
	require.NoError(t, err)
	assert.Greater(t, merged.MaxRounding, 1e-4, "a bfloat16 has 8 bits")
	assert.Less(t, merged.MaxRounding, .04)
	assert.Equal(t, torch.BFloat16, store.Param("a.up.weight").DType())
	assert.NotEqual(t, was, store.Param("a.up.weight").Bytes())
	require.NoError(t, merged.Unmerge(t.Context()))
	assert.Equal(t, was, store.Param("a.up.weight").Bytes())
}

func TestMergeWaitsForNobodyElsesStep(t *testing.T) {
	m := base(t)
	v, a := m.adapted(t, mixed)
	tuned := v.output(t)
	require.NoError(t, m.session(a).Train(t.Context(), 1, func(*torch.Scope) error {
		_, err := Merge(t.Context(), m.session(a), a)
		assert.ErrorIs(t, err, nn.ErrBusy)
		return nil
	}))
	merged, err := Merge(t.Context(), m.session(a), a)
	require.NoError(t, err)
	require.NoError(t, m.session(a).Train(t.Context(), 1, func(*torch.Scope) error {
		assert.ErrorIs(t, merged.Unmerge(t.Context()), nn.ErrBusy)
		return nil
	}))
	require.NoError(t, merged.Unmerge(t.Context()), "it can be tried again")
	assert.Equal(t, tuned, v.output(t))
}
