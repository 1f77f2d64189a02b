package design

import (
	"fmt"
	"math"
)

// MinSamples is the shortest window that is kept: what the speech encoder's convolutions need for one frame
// (kernels 10, 3, 3, 3, 3, 2, 2 with strides 5, 2, 2, 2, 2, 2, 2 see 400 samples).
const MinSamples = 400

// Window is the stretch of audio behind one feature vector.
type Window struct {
	Start, End int     // samples, half-open
	Time       float64 // the window's end in seconds: the time of its feature
}

// Windows cuts audio of the given length into windows. Window i ends at (i+1)·stride and starts window seconds before,
// or at the start of the audio if that is later, so the first ones are shorter. Windows below [MinSamples] are left out,
// and none ends after the audio. Rate is in samples a second.
func Windows(samples, rate int, windowSeconds, strideSeconds float64) []Window {
	if rate <= 0 || !(windowSeconds > 0) || !(strideSeconds > 0) || math.IsInf(windowSeconds+strideSeconds, 0) {
		panic(fmt.Sprintf("align: windows of %g s every %g s at %d samples a second", windowSeconds, strideSeconds, rate))
	}
	length := int(math.Round(windowSeconds * float64(rate)))
	var windows []Window
	for i := 1; ; i++ {
		// Each end is rounded by itself: adding up a rounded stride would drift.
		time := float64(i) * strideSeconds
		end := math.Round(time * float64(rate))
		if end > float64(samples) {
			return windows
		}
		w := Window{Start: max(0, int(end)-length), End: int(end), Time: time}
		if w.End-w.Start >= MinSamples {
			windows = append(windows, w)
		}
	}
}

// FeatureTimes are the ends of the windows in seconds.
func FeatureTimes(windows []Window) []float64 {
	times := make([]float64, len(windows))
	for i, w := range windows {
		times[i] = w.Time
	}
	return times
}
