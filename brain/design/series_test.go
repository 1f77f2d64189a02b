package design

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Windows end with their bins, begin no earlier than the clip, and there is none after the clip's end. The stimulus
// window of a row covers the windows that it reads through its lags, and nothing of another clip.
func TestWindowsOfBins(t *testing.T) {
	c := Clock{TR: .1, RowTime: 1}
	clips := []int{6400, 4000} // .4 and .25 s, in rows for .5 s
	for _, x := range []struct {
		name     string
		window   float64
		vector   StimulusWindow
		delays   []int
		windows  []Window
		stimulus []Interval // of rows 1 and 6
	}{
		{"whole past", 4, StimulusWindow{Before: 4}, []int{0}, []Window{{0, 1600, .1}, {0, 3200, .2}, {0, 4800, .3},
			{0, 6400, .4}, {8000, 9600, .6}, {8000, 11200, .7}}, []Interval{{0, .2}, {.5, .7}}},
		{"a short window", .15, StimulusWindow{Before: .15}, []int{0, 1}, []Window{{0, 1600, .1}, {800, 3200, .2},
			{2400, 4800, .3}, {4000, 6400, .4}, {8000, 9600, .6}, {8800, 11200, .7}}, []Interval{{0, .2}, {.5, .7}}},
		{"later than the response", .1, StimulusWindow{Before: .1}, []int{1}, []Window{{0, 1600, .1}, {1600, 3200, .2},
			{3200, 4800, .3}, {4800, 6400, .4}, {8000, 9600, .6}, {9600, 11200, .7}}, []Interval{{0, .1}, {.5, .6}}},
		{"a pass over the clip", .1, StimulusWindow{Before: .5, After: .5}, []int{0}, []Window{{0, 1600, .1},
			{1600, 3200, .2}, {3200, 4800, .3}, {4800, 6400, .4}, {8000, 9600, .6}, {9600, 11200, .7}},
			[]Interval{{0, .5}, {.5, 1}}},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := Series{Window: x.window, Delays: x.delays, Rows: 5, Clips: clips}
			got, err := s.Windows(c, 10, 16000, 16000)
			require.NoError(t, err)
			for i := range x.windows {
				assert.InDelta(t, x.windows[i].Time, got[i].Time, 1e-12)
				got[i].Time = x.windows[i].Time
			}
			assert.Equal(t, x.windows, got)
			w := s.StimulusWindow(c, x.vector)
			for i, k := range []int{1, 6} {
				assert.InDelta(t, x.stimulus[i].From, w.Row(c, k).From, 1e-9)
				assert.InDelta(t, x.stimulus[i].To, w.Row(c, k).To, 1e-9)
			}
			d := s.Story(c, 10, FeatureTimes(got))
			assert.Equal(t, []bool{true, true, true, true, false, true, true, false, false, false}, d.Present)
			for k := range 10 {
				for _, delay := range x.delays {
					if from := k - delay; from >= 0 && from/5 == k/5 && d.Present[from] {
						of := got[d.Weights.First[from]]
						assert.LessOrEqual(t, w.Row(c, k).From, float64(of.Start)/16000+1e-9)
						assert.GreaterOrEqual(t, w.Row(c, k).To, float64(of.End)/16000-1e-9)
					}
				}
			}
			assert.Zero(t, w.Row(c, 4).overlap(w.Row(c, 5)), "clips share nothing")
		})
	}
	story := Series{Window: .1, Delays: []int{0}}
	got, err := story.Windows(Clock{First: -.1, TR: .1, RowTime: 1}, 5, 4000, 16000)
	require.NoError(t, err)
	assert.Equal(t, []Window{{0, 1600, .1}, {1600, 3200, .2}}, []Window{{got[0].Start, got[0].End, .1},
		{got[1].Start, got[1].End, .2}}, "rows before the story and after it have no window")
	pass, err := Series{Window: .02, Pass: true, Delays: []int{0}, Rows: 4, Clips: []int{1280}}.Windows(
		Clock{TR: .02, RowTime: 1}, 4, 1280, 16000)
	require.NoError(t, err)
	require.Len(t, pass, 3, "of a pass over the clip windows may be short, but for its first frame")
	assert.Equal(t, 320, pass[0].End-pass[0].Start)
	short, err := Series{Window: 1, Delays: []int{0}, Rows: 50, Clips: []int{8000}}.Windows(
		Clock{TR: .01, RowTime: 1}, 50, 8000, 16000)
	require.NoError(t, err)
	assert.Equal(t, 480, short[0].End, "a window has at least 400 samples")
}

// A row is the vector of its bin, standardised by the rows that have one; others are 0, and lags stay in the clip.
func TestRowsOfBins(t *testing.T) {
	s := Series{Window: .1, Delays: []int{0, 1}, Rows: 3, Clips: []int{3200, 3200}}
	c := Clock{TR: .1, RowTime: 1}
	windows, err := s.Windows(c, 6, 9600, 16000)
	require.NoError(t, err)
	d := s.Story(c, 6, FeatureTimes(windows))
	d.Statistics = []Rows{{To: 3}}
	got, z := d.Matrix([]float32{1, 3, 5, 7}, 1)
	assert.Equal(t, ZScore{Mean: []float64{2}, SD: []float64{1}}, z, "of the two bins of clip 0 that have vectors")
	assert.Equal(t, []float32{-1, 0, 1, -1, 0, 1, 3, 0, 5, 3, 0, 5}, got)
	assert.True(t, d.HasPresent([]int{2}, 6), "row 2 of clip 0 has bin 0")
	assert.False(t, d.HasPresent([]int{3, 4}, 6), "no row is that late in its clip")
	assert.False(t, s.Story(c, 6, nil).HasPresent([]int{0}, 6))
}
