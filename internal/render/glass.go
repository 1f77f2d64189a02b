package render

import (
	"image"
	"math"
	"sync"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/cortex"
)

// Glass draws values of a volume's voxels, NaN for none, as a glass brain: from the left, from
// behind and from above, where each pixel shows the value farthest from 0 on the line behind it.
// The outline is that of all voxels.
func Glass(v *cortex.Volume, values []float32, opt Options) (*Figure, error) {
	opt.defaults()
	if err := opt.check(); err != nil {
		return nil, err
	}
	if values != nil && len(values) != len(v.Voxels) {
		return nil, fault.New(fault.BadData, drawing, "", "there are %d values for %d voxels", len(values),
			len(v.Voxels))
	}
	s, err := newScale(values, opt)
	if err != nil {
		return nil, err
	}
	s.none = grey(.93)
	inverse, err := invert(v.Affine)
	if err != nil {
		return nil, err
	}
	g := &glass{volume: v, inverse: inverse, at: make([]int32, v.Dim[0]*v.Dim[1]*v.Dim[2]), values: values}
	for c, voxel := range v.Voxels {
		g.at[voxel] = int32(c) + 1
	}
	f := newFigure(opt.Width, opt.Height)
	f.scale = *s
	panels := []*panel{
		{view: Lateral, camera: camera(Lateral, cortex.Left)},
		{view: Dorsal, camera: basis{vec{1, 0, 0}, vec{0, 0, 1}, vec{0, -1, 0}}}, // from behind
		{view: Dorsal, camera: camera(Dorsal, cortex.Both)},
	}
	g.bounds()
	const most = 20000 // voxels along a side; more mean that the affine is not a scanner's
	for i := range 3 {
		if !((g.high[i]-g.low[i])/g.step < most) {
			return nil, fault.New(fault.BadData, drawing, "", "the volume is %g mm long, its voxels %g mm",
				g.high[i]-g.low[i], g.step).
				WithHint("check the image's affine")
		}
	}
	for _, p := range panels {
		p.extent = g.extent(p.camera)
	}
	fr := layOut(f, panels, s, opt)
	var wait sync.WaitGroup
	for _, p := range panels {
		wait.Go(func() { g.draw(f.pixels, p, s) })
	}
	wait.Wait()
	for i, p := range panels {
		for _, line := range g.silhouette(p) {
			f.line(line, fr.line*1.4, 0, faint, "")
		}
		y := float32(p.rect.Min.Y) - fr.small*.25
		f.write([]string{"from the left", "from behind", "from above"}[i],
			point{float32(p.rect.Min.X+p.rect.Max.X) / 2, y}, fr.small, middle, 0, faint)
		if i > 0 {
			f.write("L", point{float32(p.rect.Min.X), y}, fr.small, start, 0, ink)
			f.write("R", point{float32(p.rect.Max.X), y}, fr.small, end, 0, ink)
		}
	}
	return f, nil
}

// glass is a volume drawn as a glass brain.
type glass struct {
	volume    *cortex.Volume
	inverse   [3][4]float64 // from millimetres to voxels
	at        []int32       // of each voxel of the grid: its column + 1, or 0
	values    []float32
	low, high vec // the box of the mask's voxels, in mm
	step      float32
}

// bounds finds the box of the mask, and the smallest side of a voxel.
func (g *glass) bounds() {
	g.low, g.high = vec{math.MaxFloat32, math.MaxFloat32, math.MaxFloat32},
		vec{-math.MaxFloat32, -math.MaxFloat32, -math.MaxFloat32}
	var half vec
	g.step = math.MaxFloat32
	for j := range 3 {
		side := 0.0
		for i := range 3 {
			side += g.volume.Affine[i][j] * g.volume.Affine[i][j]
			half[i] += float32(math.Abs(g.volume.Affine[i][j]) / 2)
		}
		g.step = min(g.step, float32(math.Sqrt(side)))
	}
	for _, voxel := range g.volume.Voxels {
		q := g.volume.Place(voxel)
		for i := range 3 {
			g.low[i], g.high[i] = min(g.low[i], float32(q[i])-half[i]), max(g.high[i], float32(q[i])+half[i])
		}
	}
}

// extent is the projection of the box, with a margin.
func (g *glass) extent(b basis) extent {
	a, c := b.project(g.low), b.project(g.high)
	const room = 3
	return extent{min(a[0], c[0]) - room, min(a[1], c[1]) - room, max(a[0], c[0]) + room, max(a[1], c[1]) + room}
}

// column returns the column at a place, or -1.
func (g *glass) column(p vec) int {
	index := 0
	stride := 1
	for i, row := range g.inverse {
		x := int(math.Floor(row[0]*float64(p[0]) + row[1]*float64(p[1]) + row[2]*float64(p[2]) + row[3] + .5))
		if x < 0 || x >= g.volume.Dim[i] {
			return -1
		}
		index += x * stride
		stride *= g.volume.Dim[i]
	}
	return int(g.at[index]) - 1
}

// ray follows the line behind a place of the page. It returns whether the line meets the mask, and
// the value farthest from 0.
func (g *glass) ray(p *panel, x, y float32) (met bool, value float32) {
	value = float32(math.NaN())
	from := p.camera.right.times(p.extent.x0 + x/p.scale).plus(p.camera.up.times(p.extent.y1 - y/p.scale))
	near, back := p.camera.toward.dot(g.low), p.camera.toward.dot(g.high)
	for z := min(near, back); z <= max(near, back); z += g.step / 2 {
		c := g.column(from.plus(p.camera.toward.times(z)))
		if c < 0 {
			continue
		}
		met = true
		if g.values == nil {
			return true, value
		}
		if v := g.values[c]; v == v && (value != value || abs(v) > abs(value)) {
			value = v
		}
	}
	return met, value
}

func (g *glass) draw(out *image.NRGBA, p *panel, s *scale) {
	for y := range p.rect.Dy() {
		for x := range p.rect.Dx() {
			met, v := g.ray(p, float32(x)+.5, float32(y)+.5)
			if !met {
				continue
			}
			c := s.none
			if v == v {
				c = s.colors.at((float64(v) - s.low) / (s.high - s.low))
			}
			out.SetNRGBA(p.rect.Min.X+x, p.rect.Min.Y+y, c.srgb())
		}
	}
}

// silhouette is the outline of the mask on the page: the level ½ of a mean over neighbours on a
// grid of half voxels, by marching squares.
func (g *glass) silhouette(p *panel) [][]point {
	cell := max(2, g.step*p.scale/2)
	w, h := int(float32(p.rect.Dx())/cell)+3, int(float32(p.rect.Dy())/cell)+3
	hit := make([]float32, w*h)
	for y := range h {
		for x := range w {
			if met, _ := g.ray(p, (float32(x)-1)*cell, (float32(y)-1)*cell); met {
				hit[y*w+x] = 1
			}
		}
	}
	for range 3 {
		hit = blur(hit, w, h)
	}
	var out [][]point
	for y := range h - 1 {
		for x := range w - 1 {
			out = append(out, square(hit, w, x, y, func(u, v float32) point {
				return point{float32(p.rect.Min.X) + (u-1)*cell, float32(p.rect.Min.Y) + (v-1)*cell}
			})...)
		}
	}
	return out
}

// blur returns the mean of each cell and its eight neighbours.
func blur(a []float32, w, h int) []float32 {
	out := make([]float32, len(a))
	for y := range h {
		for x := range w {
			sum, n := float32(0), float32(0)
			for v := max(y-1, 0); v <= min(y+1, h-1); v++ {
				for u := max(x-1, 0); u <= min(x+1, w-1); u++ {
					sum += a[v*w+u]
					n++
				}
			}
			out[y*w+x] = sum / n
		}
	}
	return out
}

// square returns the pieces of the contour of level ½ in one square of the grid.
func square(a []float32, w, x, y int, at func(u, v float32) point) [][]point {
	corners := [4][2]int{{x, y}, {x + 1, y}, {x + 1, y + 1}, {x, y + 1}}
	var crossed []point
	for k := range 4 {
		p, q := corners[k], corners[(k+1)%4]
		b, c := a[p[1]*w+p[0]]-.5, a[q[1]*w+q[0]]-.5
		if (b < 0) != (c < 0) {
			t := b / (b - c)
			crossed = append(crossed, at(float32(p[0])+t*float32(q[0]-p[0]), float32(p[1])+t*float32(q[1]-p[1])))
		}
	}
	var out [][]point
	for k := 0; k+1 < len(crossed); k += 2 {
		out = append(out, crossed[k:k+2])
	}
	return out
}

// invert returns the affine from millimetres to voxels.
func invert(m [3][4]float64) (out [3][4]float64, err error) {
	cofactor := func(i, j int) float64 {
		a, b, c, d := (i+1)%3, (i+2)%3, (j+1)%3, (j+2)%3
		return m[a][c]*m[b][d] - m[a][d]*m[b][c]
	}
	det := m[0][0]*cofactor(0, 0) + m[0][1]*cofactor(0, 1) + m[0][2]*cofactor(0, 2)
	if math.Abs(det) < 1e-9 {
		return out, fault.New(fault.BadData, drawing, "", "the volume's affine is flat")
	}
	for i := range 3 {
		for j := range 3 {
			out[i][j] = cofactor(j, i) / det
		}
		out[i][3] = -(out[i][0]*m[0][3] + out[i][1]*m[1][3] + out[i][2]*m[2][3])
	}
	return out, nil
}
