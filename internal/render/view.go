package render

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/cortex"
)

// View is a side from which a brain is seen.
type View int

// The views. Lateral and Medial show each hemisphere by itself, Dorsal and Ventral both together,
// Flat the flat maps.
const (
	Lateral View = iota
	Medial
	Dorsal
	Ventral
	Flat
)

var viewNames = []string{"lateral", "medial", "dorsal", "ventral", "flat"}

// String returns the view's name.
func (v View) String() string { return viewNames[v] }

// ViewByName finds a view.
func ViewByName(name string) (View, error) {
	i := slices.Index(viewNames, strings.TrimSpace(name))
	if i < 0 {
		return 0, fault.New(fault.Usage, "draw", "views", "there is no view %q", name).
			WithHint("there are %s", strings.Join(viewNames, ", "))
	}
	return View(i), nil
}

type vec [3]float32

func (a vec) dot(b vec) float32 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }
func (a vec) minus(b vec) vec   { return vec{a[0] - b[0], a[1] - b[1], a[2] - b[2]} }
func (a vec) plus(b vec) vec    { return vec{a[0] + b[0], a[1] + b[1], a[2] + b[2]} }
func (a vec) times(f float32) vec {
	return vec{a[0] * f, a[1] * f, a[2] * f}
}
func (a vec) cross(b vec) vec {
	return vec{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

func (a vec) unit() vec {
	n := float32(math.Sqrt(float64(a.dot(a))))
	if n == 0 {
		return vec{0, 0, 1}
	}
	return a.times(1 / n)
}

// basis is a camera: the directions (right, anterior, superior) that are right and up on the page
// and towards the viewer. Each is right-handed, so no view is a mirror image.
type basis struct{ right, up, toward vec }

// camera returns the basis of a view of a hemisphere.
func camera(v View, h cortex.Hemisphere) basis {
	fromLeft := basis{vec{0, -1, 0}, vec{0, 0, 1}, vec{-1, 0, 0}}
	fromRight := basis{vec{0, 1, 0}, vec{0, 0, 1}, vec{1, 0, 0}}
	switch v {
	case Lateral, Medial:
		if (v == Lateral) == (h == cortex.Left) {
			return fromLeft
		}
		return fromRight
	case Ventral:
		return basis{vec{-1, 0, 0}, vec{0, 1, 0}, vec{0, 0, -1}}
	}
	return basis{vec{1, 0, 0}, vec{0, 1, 0}, vec{0, 0, 1}} // dorsal, flat
}

// project returns places on the page, in mm, and the distance towards the viewer.
func (b basis) project(p vec) vec { return vec{b.right.dot(p), b.up.dot(p), b.toward.dot(p)} }

// wrongLength is the error of numbers that are not one for each vertex.
func wrongLength(what string, have int, left, right int) error {
	return fault.New(fault.BadData, "draw", "", "there are %d %s, the surfaces have %d vertices", have, what,
		left+right).
		WithHint("%s", fmt.Sprintf("give one for each vertex: %d of the left, then %d of the right", left, right))
}
