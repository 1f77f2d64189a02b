package windows

import (
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/phases"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// Frozen computes and caches activations of frozen layers: the frames of clips at some depth of the untuned model (see
// package speech).
type Frozen struct {
	Model     speech.Encoder
	Normalise bool   // each clip by itself
	Half      bool   // frames are rounded to bf16
	Cache     *Cache // nil: nothing is cached

	salt string         // of fingerprints
	sums map[int][]byte // hashes of the weights below a depth
}

// Frames returns the frames (n, T, C) of clips of one length at a depth, group by group.
func (f *Frozen) Frames(s *torch.Scope, st *Stimulus, clips design.Rows, depth int) *torch.Tensor {
	defer torch.Part(s.Context(), phases.PartData)()
	return s.Frozen(func(s *torch.Scope) *torch.Tensor {
		var parts []*torch.Tensor
		for _, g := range st.Groups {
			if from, to := max(g.From, clips.From), min(g.To, clips.To); from < to {
				parts = append(parts, f.group(s, st, g, depth).Narrow(0, from-g.From, to-from))
			}
		}
		return torch.Cat(0, parts...)
	})
}

// group returns the frames (n, T, C) of a group at a depth, from the cache if it has them.
func (f *Frozen) group(s *torch.Scope, st *Stimulus, g design.Rows, depth int) *torch.Tensor {
	key := FrameKey{st.Name, g, depth}
	x := f.Cache.Frames(s, key, func() Fingerprint { return f.PrintFrames(st, key) })
	if x == nil {
		x = s.Frozen(func(s *torch.Scope) *torch.Tensor {
			x := f.Compute(s, st, g, depth)
			if f.Half {
				return x.ToType(torch.BFloat16)
			}
			return x
		})
		f.Cache.PutFrames(key, x, func() Fingerprint { return f.PrintFrames(st, key) })
	}
	if f.Half {
		return x.ToType(torch.Float32)
	}
	return x
}

// Compute is group without cache and rounding.
func (f *Frozen) Compute(s *torch.Scope, st *Stimulus, g design.Rows, depth int) *torch.Tensor {
	x := f.front(s, st, g)
	if depth > 0 {
		x = f.Model.Forward(x, 0, depth-1, speech.Pass{})[depth-1]
	}
	return x
}

// frontClips is the number of clips that go through the front end together. Its first layers return
// a frame for every few samples and take most of the memory; more clips are not faster.
const frontClips = 2

// front returns the output of the front end (n, T, C) for clips.
func (f *Frozen) front(s *torch.Scope, st *Stimulus, clips design.Rows) *torch.Tensor {
	var parts []*torch.Tensor
	for from := clips.From; from < clips.To; from += frontClips {
		some := design.Rows{From: from, To: min(from+frontClips, clips.To)}
		parts = append(parts, f.Model.FrontEnd(f.waves(s, st, some)))
	}
	return torch.Cat(0, parts...)
}

// waves returns the samples (n, S) of clips.
func (f *Frozen) waves(s *torch.Scope, st *Stimulus, clips design.Rows) *torch.Tensor {
	var samples []float32
	for _, c := range st.Clips[clips.From:clips.To] {
		wave := st.read(s.Context(), c.Start, c.End)
		if f.Normalise {
			wave = speech.Normalise(wave)
		}
		samples = append(samples, wave...)
	}
	n := clips.To - clips.From
	return s.FromFloat32(samples, n, len(samples)/n)
}
