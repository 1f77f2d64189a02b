package sim

import (
	"hash/fnv"
	"math/rand/v2"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/dataset"
)

// Parameters of the composition of a story.
const (
	firstOnset         = .2      // seconds
	minPause, maxPause = .05, .5 // seconds between words, uniform
	minGain, maxGain   = .5, 1.2 // of each word, uniform
	storyPeak          = .9      // full scale is 1
	noiseFloor         = .002    // SD of the white noise under the speech
)

// Story is one simulated stimulus. Its sound is rendered at each call, always the same.
type story struct {
	Name  string
	Role  role
	Rows  int // TRs
	words []spokenWord

	seed uint64
}

// Event is one spoken word of a story.
type spokenWord struct {
	Word  int // of the lexicon
	Voice int // among the voices of the story's role
	First int // sample at which it begins
	Gain  float64
}

// compose draws the words of a story.
func compose(lex *Lexicon, name string, role role, rows int, seed uint64) *story {
	s := &story{Name: name, Role: role, Rows: rows, seed: seed}
	draw := random(seed, "words of "+name)
	voices := lex.voicesOf(role)
	for at := firstOnset; ; {
		e := spokenWord{
			Word: draw.IntN(len(lex.Words)), Voice: draw.IntN(len(voices)), First: int(at * audio.Rate),
			Gain: uniform(draw, minGain, maxGain),
		}
		end := e.First + len(voices[e.Voice].Sound[e.Word])
		if end > s.samples() {
			return s
		}
		s.words = append(s.words, e)
		at = float64(end)/audio.Rate + uniform(draw, minPause, maxPause)
	}
}

// samples returns the length of the sound.
func (s *story) samples() int { return s.Rows * TR * audio.Rate }

// span returns the first sample of an event and the one after its last.
func (s *story) span(lex *Lexicon, e spokenWord) (from, to int) {
	return e.First, e.First + len(lex.voicesOf(s.Role)[e.Voice].Sound[e.Word])
}

// sound renders the waveform, 16 kHz.
func (s *story) sound(lex *Lexicon) []float32 {
	wave := make([]float32, s.samples())
	voices := lex.voicesOf(s.Role)
	for _, e := range s.words {
		for i, x := range voices[e.Voice].Sound[e.Word] {
			wave[e.First+i] += float32(e.Gain) * x
		}
	}
	scale(wave, storyPeak/peak(wave))
	draw := random(s.seed, "floor of "+s.Name)
	for i := range wave {
		wave[i] += float32(noiseFloor * draw.NormFloat64())
	}
	return wave
}

// wordTimes returns the exact times of the words.
func (s *story) wordTimes(lex *Lexicon) []dataset.Word {
	words := make([]dataset.Word, len(s.words))
	for i, e := range s.words {
		from, to := s.span(lex, e)
		words[i] = dataset.Word{
			Onset: float64(from) / audio.Rate, Offset: float64(to) / audio.Rate, Text: lex.Words[e.Word],
		}
	}
	return words
}

// random returns the generator for one purpose of a study. Each purpose has its own, so that their
// draws are independent.
func random(seed uint64, purpose string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(purpose))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

func uniform(draw *rand.Rand, low, high float64) float64 { return low + (high-low)*draw.Float64() }
