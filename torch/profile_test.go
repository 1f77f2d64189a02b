package torch_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/torch"
)

// steps are three parts one after the other, each an elementwise product with an (n, n) weight of
// its own. The slow part does much after it; tuned says which weights are tuned. The whole is the
// phase "step".
func steps(t *testing.T, p *torch.Profile, n, slow int, tuned func(i int) bool) {
	t.Helper()
	const waste = 1000
	ctx := p.Context(t.Context())
	defer torch.Part(ctx, "step")()
	require.NoError(t, torch.Train(ctx, 1, func(s *torch.Scope) error {
		x := s.Normal(0, 1, n, n)
		for i := range 3 {
			w := s.Normal(0, 1, n, n).RequireGrad(tuned(i))
			end := s.Part("part", i)
			x = x.Mul(w)
			for range waste {
				if i == slow {
					x = x.Neg()
				}
			}
			end()
		}
		loss := func() *torch.Tensor { defer s.Part("loss")(); return x.Square().Mean() }()
		loss.Backward()
		torch.Part(s.Context(), "optimizer")()
		return nil
	}))
}

// Widths of products that one thread does, which waits for nobody, and that a trace shows.
const small, large = 48, 1024

const none = -1

func all(int) bool { return true }

// only is a report of one phase.
func only(t *testing.T, p *torch.Profile) torch.PhaseTime {
	t.Helper()
	r := p.Report()
	require.Len(t, r.Phases, 1)
	return r.Phases[0]
}

func part(t *testing.T, ph torch.PhaseTime, name string) torch.PartTime {
	t.Helper()
	i := slices.IndexFunc(ph.Parts, func(x torch.PartTime) bool { return x.Name == name })
	require.GreaterOrEqual(t, i, 0, name)
	return ph.Parts[i]
}

func TestProfileFindsTheSlowPart(t *testing.T) {
	for slow := range 3 {
		var numbers []torch.NumberTime // the least of three, which others on the machine have disturbed least
		for range 3 {
			p := torch.NewProfile()
			steps(t, p, small, slow, all)
			again := part(t, only(t, p), "part").Numbers
			require.Len(t, again, 3)
			for i, n := range numbers {
				again[i].Forward, again[i].Backward = min(n.Forward, again[i].Forward),
					min(n.Backward, again[i].Backward)
			}
			numbers = again
		}
		for i, n := range numbers {
			assert.Equal(t, i, n.Number)
			if i != slow {
				assert.Less(t, 2*n.Forward, numbers[slow].Forward, "forward: slow is %d, not %d", slow, i)
				assert.Less(t, 2*n.Backward, numbers[slow].Backward, "backward: slow is %d, not %d", slow, i)
			}
		}
	}
}

func TestProfileOfFrozenParts(t *testing.T) {
	for tuned := range 3 {
		p := torch.NewProfile()
		steps(t, p, small, 0, func(i int) bool { return i == tuned })
		for i, n := range part(t, only(t, p), "part").Numbers {
			assert.Equal(t, i >= tuned, n.Backward > 0, "%d, tuned %d: gradients pass through what comes after", i,
				tuned)
			assert.Positive(t, n.Forward)
		}
	}
}

func TestProfileAddsUp(t *testing.T) {
	p := torch.NewProfile()
	start := time.Now()
	for range 4 {
		steps(t, p, small, 1, all)
	}
	wall := time.Since(start).Seconds()
	ph := only(t, p)
	assert.Equal(t, "step", ph.Name)
	assert.Equal(t, 4, ph.Times)
	assert.LessOrEqual(t, ph.Seconds, wall)
	assert.Greater(t, ph.Seconds, .8*wall)
	sum := ph.Other
	var names []string
	for _, x := range ph.Parts {
		sum += x.Seconds
		names = append(names, x.Name)
		if x.Name != "optimizer" {
			assert.InDelta(t, x.Seconds, x.Forward+x.Backward, 1e-9, x.Name)
		}
	}
	assert.InDelta(t, ph.Seconds, sum, 1e-9)
	assert.Equal(t, []string{"part", "loss", "optimizer"}, names)
	assert.Zero(t, part(t, ph, "optimizer").Forward)
}

// The parts inside a part are not counted twice, and take its number.
func TestProfileOfNestedParts(t *testing.T) {
	p := torch.NewProfile()
	ctx := p.Context(t.Context())
	end := torch.Part(ctx, "phase")
	require.NoError(t, torch.Infer(ctx, func(s *torch.Scope) error {
		defer s.Part("outer", 7)()
		return torch.Infer(s.Context(), func(s *torch.Scope) error {
			defer s.Part("inner")()
			time.Sleep(20 * time.Millisecond)
			return nil
		})
	}))
	end()
	ph := only(t, p)
	inner, outer := part(t, ph, "inner"), part(t, ph, "outer")
	assert.GreaterOrEqual(t, inner.Seconds, .02)
	assert.Less(t, outer.Seconds, .02)
	require.Len(t, inner.Numbers, 1)
	assert.Equal(t, 7, inner.Numbers[0].Number)
}

func TestProfileClosesWhatAPanicLeavesOpen(t *testing.T) {
	p := torch.NewProfile()
	ctx := p.Context(t.Context())
	for range 2 {
		end := torch.Part(ctx, "phase")
		assert.Error(t, torch.Infer(ctx, func(s *torch.Scope) error {
			s.Part("broken")
			s.Zeros(2, 3).MatMul(s.Zeros(2, 3))
			return nil
		}))
		end()
	}
	ph := only(t, p)
	assert.Equal(t, 2, ph.Times)
	part(t, ph, "broken")
}

// Measuring changes no bit of what is measured.
func TestProfileChangesNothing(t *testing.T) {
	run := func(p *torch.Profile) (grad []float32) {
		ctx := t.Context()
		if p != nil {
			ctx = p.Context(ctx)
		}
		require.NoError(t, torch.Train(ctx, 3, func(s *torch.Scope) error {
			defer s.Part("part")()
			x := s.Normal(0, 1, 2, 3, 40, 16).RequireGrad(true)
			x.GatedAttention(x, x, torch.Attention{Scale: .25, Dropout: .1}).Linear(s.Normal(0, 1, 8, 16),
				nil).GELU().Sum().Backward()
			grad = x.Grad(s).Float32s()
			return nil
		}))
		return grad
	}
	assert.Equal(t, run(nil), run(torch.NewProfile()))
}

func TestProfileOfKernels(t *testing.T) {
	p := torch.NewProfile()
	require.NoError(t, torch.Infer(p.Context(t.Context()), func(s *torch.Scope) error {
		defer s.Part("part")()
		for range 2 {
			s.Zeros(5, 7, 11).Linear(s.Zeros(13, 11), nil)
		}
		s.Zeros(5, 7, 11).MatMul(s.Zeros(11, 3))
		s.Zeros(7, 11).MatMul(s.Zeros(2, 11, 3))
		s.Zeros(2, 6, 50).Conv1d(s.Zeros(8, 3, 5), nil, 2, 1, 2)
		q := s.Zeros(2, 3, 10, 4)
		q.GatedAttention(q, q, torch.Attention{})
		return nil
	}))
	flop := map[string]float64{}
	for _, k := range p.Report().Kernels {
		assert.Equal(t, "part", k.Part)
		assert.Positive(t, k.Seconds)
		if k.GFLOP > 0 {
			flop[fmt.Sprintf("%d %s %s", k.Calls, k.Kernel, k.Shapes)] = k.GFLOP * 1e9
		}
	}
	want := map[string]float64{
		"2 linear [5,7,11] [13,11] -":                              2 * 2 * 5 * 7 * 11 * 13,
		"1 matmul [5,7,11] [11,3]":                                 2 * 5 * 7 * 11 * 3,
		"1 matmul [7,11] [2,11,3]":                                 2 * 2 * 7 * 11 * 3,
		"1 conv1d [2,6,50] [8,3,5] -":                              2 * 2 * 8 * 24 * 3 * 5, // 24 frames
		"1 gated_attention [2,3,10,4] [2,3,10,4] [2,3,10,4] - - -": 2 * 2 * 2 * 3 * 10 * 10 * 4,
	}
	require.Len(t, flop, len(want))
	for name, n := range want {
		assert.InDelta(t, n, flop[name], 1e-6, name)
	}
}

// event is what a test reads of the trace.
type event struct {
	Name, Cat, Ph string
	Ts, Dur       float64
	Args          map[string]any
}

func TestTrace(t *testing.T) {
	p := torch.NewProfile()
	steps(t, p, large, none, all)
	var b bytes.Buffer
	require.NoError(t, p.WriteTrace(&b))
	var trace struct{ TraceEvents []event }
	require.NoError(t, json.Unmarshal(b.Bytes(), &trace))
	named := map[string]event{}
	for _, e := range trace.TraceEvents {
		if e.Cat == "part" || e.Cat == "node" {
			named[e.Name] = e
		}
	}
	inside := func(a, b string) {
		x, y := named[a], named[b]
		assert.Positive(t, y.Dur, b)
		const rounding = 1 // µs; nodes count from a clock of their own
		assert.True(t, x.Ts >= y.Ts-rounding && x.Ts+x.Dur <= y.Ts+y.Dur+rounding, "%s %v is not inside %s %v", a, x, b,
			y)
	}
	inside("part 1", "step")
	inside("part 1 backward", "step")
	inside("loss backward", "step")
	inside("MulBackward0", "step")
	assert.Greater(t, named["part 0 backward"].Ts, named["part 2 backward"].Ts, "the last comes first")
	assert.Equal(t, 1., named["part 1"].Args["number"])
	assert.Equal(t, "M", trace.TraceEvents[0].Ph)
	kernels := slices.IndexFunc(trace.TraceEvents, func(e event) bool { return e.Cat == "kernel" && e.Name == "mul" })
	require.Positive(t, kernels)
	assert.Equal(t, "[1024,1024] [1024,1024]", trace.TraceEvents[kernels].Args["shapes"])
}

// BenchmarkPart is what a part costs without a profile.
func BenchmarkPart(b *testing.B) {
	require.NoError(b, torch.Infer(b.Context(), func(s *torch.Scope) error {
		b.ReportAllocs()
		for b.Loop() {
			s.Part("part", 3)()
		}
		return nil
	}))
}
