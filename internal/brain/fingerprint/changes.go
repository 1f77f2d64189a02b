package fingerprint

import (
	"math"
	"math/bits"
)

const (
	around   = 4 * Rate / hop // frames on each side that say how loud a band is there: 4 s
	floorDB  = 22.            // below the loud level of a band, in which changes do not count
	span     = 2              // frames on each side of a change
	largeDB  = 4.             // a change that is compared
	activity = 31             // frames on each side that say whether sound is stationary: 1 s
	lively   = .14            // share of large changes in sound that is not
)

// changes returns for each frame which bands rise, and which changes are large. Frames of stationary sound have no
// large changes.
func changes(levels [][bands]uint8) (rises, large []uint16) {
	rises, large = make([]uint16, len(levels)), make([]uint16, len(levels))
	loud := newLoudness(levels)
	var soft [2*span + 1][bands]float64 // levels of frames n-span to n+span, frame k at k modulo its length
	for k := range levels {
		soft[k%len(soft)] = loud.soften(k)
		n := k - span
		if n < span {
			continue
		}
		at := func(frame int) *[bands]float64 { return &soft[frame%len(soft)] }
		for b := range bands {
			d := (at(n + 1)[b] + at(n + 2)[b] - at(n - 1)[b] - at(n - 2)[b]) / 2
			if d > 0 {
				rises[n] |= 1 << b
			}
			if math.Abs(d) > largeDB {
				large[n] |= 1 << b
			}
		}
	}
	clearStationary(large)
	return rises, large
}

// loudness follows the loud level of each band through a recording.
type loudness struct {
	levels [][bands]uint8
	count  [bands][256]int // of the levels of the frames around
	total  int             // of these frames
	floor  [bands]float64  // energy that is added to each band
}

func newLoudness(levels [][bands]uint8) *loudness {
	l := &loudness{levels: levels}
	for n := range min(around, len(levels)) {
		l.add(n, 1)
	}
	return l
}

// add counts a frame, or with -1 forgets it.
func (l *loudness) add(frame, times int) {
	l.total += times
	for b, v := range l.levels[frame] {
		l.count[b][v] += times
	}
}

// soften returns the levels of a frame in dB with the floor of each band added, so that what noise would hide has no
// changes. Frames are asked for in order.
func (l *loudness) soften(n int) (out [bands]float64) {
	if n+around < len(l.levels) {
		l.add(n+around, 1)
	}
	if n > around {
		l.add(n-around-1, -1)
	}
	for b, v := range l.levels[n] {
		if n%8 == 0 {
			l.floor[b] = math.Pow(10, (exceeded(&l.count[b], l.total)-floorDB)/10)
		}
		out[b] = 10 * math.Log10(energies[v]+l.floor[b])
	}
	return out
}

// energies are those of the levels of half a decibel.
var energies = func() (out [256]float64) {
	for v := range out {
		out[v] = math.Pow(10, float64(v)/20)
	}
	return out
}()

// exceeded returns the level in dB that a tenth of the values exceed.
func exceeded(count *[256]int, total int) float64 {
	left := total / 10
	for v := 255; v > 0; v-- {
		if left -= count[v]; left < 0 {
			return float64(v) / 2
		}
	}
	return 0
}

// clearStationary clears the frames of stationary sound: those with too few large changes around them.
func clearStationary(large []uint16) {
	sum := sums(large)
	for n := range large {
		from, to := max(n-activity, 0), min(n+activity+1, len(large))
		if float64(sum[to]-sum[from]) < lively*float64((to-from)*bands) {
			large[n] = 0
		}
	}
}

// sums returns the number of bits in the frames before each, one value more than there are frames.
func sums(frames []uint16) []int32 {
	out := make([]int32, len(frames)+1)
	for n, word := range frames {
		out[n+1] = out[n] + int32(bits.OnesCount16(word))
	}
	return out
}
