package render

import (
	"math"

	"github.com/brainwavlm/bwlm/internal/cortex"
)

// mesh is a surface with the values and regions drawn on it.
type mesh struct {
	hemisphere cortex.Hemisphere
	points     []vec
	normals    []vec // of length 1 and unknown sign: which side is outside depends on the file
	faces      [][3]int32
	edge       float32   // mean length of an edge
	values     []float32 // nil if none are shown
	sulc       []float32 // nil, or depth, above 0 in sulci
	regions    []outline
}

func newMesh(s *cortex.Surface, h cortex.Hemisphere, shift float32) *mesh {
	m := &mesh{hemisphere: h, points: make([]vec, len(s.Points)), normals: make([]vec, len(s.Points)), faces: s.Faces}
	for i, p := range s.Points {
		m.points[i] = vec(p)
		m.points[i][0] += shift
	}
	for _, f := range s.Faces {
		a, b, c := m.points[f[0]], m.points[f[1]], m.points[f[2]]
		m.edge += float32(math.Sqrt(float64(b.minus(a).dot(b.minus(a))))) / float32(len(s.Faces))
		n := b.minus(a).cross(c.minus(a)) // its length is twice the area, which is its weight
		for _, v := range f {
			m.normals[v] = m.normals[v].plus(n)
		}
	}
	for i, n := range m.normals {
		m.normals[i] = n.unit()
	}
	return m
}

// outline is the border of a region on a mesh.
type outline struct {
	name     string
	lines    [][]vec
	vertices []int32 // of the region
}

// addRegion finds the border of the vertices of a region. It crosses each edge between a vertex
// inside and one outside in the middle, so each triangle with both has a piece of it. The pieces
// are joined, smoothed by means of neighbours, and their corners are cut twice (Chaikin).
func (m *mesh) addRegion(name string, in []bool) {
	o := outline{name: name}
	for v, yes := range in {
		if yes {
			o.vertices = append(o.vertices, int32(v))
		}
	}
	type edge [2]int32
	key := func(a, b int32) edge { return edge{min(a, b), max(a, b)} }
	next := map[edge][]edge{}
	var order []edge
	for _, f := range m.faces {
		var crossed []edge
		for k := range 3 {
			if a, b := f[k], f[(k+1)%3]; in[a] != in[b] {
				crossed = append(crossed, key(a, b))
			}
		}
		if len(crossed) == 2 {
			for k, e := range crossed {
				if len(next[e]) == 0 {
					order = append(order, e)
				}
				next[e] = append(next[e], crossed[1-k])
			}
		}
	}
	half := func(e edge) vec { return m.points[e[0]].plus(m.points[e[1]]).times(.5) }
	done := map[edge]bool{}
	walk := func(from edge) {
		line := []vec{half(from)}
		done[from] = true
		closed := false
		for at := from; ; {
			var to *edge
			for i, e := range next[at] {
				if !done[e] {
					to = &next[at][i]
					break
				}
				closed = closed || e == from && len(line) > 2
			}
			if to == nil {
				break
			}
			done[*to] = true
			line = append(line, half(*to))
			at, closed = *to, false
		}
		o.lines = append(o.lines, chaikin(chaikin(relax(line, closed), closed), closed))
	}
	for _, ends := range []bool{true, false} { // open lines, from their ends, before loops
		for _, e := range order {
			if !done[e] && (!ends || len(next[e]) == 1) {
				walk(e)
			}
		}
	}
	m.regions = append(m.regions, o)
}

// relax moves each point half way to the middle of its neighbours, twice.
func relax(line []vec, closed bool) []vec {
	n := len(line)
	for range 2 {
		out := make([]vec, n)
		for i, p := range line {
			if !closed && (i == 0 || i == n-1) {
				out[i] = p
				continue
			}
			out[i] = p.times(.5).plus(line[(i+n-1)%n].plus(line[(i+1)%n]).times(.25))
		}
		line = out
	}
	return line
}

// chaikin cuts the corners of a line.
func chaikin(line []vec, closed bool) []vec {
	if len(line) < 3 {
		return line
	}
	var out []vec
	if !closed {
		out = append(out, line[0])
	}
	for i := range line {
		j := i + 1
		if j == len(line) {
			if !closed {
				break
			}
			j = 0
		}
		a, b := line[i], line[j]
		out = append(out, a.times(.75).plus(b.times(.25)), a.times(.25).plus(b.times(.75)))
	}
	if closed {
		return append(out, out[0])
	}
	return append(out, line[len(line)-1])
}

// extent is a box in the plane of a camera, in mm.
type extent struct{ x0, y0, x1, y1 float32 }

func (e extent) width() float32  { return e.x1 - e.x0 }
func (e extent) height() float32 { return e.y1 - e.y0 }

func seen(b basis, meshes []*mesh) extent {
	e := extent{math.MaxFloat32, math.MaxFloat32, -math.MaxFloat32, -math.MaxFloat32}
	for _, m := range meshes {
		for _, f := range m.faces { // not all points of a flat map are in it
			for _, v := range f {
				p := b.project(m.points[v])
				e.x0, e.x1, e.y0, e.y1 = min(e.x0, p[0]), max(e.x1, p[0]), min(e.y0, p[1]), max(e.y1, p[1])
			}
		}
	}
	return e
}
