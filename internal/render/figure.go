package render

import (
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"slices"

	"golang.org/x/image/vector"
)

// point is a place on the page, in pixels, y downwards.
type point [2]float32

// Figure is a finished picture: pixels, and vector items over them.
type Figure struct {
	pixels *image.NRGBA
	items  []item
	scale  scale
}

// Scale returns the limits and the name of the colours.
func (f *Figure) Scale() (low, high float64, colors string) {
	return f.scale.low, f.scale.high, f.scale.colors.Name
}

// item is one vector item.
type item struct {
	strokes [][]point // lines
	closed  bool      // the lines are outlines of filled shapes
	text    string    // or a text, whose outlines are in strokes
	at      point
	size    float32
	anchor  anchor
	bar     *Colormap // or a rectangle of colours from strokes[0][0] to strokes[0][1]
	width   float32
	halo    float32 // width of white around it
	color   color.NRGBA
	name    string // of a region, for SVG
}

type anchor int

const (
	start anchor = iota
	middle
	end
)

var (
	black = color.NRGBA{0, 0, 0, 255}
	white = color.NRGBA{255, 255, 255, 255}
	ink   = color.NRGBA{34, 34, 34, 255}
	faint = color.NRGBA{110, 110, 110, 255}
)

func newFigure(w, h int) *Figure {
	f := &Figure{pixels: image.NewNRGBA(image.Rect(0, 0, w, h))}
	for i := range f.pixels.Pix {
		f.pixels.Pix[i] = 255
	}
	return f
}

// line draws a line.
func (f *Figure) line(points []point, width, halo float32, c color.NRGBA, name string) {
	f.items = append(f.items, item{strokes: [][]point{points}, width: width, halo: halo, color: c, name: name})
}

// shape fills a polygon.
func (f *Figure) shape(points []point, c color.NRGBA) {
	f.items = append(f.items, item{strokes: [][]point{points}, closed: true, color: c})
}

// write writes a text with its baseline at a point.
func (f *Figure) write(text string, at point, size float32, a anchor, halo float32, c color.NRGBA) {
	x := at[0]
	switch w := textWidth(text, size); a {
	case middle:
		x -= w / 2
	case end:
		x -= w
	}
	f.items = append(f.items, item{strokes: textOutlines(text, x, at[1], size), closed: true, text: text, at: at,
		size: size, anchor: a, halo: halo, color: c})
}

// Image returns the picture as pixels.
func (f *Figure) Image() *image.NRGBA {
	out := image.NewNRGBA(f.pixels.Rect)
	copy(out.Pix, f.pixels.Pix)
	ink := newInk(out)
	for _, it := range f.items {
		switch {
		case it.bar != nil:
			fillBar(out, it)
		default:
			if it.halo > 0 {
				ink.stroke(it.strokes, it.width+2*it.halo, white, .85)
			}
			if it.closed {
				ink.fill(it.strokes, it.color)
			} else {
				ink.stroke(it.strokes, it.width, it.color, 1)
			}
		}
	}
	return out
}

// PNG writes the picture as PNG.
func (f *Figure) PNG(w io.Writer) error {
	return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, f.Image())
}

func fillBar(out *image.NRGBA, it item) {
	from, to := it.strokes[0][0], it.strokes[0][1]
	for x := int(from[0]); x < int(to[0]); x++ {
		c := it.bar.At((float64(x) + .5 - float64(from[0])) / float64(to[0]-from[0]))
		for y := int(from[1]); y < int(to[1]); y++ {
			out.SetNRGBA(x, y, c)
		}
	}
}

// inker draws antialiased lines and shapes. cover is the part of each pixel that the current lines
// cover.
type inker struct {
	out   *image.NRGBA
	cover []float32
}

func newInk(out *image.NRGBA) *inker {
	return &inker{out, make([]float32, out.Rect.Dx()*out.Rect.Dy())}
}

// box is a range of pixels.
type box struct{ x0, y0, x1, y1 int }

func (k *inker) box(points []point, margin float32) box {
	b := box{math.MaxInt32, math.MaxInt32, 0, 0}
	for _, p := range points {
		b.x0, b.y0 = min(b.x0, int(p[0]-margin)), min(b.y0, int(p[1]-margin))
		b.x1, b.y1 = max(b.x1, int(p[0]+margin)+2), max(b.y1, int(p[1]+margin)+2)
	}
	return box{max(b.x0, 0), max(b.y0, 0), min(b.x1, k.out.Rect.Dx()), min(b.y1, k.out.Rect.Dy())}
}

// stroke draws lines with round ends. The cover of a pixel follows from the distance of its middle
// to the line.
func (k *inker) stroke(lines [][]point, width float32, c color.NRGBA, opacity float32) {
	w := k.out.Rect.Dx()
	for _, pass := range []bool{true, false} { // first add up the cover of all lines, then blend and clear it
		for _, points := range lines {
			for i := range points {
				a, b := points[max(i-1, 0)], points[i]
				if i == 0 && len(points) > 1 {
					continue
				}
				r := width / 2
				area := k.box([]point{a, b}, r+1)
				for y := area.y0; y < area.y1; y++ {
					for x := area.x0; x < area.x1; x++ {
						at := &k.cover[y*w+x]
						if !pass {
							if *at > 0 {
								blend(k.out, x, y, c, *at*opacity)
								*at = 0
							}
							continue
						}
						d := r + .5 - distance(point{float32(x) + .5, float32(y) + .5}, a, b)
						*at = max(*at, min(1, d))
					}
				}
			}
		}
	}
}

// distance is the distance of p from the segment from a to b.
func distance(p, a, b point) float32 {
	dx, dy := b[0]-a[0], b[1]-a[1]
	t := float32(0)
	if n := dx*dx + dy*dy; n > 0 {
		t = min(1, max(0, ((p[0]-a[0])*dx+(p[1]-a[1])*dy)/n))
	}
	x, y := p[0]-a[0]-t*dx, p[1]-a[1]-t*dy
	return float32(math.Sqrt(float64(x*x + y*y)))
}

// fill fills closed contours by the nonzero winding rule.
func (k *inker) fill(contours [][]point, c color.NRGBA) {
	area := k.box(slices.Concat(contours...), 1)
	r := vector.NewRasterizer(max(0, area.x1-area.x0), max(0, area.y1-area.y0))
	for _, contour := range contours {
		for i, p := range contour {
			x, y := p[0]-float32(area.x0), p[1]-float32(area.y0)
			if i == 0 {
				r.MoveTo(x, y)
			} else {
				r.LineTo(x, y)
			}
		}
		r.ClosePath()
	}
	r.Draw(k.out, image.Rect(area.x0, area.y0, area.x1, area.y1), image.NewUniform(c), image.Point{})
}

func blend(out *image.NRGBA, x, y int, c color.NRGBA, t float32) {
	p := out.Pix[out.PixOffset(x, y):]
	for i, v := range [3]uint8{c.R, c.G, c.B} {
		p[i] = uint8(float32(p[i]) + (float32(v)-float32(p[i]))*t + .5)
	}
}
