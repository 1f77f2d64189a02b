package design

import (
	"fmt"
	"math"
)

// minSamples is the length of the shortest window: the samples that the convolutions of the speech
// encoder need for one frame (kernels 10, 3, 3, 3, 3, 2, 2 with strides 5, 2, 2, 2, 2, 2, 2).
const minSamples = 400

// Window is the stretch of audio behind one feature vector.
type Window struct {
	Start, End int     // samples, half-open
	Time       float64 // the window's end in seconds: the time of its feature
}

// Windows cuts audio of the given number of samples, rate of them a second, into windows. Window i
// ends at (i+1)·stride and starts windowSeconds before, or at the start of the audio if that is
// later, so that the first windows are shorter. Windows of fewer than 400 samples, too short for
// one frame of the speech encoder, are left out. None ends after the audio.
func Windows(samples, rate int, windowSeconds, strideSeconds float64) []Window {
	if rate <= 0 || !(windowSeconds > 0) || !(strideSeconds > 0) || math.IsInf(windowSeconds+strideSeconds, 0) {
		panic(fmt.Sprintf("design: windows of %g s every %g s at %d samples a second", windowSeconds, strideSeconds,
			rate))
	}
	var windows []Window
	for i := 1; ; i++ {
		w := windowAt(i, rate, windowSeconds, strideSeconds)
		if w.End > samples {
			return windows
		}
		if w.End-w.Start >= minSamples {
			windows = append(windows, w)
		}
	}
}

// windowAt returns window i, from 1 on, of audio that is long enough.
func windowAt(i, rate int, windowSeconds, strideSeconds float64) Window {
	// Each end is rounded by itself: adding up a rounded stride would drift.
	time := float64(i) * strideSeconds
	end := int(math.Round(time * float64(rate)))
	return Window{Start: max(0, end-int(math.Round(windowSeconds*float64(rate)))), End: end, Time: time}
}

// FeatureTimes returns the ends of the windows in seconds.
func FeatureTimes(windows []Window) []float64 {
	times := make([]float64, len(windows))
	for i, w := range windows {
		times[i] = w.Time
	}
	return times
}
