package sim

import "math"

// Regressors are properties of a story: for each row, the mean over its TR.
type Regressors struct {
	Spectrum []float32 // (rows, 9): loudness and the log magnitudes of 8 mel bands
	WordRate []float32 // (rows, 1): words that begin, per second
	Identity []float32 // (rows, words): share of the TR that each word of the lexicon fills
	Planted  []float32 // (rows, 3): components that drive semantic voxels
	Control  []float32 // (rows, 3): further components of the same words
}

// Regressors returns the regressors of a story for control analyses and probes; nil if there is no
// such story. They are not delayed; delay them as features are delayed.
func (s *Study) Regressors(story string) *Regressors {
	for _, st := range s.stories {
		if st.Name != story {
			continue
		}
		words := len(s.Lexicon.Words)
		identity := st.spread(s.Lexicon, words, func(w int) []float64 {
			one := make([]float64, words)
			one[w] = 1
			return one
		})
		rate := make([]float32, st.Rows)
		for _, e := range st.words {
			rate[e.First/(tick*ticksPerRow)] += 1. / TR
		}
		return &Regressors{
			Spectrum: perRow(st.spectrum), WordRate: rate, Identity: perRow(identity),
			Planted: perRow(st.planted), Control: perRow(st.control),
		}
	}
	return nil
}

// perRow averages x, (ticks, width), over each row, (rows, width).
func perRow(x [][]float64) []float32 {
	width := len(x[0])
	out := make([]float32, 0, len(x)/ticksPerRow*width)
	for k := 0; k+ticksPerRow <= len(x); k += ticksPerRow {
		for j := range width {
			sum := 0.
			for _, row := range x[k : k+ticksPerRow] {
				sum += row[j]
			}
			out = append(out, float32(sum/ticksPerRow))
		}
	}
	return out
}

// moments returns the mean and SD of each column.
func moments(x [][]float64) (mean, sd []float64) {
	n := float64(len(x))
	mean, sd = make([]float64, len(x[0])), make([]float64, len(x[0]))
	for _, row := range x {
		for j, v := range row {
			mean[j] += v / n
		}
	}
	for _, row := range x {
		for j, v := range row {
			sd[j] += (v - mean[j]) * (v - mean[j]) / n
		}
	}
	for j := range sd {
		sd[j] = math.Sqrt(sd[j])
	}
	return mean, sd
}
