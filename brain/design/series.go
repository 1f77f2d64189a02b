package design

import "slices"

// Series is the design of responses in bins of milliseconds, such as ECoG and MEG. The stimulus is a story, or clips
// one after the other; row k is the mean response in bin k, which a clock whose row time is 1 places at the end of the
// bin. A vector is read from the audio before the end of a bin and is the feature of that bin. Bins that end after
// their clip, or too early in it for a vector, have features of 0. Delayed copies of the rows stay within a clip.
type Series struct {
	Window float64 // seconds of audio behind a vector, fewer at the beginning of a clip
	Pass   bool    // vectors are read from one pass over the clip, in which windows may be short
	Delays []int   // in rows, from 0, ascending
	Rows   int     // rows of each clip; 0: the stimulus is a story
	Clips  []int   // samples of each clip
}

// Windows returns a window for each bin that has one: it ends with the bin.
func (s Series) Windows(c Clock, rows, samples, rate int) (windows []Window, _ error) {
	for k := range rows {
		begin, limit := 0, samples
		if s.Rows > 0 {
			begin = sampleOf(c.First+float64(k-k%s.Rows)*c.TR, rate)
			limit = begin + s.Clips[k/s.Rows]
		}
		time := c.First + float64(k+1)*c.TR
		end := sampleOf(time, rate)
		start := max(begin, end-sampleOf(s.Window, rate))
		input := start // of the model
		if s.Pass {
			input = begin
		}
		if end <= limit && end-input >= minSamples {
			windows = append(windows, Window{Start: start, End: end, Time: time})
		}
	}
	return windows, nil
}

// Story returns the design in which the vector of a bin is its row.
func (s Series) Story(c Clock, n int, times []float64) *StoryDesign {
	d := &StoryDesign{Delays: s.Delays, Unit: s.Rows, Present: make([]bool, n)}
	ends := make([]float64, n)
	for k := range ends {
		ends[k] = c.First + float64(k+1)*c.TR
	}
	within := func(row float64) (from, to int) { return after(times, row-2*edge), after(times, row) }
	d.Weights = weigh(ends, times, within, func(_, _ float64, _ int) float64 { return 1 })
	for k, run := range d.Weights.Runs {
		d.Present[k] = len(run) > 0
	}
	return d
}

// StimulusWindow returns the audio behind the vectors of a row and of those before it that its delays reach, cut at the
// ends of the clip.
func (s Series) StimulusWindow(c Clock, vector StimulusWindow) StimulusWindow {
	late := c.TR * (1 - c.RowTime) // from the time of a row to the end of its bin
	return StimulusWindow{
		Before: float64(slices.Max(s.Delays))*c.TR + vector.Before - late,
		After:  vector.After - float64(slices.Min(s.Delays))*c.TR + late,
		Unit:   s.Rows,
	}
}
