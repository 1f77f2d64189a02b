package render

import (
	"math"
	"slices"
	"sync"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/cortex"
)

// Brain is the surfaces on which values are drawn.
type Brain struct {
	Left, Right         *cortex.Surface // either may be nil
	FlatLeft, FlatRight *cortex.Surface // for the view Flat; their vertices are those of Left and Right
	Sulc                []float32       // nil, or depth of sulci for each vertex, left then right
}

// Region is outlined and, unless Name is empty, named.
type Region struct {
	Name string
	Mask cortex.Mask // of all vertices, left then right
}

// Options are the look of a picture. Each zero value means the default.
type Options struct {
	Width, Height int       // pixels; 1600 × 1200
	Views         []View    // all for which there are surfaces
	Colors        *Colormap // balance if there are values on both sides of 0, else tide
	Low, High     float64   // limits of the colours; both 0: from the values. Diverging colours take ±High
	Title, Unit   string    // above the picture, and at the colour bar
	Nearest       bool      // each vertex has its own colour, without interpolation
	NoLight       bool
	Oversample    int // samples of a pixel in each direction; 2
}

func (o *Options) defaults() {
	if o.Width == 0 {
		o.Width = 1600
	}
	if o.Height == 0 {
		o.Height = 1200
	}
	if o.Oversample == 0 {
		o.Oversample = 2
	}
}

const drawing = "draw"

// Limits of what is drawn: a page of 16384 pixels is half a metre at 800 dots per inch.
const (
	minPixels = 64
	maxPixels = 16384
)

func (o *Options) check() error {
	if o.Width < minPixels || o.Height < minPixels || o.Width > maxPixels || o.Height > maxPixels {
		return fault.New(fault.Usage, drawing, "size", "%d × %d pixels, want %d to %d", o.Width, o.Height, minPixels,
			maxPixels)
	}
	if o.Oversample < 1 || o.Oversample > 8 {
		return fault.New(fault.Usage, drawing, "oversample", "%d samples, want 1 to 8", o.Oversample)
	}
	for _, v := range []float64{o.Low, o.High} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fault.New(fault.Usage, drawing, "limits", "%v is not finite", v)
		}
	}
	if o.Low > o.High || o.Low == o.High && o.Low != 0 {
		return fault.New(fault.Usage, drawing, "limits", "%v to %v is no range", o.Low, o.High)
	}
	return nil
}

// Draw draws values, one for each vertex, left then right, NaN where there is none; nil draws the
// brain alone.
func Draw(b Brain, values []float32, regions []Region, opt Options) (*Figure, error) {
	opt.defaults()
	if err := opt.check(); err != nil {
		return nil, err
	}
	left, right := size(b.Left), size(b.Right)
	if left+right == 0 {
		return nil, fault.New(fault.Usage, drawing, "", "there is no surface")
	}
	if values != nil && len(values) != left+right {
		return nil, wrongLength("values", len(values), left, right)
	}
	if b.Sulc != nil && len(b.Sulc) != left+right {
		return nil, wrongLength("depths of sulci", len(b.Sulc), left, right)
	}
	for _, r := range regions {
		if len(r.Mask) != left+right {
			return nil, wrongLength("marks of region "+r.Name, len(r.Mask), left, right)
		}
	}
	if b.FlatLeft != nil && size(b.FlatLeft) != left || b.FlatRight != nil && size(b.FlatRight) != right {
		return nil, fault.New(fault.BadData, drawing, "",
			"the flat surfaces have %d and %d vertices, the others %d and %d",
			size(b.FlatLeft), size(b.FlatRight), left, right)
	}
	scale, err := newScale(values, opt)
	if err != nil {
		return nil, err
	}
	panels, err := b.panels(values, regions, &opt)
	if err != nil {
		return nil, err
	}
	f := newFigure(opt.Width, opt.Height)
	f.scale = *scale
	frame := layOut(f, panels, scale, opt)
	look := &look{low: scale.low, high: scale.high, colors: scale.colors, nearest: opt.Nearest, flat: opt.NoLight,
		gyrus: grey(.80), sulcus: grey(.58)}
	var wait sync.WaitGroup
	for _, p := range panels {
		wait.Go(func() { p.draw(f.pixels, look) })
	}
	wait.Wait()
	for _, p := range panels {
		p.drawRegions(f, frame)
	}
	labelPanels(f, panels, frame)
	return f, nil
}

func size(s *cortex.Surface) int {
	if s == nil {
		return 0
	}
	return len(s.Points)
}

// gap is the distance of the hemispheres where both are shown, in mm: inflated ones would overlap.
const gap = 3

// panels makes the panels of all views. layOut sets their places on the page.
func (b Brain) panels(values []float32, regions []Region, opt *Options) ([]*panel, error) {
	if opt.Views == nil {
		opt.Views = []View{Lateral, Medial, Dorsal, Ventral}
		if b.FlatLeft != nil || b.FlatRight != nil {
			opt.Views = []View{Lateral, Medial, Flat}
		}
	}
	shift := float32(0)
	if b.Left != nil && b.Right != nil {
		// So far apart that the rightmost point of the left is to the left of the leftmost of the
		// right.
		most, least := float32(-math.MaxFloat32), float32(math.MaxFloat32)
		for _, p := range b.Left.Points {
			most = max(most, p[0])
		}
		for _, p := range b.Right.Points {
			least = min(least, p[0])
		}
		shift = max(0, (most-least+gap)/2)
	}
	n := size(b.Left)
	make1 := func(s *cortex.Surface, h cortex.Hemisphere, shift float32) *mesh {
		if s == nil || len(s.Faces) == 0 {
			return nil
		}
		m := newMesh(s, h, shift)
		from, to := 0, n
		if h == cortex.Right {
			from, to = n, n+size(b.Right)
		}
		if values != nil {
			m.values = values[from:to]
		}
		if b.Sulc != nil {
			m.sulc = b.Sulc[from:to]
		}
		for _, r := range regions {
			m.addRegion(r.Name, r.Mask[from:to])
		}
		return m
	}
	sides := []*mesh{make1(b.Left, cortex.Left, -shift), make1(b.Right, cortex.Right, shift)}
	flats := []*mesh{make1(b.FlatLeft, cortex.Left, 0), make1(b.FlatRight, cortex.Right, 0)}
	sides = slices.DeleteFunc(sides, func(m *mesh) bool { return m == nil })
	flats = slices.DeleteFunc(flats, func(m *mesh) bool { return m == nil })
	var out []*panel
	for _, v := range opt.Views {
		meshes := sides
		if v == Flat {
			meshes = flats
		}
		if len(meshes) == 0 {
			return nil, fault.New(fault.Usage, drawing, "views", "there is no surface for the view %q", v).
				WithHint("give one, or choose other views")
		}
		if v == Dorsal || v == Ventral {
			out = append(out, &panel{view: v, camera: camera(v, cortex.Both), meshes: meshes, over: opt.Oversample})
			continue
		}
		for _, m := range meshes {
			out = append(out, &panel{view: v, camera: camera(v, m.hemisphere), meshes: []*mesh{m},
				over: opt.Oversample})
		}
	}
	for _, p := range out {
		p.extent = seen(p.camera, p.meshes)
		const widest = 1e5 // a hundred metres: no brain, and squares still fit 32 bits
		if w, h := p.extent.width(), p.extent.height(); !(w > 0 && h > 0 && w < widest && h < widest) {
			return nil, fault.New(fault.BadData, drawing, "", "the %s view of the surface is %g × %g mm", p.view, w, h).
				WithHint("check that the surface is one of a brain in millimetres; a flat map has the view flat only")
		}
	}
	return out, nil
}
