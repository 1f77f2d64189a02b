//go:build slow

package sim

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Over stories, sound must say nothing linear about the components, and planted ones nothing about control ones.
func TestComponentsAreFreeOfSound(t *testing.T) {
	lex, err := LoadLexicon()
	require.NoError(t, err)
	var rows [][]float64 // 9 spectral numbers, word rate, planted and control components
	for _, role := range []role{roleTune, roleTest, roleProbe} {
		s := &Study{Lexicon: lex, Options: Options{Seed: 5, Rows: 60}}
		for _, name := range s.compose(string(role), role, 8) {
			story := s.stories[len(rows)/60%8]
			require.Equal(t, name, story.Name)
			story.spectrum = spectrum(story.sound(lex))
			story.planted = story.spread(lex, lexicalNumbers, func(w int) []float64 { return lex.Planted[w] })
			story.control = story.spread(lex, lexicalNumbers, func(w int) []float64 { return lex.Control[w] })
			r := s.Regressors(name)
			for k := range 60 {
				var row []float64
				for _, part := range [][]float32{r.Spectrum[9*k : 9*k+9], r.WordRate[k : k+1], r.Planted[3*k : 3*k+3],
					r.Control[3*k : 3*k+3]} {
					for _, x := range part {
						row = append(row, float64(x))
					}
				}
				rows = append(rows, row)
			}
		}
	}
	mean, sd := moments(rows)
	correlation := func(i, j int) (r float64) {
		for _, row := range rows {
			r += (row[i] - mean[i]) / sd[i] * (row[j] - mean[j]) / sd[j] / float64(len(rows))
		}
		return r
	}
	sampling := 1 / math.Sqrt(float64(len(rows)))
	power, pairs := 0., 0.
	for j := 10; j < 16; j++ {
		for i := range j {
			if i < 10 || i < 13 && j >= 13 {
				r := correlation(i, j)
				assert.Less(t, math.Abs(r), 4*sampling, "number %d, component %d", i, j-10)
				power, pairs = power+r*r, pairs+1
			}
		}
	}
	assert.Less(t, math.Sqrt(power/pairs), 1.6*sampling, "chance gives %g", sampling)
}
