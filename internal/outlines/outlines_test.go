package outlines

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

// side is the number of vertices along each side of the flat map of tests. They are a unit of the drawing apart.
const side = 101

// drawing makes a drawing of one region with paths, in a group with attributes, on a page of 100 × 100.
func drawing(page, group string, paths ...string) []byte {
	text := fmt.Sprintf(`<svg xmlns:inkscape="i" %s><g inkscape:label="rois"><g inkscape:label="shapes" %s>`+
		`<g inkscape:label="AC">`, page, group)
	for _, p := range paths {
		text += `<path d="` + p + `"/>`
	}
	return []byte(text + `</g></g></g></svg>`)
}

const square = `width="100" height="100"`

// inside returns which of the vertices at whole units the drawing's first region has, by x and y down.
func inside(t *testing.T, svg []byte) (in [side][side]bool) {
	t.Helper()
	d, err := parse(svg, "overlays.svg")
	require.NoError(t, err)
	var flat [][2]float32
	for x := range side {
		for y := range side {
			flat = append(flat, [2]float32{float32(x)*3 - 50, 7 - float32(y)})
		}
	}
	m, err := d.Place(flat)
	require.NoError(t, err)
	require.Len(t, d.Regions(), 1)
	assert.Equal(t, "AC", d.Regions()[0].Name)
	vertices, err := m.Inside(d.Regions()[0])
	require.NoError(t, err)
	for _, v := range vertices {
		in[v/side][v%side] = true
	}
	return in
}

// fills compares a drawing with a formula, but for vertices on or next to the border.
func fills(t *testing.T, name string, svg []byte, want func(x, y float64) bool) {
	t.Helper()
	got := inside(t, svg)
	n, wrong := 0, 0
	for x := range side {
		for y := range side {
			here := want(float64(x), float64(y))
			near := false
			for _, dx := range []float64{-.05, -.02, .02, .05} {
				for _, dy := range []float64{-.04, -.02, .02, .04} {
					near = near || want(float64(x)+dx, float64(y)+dy) != here
				}
			}
			if !near && got[x][y] != here {
				wrong++
			}
			if here {
				n++
			}
		}
	}
	assert.Zero(t, wrong, name)
	assert.Greater(t, n, 30, name)
}

func box(left, right, top, bottom float64) func(x, y float64) bool {
	return func(x, y float64) bool { return x > left && x < right && y > top && y < bottom }
}

func disc(cx, cy, rx, ry float64) func(x, y float64) bool {
	return func(x, y float64) bool { return math.Hypot((x-cx)/rx, (y-cy)/ry) < 1 }
}

func either(a, b func(x, y float64) bool) func(x, y float64) bool {
	return func(x, y float64) bool { return a(x, y) || b(x, y) }
}

// Each command, absolute and relative, draws what SVG says.
func TestCommands(t *testing.T) {
	rect := box(20, 60, 30, 80)
	for _, path := range []string{
		"M20,30 L60,30 L60,80 L20,80 Z", "m20,30 l40,0 l0,50 l-40,0 z", "M20 30H60V80H20z", "m20 30h40v50h-40z",
		"M20,30 60,30 60,80 20,80", "m20,30 40,0 0,50-40,0", "m 2e1,+30.0 40 0 0 .5e2 -40.-0",
		"M20,30L60,30,60,80,20,80",
		"M20 30C20 30 60 30 60 30S60 80 60 80L20 80z", "m20 30 a0 5 0 0 1 40 0 v50 h-40", "M20 30H30H60v50v0H20",
	} {
		fills(t, path, drawing(square, "", path), rect)
	}
	// A relative line after a closed one begins where that began, with and without an m.
	two := either(rect, box(20, 30, 0, 30))
	for _, path := range []string{"m20 30h40v50h-40z v-30h10v30z", "m20 30h40v50h-40z m0,-30 h10v30h-10z",
		"M20 30H60V80H20z m0-30 10,0 0,30 -10,0"} {
		fills(t, path, drawing(square, "", path), two)
	}
	circle := disc(50, 40, 30, 30)
	for _, path := range []string{"M20 40A30 30 0 0 1 80 40A30 30 0 0 1 20 40z",
		"M20 40a30 30 0 1060,0a30,30 0 1,0-60 0",
		"M50 10A30-30 0 1 1 20 40A30 30 0 0 1 50 10", "M20 40A1 1 0 0 0 80 40A2 2 0 0 0 20 40",
		"M20 40C20 23.4315 33.4315 10 50 10S80 23.4315 80 40 66.5685 70 50 70S20 56.5685 20 40",
		"m20,40c0,-16.5685 13.4315,-30 30,-30s30,13.4315 30,30-13.4315,30-30,30-30-13.4315-30-30z"} {
		fills(t, path, drawing(square, "", path), circle)
	}
	fills(t, "ellipse", drawing(square, "", "M10 40A40 20 0 0 1 90 40A40 20 0 0 1 10 40"), disc(50, 40, 40, 20))
	fills(t, "turned ellipse", drawing(square, "", "M50 0A40 20 90 0 1 50 80A40 20 90 0 1 50 0"), disc(50, 40, 20, 40))
	parabola := func(x, y float64) bool { return x > 10 && x < 90 && y < 50 && y > 50-(x-10)*(90-x)/40 }
	fills(t, "Q", drawing(square, "", "M10 50Q50 -30 90 50z"), parabola)
	fills(t, "T", drawing(square, "", "m10 50q20-40 40-40t40 40z"), parabola)
}

// Lines of a path add up, each by the even-odd rule; so do paths.
func TestLinesAddUp(t *testing.T) {
	ring := "M10 10H90V90H10z M30 30H70V70H30z"
	fills(t, "ring", drawing(square, "", ring), box(10, 90, 10, 90))
	fills(t, "paths", drawing(square, "", "M10 10H40V90H10z", "M60 10H90V90H60z"),
		either(box(10, 40, 10, 90), box(60, 90, 10, 90)))
	fills(t, "twice round", drawing(square, "", "M10 10H90V90H10V10H90V90H10V40H40V60H10z"), box(10, 40, 40, 60))
}

// Transforms of all elements around a path hold, the outer ones last.
func TestTransforms(t *testing.T) {
	path := "M20 30H60V80H20z"
	for attribute, want := range map[string]func(x, y float64) bool{
		`transform=""`:                          box(20, 60, 30, 80),
		`transform="translate(-10 , 5)"`:        box(10, 50, 35, 85),
		`transform="translate(5)"`:              box(25, 65, 30, 80),
		`transform="scale(.5)"`:                 box(10, 30, 15, 40),
		`transform="scale(1.5,.5)"`:             box(30, 90, 15, 40),
		`transform="translate(100) rotate(90)"`: box(20, 70, 20, 60),
		`transform="rotate(90,50,50)"`:          box(20, 70, 20, 60),
		`transform="matrix(0 1 -1 0 100 0)"`:    box(20, 70, 20, 60),
		`transform=" skewX(45), translate(-30,0)"`: func(x, y float64) bool {
			return box(-10, 30, 30, 80)(x-y, y)
		},
		`transform="skewY(45)translate(0,-30)scale(1 0.5e0)"`: func(x, y float64) bool {
			return box(20, 60, -15, 10)(x, y-x)
		},
	} {
		fills(t, attribute, drawing(square, attribute, path), want)
	}
	nested := `<svg xmlns:i="i" width="100px" height="100" ><g i:label="rois" transform="translate(10,0)">` +
		`<g i:label="shapes" transform="scale(2)"><g i:label="AC" transform="translate(0,1)"><g>` +
		`<path transform="scale(.5)" d="M20 30H60V80H20z"/></g></g></g><g i:label="labels"/></g></svg>`
	fills(t, "nested", []byte(nested), box(30, 70, 32, 82))
}

// The page is the viewBox if there is one.
func TestPages(t *testing.T) {
	path := "M20 30H60V80H20z"
	fills(t, "mm", drawing(`width="210mm" height="210mm" viewBox="0 0 200 200"`, "", path), box(10, 30, 15, 40))
	fills(t, "moved", drawing(`viewBox="-10,10,100,100"`, "", path), box(30, 70, 20, 70))
	fills(t, "first pycortex", []byte(`<svg xmlns:i="i" `+square+`><g i:label="rois"><g i:label="AC"><path d="`+path+
		`"/></g><g i:label="labels"/></g></svg>`), box(20, 60, 30, 80))
}

// A flat map within 0 to 1 is where it is, as in pycortex.
func TestMapOfUnitSize(t *testing.T) {
	d, err := parse(drawing(square, "", "M0 0H50V50H0z"), "x")
	require.NoError(t, err)
	m, err := d.Place([][2]float32{{.25, .75}, {.25, .25}, {.75, .75}})
	require.NoError(t, err)
	in, err := m.Inside(d.Regions()[0])
	require.NoError(t, err)
	assert.Equal(t, []int{0}, in)
	_, err = d.Place([][2]float32{{1, 2}, {1, 3}})
	assert.ErrorContains(t, err, "no extent")
}

// What is no such drawing says why.
func TestWrongDrawings(t *testing.T) {
	for text, says := range map[string]string{
		"":                                                          "0 outermost elements",
		"<html/>":                                                   "outermost element is html, want svg",
		"<svg/>":                                                    `its width is "", want a number`,
		`<svg width="0" height="1"/>`:                               "0 wide",
		`<svg width="5mm" height="1"/>`:                             `its width is "5mm"`,
		`<svg width="NaN" height="1"/>`:                             `its width is "NaN"`,
		`<svg viewBox="0 0 1"/>`:                                    "viewBox: a number is missing",
		`<svg width="9" height="9"/>`:                               "has no layer rois",
		`<!DOCTYPE svg [<!ENTITY a "b">]><svg/>`:                    "declares entities",
		string(drawing(square, "", "L1 1")):                         "region AC: path: it begins with L",
		string(drawing(square, "", "M1 1 L x")):                     `want a number before "x"`,
		string(drawing(square, "", "M1 1 L1,,1")):                   `want a number before ",1"`,
		string(drawing(square, "", "M1 1 L1")):                      "a number is missing at the end",
		string(drawing(square, "", "M1 1 z 5 5")):                   `want a command before "5 5"`,
		string(drawing(square, "", "M1 1 A1 1 0 2 0 5 5")):          "flag of an arc",
		string(drawing(square, "", "M1 1e999")):                     "not a number that can be read",
		string(drawing(square, "", "M1 1e300")):                     "more than 1e9 units away",
		string(drawing(square, `transform="turn(3)"`, "M1 1")):      "no transform turn of 1 numbers",
		string(drawing(square, `transform="scale(1 2 3)"`, "M1 1")): "no transform scale of 3 numbers",
		string(drawing(square, `transform="scale(1"`, "M1 1")):      "is not read",
		string(drawing(square, `transform="x"`, "M1 1")):            "is not read",
	} {
		_, err := parse([]byte(text), "overlays.svg")
		require.Error(t, err, text)
		assert.Equal(t, fault.BadData, fault.KindOf(err), text)
		assert.ErrorContains(t, err, says, text)
		assert.ErrorContains(t, err, "overlays.svg", text)
	}
	path := filepath.Join(t.TempDir(), "overlays.svg")
	require.NoError(t, os.WriteFile(path, drawing(square, "", "M1 1"), 0o600))
	d, err := Read(path)
	require.NoError(t, err)
	assert.Len(t, d.Regions(), 1)
}
