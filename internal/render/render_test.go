package render

import (
	"bytes"
	"encoding/xml"
	"flag"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/cortex"
)

var update = flag.Bool("update", false, "write the golden pictures anew")

var nan = float32(math.NaN())

// brain reads fsaverage5 and its atlas, or skips the test.
func brain(t testing.TB, atlas string) (Brain, *cortex.Selector) {
	t.Helper()
	dir := os.Getenv("BWLM_SHARED")
	if dir == "" {
		t.Skip("BWLM_SHARED is not set: no real surfaces and atlases")
	}
	path := func(name string) string { return filepath.Join(dir, "data/brain/fsaverage5_enigma", name) }
	left, err := cortex.ReadSurface(path("fsa5_lh.gii"))
	require.NoError(t, err)
	right, err := cortex.ReadSurface(path("fsa5_rh.gii"))
	require.NoError(t, err)
	a, err := cortex.ReadAtlas(nil, path("fsa5_lh_"+atlas+".annot"), path("fsa5_rh_"+atlas+".annot"))
	require.NoError(t, err)
	return Brain{Left: left, Right: right}, &cortex.Selector{Atlas: a}
}

// small makes a brain of two coarse spheres whose values rise to the front.
func small() (Brain, []float32) {
	left, right := cortex.Synthetic(3)
	var values []float32
	for _, s := range []*cortex.Surface{left.Surface, right.Surface} {
		for _, p := range s.Points {
			values = append(values, p[1]/80)
		}
	}
	values[0], values[700] = nan, nan
	return Brain{Left: left.Surface, Right: right.Surface, Sulc: append(left.Sulc, right.Sulc...)}, values
}

// shown draws the panels of a view and tells, for each panel and region, how much of the region's
// vertices are in front.
func shown(t *testing.T, b Brain, view View, masks map[string]cortex.Mask) map[string][]float64 {
	t.Helper()
	opt := Options{Width: 300, Height: 200, Views: []View{view}}
	opt.defaults()
	panels, err := b.panels(nil, nil, &opt)
	require.NoError(t, err)
	layOut(newFigure(opt.Width, opt.Height), panels, &scale{}, opt)
	out := map[string][]float64{}
	for _, p := range panels {
		p.draw(image.NewNRGBA(image.Rect(0, 0, opt.Width, opt.Height)), &look{colors: ColormapByName("dusk")})
		for k, m := range p.meshes {
			first := 0
			if m.hemisphere == cortex.Right {
				first = size(b.Left)
			}
			for name, mask := range masks {
				seen, all := 0.0, 0.0
				for v := range m.points {
					if mask[first+v] {
						all++
						if p.visible(p.spots[k][v]) {
							seen++
						}
					}
				}
				out[name] = append(out[name], seen/all)
			}
		}
	}
	return out
}

// Landmarks of the real brain are seen from where anatomy says they are (+), and not from the other
// side (-).
func TestViewsShowWhatAnatomySays(t *testing.T) {
	b, desikan := brain(t, "aparc")
	want := map[string]string{ // lateral, medial, dorsal, ventral
		"supramarginal": "+- -", "middletemporal": "+-- ", "precuneus": "-+ -", "cuneus": "-+ -",
		"isthmuscingulate": "-+- ",
		"superiorparietal": "  +-", "fusiform": "- -+", "lateralorbitofrontal": "  -+",
	}
	masks := map[string]cortex.Mask{}
	for region := range want {
		mask, err := desikan.Select(region)
		require.NoError(t, err)
		masks[region] = mask
	}
	for i, view := range []View{Lateral, Medial, Dorsal, Ventral} {
		for region, shares := range shown(t, b, view, masks) {
			require.Len(t, shares, 2)
			for _, share := range shares {
				switch want[region][i] {
				case '+':
					assert.Greater(t, share, .3, "%s, %s", region, view)
				case '-':
					assert.Less(t, share, .15, "%s, %s", region, view)
				}
			}
		}
	}
}

// coloured returns the mean place of what has a strong colour in a part of the picture, and how
// many pixels have it.
func coloured(img *image.NRGBA, area image.Rectangle) (x, y float64, n int) {
	for v := area.Min.Y; v < area.Max.Y; v++ {
		for u := area.Min.X; u < area.Max.X; u++ {
			c := img.NRGBAAt(u, v)
			if int(c.R)-int(c.B) > 60 {
				x, y, n = x+float64(u), y+float64(v), n+1
			}
		}
	}
	return x / float64(n), y / float64(n), n
}

// Left is left: a patch on the left front shows where each view has the left front.
func TestLeftIsLeft(t *testing.T) {
	b, values := small()
	for v := range values {
		values[v] = 0
		if v < size(b.Left) && b.Left.Points[v][1] > 20 {
			values[v] = 1
		}
	}
	opt := Options{Width: 800, Height: 600, Colors: ColormapByName("balance"), Low: -1, High: 1}
	for view, want := range map[View][2]bool{Lateral: {true, false}, Medial: {true, false}, Dorsal: {true, true},
		Ventral: {false, true}} {
		opt.Views = []View{view}
		f, err := Draw(b, values, nil, opt)
		require.NoError(t, err)
		img := f.Image()
		x, y, n := coloured(img, image.Rect(0, 0, 800, 480))
		require.Greater(t, n, 1000, view)
		assert.Equal(t, want[0], x < 400, "%s: the left hemisphere", view)
		switch view {
		case Dorsal, Ventral:
			assert.Less(t, y, 300.0, "%s: the front is on top", view)
		case Lateral: // the left panel is in the left half; there, the front is left
			assert.Less(t, x, 200.0, "the left hemisphere looks to the left")
		case Medial:
			assert.Greater(t, x, 200.0, "from the inside, it looks to the right")
		}
	}
}

// A1 of Glasser's atlas lies on Heschl's gyrus (transversetemporal of Desikan and Killiany), inside
// the Sylvian fissure: more than a centimetre in from the gyrus beside it, and hidden from above,
// below and inside.
func TestA1IsOnHeschlsGyrusInTheFissure(t *testing.T) {
	b, desikan := brain(t, "aparc")
	_, glasser := brain(t, "glasser_360")
	a1, err := glasser.Select("A1")
	require.NoError(t, err)
	heschl, err := desikan.Select("transversetemporal")
	require.NoError(t, err)
	assert.Greater(t, float64(a1.And(heschl).Count()), .9*float64(a1.Count()))
	belt, err := glasser.Select("A5")
	require.NoError(t, err)
	outward := func(m cortex.Mask) float64 {
		sum := 0.0
		for _, c := range m.Columns() {
			if c < size(b.Left) {
				sum -= float64(b.Left.Points[c][0])
			} else {
				sum += float64(b.Right.Points[c-size(b.Left)][0])
			}
		}
		return sum / float64(m.Count())
	}
	assert.Greater(t, outward(belt)-outward(a1), 10.0)
	for _, view := range []View{Medial, Dorsal, Ventral} {
		for _, share := range shown(t, b, view, map[string]cortex.Mask{"A1": a1})["A1"] {
			assert.Less(t, share, .1, view)
		}
	}
}

// Vertices without a value are grey, others are not.
func TestNaNIsGrey(t *testing.T) {
	b, values := small()
	for v := range values {
		values[v] = nan
	}
	greys := func(f *Figure) (grey, other int) {
		for y := range 300 {
			for x := range 600 {
				c := f.pixels.NRGBAAt(x, y)
				switch {
				case c == (color.NRGBA{255, 255, 255, 255}):
				case c.R == c.G && c.G == c.B:
					grey++
				default:
					other++
				}
			}
		}
		return grey, other
	}
	opt := Options{Width: 600, Height: 400, Views: []View{Lateral}}
	f, err := Draw(b, values, nil, opt)
	require.NoError(t, err)
	grey, other := greys(f)
	assert.Greater(t, grey, 10000)
	assert.Zero(t, other)
	for v := range values {
		values[v] = .5
	}
	f, err = Draw(b, values, nil, opt)
	require.NoError(t, err)
	grey, other = greys(f)
	assert.Zero(t, grey)
	assert.Greater(t, other, 10000)
}

// The border of a region passes between its vertices and the rest, in closed lines.
func TestBorders(t *testing.T) {
	b, values := small()
	m := newMesh(b.Left, cortex.Left, 0)
	in := make([]bool, len(m.points))
	for v, p := range m.points {
		in[v] = p[1] > 30
	}
	m.addRegion("front", in)
	require.Len(t, m.regions[0].lines, 1)
	line := m.regions[0].lines[0]
	assert.Equal(t, line[0], line[len(line)-1])
	for _, q := range line {
		assert.InDelta(t, 30, q[1], 9, "an edge is about 14 mm long")
	}
	mask := append(cortex.Mask(in), make([]bool, len(b.Right.Points))...)
	without, err := Draw(b, values, nil, Options{Width: 600, Height: 400, Views: []View{Lateral}})
	require.NoError(t, err)
	with, err := Draw(b, values, []Region{{Name: "front", Mask: mask}},
		Options{Width: 600, Height: 400, Views: []View{Lateral}})
	require.NoError(t, err)
	dark := func(f *Figure, area image.Rectangle) (n int) {
		img := f.Image()
		for y := area.Min.Y; y < area.Max.Y; y++ {
			for x := area.Min.X; x < area.Max.X; x++ {
				if c := img.NRGBAAt(x, y); c.R < 30 && c.G < 30 && c.B < 30 {
					n++
				}
			}
		}
		return n
	}
	left, right := image.Rect(0, 40, 300, 330), image.Rect(300, 40, 600, 330)
	assert.Greater(t, dark(with, left), dark(without, left)+60)
	assert.Equal(t, dark(without, right), dark(with, right), "the region is on the left only")
}

// golden compares a picture with one in testdata: on average pixels differ by less than 1 of 255,
// and few by more than 40.
func golden(t *testing.T, f *Figure, name string) {
	t.Helper()
	path := filepath.Join("testdata", name+".png")
	if *update {
		var b bytes.Buffer
		require.NoError(t, f.PNG(&b))
		require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
	}
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	want, err := png.Decode(file)
	require.NoError(t, err)
	got := f.Image()
	require.Equal(t, want.Bounds(), got.Bounds())
	sum, wild, n := 0.0, 0, 0
	for y := range got.Rect.Dy() {
		for x := range got.Rect.Dx() {
			a, b := got.NRGBAAt(x, y), color.NRGBAModel.Convert(want.At(x, y)).(color.NRGBA)
			d := math.Abs(float64(a.R)-float64(b.R)) + math.Abs(float64(a.G)-float64(b.G)) +
				math.Abs(float64(a.B)-float64(b.B))
			sum += d / 3
			if d/3 > 40 {
				wild++
			}
			n++
		}
	}
	assert.Less(t, sum/float64(n), 1.0, name)
	assert.Less(t, wild, n/500, name)
}

func TestGoldenPictures(t *testing.T) {
	b, values := small()
	mask := make(cortex.Mask, len(values))
	for v := range mask {
		mask[v] = values[v] > .5
	}
	f, err := Draw(b, values, []Region{{Name: "front", Mask: mask}},
		Options{Width: 480, Height: 360, Title: "Δr, tuned less base", Unit: "r"})
	require.NoError(t, err)
	golden(t, f, "surface")
	f, err = Glass(ball())
	require.NoError(t, err)
	golden(t, f, "glass")
	f = newFigure(420, 120)
	for i, line := range []string{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz",
		"0123456789 .,:;!?'\"()[]<>=+-−–/|_#%&*", "°²µ±Δ×≥≤…·"} {
		f.write(line, point{8, float32(24 + 27*i)}, 20, start, 0, ink)
	}
	golden(t, f, "font")
}

// ball is an ellipsoid of voxels with two blobs of opposite sign.
func ball() (*cortex.Volume, []float32, Options) {
	v := &cortex.Volume{Dim: [3]int{24, 30, 24}, Affine: [3][4]float64{{6, 0, 0, -69}, {0, 6, 0, -105}, {0, 0, 6, -60}}}
	var values []float32
	for i := range v.Dim[0] * v.Dim[1] * v.Dim[2] {
		p := v.Place(i)
		if d := math.Hypot(math.Hypot(p[0]/65, (p[1]+18)/85), p[2]/55); d < 1 {
			v.Voxels = append(v.Voxels, i)
			near := func(x, y, z float64) float64 {
				return math.Exp(-((p[0]-x)*(p[0]-x) + (p[1]-y)*(p[1]-y) + (p[2]-z)*(p[2]-z)) / 400)
			}
			values = append(values, float32(near(-45, -20, 5)-near(40, 30, 20)))
		}
	}
	return v, values, Options{Width: 480, Height: 240}
}

// A blob on the left shows on the left of the views from behind and above, one in front on the left
// of the view from the left.
func TestGlassSides(t *testing.T) {
	v, values, opt := ball()
	opt.High = 1
	for i := range values {
		values[i] = max(values[i], 0) - 1e-9
	}
	opt.Colors = ColormapByName("balance")
	f, err := Glass(v, values, opt)
	require.NoError(t, err)
	img := f.Image()
	third := func(i int) image.Rectangle { return image.Rect(160*i, 10, 160*(i+1), 180) }
	for i := 1; i < 3; i++ {
		x, _, n := coloured(img, third(i))
		require.Greater(t, n, 50)
		assert.Less(t, x, float64(160*i+78), "panel %d", i)
	}
}

func TestWhatDrawRefuses(t *testing.T) {
	b, values := small()
	for part, draw := range map[string]func() error{
		"there are 3 values": func() error { _, err := Draw(b, values[:3], nil, Options{}); return err },
		"3 marks of region x": func() error {
			_, err := Draw(b, values, []Region{{"x", make(cortex.Mask, 3)}},
				Options{})
			return err
		},
		"no surface for the view": func() error {
			_, err := Draw(b, values, nil,
				Options{Views: []View{Flat}})
			return err
		},
		"there is no surface":  func() error { _, err := Draw(Brain{}, nil, nil, Options{}); return err },
		"10 × 1200 pixels":     func() error { _, err := Draw(b, values, nil, Options{Width: 10}); return err },
		"1600 × 200000 pixels": func() error { _, err := Draw(b, values, nil, Options{Height: 200000}); return err },
		"is no range":          func() error { _, err := Draw(b, values, nil, Options{Low: 2, High: 1}); return err },
		"value 1 is +Inf": func() error {
			v := append([]float32{}, values...)
			v[1] = float32(math.Inf(1))
			_, err := Draw(b, v, nil, Options{})
			return err
		},
		"view of the surface is 0 × 0 mm": func() error {
			flat := &cortex.Surface{Points: make([][3]float32, 3), Faces: [][3]int32{{0, 1, 2}}}
			_, err := Draw(Brain{Left: flat}, nil, nil, Options{})
			return err
		},
		"e+30 mm": func() error {
			huge := &cortex.Surface{Points: [][3]float32{{0, 0, 0}, {1e30, 1e30, 0}, {0, 1e30, 1e30}},
				Faces: [][3]int32{{0, 1, 2}}}
			_, err := Draw(Brain{Left: huge}, nil, nil, Options{})
			return err
		},
		"1 values for": func() error { v, _, _ := ball(); _, err := Glass(v, values[:1], Options{}); return err },
		"there are 1 depths": func() error {
			c := b
			c.Sulc = c.Sulc[:1]
			_,
				err := Draw(c, values, nil, Options{})
			return err
		},
		"the flat surfaces have 642": func() error {
			c := b
			c.FlatLeft = c.Left
			c.FlatRight = &cortex.Surface{Points: make([][3]float32, 2)}
			_, err := Draw(c, values, nil, Options{})
			return err
		},
	} {
		err := draw()
		require.ErrorContains(t, err, part)
		assert.Contains(t, []fault.Kind{fault.Usage, fault.BadData}, fault.KindOf(err))
	}
}

// Values of any size have colours.
func TestHugeValues(t *testing.T) {
	b, values := small()
	for v := range values {
		values[v] = float32(math.Pow(-1, float64(v))) * math.MaxFloat32
	}
	f, err := Draw(b, values, nil, Options{Width: 320, Height: 240})
	require.NoError(t, err)
	assert.NotEmpty(t, f.Image().Pix)
	for v := range values {
		values[v] = 3
	}
	f, err = Draw(b, values, nil, Options{Width: 320, Height: 240})
	require.NoError(t, err)
	low, high, _ := f.Scale()
	assert.True(t, low <= 3 && 3 <= high)
}

func TestSVG(t *testing.T) {
	b, values := small()
	mask := make(cortex.Mask, len(values))
	for v := range mask {
		mask[v] = values[v] > .5
	}
	f, err := Draw(b, values, []Region{{Name: "a <b>", Mask: mask}},
		Options{Width: 480, Height: 360, Title: "x & y", Unit: "r"})
	require.NoError(t, err)
	var first, second bytes.Buffer
	require.NoError(t, f.SVG(&first))
	require.NoError(t, f.SVG(&second))
	assert.Equal(t, first.String(), second.String())
	for d := xml.NewDecoder(strings.NewReader(first.String())); ; {
		_, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
	}
	for _, part := range []string{">x &amp; y</text>", "<title>a &lt;b&gt;</title>", "<linearGradient",
		"data:image/png;base64,", ">lateral</text>"} {
		assert.Contains(t, first.String(), part)
	}
	assert.NotContains(t, first.String(), "href=\"http")
}

func BenchmarkDraw(b *testing.B) {
	brain, selector := brain(b, "glasser_360")
	values := make([]float32, selector.Atlas.Columns())
	for i := range values {
		values[i] = float32(math.Sin(float64(i)))
	}
	for b.Loop() {
		f, err := Draw(brain, values, nil, Options{})
		require.NoError(b, err)
		require.NoError(b, f.PNG(io.Discard))
	}
}
