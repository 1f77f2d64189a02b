package audio

import (
	"fmt"
	"math"
)

// A mixer reduces several channels to one, their mean or one of them, and records what that does to
// the sound.
type mixer struct {
	channels int
	pick     int // 0: mean; k: channel k

	mixed, apart float64 // energy of the mean; mean energy of the channels

	over      int64 // samples beyond full scale
	peak      float32
	peakFrame int64
}

// mix sets dst (T) from src (T, channels). first is the number of src's first frame, for errors.
func (m *mixer) mix(dst []float64, src []float32, first int64) error {
	n := m.channels
	for t := range dst {
		var sum, square float64
		for c, x := range src[t*n : (t+1)*n] {
			v := float64(x)
			sum += v
			square += v * v
			if x > 1 || x < -1 {
				if err := m.exceeds(x, first+int64(t), c); err != nil {
					return err
				}
			}
		}
		if math.IsNaN(sum) {
			return notANumber(src[t*n:(t+1)*n], first+int64(t))
		}
		mean := sum / float64(n)
		m.mixed += mean * mean
		m.apart += square / float64(n)
		if m.pick > 0 {
			mean = float64(src[t*n+m.pick-1])
		}
		dst[t] = mean
	}
	return nil
}

// exceeds counts a sample beyond full scale, and refuses one that is infinite.
func (m *mixer) exceeds(x float32, frame int64, channel int) error {
	if math.IsInf(float64(x), 0) {
		return bad("sample %d of channel %d is %v", frame, channel+1, x).WithHint("repair the recording")
	}
	m.over++
	if a := max(x, -x); a > m.peak {
		m.peak, m.peakFrame = a, frame
	}
	return nil
}

func notANumber(frame []float32, index int64) error {
	for c, x := range frame {
		if x != x {
			return bad("sample %d of channel %d is NaN", index, c+1).WithHint("repair the recording")
		}
	}
	panic("audio: a sum of finite samples is not a number")
}

// cancelled is the fraction of the energy expected of uncorrelated channels below which a mean is
// reported. The mean of n uncorrelated channels, or of one that sounds and n-1 that are silent,
// keeps 1/n of their energy; that of inverted channels keeps nothing.
const cancelled = 0.1

func (m *mixer) notes() []string {
	var notes []string
	if m.over > 0 {
		notes = append(notes, fmt.Sprintf("%d samples exceed full scale, the most at sample %d: %.3g", m.over,
			m.peakFrame, m.peak))
	}
	if m.pick == 0 && m.channels > 1 && m.mixed*float64(m.channels) < cancelled*m.apart {
		kept := m.mixed / m.apart
		notes = append(notes, fmt.Sprintf("the channels cancel each other: their mean keeps %.2g of their energy; "+
			"pick one channel", kept))
	}
	return notes
}
