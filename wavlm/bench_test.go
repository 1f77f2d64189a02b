package wavlm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/torch"
)

// BenchmarkForward runs one window of 4 s through Base with random weights.
func BenchmarkForward(b *testing.B) {
	m, err := Fresh(b.Context(), Default(WavLM), Options{})
	require.NoError(b, err)
	defer m.Close()
	run := func(name string, fn func(s *torch.Scope, wave *torch.Tensor)) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				require.NoError(b, m.Session().Infer(b.Context(), func(s *torch.Scope) error {
					fn(s, s.Normal(0, .1, 1, 4*SampleRate))
					return nil
				}))
			}
		})
	}
	run("front end", func(s *torch.Scope, wave *torch.Tensor) { m.FrontEnd.Forward(wave) })
	run("encoder", func(s *torch.Scope, wave *torch.Tensor) {
		m.Encoder.Forward(s.Normal(0, 1, 1, 199, m.Config.ConvOut()), 9, Pass{})
	})
	run("positional kernel", func(s *torch.Scope, wave *torch.Tensor) { m.Encoder.positions.(*posConv).kernel(s) })
	run("position bias", func(s *torch.Scope, wave *torch.Tensor) { m.Encoder.layers[0].attention.table.forward(s, 199) })
}
