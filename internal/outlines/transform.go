package outlines

import (
	"fmt"
	"math"
	"strings"

	"github.com/brainwavlm/bwlm/internal/quote"
)

// point is x, to the right, and y, down.
type point [2]float64

func (p point) plus(q point) point         { return point{p[0] + q[0], p[1] + q[1]} }
func (p point) minus(q point) point        { return point{p[0] - q[0], p[1] - q[1]} }
func (p point) times(factor float64) point { return point{p[0] * factor, p[1] * factor} }

// transform is SVG's matrix(a b c d e f): x' = a·x + c·y + e, y' = b·x + d·y + f.
type transform [6]float64

var identity = transform{1, 0, 0, 1, 0, 0}

func (t transform) apply(p point) point {
	return point{t[0]*p[0] + t[2]*p[1] + t[4], t[1]*p[0] + t[3]*p[1] + t[5]}
}

// then is the transform of what is inside of an element with t and has u itself.
func (t transform) then(u transform) transform {
	return transform{
		t[0]*u[0] + t[2]*u[1], t[1]*u[0] + t[3]*u[1],
		t[0]*u[2] + t[2]*u[3], t[1]*u[2] + t[3]*u[3],
		t[0]*u[4] + t[2]*u[5] + t[4], t[1]*u[4] + t[3]*u[5] + t[5],
	}
}

// parseTransform reads an attribute such as "translate(3) rotate(90)".
func parseTransform(text string) (transform, error) {
	out := identity
	for s := (&scanner{text: text}); ; {
		if s.space(); s.text == "" {
			return out, nil
		}
		name, rest, ok := strings.Cut(s.text, "(")
		if !ok {
			return out, fmt.Errorf("the transform %q is not read", quote.Short(s.text))
		}
		s.text = rest
		var args []float64
		for s.err == nil && s.atNumber() && len(args) < 6 {
			args = append(args, s.number())
		}
		if rest, ok = strings.CutPrefix(s.text, ")"); !ok || s.err != nil {
			return out, fmt.Errorf("the transform %q is not read", quote.Short(name+"("+s.text))
		}
		s.text = rest
		own, ok := transformOf(strings.TrimSpace(name), args)
		if !ok {
			return out, fmt.Errorf("there is no transform %s of %d numbers", quote.OneLine(quote.Short(name)),
				len(args))
		}
		out = out.then(own)
	}
}

func transformOf(name string, args []float64) (transform, bool) {
	n := len(args)
	var a [6]float64
	copy(a[:], args)
	switch {
	case name == "matrix" && n == 6:
		return transform(a), true
	case name == "translate" && (n == 1 || n == 2):
		return transform{1, 0, 0, 1, a[0], a[1]}, true
	case name == "scale" && n == 1:
		return transform{a[0], 0, 0, a[0], 0, 0}, true
	case name == "scale" && n == 2:
		return transform{a[0], 0, 0, a[1], 0, 0}, true
	case name == "rotate" && (n == 1 || n == 3):
		sin, cos := math.Sincos(a[0] * math.Pi / 180)
		about := transform{1, 0, 0, 1, a[1], a[2]}
		return about.then(transform{cos, sin, -sin, cos, 0, 0}).then(transform{1, 0, 0, 1, -a[1], -a[2]}), true
	case name == "skewX" && n == 1:
		return transform{1, 0, math.Tan(a[0] * math.Pi / 180), 1, 0, 0}, true
	case name == "skewY" && n == 1:
		return transform{1, math.Tan(a[0] * math.Pi / 180), 0, 1, 0, 0}, true
	}
	return identity, false
}
