package render

import (
	"image"
	"math"
	"slices"
	"sync"

	"github.com/brainwavlm/bwlm/cortex"
	"github.com/brainwavlm/bwlm/fault"
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

// frame is the sizes of text and lines on the page, in pixels.
type frame struct {
	text, small, line float32
}

// layOut sets the places of the panels, and draws title and colour bar. Views of single hemispheres
// are in rows, left before right; dorsal and ventral views next to them, one a row; flat maps in a
// row below, scaled to the same width.
func layOut(f *Figure, panels []*panel, s *scale, opt Options) frame {
	unit := float32(min(opt.Width, opt.Height*4/3))
	fr := frame{text: max(11, unit*.019), small: max(9, unit*.0135), line: max(1, unit*.0013)}
	top, bottom, margin := fr.text*.9, fr.text*.9, fr.text*.9
	if opt.Title != "" {
		top = fr.text * 2.7
		f.write(opt.Title, point{float32(opt.Width) / 2, fr.text * 1.75},
			min(fr.text*1.3, fr.text*1.3*float32(opt.Width)*.94/textWidth(opt.Title, fr.text*1.3)),
			middle, 0, ink)
	}
	if s.shown {
		bottom = fr.text * 4.6
		s.drawBar(f, opt, fr)
	}
	rows := arrange(panels)
	space := fr.text * 1.6
	scale := float32(math.MaxFloat32)
	widths, heights := make([]float32, len(rows)), float32(0)
	shrink := flatFactor(rows)
	for i, row := range rows {
		tall := float32(0)
		for _, p := range row {
			widths[i] += p.extent.width() * shrink[i]
			tall = max(tall, p.extent.height()*shrink[i])
		}
		heights += tall
		scale = min(scale, (float32(opt.Width)-2*margin-space*float32(len(row)-1))/widths[i])
	}
	scale = min(scale, (float32(opt.Height)-top-bottom-space*float32(len(rows)))/heights)
	free := float32(opt.Height) - top - bottom - scale*heights - space*float32(len(rows))
	y := top + free/2
	for i, row := range rows {
		tall := float32(0)
		for _, p := range row {
			p.scale = scale * shrink[i]
			tall = max(tall, p.extent.height()*p.scale)
		}
		y += space // room for the caption
		x := (float32(opt.Width) - widths[i]*scale - space*float32(len(row)-1)) / 2
		for _, p := range row {
			w, h := p.extent.width()*p.scale, p.extent.height()*p.scale
			p.rect = image.Rect(int(x)-1, int(y+(tall-h)/2)-1, int(x+w)+2, int(y+(tall+h)/2)+2).Intersect(f.pixels.Rect)
			x += w + space
		}
		y += tall
	}
	return fr
}

// arrange puts panels in rows.
func arrange(panels []*panel) [][]*panel {
	var rows [][]*panel
	row := map[View]int{}
	var axial []*panel
	for _, p := range panels {
		if p.view == Dorsal || p.view == Ventral {
			axial = append(axial, p)
			continue
		}
		i, known := row[p.view]
		if !known {
			i = len(rows)
			row[p.view] = i
			rows = append(rows, nil)
		}
		rows[i] = append(rows[i], p)
	}
	sides := 0
	for i, r := range rows {
		if r[0].view != Flat {
			sides = i + 1
		}
	}
	for i, p := range axial {
		if sides == 0 {
			if i == 0 {
				rows = append([][]*panel{nil}, rows...)
			}
			rows[0] = append(rows[0], p)
			continue
		}
		at := min(i, sides-1)
		rows[at] = append(rows[at], p)
	}
	return rows
}

// flatFactor is the scale of each row that makes flat maps as wide as the widest other row.
func flatFactor(rows [][]*panel) []float32 {
	out := make([]float32, len(rows))
	widest := float32(0)
	for i, row := range rows {
		out[i] = 1
		if w := widthOf(row); row[0].view != Flat {
			widest = max(widest, w)
		}
	}
	for i, row := range rows {
		if row[0].view == Flat && widest > 0 {
			out[i] = widest / widthOf(row)
		}
	}
	return out
}

func widthOf(row []*panel) float32 {
	w := float32(0)
	for _, p := range row {
		w += p.extent.width()
	}
	return w
}

// labelPanels writes the side and the view of each panel.
func labelPanels(f *Figure, panels []*panel, fr frame) {
	for _, p := range panels {
		y := float32(p.rect.Min.Y) - fr.small*.25
		x0, x1 := float32(p.rect.Min.X), float32(p.rect.Max.X)
		if len(p.meshes) == 2 {
			names := [2]string{"L", "R"}
			if p.view == Ventral {
				names = [2]string{"R", "L"}
			}
			f.write(names[0], point{x0, y}, fr.small, start, 0, ink)
			f.write(names[1], point{x1, y}, fr.small, end, 0, ink)
			f.write(p.view.String(), point{(x0 + x1) / 2, y}, fr.small, middle, 0, faint)
			continue
		}
		name := p.meshes[0].hemisphere.String()
		f.write(name, point{x0, y}, fr.small, start, 0, ink)
		f.write(p.view.String(), point{x0 + fr.small*1.5, y}, fr.small, start, 0, faint)
	}
}
