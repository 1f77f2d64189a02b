package design

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The window of a row is its clip, or the stretch of it that is read; the stimulus window of a row covers that and
// ends before the next clip.
func TestWindowsOfClips(t *testing.T) {
	c := Clock{TR: 2}
	clips := []int{32000, 20000, 32000} // of 2, 1.25 and 2 s
	for _, x := range []struct {
		name     string
		from, to float64
		windows  []Window
		stimulus Interval // of row 1
	}{
		{"the whole clip", 0, 0, []Window{{0, 32000, 2}, {32000, 52000, 3.25}, {64000, 96000, 6}}, Interval{2, 4}},
		{"the end of it", 1, 0, []Window{{16000, 32000, 2}, {48000, 52000, 3.25}, {80000, 96000, 6}}, Interval{3, 4}},
		{"a window in it", .5, 1.5, []Window{{8000, 24000, 1.5}, {40000, 52000, 3.25}, {72000, 88000, 5.5}},
			Interval{2.5, 3.5}},
		{"a window beyond it", .5, 9, []Window{{8000, 32000, 2}, {40000, 52000, 3.25}, {72000, 96000, 6}},
			Interval{2.5, 4}},
	} {
		t.Run(x.name, func(t *testing.T) {
			e := Event{From: x.from, To: x.to, Clips: clips}
			got, err := e.Windows(c, 3, 96000, 16000)
			require.NoError(t, err)
			assert.Equal(t, x.windows, got)
			w := e.StimulusWindow(c, StimulusWindow{Before: 9, After: 9})
			assert.Equal(t, x.stimulus, w.Row(c, 1), "whatever a vector depends on: there is nothing else in a window")
			for k, g := range got {
				assert.LessOrEqual(t, w.Row(c, k).From, float64(g.Start)/16000)
				assert.GreaterOrEqual(t, w.Row(c, k).To, float64(g.End)/16000)
				assert.Zero(t, w.Row(c, k).overlap(w.Row(c, k+1)), "clips share nothing")
			}
		})
	}
	_, err := Event{From: 1.24, Clips: clips}.Windows(c, 3, 96000, 16000)
	assert.ErrorContains(t, err, "clip 1 lasts 1.250 s, of which 0.010 s are read, want at least 0.025 s")
}

// Vectors are rows: neither resampled nor delayed, standardised by the given rows.
func TestRowsOfClips(t *testing.T) {
	d := Event{}.Story(Clock{TR: 2}, 3, nil)
	d.Statistics = []Rows{{To: 2}}
	rows, z := d.Matrix([]float32{1, 10, 3, 20, 5, 30}, 2)
	assert.Equal(t, []float64{2, 15}, z.Mean)
	assert.Equal(t, []float32{-1, -1, 1, 1, 3, 3}, rows)
	assert.Equal(t, []float32{7, 8}, d.Resample([]float32{7, 8}, 2))
}
