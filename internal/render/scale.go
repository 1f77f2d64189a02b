package render

import (
	"math"
	"slices"
	"strconv"

	"github.com/brainwavlm/bwlm/fault"
)

// scale maps values to colours.
type scale struct {
	colors       *Colormap
	low, high    float64
	below, above bool // some value is beyond the limits
	shown        bool // there are values
	missing      bool // some place has none
	none         rgb  // the colour of such a place
}

// newScale chooses colours and limits. The default limit is the 99th percentile of the values,
// rounded up, so that one outlier does not make the rest pale. The bar marks values beyond it.
func newScale(values []float32, opt Options) (*scale, error) {
	finite := make([]float64, 0, len(values))
	for i, v := range values {
		if math.IsInf(float64(v), 0) {
			return nil, fault.New(fault.BadData, drawing, "", "value %d is %v", i, v).
				WithHint("make it NaN if there is none")
		}
		if v == v {
			finite = append(finite, float64(v))
		}
	}
	slices.Sort(finite)
	s := &scale{colors: opt.Colors, low: opt.Low, high: opt.High, shown: len(finite) > 0,
		missing: len(finite) < len(values), none: grey(.72)}
	least, most := 0.0, 1.0
	if s.shown {
		least, most = finite[0], finite[len(finite)-1]
	}
	if s.colors == nil {
		s.colors = ColormapByName("tide")
		if least < 0 && (most > 0 || opt.Low < 0) || opt.Low < 0 && opt.High > 0 {
			s.colors = ColormapByName("balance")
		}
	}
	given := s.low != 0 || s.high != 0
	switch {
	case s.colors.Diverging && given:
		s.high = max(math.Abs(s.low), math.Abs(s.high))
		s.low = -s.high
	case s.colors.Diverging:
		size := make([]float64, len(finite))
		for i, v := range finite {
			size[i] = math.Abs(v)
		}
		slices.Sort(size)
		s.high = roundUp(quantile(size, .99))
		s.low = -s.high
	case !given:
		s.low, s.high = min(0, quantile(finite, .01)), quantile(finite, .99)
		if s.low >= 0 && s.high > 0 {
			s.high = roundUp(s.high)
		}
	}
	if !(s.low < s.high) {
		s.low, s.high = s.low-.5, s.low+.5 // all values are equal
	}
	s.below, s.above = least < s.low && s.shown, most > s.high && s.shown
	return s, nil
}

// quantile of sorted values, 0 if there are none.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(math.Round(q*float64(len(sorted)-1)))]
}

// roundUp returns the next number of two digits.
func roundUp(v float64) float64 {
	if v <= 0 {
		return v
	}
	digit := math.Pow(10, math.Floor(math.Log10(v))-1)
	return math.Round(math.Ceil(v/digit-1e-5)) * digit
}

// ticks returns round numbers within the limits, at least three if possible, with a step of 1, 2 or
// 5 times a power of 10.
func (s *scale) ticks() []float64 {
	span := s.high - s.low
	power := math.Pow(10, math.Floor(math.Log10(span))-1)
	var out []float64
	for _, f := range []float64{50, 20, 10, 5, 2, 1} {
		step := f * power
		out = out[:0]
		for k := math.Ceil(s.low/step - 1e-9); k*step <= s.high+1e-9*span; k++ {
			out = append(out, k*step)
		}
		if len(out) >= 4 {
			break
		}
	}
	return out
}

// format writes a tick with no more digits than the step between ticks needs.
func format(v, step float64) string {
	if v == 0 || math.Abs(v) < step/1e6 {
		return "0"
	}
	digits := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	text := strconv.FormatFloat(math.Abs(v), 'f', digits, 64)
	if math.Abs(v) >= 1e5 || digits > 5 {
		text = strconv.FormatFloat(math.Abs(v), 'g', 3, 64)
	}
	if v < 0 {
		return "−" + text
	}
	return text
}

// drawBar draws the colour bar: ticks below, the unit above, arrows at ends beyond which there are
// values.
func (s *scale) drawBar(f *Figure, opt Options, fr frame) {
	w, h := float32(opt.Width)*.34, fr.text*.8
	x0, y0 := float32(int((float32(opt.Width)-w)/2)), float32(int(float32(opt.Height)-fr.text*2.9))
	x1, y1 := x0+float32(int(w)), y0+float32(int(h))
	f.items = append(f.items, item{bar: s.colors, strokes: [][]point{{{x0, y0}, {x1, y1}}}})
	if s.below {
		f.shape([]point{{x0, y0}, {x0, y1}, {x0 - h*.8, (y0 + y1) / 2}}, s.colors.At(0))
	}
	if s.above {
		f.shape([]point{{x1, y0}, {x1, y1}, {x1 + h*.8, (y0 + y1) / 2}}, s.colors.At(1))
	}
	ticks := s.ticks()
	step := s.high - s.low
	if len(ticks) > 1 {
		step = ticks[1] - ticks[0]
	}
	for _, t := range ticks {
		x := x0 + (x1-x0)*float32((t-s.low)/(s.high-s.low))
		f.line([]point{{x, y1}, {x, y1 + fr.text*.3}}, fr.line, 0, ink, "")
		f.write(format(t, step), point{x, y1 + fr.text*1.25}, fr.text*.85, middle, 0, ink)
	}
	if opt.Unit != "" {
		f.write(opt.Unit, point{(x0 + x1) / 2, y0 - fr.text*.45}, fr.text*.85, middle, 0, ink)
	}
	if !s.missing {
		return
	}
	bx := x1 + h*2.2
	f.shape([]point{{bx, y0}, {bx + h*1.4, y0}, {bx + h*1.4, y1}, {bx, y1}}, s.none.srgb())
	f.write("no value", point{bx + h*2, y1 - h*.12}, fr.text*.75, start, 0, faint)
}
