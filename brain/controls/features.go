package controls

import (
	"context"
	"math"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/acoustic"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/probing"
)

const (
	bands   = 8
	cosines = 8 // of the autocorrelation control
)

// sound returns loudness and spectrum of a story, averaged over each row's TR, (rows, 9).
func sound(ctx context.Context, data *dataset.Dataset, story string, rows int) ([]float32, int, error) {
	wave, err := data.Audio(ctx, story)
	if err != nil {
		return nil, 0, err
	}
	clock, err := data.Clock(story)
	if err != nil {
		return nil, 0, err
	}
	loud, spectrum := acoustic.Loudness(wave), acoustic.Bands(wave, bands)
	var x []float32
	times := make([]float64, len(loud))
	for i, l := range loud {
		times[i] = acoustic.Time(i)
		x = append(x, float32(l))
		for _, v := range spectrum[i*bands : (i+1)*bands] {
			x = append(x, float32(v))
		}
	}
	weights := design.Average(clock.Times(0, rows), times, clock.TR, clock.RowTime)
	return weights.Apply(x, 1+bands), 1 + bands, nil
}

// firstOf returns the first column of x, (rows, width).
func firstOf(x []float32, width int, err error) ([]float32, int, error) {
	var out []float32
	for k := 0; k < len(x); k += width {
		out = append(out, x[k])
	}
	return out, 1, err
}

// perRow returns the sum of the vectors of the words that begin in each row's TR, (rows, width). A
// word without a vector adds 0.
func perRow(words []dataset.Word, clock design.Clock, rows, width int, of func(string) []float32) []float32 {
	out := make([]float32, rows*width)
	for _, w := range words {
		k := int(math.Floor((w.Onset - clock.First) / clock.TR))
		v := of(w.Text)
		if k < 0 || k >= rows || v == nil {
			continue
		}
		for c, x := range v {
			out[k*width+c] += x
		}
	}
	return out
}

// wordsOf returns the words of a story and its clock.
func wordsOf(ctx context.Context, data *dataset.Dataset, story string) (words []dataset.Word,
	clock design.Clock, err error) {
	if words, err = data.Words(ctx, story); err != nil {
		return nil, clock, err
	}
	clock, err = data.Clock(story)
	return words, clock, err
}

// wordRatePosition returns the number of words that begin in each row's TR, and the relative
// position of the row in its story and its square, (rows, 3).
func wordRatePosition(ctx context.Context, data *dataset.Dataset, story string, rows int) ([]float32, int, error) {
	words, clock, err := wordsOf(ctx, data, story)
	if err != nil {
		return nil, 0, err
	}
	rate := perRow(words, clock, rows, 1, func(string) []float32 { return []float32{1} })
	var x []float32
	for k, r := range rate {
		at := float32(k) / float32(rows)
		x = append(x, r, at, at*at)
	}
	return x, 3, nil
}

// smooth returns slow cosines of the position in a story, (rows, 8), the same for every story: all
// that they predict is due to the autocorrelation of responses.
func smooth(rows int) ([]float32, int, error) {
	var x []float32
	for k := range rows {
		for j := 1; j <= cosines; j++ {
			x = append(x, float32(math.Cos(math.Pi*float64(j)*(float64(k)+.5)/float64(rows))))
		}
	}
	return x, cosines, nil
}

// headMotion returns the motion parameters of a subject in a story and their differences to the row
// before, (rows, 2 × parameters). Motion affects the signal without the haemodynamic delay. Row k
// therefore holds the motion of row k + delay: with a shortest delay of that many rows, the readout
// gets the motion of the row that it predicts and of those before. Rows without motion are 0.
func headMotion(ctx context.Context, data *dataset.Dataset, subject, story string,
	rows, delay int) ([]float32, int, error) {
	m, err := data.Motion(ctx, subject, story)
	if err != nil {
		return nil, 0, err
	}
	width := 2 * m.Voxels
	out := make([]float32, rows*width)
	for k := range rows {
		from := k + delay
		if from >= m.Rows {
			break
		}
		for c, x := range m.Row(0, from) {
			out[k*width+c] = x
			if from > 0 {
				out[k*width+m.Voxels+c] = x - m.Row(0, from-1)[c]
			}
		}
	}
	return out, width, nil
}

// wordVectors returns the sum of the vectors of the words in each row's TR, (rows, width).
func wordVectors(ctx context.Context, data *dataset.Dataset, story string, rows int,
	v *probing.Vectors) ([]float32, int, error) {
	words, clock, err := wordsOf(ctx, data, story)
	if err != nil {
		return nil, 0, err
	}
	return perRow(words, clock, rows, v.Width, v.Of), v.Width, nil
}

// storyWithoutWords returns a story of the study without words, or "" if all have words.
func storyWithoutWords(st *study.Study) (string, error) {
	stories, _ := st.StoryRows()
	for _, story := range stories {
		s, err := st.Data.Story(story)
		if err != nil || s.Words.Absent() {
			return story, err
		}
	}
	return "", nil
}

// loadVectors reads the vectors of the words in the stories of the study.
func loadVectors(ctx context.Context, st *study.Study, path string) (*probing.Vectors, error) {
	heard := map[string]bool{}
	stories, _ := st.StoryRows()
	for _, story := range stories {
		words, err := st.Data.Words(ctx, story)
		if err != nil {
			return nil, err
		}
		for _, w := range words {
			heard[probing.Plain(w.Text)] = true
		}
	}
	return probing.LoadVectors(path, func(w string) bool { return heard[w] })
}
