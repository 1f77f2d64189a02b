package render

import (
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// regular is the Go font, which has the letters of Europe and the signs of mathematics.
var regular = sync.OnceValue(func() *sfnt.Font {
	f, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		panic(err) // the font is part of the program
	}
	return f
})

// em is the size at which glyphs are read, in units of the font.
const em = 2048

// glyphOf returns the glyph of a letter, the font's box for one that it lacks, and its width in
// pixels. size is that of an em.
func glyphOf(r rune, size float32) (sfnt.GlyphIndex, float32) {
	var buffer sfnt.Buffer
	glyph, _ := regular().GlyphIndex(&buffer, r) // the font is sound, so this and what follows do not fail
	advance, _ := regular().GlyphAdvance(&buffer, glyph, fixed.I(em), font.HintingNone)
	return glyph, pixels(advance, size)
}

// pixels converts a length in the font.
func pixels(x fixed.Int26_6, size float32) float32 { return float32(x) / 64 / em * size }

// textWidth is the width of a text in pixels.
func textWidth(text string, size float32) float32 {
	width := float32(0)
	for _, r := range text {
		_, w := glyphOf(r, size)
		width += w
	}
	return width
}

// textOutlines returns the outlines of a text that begins at x with its baseline at y, as closed
// contours.
func textOutlines(text string, x, y, size float32) [][]point {
	var out [][]point
	for _, r := range text {
		glyph, width := glyphOf(r, size)
		segments, _ := regular().LoadGlyph(new(sfnt.Buffer), glyph, fixed.I(em), nil)
		for _, s := range segments {
			at := func(i int) point { return point{x + pixels(s.Args[i].X, size), y + pixels(s.Args[i].Y, size)} }
			if s.Op == sfnt.SegmentOpMoveTo {
				out = append(out, []point{at(0)})
				continue
			}
			contour := &out[len(out)-1]
			if s.Op == sfnt.SegmentOpLineTo {
				*contour = append(*contour, at(0))
				continue
			}
			from := (*contour)[len(*contour)-1] // of a quadratic curve; TrueType has no other
			const parts = 8
			for k := 1; k <= parts; k++ {
				t := float32(k) / parts
				var q point
				for i := range q {
					q[i] = (1-t)*(1-t)*from[i] + 2*t*(1-t)*at(0)[i] + t*t*at(1)[i]
				}
				*contour = append(*contour, q)
			}
		}
		x += width
	}
	return out
}
