package render

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// lab returns CIELAB (D65) of linear light, another space than the one the maps are built in.
func lab(c [3]float64) [3]float64 {
	xyz := [3]float64{
		(.4124564*c[0] + .3575761*c[1] + .1804375*c[2]) / .95047,
		.2126729*c[0] + .7151522*c[1] + .0721750*c[2],
		(.0193339*c[0] + .1191920*c[1] + .9503041*c[2]) / 1.08883,
	}
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	return [3]float64{116*f(xyz[1]) - 16, 500 * (f(xyz[0]) - f(xyz[1])), 200 * (f(xyz[1]) - f(xyz[2]))}
}

// dichromat simulates protanopia or deuteranopia in linear light (Viénot, Brettel and Mollon 1999,
// as one matrix each).
func dichromat(c [3]float64, m [3][3]float64) (out [3]float64) {
	for i, row := range m {
		out[i] = min(1, max(0, row[0]*c[0]+row[1]*c[1]+row[2]*c[2]))
	}
	return out
}

var (
	normal       = [3][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	protanopia   = [3][3]float64{{.11238, .88762, 0}, {.11238, .88762, 0}, {.00401, -.00401, 1}}
	deuteranopia = [3][3]float64{{.29275, .70725, 0}, {.29275, .70725, 0}, {-.02234, .02234, 1}}
)

func colorsOf(m *Colormap) (out [][3]float64) {
	for i := range 65 {
		c := m.At(float64(i) / 64)
		out = append(out, [3]float64{fromSRGB(float64(c.R) / 255), fromSRGB(float64(c.G) / 255),
			fromSRGB(float64(c.B) / 255)})
	}
	return out
}

func distanceOf(a, b [3]float64) float64 {
	return math.Hypot(math.Hypot(a[0]-b[0], a[1]-b[1]), a[2]-b[2])
}

// Lightness is linear in the value, or in its size, also as CIELAB measures it; steps are about as
// large everywhere; and the order stays for people who see two colours.
func TestColormapsAreUniformAndSafe(t *testing.T) {
	for _, m := range colormaps() {
		for name, eye := range map[string][3][3]float64{"normal": normal, "protanopia": protanopia,
			"deuteranopia": deuteranopia} {
			var seen [][3]float64
			for _, c := range colorsOf(m) {
				seen = append(seen, lab(dichromat(c, eye)))
			}
			n := len(seen) - 1
			if !m.Diverging {
				sign := math.Copysign(1, seen[n][0]-seen[0][0]) // tide grows darker
				slope := (seen[n][0] - seen[0][0]) / float64(n)
				for i := range seen {
					if name == "normal" {
						assert.InDelta(t, seen[0][0]+slope*float64(i), seen[i][0], 5, "%s, %s, %d", m.Name, name, i)
					}
					if i > 0 {
						assert.Greater(t, sign*(seen[i][0]-seen[i-1][0]), -.3, "%s, %s, %d: against the order", m.Name,
							name, i)
					}
				}
			} else {
				for i := range n / 2 {
					assert.Less(t, seen[i][0], seen[i+1][0]+.3, "%s, %s: left arm", m.Name, name)
					assert.Greater(t, seen[n-i-1][0], seen[n-i][0]-.3, "%s, %s: right arm", m.Name, name)
					if i < n/2-6 {
						assert.Greater(t, distanceOf(seen[i], seen[n-i]), 15.0, "%s, %s, %d: the arms are told apart",
							m.Name, name, i)
					}
				}
				if name == "normal" {
					for i := range n / 2 {
						assert.InDelta(t, seen[i][0], seen[n-i][0], 6, "%s: symmetric", m.Name)
					}
				}
			}
			least, most := math.Inf(1), 0.0
			for i := range n {
				d := distanceOf(seen[i], seen[i+1])
				least, most = min(least, d), max(most, d)
			}
			assert.Greater(t, least, .5, "%s, %s: each step is seen", m.Name, name)
			if name == "normal" {
				assert.Less(t, most/least, 3.5, "%s: steps of one size", m.Name)
			}
		}
	}
}

func TestNoColorIsCut(t *testing.T) {
	for _, m := range colormaps() {
		for _, c := range m.table {
			for _, x := range c {
				assert.True(t, x >= 0 && x <= 1)
			}
		}
	}
}

func TestScale(t *testing.T) {
	values := make([]float32, 1000)
	for i := range values {
		values[i] = float32(i-300) / 1000
	}
	s, err := newScale(values, Options{})
	assert.NoError(t, err)
	assert.Equal(t, "balance", s.colors.Name)
	assert.Equal(t, -s.high, s.low, "symmetric")
	assert.InDelta(t, .69, s.high, .011)
	assert.True(t, s.above)
	assert.False(t, s.below)
	s, err = newScale(values[300:], Options{})
	assert.NoError(t, err)
	assert.Equal(t, "tide", s.colors.Name)
	assert.Zero(t, s.low)
	for _, c := range []struct {
		low, high float64
		want      []float64
	}{{-.46, .46, []float64{-.4, -.2, 0, .2, .4}}, {0, 1, []float64{0, .2, .4, .6, .8, 1}},
		{0, .7, []float64{0, .2, .4, .6}}, {-3, 3, []float64{-2, 0, 2}}} {
		s := scale{low: c.low, high: c.high}
		got := s.ticks()
		if c.high == 3 {
			assert.GreaterOrEqual(t, len(got), 4)
			continue
		}
		assert.InDeltaSlice(t, c.want, got, 1e-9)
	}
	assert.Equal(t, "−0.20", format(-.2, .05))
	assert.Equal(t, "0", format(-1e-18, .2))
	assert.Equal(t, "150", format(150, 50))
}
