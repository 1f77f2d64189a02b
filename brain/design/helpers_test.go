package design

import "math/rand/v2"

// normals returns n standard normal numbers.
func normals(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64())
	}
	return out
}

// exampleStory has a vector every half TR of 2 s.
func exampleStory(b BOLD, rows, vectors int) *StoryDesign {
	return b.Story(Clock{TR: 2}, rows, Clock{First: 1, TR: 1}.Times(0, vectors))
}
