package peft_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// baseSize has the linear layers of the encoder of WavLM Base: twelve times q, k, v, out and the
// two of the feed-forward.
func baseSize(b *nn.Builder) {
	var l nn.Linear
	for i := range 12 {
		at := b.At("layers").Index(i)
		for _, name := range []string{"q_proj", "k_proj", "v_proj", "out_proj"} {
			at.Linear(&l, name, 768, 768)
		}
		at.Linear(&l, "intermediate_dense", 768, 3072)
		at.Linear(&l, "output_dense", 3072, 768)
	}
}

// BenchmarkMerge merges adapters of rank 8 on all linear layers of the encoder at Base size, beside
// the plain products W + s·B·A in Float64, the precision of merging, that it cannot do without.
// ratio is what the first takes of the second.
func BenchmarkMerge(b *testing.B) {
	ctx := b.Context()
	store := nn.NewStore()
	defer store.Close()
	a, err := peft.New(peft.Config{Method: &peft.LoRA{R: 8, Alpha: 16}, TargetModules: peft.Targets("all-linear")})
	require.NoError(b, err)
	defer a.Close()
	require.NoError(b, torch.Do(ctx, torch.Mode{Seed: 1}, func(s *torch.Scope) error {
		if err := store.Build(s, nn.Fresh{}, a, baseSize); err != nil {
			return err
		}
		for _, p := range a.Store().Params() {
			p.CopyFrom(s.Normal(0, .1, p.Shape()...))
		}
		return nil
	}))
	require.NoError(b, a.Check())
	ss := &nn.Session{Stores: []*nn.Store{store}}
	var merging, products time.Duration
	for b.Loop() {
		start := time.Now()
		merged, err := peft.Merge(ctx, ss, a)
		merging += time.Since(start)
		require.NoError(b, err)
		require.NoError(b, merged.Unmerge(ctx))
		start = time.Now()
		require.NoError(b, torch.Infer(ctx, func(s *torch.Scope) error {
			for _, l := range a.Layers() {
				_ = s.Attach(store.Param(l.Path + ".weight")).Scoped(func(w *torch.Tensor) *torch.Tensor {
					up, down := a.Store().Param(l.Path+".lora_B.weight"), a.Store().Param(l.Path+".lora_A.weight")
					product := w.Scope().Attach(up).ToType(torch.Float64).MulScalar(2).MatMul(
						w.Scope().Attach(down).ToType(torch.Float64))
					return w.ToType(torch.Float64).Add(product).ToType(torch.Float32)
				})
			}
			return nil
		}))
		products += time.Since(start)
	}
	b.ReportMetric(float64(merging.Milliseconds())/float64(b.N), "merge-ms")
	b.ReportMetric(float64(products.Milliseconds())/float64(b.N), "products-ms")
	b.ReportMetric(merging.Seconds()/products.Seconds(), "ratio")
}
