package wavlm

import (
	"fmt"
	"math/rand/v2"

	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// ratesProblems lists what is wrong with rates; each entry begins with the key of config.json.
func ratesProblems(r speech.Regularise) (list []string) {
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
		speech.Spans
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

// drawSpans chooses the elements to mask in rows of n, of which the first lengths[b] of row b are
// real. The rules are those of _compute_mask_indices in transformers 5.23.0; a length above n masks
// nothing.
func drawSpans(sp speech.Spans, r *rand.Rand, n int, lengths []int) [][]bool {
	masks := make([][]bool, len(lengths))
	jitter := r.Float64() // rounds the number of spans up or down at random, equally in all rows
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

// randomOf returns a generator for the next draw of a scope.
func randomOf(s *torch.Scope) *rand.Rand {
	bits := uint64(0)
	for _, u := range s.Uniform(0, 1, 3).Float32s() { // each has 24 random bits
		bits = bits<<24 | uint64(u*(1<<24))
	}
	return rand.New(rand.NewPCG(s.Mode().Seed, bits))
}
