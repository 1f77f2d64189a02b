package render

import (
	"image"
	"math"
)

// panel is a rectangle of the page with one view.
type panel struct {
	view   View
	camera basis
	meshes []*mesh
	rect   image.Rectangle
	extent extent  // in mm
	scale  float32 // pixels in a mm

	slack float32 // see tolerance
	over  int     // samples of a pixel, in each direction
	depth []float32
	face  []int32 // of each sample: the triangle in front, -1 none; those of the second mesh follow the first's
	spots [][]vec // of each mesh: its vertices in samples, y downwards, and their distance towards the viewer
}

const far = -math.MaxFloat32

// toPage returns the place of a point in samples.
func (p *panel) toPage(x vec) vec {
	q := p.camera.project(x)
	s := p.scale * float32(p.over)
	w, h := float32(p.rect.Dx()*p.over), float32(p.rect.Dy()*p.over)
	return vec{(q[0]-p.extent.x0)*s + (w-p.extent.width()*s)/2, (p.extent.y1-q[1])*s + (h-p.extent.height()*s)/2, q[2]}
}

// draw fills the panel's part of the picture.
func (p *panel) draw(out *image.NRGBA, look *look) {
	w, h := p.rect.Dx()*p.over, p.rect.Dy()*p.over
	p.depth, p.face = make([]float32, w*h), make([]int32, w*h)
	for i := range p.depth {
		p.depth[i], p.face[i] = far, -1
	}
	first := int32(0)
	p.slack = p.tolerance()
	for _, m := range p.meshes {
		spots := make([]vec, len(m.points))
		for i, x := range m.points {
			spots[i] = p.toPage(x)
		}
		p.spots = append(p.spots, spots)
		for i, f := range m.faces {
			p.triangle(spots[f[0]], spots[f[1]], spots[f[2]], first+int32(i), w, h)
		}
		first += int32(len(m.faces))
	}
	p.shade(out, look, w)
}

// triangle sets the samples at which a triangle is nearer than the previous ones.
func (p *panel) triangle(a, b, c vec, face int32, w, h int) {
	area := (b[0]-a[0])*(c[1]-a[1]) - (b[1]-a[1])*(c[0]-a[0])
	if area == 0 {
		return
	}
	x0 := max(int(min(a[0], b[0], c[0])), 0)
	y0 := max(int(min(a[1], b[1], c[1])), 0)
	x1 := min(int(max(a[0], b[0], c[0]))+1, w-1)
	y1 := min(int(max(a[1], b[1], c[1]))+1, h-1)
	inv := 1 / area
	// Barycentric weights of b and c, and the depth, are linear in x and y.
	bx, by := (c[1]-a[1])*inv, -(c[0]-a[0])*inv
	cx, cy := -(b[1]-a[1])*inv, (b[0]-a[0])*inv
	zx, zy := bx*(b[2]-a[2])+cx*(c[2]-a[2]), by*(b[2]-a[2])+cy*(c[2]-a[2])
	for y := y0; y <= y1; y++ {
		dx, dy := float32(x0)+.5-a[0], float32(y)+.5-a[1]
		u, v, z := bx*dx+by*dy, cx*dx+cy*dy, a[2]+zx*dx+zy*dy
		row := y*w + x0
		for range x1 - x0 + 1 {
			if u >= 0 && v >= 0 && u+v <= 1 && z > p.depth[row] {
				p.depth[row], p.face[row] = z, face
			}
			u, v, z = u+bx, v+cx, z+zx
			row++
		}
	}
}

// look is the mapping of values to colours.
type look struct {
	colors    *Colormap
	low, high float64
	nearest   bool // the value of the nearest vertex instead of interpolation
	flat      bool // no light
	gyrus     rgb  // of vertices without a value
	sulcus    rgb
}

// shade blends the mean of each pixel's samples into the picture.
func (p *panel) shade(out *image.NRGBA, look *look, w int) {
	n := p.over
	share := 1 / float32(n*n)
	for y := range p.rect.Dy() {
		for x := range p.rect.Dx() {
			var sum rgb
			hits := 0
			for sy := range n {
				for sx := range n {
					i := (y*n+sy)*w + x*n + sx
					if p.face[i] < 0 {
						continue
					}
					hits++
					c := p.sample(i, float32(x*n+sx)+.5, float32(y*n+sy)+.5, look)
					for k := range sum {
						sum[k] += c[k]
					}
				}
			}
			if hits == 0 {
				continue
			}
			rest := 1 - float32(hits)*share // of the white page
			at := out.Pix[out.PixOffset(p.rect.Min.X+x, p.rect.Min.Y+y):]
			for k := range sum {
				at[k] = toByte(sum[k]*share + rest)
			}
		}
	}
}

// sample is the colour of one sample.
func (p *panel) sample(i int, x, y float32, look *look) rgb {
	k, face := 0, p.face[i]
	for int(face) >= len(p.meshes[k].faces) {
		face -= int32(len(p.meshes[k].faces))
		k++
	}
	m, spots := p.meshes[k], p.spots[k]
	f := m.faces[face]
	a, b, c := spots[f[0]], spots[f[1]], spots[f[2]]
	inv := 1 / ((b[0]-a[0])*(c[1]-a[1]) - (b[1]-a[1])*(c[0]-a[0]))
	u := ((x-a[0])*(c[1]-a[1]) - (y-a[1])*(c[0]-a[0])) * inv
	v := ((b[0]-a[0])*(y-a[1]) - (b[1]-a[1])*(x-a[0])) * inv
	weights := [3]float32{1 - u - v, u, v}
	paint, colored := look.paint(m, f, weights)
	return paint.scaled(p.light(m, f, weights, look, colored))
}

// paint returns the colour of a place without light, and whether the place has a value.
func (k *look) paint(m *mesh, f [3]int32, weights [3]float32) (rgb, bool) {
	if m.values != nil {
		if v, ok := interpolate(m.values, f, weights, k.nearest); ok {
			return k.colors.at((float64(v) - k.low) / (k.high - k.low)), true
		}
	}
	if m.sulc == nil {
		return mix(k.gyrus, k.sulcus, .25), false
	}
	return mix(k.gyrus, k.sulcus, depthOf(m, f, weights)), false
}

// interpolate returns the value at a place of a triangle from its corners that have one, false if
// those weigh less than half; or the value of the nearest corner.
func interpolate(values []float32, f [3]int32, weights [3]float32, nearest bool) (float32, bool) {
	if nearest {
		best := 0
		for i, w := range weights {
			if w > weights[best] {
				best = i
			}
		}
		v := values[f[best]]
		return v, v == v
	}
	var sum, total float32
	for i, w := range weights {
		if x := values[f[i]]; x == x {
			sum += w * x
			total += w
		}
	}
	return sum / total, total >= .5
}

// depthOf is the depth of a place: 0 on a gyrus, 1 in a sulcus.
func depthOf(m *mesh, f [3]int32, weights [3]float32) float32 {
	d, ok := interpolate(m.sulc, f, weights, false)
	if !ok {
		return 0
	}
	t := min(1, max(0, .5+d/.7))
	return t * t * (3 - 2*t)
}

// light is the brightness of a place: a lamp at the viewer, a little above and to the left, and
// ambient light, less of it in sulci.
func (p *panel) light(m *mesh, f [3]int32, weights [3]float32, look *look, colored bool) float32 {
	l := float32(1)
	if !look.flat && p.view != Flat {
		var n vec
		for i, w := range weights {
			n = n.plus(m.normals[f[i]].times(w))
		}
		n = n.unit()
		lamp := p.camera.toward.plus(p.camera.up.times(.35)).plus(p.camera.right.times(-.25)).unit()
		if n.dot(p.camera.toward) < 0 {
			n = n.times(-1)
		}
		d := max(0, n.dot(lamp))
		l = .30 + .74*d
	}
	if colored && m.sulc != nil {
		l *= 1 - .16*depthOf(m, f, weights)
	}
	return min(l, 1)
}
