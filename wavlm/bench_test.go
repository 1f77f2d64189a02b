package wavlm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// BenchmarkForward runs one window of 4 s through Base with random weights.
func BenchmarkForward(b *testing.B) {
	m, err := freshModel(b.Context(), Default(WavLM), speech.Options{})
	require.NoError(b, err)
	defer m.Close()
	run := func(name string, fn func(s *torch.Scope, wave *torch.Tensor)) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				require.NoError(b, m.Session().Infer(b.Context(), func(s *torch.Scope) error {
					fn(s, s.Normal(0, .1, 1, 4*speech.SampleRate))
					return nil
				}))
			}
		})
	}
	run("front end", func(s *torch.Scope, wave *torch.Tensor) { m.frontEnd.forward(wave) })
	run("encoder", func(s *torch.Scope, wave *torch.Tensor) {
		m.encoder.forward(s.Normal(0, 1, 1, 199, m.Config.convOut()), 9, speech.Pass{})
	})
	run("positional kernel", func(s *torch.Scope, wave *torch.Tensor) { m.encoder.positions.(*posConv).kernel(s) })
	run("position bias", func(s *torch.Scope, wave *torch.Tensor) {
		m.encoder.layers[0].attention.table.forward(s,
			199)
	})
}
