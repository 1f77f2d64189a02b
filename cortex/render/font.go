package render

import "strings"

// The font is made of strokes, on a grid whose baseline is 4, whose small letters reach 14 and capitals 18. A glyph is its
// width and its strokes, parted by |; a stroke is pairs of base-36 digits, x and y. ~ makes it a smooth curve through its
// points, @ a closed one; a point that stands twice is a corner.
type glyph struct {
	width   float32
	strokes string
}

const (
	baseline  = 4
	capHeight = 14
	tracking  = 3.2
	ring      = "@4e7d89754415091d"
)

var glyphs = map[rune]glyph{
	' ': {4, ""}, '!': {0, "0i08|0404"}, '"': {3, "0i0e|3i3e"}, '#': {9, "143i|648i|0d9d|0999"}, '\'': {0, "0i0e"},
	'%': {11, "@2i4g2e0g|@98b69476|249i"}, '&': {10, "~a4a42e2g4i6g5d1a07154474a9a9"}, '(': {3, "~3k1g0b1632"}, ')': {3, "~0k2g3b2602"},
	'*': {6, "3i3c|0g6d|6g0d"}, '+': {8, "4e46|0a8a"}, ',': {1, "1502"}, '-': {5, "0a5a"}, '−': {8, "0a8a"}, '–': {8, "0a8a"},
	'.': {0, "0404"}, '/': {7, "027k"}, ':': {0, "0404|0d0d"}, ';': {1, "1d1d|1502"}, '<': {8, "8e0a86"}, '=': {8, "0c8c|0888"},
	'>': {8, "0e8a06"}, '?': {7, "~0g2i5i7g6d3a3838|3434"}, '[': {3, "3k0k0232"}, ']': {3, "0k3k3202"}, '_': {8, "0282"}, '|': {0, "0k02"},
	'0': {8, "@4i7g8b7644160b1g"}, '1': {5, "0f4i44"}, '2': {8, "~0f1h4i7h8e6a0404|0484"}, '3': {8, "~0g2i5i7g7d5b3b3b|~3b3b6b887644 1406"},
	'4': {9, "646i0898"}, '5': {8, "7i1i0c|~0c0c4d7c8875441405"}, '6': {8, "@4c7b88754415081b|~6i3f0a08"}, '7': {8, "0i8i34"},
	'8': {8, "@4i7h7d4b1d1h|@4b7a88754415081a"}, '9': {8, "@4i7h8e7b4a1b0e1h|~8e8b5724"},
	'A': {10, "045ia4|2989"}, 'B': {9, "040i|~0i0i4i7i8e7b4b0b0b|~0b0b5b8b97844404 04"}, 'C': {9, "~9g7i4i1g0b16447496"},
	'D': {9, "040i|~0i0i4i8g9b86440404"}, 'E': {8, "8i0i0484|0b7b"}, 'F': {8, "8i0i04|0b7b"}, 'G': {9, "~9g7i4i1g0b16447495|959b5b"},
	'H': {9, "040i|949i|0b9b"}, 'I': {0, "040i"}, 'J': {6, "~6i6i653406"}, 'K': {9, "040i|9i09|3c94"}, 'L': {8, "0i0484"},
	'M': {11, "040i57bib4"}, 'N': {9, "040i949i"}, 'O': {10, "@5i8gab8654260b2g"}, 'P': {9, "040i|~0i0i5i8h9e8b5a0a0a"},
	'Q': {10, "@5i8gab8654260b2g|67a3"}, 'R': {9, "040i|~0i0i5i8h9e8b5a0a0a|5a94"}, 'S': {8, "~8g6i3i1g1d4b7a87754424 06"},
	'T': {10, "0iai|5i54"}, 'U': {9, "~0i0i08254475989i9i"}, 'V': {10, "0i54ai"}, 'W': {14, "0i447ia4ei"}, 'X': {9, "049i|0i94"},
	'Y': {10, "0i5bai|5b54"}, 'Z': {9, "0i9i0494"},
	'a': {8, ring + "|848e"}, 'b': {8, ring + "|040i"}, 'c': {7, "~7c5e3e1d091534 5476"}, 'd': {8, ring + "|848i"},
	'e': {8, "0989|~89897d4e1d0915446475"}, 'f': {5, "~5i3i2g2424|0e5e"}, 'g': {8, ring + "|~8e8e83503011"},
	'h': {8, "040i|~0b0b2d4e7d8b8484"}, 'i': {0, "040e|0h0h"}, 'j': {2, "~2e2e221000|2h2h"}, 'k': {7, "040i|7e08|3b74"}, 'l': {0, "040i"},
	'm': {12, "040e|~0b0b2d4e5d6b6464|~6b6b8daebdcbc4c4"}, 'n': {8, "040e|~0b0b2d4e7d8b8484"}, 'o': {8, ring}, 'p': {8, ring + "|0e00"},
	'q': {8, ring + "|8e80"}, 'r': {5, "040e|~0a0a1c3e5e"}, 's': {7, "~7c5e2e0c2a5977542406"}, 't': {5, "~2i2i263454|0e5e"},
	'u': {8, "~0e0e07154465878787|848e"}, 'v': {8, "0e448e"}, 'w': {12, "0e346c94ce"}, 'x': {8, "048e|0e84"}, 'y': {8, "0e44|8e20"},
	'z': {7, "0e7e0474"}, '°': {4, "@2i4g2e0g"}, '²': {4, "~0f1i3i4g0c0c|0c4c"}, 'µ': {8, "0e00|~0707154465878787|848e"},
	'±': {8, "4h49|0d8d|0585"}, 'Δ': {10, "045ia404"}, '×': {8, "1d75|157d"}, '≥': {8, "0g8d0a|0686"}, '≤': {8, "8g0d8a|0686"},
	'…': {8, "0404|4444|8484"}, '·': {0, "0a0a"},
}

// unknown stands for a rune that the font lacks.
var unknown = glyph{7, "040i7i7404"}

// textWidth is how wide a text is at a size, which is that of an em.
func textWidth(text string, size float32) float32 {
	w := float32(0)
	for _, r := range text {
		w += glyphOf(r).width + tracking
	}
	return (w - tracking) * unit(size)
}

// unit is the length of one unit of the grid.
func unit(size float32) float32 { return size * .72 / capHeight }

func glyphOf(r rune) glyph {
	g, ok := glyphs[r]
	if !ok {
		return unknown
	}
	return g
}

// outlines gives the strokes of a text that begins at x, with its baseline at y.
func outlines(text string, x, y, size float32) [][]point {
	u := unit(size)
	var out [][]point
	for _, r := range text {
		g := glyphOf(r)
		for stroke := range strings.SplitSeq(g.strokes, "|") {
			if stroke == "" {
				continue
			}
			curve, closed := stroke[0] == '~' || stroke[0] == '@', stroke[0] == '@'
			stroke = strings.ReplaceAll(strings.TrimLeft(stroke, "~@"), " ", "")
			var points []point
			for i := 0; i+1 < len(stroke); i += 2 {
				points = append(points, point{x + u*float32(digit(stroke[i])), y - u*float32(digit(stroke[i+1])-baseline)})
			}
			if curve {
				points = smooth(points, closed)
			}
			out = append(out, points)
		}
		x += (g.width + tracking) * u
	}
	return out
}

func digit(c byte) int {
	if c >= 'a' {
		return int(c-'a') + 10
	}
	return int(c - '0')
}

// smooth draws a Catmull-Rom spline through points.
func smooth(p []point, closed bool) []point {
	n := len(p)
	at := func(i int) point {
		if closed {
			return p[(i+n)%n]
		}
		return p[min(max(i, 0), n-1)]
	}
	segments := n - 1
	if closed {
		segments = n
	}
	const parts = 6
	out := []point{p[0]}
	for i := range segments {
		a, b, c, d := at(i-1), at(i), at(i+1), at(i+2)
		for k := 1; k <= parts; k++ {
			t := float32(k) / parts
			var q point
			for j := range q {
				q[j] = .5 * (2*b[j] + (c[j]-a[j])*t + (2*a[j]-5*b[j]+4*c[j]-d[j])*t*t + (3*b[j]-a[j]-3*c[j]+d[j])*t*t*t)
			}
			out = append(out, q)
		}
	}
	return out
}
