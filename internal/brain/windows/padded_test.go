package windows_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// padded is an encoder that pads the frames of each clip, as Whisper pads clips to 30 s.
type padded struct{ speech.Encoder }

const padding = 7 // frames

func (p padded) FrontEnd(wave *torch.Tensor) *torch.Tensor {
	x := p.Encoder.FrontEnd(wave)
	return torch.Cat(1, x, x.Scope().Full(1000, x.Dim(0), padding, x.Dim(2)))
}

func (p padded) Forward(x *torch.Tensor, depth, upTo int, pass speech.Pass) []*torch.Tensor {
	for range x.Dim(0) {
		pass.Lengths = append(pass.Lengths, x.Dim(1)-padding)
	}
	return p.Encoder.Forward(x, depth, upTo, pass)
}

func (p padded) FrameShape(depth, samples int) (frames, channels int) {
	frames, channels = p.Encoder.FrameShape(depth, samples)
	return frames + padding, channels
}

// TestPaddingIsNeverPooled: a model that pads its clips gives the same vectors, however they are
// pooled, whatever is cached, and in chunks.
func TestPaddingIsNeverPooled(t *testing.T) {
	m, sound := studytest.GoldenModel(t, ""), studytest.GoldenClip(t)
	spec := experiment.Default().Model
	for _, spec.Pooling = range []experiment.Pooling{experiment.PoolLast, experiment.PoolFirst, experiment.PoolMean} {
		for _, spec.Extraction = range []experiment.Extraction{experiment.ExtractWindows, experiment.ExtractChunks} {
			spec.WindowSeconds, spec.ChunkSeconds = .1, .3
			read := func(model speech.Encoder, depth int) [][]float32 {
				r := windows.ClipReader(model, spec, 4)
				r.Shared, r.CacheDepth = max(depth, 0), depth
				st := &windows.Stimulus{Name: "story", Samples: windows.InMemory(sound),
					Windows: design.Windows(len(sound), 16000, .1, .05)}
				st.Own(spec)
				x, err := r.Features(t.Context(), st, []int{1, 3})
				require.NoError(t, err)
				return x
			}
			want := read(m.Model, 0)
			for _, depth := range []int{-1, 0, 2, 4} {
				got := read(padded{m.Model}, depth)
				for i := range want {
					studytest.CloseTo(t, want[i], got[i], 2e-5, "%s, %s, depth %d", spec.Pooling, spec.Extraction,
						depth)
				}
			}
		}
	}
	hidden, err := speech.HiddenStates(t.Context(), padded{m.Model}, sound, 2)
	require.NoError(t, err)
	assert.Equal(t, m.Model.Frames(len(sound)), hidden[0].Rows)
}
