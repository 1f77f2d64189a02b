package design

import (
	"fmt"
	"slices"
)

// BOLD is the design of fMRI studies: vectors are resampled to one row per TR, standardised and
// delayed (finite impulse response), as in the encoding models of the Huth and Gallant
// laboratories.
type BOLD struct {
	Average      bool  // take the mean of the vectors within each TR instead of Lanczos interpolation
	ClipNegative bool  // set Lanczos weights below 1e-10 to 0
	Delays       []int // in TRs, ascending

	Window, Stride float64 // seconds of audio behind a vector, and from one vector to the next
}

// Windows cuts the audio of a story into windows that overlap, see [Windows].
func (b BOLD) Windows(_ Clock, _, samples, rate int) ([]Window, error) {
	windows := Windows(samples, rate, b.Window, b.Stride)
	if len(windows) == 0 {
		return nil, fmt.Errorf("%.3g s of audio give no window of %g s every %g s", float64(samples)/float64(rate),
			b.Window, b.Stride)
	}
	return windows, nil
}

// WindowAt returns window i, from 1 on, of a story that is long enough; ok is false for one that is too short to be
// used. Those that are used are the windows of Windows, in order.
func (b BOLD) WindowAt(i, rate int) (w Window, ok bool) {
	w = windowAt(i, rate, b.Window, b.Stride)
	return w, w.End-w.Start >= minSamples
}

// Story returns the design of a story with n rows. Lanczos interpolation has 3 lobes and its cutoff
// at 1/TR.
func (b BOLD) Story(c Clock, n int, times []float64) *StoryDesign {
	return &StoryDesign{Delays: b.Delays, Weights: b.Weights(c, 0, n, times)}
}

// Weights returns what carries vectors at ascending times to the rows from ≤ k < to. A row has the same weights in any
// range, given the vectors in its reach.
func (b BOLD) Weights(c Clock, from, to int, times []float64) *Weights {
	rows := c.Times(from, to)
	if b.Average {
		return Average(rows, times, c.TR, c.RowTime)
	}
	return Lanczos(rows, times, LanczosOptions{Cutoff: 1 / c.TR, ClipNegative: b.ClipNegative})
}

// StimulusWindow returns the stretch of stimulus that a row depends on, where a vector depends on
// the stretch vector around its time. A window that ends at the vector's time has vector.After 0;
// where the vectors are frames of a chunk, they depend on all of it, so that Before and After are
// both its length.
func (b BOLD) StimulusWindow(c Clock, vector StimulusWindow) StimulusWindow {
	before, after := lanczosLobes*c.TR, lanczosLobes*c.TR
	if b.Average {
		before, after = c.RowTime*c.TR, (1-c.RowTime)*c.TR
	}
	longest, shortest := 0., 0.
	if len(b.Delays) > 0 {
		longest, shortest = float64(slices.Max(b.Delays)), float64(slices.Min(b.Delays))
	}
	return StimulusWindow{
		Before: longest*c.TR + before + vector.Before,
		After:  after - shortest*c.TR + vector.After,
	}
}
