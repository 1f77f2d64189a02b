package windows

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/torch"
)

// Part is one clip of a stimulus.
type Part struct {
	Stimulus *Stimulus
	Clip     int
}

// Join returns clips of equal length, of any stimuli, as one stimulus: its clips and windows are theirs, in order.
func Join(parts []Part) *Stimulus {
	first := parts[0]
	length := first.Stimulus.Clips[first.Clip].Samples()
	out := &Stimulus{Samples: joint{parts, length}, Shared: first.Stimulus.Shared}
	for i, p := range parts {
		start := i * length
		c := Clip{Start: start, End: start + length, Windows: design.Rows{From: len(out.Windows)}}
		own := p.Stimulus.Clips[p.Clip]
		for _, w := range p.Stimulus.Windows[own.Windows.From:own.Windows.To] {
			w.Start, w.End = w.Start-own.Start+start, w.End-own.Start+start
			out.Windows = append(out.Windows, w)
		}
		c.Windows.To = len(out.Windows)
		out.Clips = append(out.Clips, c)
	}
	out.Groups = Groups(out.Clips)
	return out
}

// joint is the waveform of joined clips. It is read clip by clip.
type joint struct {
	parts  []Part
	length int
}

func (j joint) Len() int { return j.length * len(j.parts) }

func (j joint) Read(ctx context.Context, from, to int) ([]float32, error) {
	p := j.parts[from/j.length]
	start := p.Stimulus.Clips[p.Clip].Start + from%j.length
	return p.Stimulus.Samples.Read(ctx, start, start+to-from)
}

// Joined reads the windows of clips of equal length in one pass: of each layer (windows, E).
func (r *Reader) Joined(ctx context.Context, parts []Part, layers []int) ([][]float32, error) {
	st := Join(parts)
	out := make([][]float32, len(layers))
	err := r.Model.Session().Infer(ctx, func(s *torch.Scope) error {
		AppendVectors(out, r.Vectors(s, st, st.All(design.Rows{To: len(parts)}), layers))
		return nil
	})
	return out, SoundError(err)
}
