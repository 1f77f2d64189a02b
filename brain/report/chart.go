package report

import (
	"bytes"
	"fmt"
	"html"
	"html/template"
	"image/color"
	"regexp"
	"strings"
	"unicode"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// figureHTML is a chart or a picture with its text for screen readers.
type figureHTML struct {
	Title string
	Alt   string        // in words, with the numbers that matter
	SVG   template.HTML // of a chart
	Image template.URL  // of a map: a PNG as data URL
	Wide  bool          // takes a whole line of the page
}

// The colours of charts are variables of the page, one set for light and one for dark, with the light one as fallback.
// While a chart is drawn each is stood for by a colour of its own. They are told apart in the three kinds of colour
// blindness (after Okabe and Ito), and by shape as well.
var (
	ink   = color.NRGBA{1, 2, 3, 255} // text
	rule  = color.NRGBA{1, 2, 4, 255} // axes and grid
	tones = []color.NRGBA{{1, 2, 5, 255}, {1, 2, 6, 255}, {1, 2, 7, 255}, {1, 2, 8, 255}, {1, 2, 9, 255}}
)

// variables are the names and light values of the colours.
var variables = map[string]string{
	"#010203": "var(--ink,#1b2430)", "#010204": "var(--rule,#b8c0ca)",
	"#010205": "var(--t0,#1f78b4)", "#010206": "var(--t1,#d55e00)", "#010207": "var(--t2,#00896b)",
	"#010208": "var(--t3,#b5479d)", "#010209": "var(--t4,#6f7782)",
}

const (
	chartWidth  = 360 // units of the picture: about pixels on a phone
	chartHeight = 270
	small       = 11 // size of text
)

// newPlot is an empty chart in the theme.
func newPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.TextHandler = text.Plain{Fonts: font.DefaultCache}
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Color, a.Tick.Color, a.Tick.Length = rule, rule, 3
		a.Label.TextStyle.Color, a.Tick.Label.Color = ink, ink
		a.Label.TextStyle.Font.Size, a.Tick.Label.Font.Size = small, small
		a.Label.Padding, a.Padding = 3, 3
		a.Label.TextStyle.Font.Variant, a.Tick.Label.Font.Variant = "Sans", "Sans"
	}
	p.Legend.TextStyle.Color, p.Legend.TextStyle.Font.Size, p.Legend.TextStyle.Font.Variant = ink, small, "Sans"
	p.Legend.Top, p.Legend.Left, p.Legend.Padding, p.Legend.ThumbnailWidth = true, true, 2, 16
	p.Legend.XOffs, p.Legend.YOffs = 6, -2
	return p
}

// line is a line style of a tone.
func line(c color.Color, width vg.Length, dashes ...vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: width, Dashes: dashes}
}

// mark is a small shape: its place in the list of shapes tells regions apart without colour.
type mark int

// DrawGlyph draws the shape.
func (m mark) DrawGlyph(c *draw.Canvas, g draw.GlyphStyle, at vg.Point) {
	r := g.Radius
	corner := func(x, y vg.Length) vg.Point { return vg.Point{X: at.X + x*r, Y: at.Y + y*r} }
	c.FillPolygon(g.Color, [][]vg.Point{
		{corner(-.8, -.8), corner(.8, -.8), corner(.8, .8), corner(-.8, .8)},
		{corner(0, 1.2), corner(1.1, -.8), corner(-1.1, -.8)},
		{corner(0, 1.2), corner(1.2, 0), corner(0, -1.2), corner(-1.2, 0)},
		{corner(0, -1.2), corner(1.1, .8), corner(-1.1, .8)},
		{corner(-1.1, .35), corner(1.1, .35), corner(1.1, -.35), corner(-1.1, -.35)},
	}[int(m)%5])
}

// glyph is the look of a point of a group.
func glyph(group int, radius vg.Length) draw.GlyphStyle {
	return draw.GlyphStyle{Color: tones[group%len(tones)], Radius: radius, Shape: mark(group)}
}

var (
	styledColor = regexp.MustCompile(`(fill|stroke):(#01020[3-9])`)
	fontFamily  = regexp.MustCompile(`font-family:[^;"]*;font-variant:[a-z]+;font-weight:normal;font-style:normal;`)
)

// svg draws a plot as an element for the page.
func svg(p *plot.Plot, width, height float64, title, alt string) figureHTML {
	canvas := vgsvg.NewWith(vgsvg.UseWH(vg.Length(width), vg.Length(height)))
	p.Draw(draw.Crop(draw.New(canvas), 0, -8, 0, -4)) // room for what is at the right and the upper end
	var b bytes.Buffer
	_, _ = canvas.WriteTo(&b) // a Buffer does not fail
	text := b.String()
	text = text[strings.Index(text, "<g "):]
	text = styledColor.ReplaceAllStringFunc(text, func(s string) string {
		key, value, _ := strings.Cut(s, ":")
		return key + ":" + variables[value]
	})
	text = fontFamily.ReplaceAllString(text, "")
	text = strings.ReplaceAll(text, "\n\tstyle", " style")
	head := fmt.Sprintf(`<svg class="chart" viewBox="0 0 %g %g" role="img" aria-label="%s">`, width, height,
		html.EscapeString(title+". "+alt))
	return figureHTML{Title: title, Alt: alt, SVG: template.HTML(head + text)}
}

// short fits a name of a file into a chart: no control characters, and not too long.
func short(name string, runes int) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, name)
	if r := []rune(name); len(r) > runes {
		return string(r[:runes-1]) + "…"
	}
	return name
}
