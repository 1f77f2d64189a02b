package design

import (
	"fmt"
	"math"
)

// Event is the design of separate stimuli: the audio of a story is clips, one after the other, and row k is the
// response to clip k. Clip k begins with row k of a clock whose row time is 0, and silence follows a clip that is
// shorter than a TR. One vector is read from each clip, or from a stretch of it, and is the row: there is neither
// resampling nor a delay.
type Event struct {
	From, To float64 // seconds of each clip that are read; To 0: to its end
	Clips    []int   // samples of each clip
}

// Windows returns one window for each clip. A clip without audio enough from From on is an error, since each row needs
// a vector.
func (e Event) Windows(c Clock, rows, _, rate int) ([]Window, error) {
	windows := make([]Window, rows)
	for k := range windows {
		begin, from, to := sampleOf(c.Time(k), rate), sampleOf(e.From, rate), e.Clips[k]
		if e.To > 0 {
			to = min(to, sampleOf(e.To, rate))
		}
		if to-from < minSamples {
			return nil, fmt.Errorf("clip %d lasts %.3f s, of which %.3f s are read, want at least %.3f s", k,
				float64(e.Clips[k])/float64(rate), float64(max(to-from, 0))/float64(rate), minSamples/float64(rate))
		}
		windows[k] = Window{Start: begin + from, End: begin + to, Time: float64(begin+to) / float64(rate)}
	}
	return windows, nil
}

func sampleOf(seconds float64, rate int) int { return int(math.Round(seconds * float64(rate))) }

// Story returns the design in which vectors are rows.
func (Event) Story(Clock, int, []float64) *StoryDesign { return &StoryDesign{Delays: []int{0}} }

// StimulusWindow returns the stretch of a clip that is read, whatever vectors depend on: nothing else is in a window.
func (e Event) StimulusWindow(c Clock, _ StimulusWindow) StimulusWindow {
	to := c.TR
	if e.To > 0 {
		to = min(to, e.To)
	}
	return StimulusWindow{Before: -e.From, After: to}
}
