package render

import (
	"image/color"
	"math"
	"slices"
)

// rgb is a colour in linear light, 0 to 1.
type rgb [3]float32

// Colormap maps numbers from 0 to 1 to colours.
type Colormap struct {
	Name      string
	Diverging bool // the middle is 0, and limits are symmetric
	table     [steps]rgb
}

const steps = 512

// colormaps lists the maps: balance (blue, white, red; diverging), tide (white to dark blue), dusk
// (dark blue to yellow) and ember (dark to red to yellow).
func colormaps() []*Colormap {
	return []*Colormap{
		newColormap("balance", true, func(t float64) (l, c, h float64) {
			u := 2*t - 1
			l, c, h = .96-.56*math.Abs(u), .175*math.Pow(math.Abs(u), .85), 258.0
			if u > 0 {
				h = 32
			}
			return l, min(c, gamut(l, 258), gamut(l, 32)), h
		}),
		newColormap("tide", false, func(t float64) (l, c, h float64) {
			l, h = .96-.66*t, 160+110*math.Pow(t, .8)
			return l, min(.13*math.Pow(t, .7), gamut(l, h)), h
		}),
		newColormap("dusk", false, func(t float64) (l, c, h float64) {
			l, h = .25+.69*t, 285-180*math.Pow(t, 1.15)
			return l, min(.085+.055*t, gamut(l, h)), h
		}),
		newColormap("ember", false, func(t float64) (l, c, h float64) {
			l, h = .22+.73*t, -30+130*math.Pow(t, 1.1)
			return l, min(.16, gamut(l, h)), h
		}),
	}
}

// ColormapByName finds a map, nil if there is none.
func ColormapByName(name string) *Colormap {
	i := slices.IndexFunc(colormaps(), func(c *Colormap) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return colormaps()[i]
}

// newColormap fills a table from lightness, chroma and hue (degrees) in OKLab.
func newColormap(name string, diverging bool, lch func(t float64) (l, c, h float64)) *Colormap {
	m := &Colormap{Name: name, Diverging: diverging}
	for i := range m.table {
		l, c, h := lch(float64(i) / (steps - 1))
		x := fromLCH(l, c, h)
		for k := range x {
			m.table[i][k] = float32(min(1, max(0, x[k])))
		}
	}
	return m
}

// at returns the colour of t, clamped to 0 to 1.
func (m *Colormap) at(t float64) rgb {
	return m.table[int(min(1, max(0, t))*(steps-1)+.5)]
}

// At returns the colour of t from 0 to 1 as sRGB.
func (m *Colormap) At(t float64) color.NRGBA { return m.at(t).srgb() }

// fromLCH returns linear light of a colour in OKLab by lightness, chroma and hue; B. Ottosson, "A
// perceptual color space for image processing", 2020.
func fromLCH(l, c, h float64) [3]float64 {
	a, b := c*math.Cos(h*math.Pi/180), c*math.Sin(h*math.Pi/180)
	cube := func(x float64) float64 { return x * x * x }
	p := cube(l + 0.3963377774*a + 0.2158037573*b)
	q := cube(l - 0.1055613458*a - 0.0638541728*b)
	r := cube(l - 0.0894841775*a - 1.2914855480*b)
	return [3]float64{
		4.0767416621*p - 3.3077115913*q + 0.2309699292*r,
		-1.2684380046*p + 2.6097574011*q - 0.3413193965*r,
		-0.0041960863*p - 0.7034186147*q + 1.7076147010*r,
	}
}

// gamut returns the largest chroma of sRGB at a lightness and hue, less 3 %.
func gamut(l, h float64) float64 {
	low, high := 0.0, .4
	for range 24 {
		c := (low + high) / 2
		x := fromLCH(l, c, h)
		if min(x[0], x[1], x[2]) >= 0 && max(x[0], x[1], x[2]) <= 1 {
			low = c
		} else {
			high = c
		}
	}
	return .97 * low
}

// toSRGB is the transfer function of sRGB (IEC 61966-2-1).
func toSRGB(x float64) float64 {
	if x <= .0031308 {
		return 12.92 * x
	}
	return 1.055*math.Pow(x, 1/2.4) - .055
}

func fromSRGB(x float64) float64 {
	if x <= .04045 {
		return x / 12.92
	}
	return math.Pow((x+.055)/1.055, 2.4)
}

// bytesOf is the byte of each linear intensity.
var bytesOf = func() (table [4096]uint8) {
	for i := range table {
		table[i] = uint8(math.Round(255 * toSRGB(float64(i)/float64(len(table)-1))))
	}
	return table
}()

func toByte(x float32) uint8 { return bytesOf[int(min(1, max(0, x))*float32(len(bytesOf)-1)+.5)] }

func (c rgb) srgb() color.NRGBA { return color.NRGBA{toByte(c[0]), toByte(c[1]), toByte(c[2]), 255} }

// grey is the linear light of a grey by its sRGB value.
func grey(v float64) rgb {
	x := float32(fromSRGB(v))
	return rgb{x, x, x}
}

func mix(a, b rgb, t float32) rgb {
	for k := range a {
		a[k] += (b[k] - a[k]) * t
	}
	return a
}

func (c rgb) scaled(f float32) rgb { return rgb{c[0] * f, c[1] * f, c[2] * f} }
