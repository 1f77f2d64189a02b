package wavlm

import (
	"fmt"
	"math/rand/v2"

	"github.com/brainwavlm/bwlm/torch"
)

// Regularise are the random disturbances of training. All of it is off in its zero value, and has no effect where
// the scope has no dropout.
type Regularise struct {
	Hidden     float64 // dropout of each sub-layer's output
	Attention  float64 // dropout of attention weights
	Activation float64 // dropout inside the feed-forward part
	Projection float64 // dropout of the projected features
	LayerDrop  float64 // probability of leaving out a layer; WavLM's first is never left out
	Time       Spans   // of frames, replaced by a learnt vector (SpecAugment)
	Channels   Spans   // of hidden channels, set to 0 for all frames of a clip
}

// Spans says how much to mask: about the fraction Prob, in at least Min spans of Length, which may overlap. Nothing
// is masked where Prob is 0.
type Spans struct {
	Prob   float64
	Length int
	Min    int
}

func (r Regularise) problems() (list []string) {
	for _, p := range []struct {
		key string
		v   float64
	}{
		{"hidden_dropout", r.Hidden}, {"attention_dropout", r.Attention}, {"activation_dropout", r.Activation},
		{"feat_proj_dropout", r.Projection}, {"layerdrop", r.LayerDrop},
		{"mask_time_prob", r.Time.Prob}, {"mask_feature_prob", r.Channels.Prob},
	} {
		if !(p.v >= 0 && p.v <= 1) {
			list = append(list, fmt.Sprintf("%s %g, want 0 to 1", p.key, p.v))
		}
	}
	for _, s := range []struct {
		axis string
		Spans
	}{{"time", r.Time}, {"feature", r.Channels}} {
		if s.Prob > 0 && s.Length < 1 {
			list = append(list, fmt.Sprintf("mask_%s_length %d, want at least 1", s.axis, s.Length))
		}
		if s.Min < 0 {
			list = append(list, fmt.Sprintf("mask_%s_min_masks %d, want at least 0", s.axis, s.Min))
		}
	}
	return list
}

// draw chooses what to mask in rows of n elements, of which the first lengths[b] of row b are real. The rules are
// those of _compute_mask_indices in transformers 5.23.0; a length above n masks nothing.
func (sp Spans) draw(r *rand.Rand, n int, lengths []int) [][]bool {
	masks := make([][]bool, len(lengths))
	jitter := r.Float64() // rounds the number of spans up or down at random, the same way in all rows
	starts := make([][]int, len(lengths))
	longest := 0
	for b, length := range lengths {
		masks[b] = make([]bool, n)
		if sp.Length > n {
			continue
		}
		room := length - sp.Length + 1 // possible starts
		spans := max(int(sp.Prob*float64(length)/float64(sp.Length)+jitter), sp.Min)
		if spans*sp.Length > n {
			spans = n / sp.Length
		}
		spans = max(0, min(spans, room))
		starts[b] = r.Perm(max(room, 0))[:spans]
		longest = max(longest, spans)
	}
	for b, list := range starts {
		if len(list) == 0 && longest > 0 {
			list = []int{n - 1} // a row too short for a span loses the last element, which is padding
		}
		for _, start := range list {
			for i := start; i < min(start+sp.Length, n); i++ {
				masks[b][i] = true
			}
		}
	}
	return masks
}

// randomOf is a generator for the next draw of a scope.
func randomOf(s *torch.Scope) *rand.Rand {
	bits := uint64(0)
	for _, u := range s.Uniform(0, 1, 3).Float32s() { // each has 24 random bits
		bits = bits<<24 | uint64(u*(1<<24))
	}
	return rand.New(rand.NewPCG(s.Mode().Seed, bits))
}
