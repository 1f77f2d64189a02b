package outlines

import (
	"cmp"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/raw"
)

// Map is the vertices of a flat map on the page of a drawing.
type Map struct {
	at       []point // of each vertex
	order    []int32 // vertices by y
	odd      []bool  // of each vertex, whether a line has passed it an odd number of times
	from, to int     // of order: the vertices that the present line has passed
	left     int     // of the work that may still be done
	file     string  // of the drawing
}

// mostWork bounds the time for one flat map: vertices that are looked at, and stepCost for each straight piece. A
// drawing of a hundred regions needs a tenth.
const (
	mostWork = 1 << 26
	stepCost = 16
)

// Place lays a flat map on the page: the extent of its vertices, of both hemispheres, is the page. Vertices that are
// in no triangle count too, as in pycortex.
func (d *Drawing) Place(flat [][2]float32) (*Map, error) {
	m := &Map{at: make([]point, len(flat)), order: make([]int32, len(flat)), odd: make([]bool, len(flat)),
		left: mostWork, file: d.path}
	low, high := [2]float32{}, [2]float32{}
	for i, p := range flat {
		for k, x := range p {
			if i == 0 || x < low[k] {
				low[k] = x
			}
			if i == 0 || x > high[k] {
				high[k] = x
			}
		}
	}
	if !(high[0] > low[0] && high[1] > low[1]) {
		return nil, raw.Bad(reading, d.path, "the flat map of %d vertices has no extent", len(flat))
	}
	scale := low[0] < 0 || low[1] < 0 || high[0] > 1 || high[1] > 1
	for i, p := range flat {
		if scale {
			for k := range p {
				p[k] = (p[k] - low[k]) / (high[k] - low[k])
			}
		}
		m.at[i] = point{d.left + float64(p[0])*d.width, d.top + (d.height - float64(p[1])*d.height)}
		m.order[i] = int32(i)
	}
	slices.SortStableFunc(m.order, func(a, b int32) int { return cmp.Compare(m.at[a][1], m.at[b][1]) })
	return m, nil
}

// Inside returns the vertices inside of a region's outlines, ascending.
func (m *Map) Inside(r Region) ([]int, error) {
	in := make([]bool, len(m.at))
	for _, l := range r.lines {
		m.from, m.to = len(m.order), 0
		if !m.cross(l) {
			return nil, m.tooLong(r)
		}
		for _, v := range m.order[min(m.from, m.to):m.to] {
			in[v], m.odd[v] = in[v] || m.odd[v], false
		}
		m.left -= max(m.to-m.from, 0)
	}
	out := []int{}
	for v, yes := range in {
		if yes {
			out = append(out, v)
		}
	}
	return out, nil
}

func (m *Map) tooLong(r Region) error {
	return raw.Bad(reading, m.file, "region %s: its outlines are too long for this flat map",
		quote.OneLine(quote.Short(r.Name)))
}

// cross turns over, for each step of a closed line, the vertices to whose right it passes. It is false if that is too
// much work.
func (m *Map) cross(l line) bool {
	pen, rest := l.points[0], l.points[1:]
	straight := func(to point) {
		if m.left > 0 {
			m.crossStraight(pen, to)
		}
		pen = to
	}
	for _, curve := range l.curves {
		if !curve {
			straight(rest[0])
			rest = rest[1:]
			continue
		}
		a, b, c, end := pen, rest[0], rest[1], rest[2]
		rest = rest[3:]
		n := pieces(a, b, c, end)
		for i := 1; i < n; i++ {
			t := float64(i) / float64(n)
			u := 1 - t
			straight(a.times(u * u * u).plus(b.times(3 * u * u * t)).plus(c.times(3 * u * t * t)).plus(
				end.times(t * t * t)))
		}
		straight(end)
	}
	straight(l.points[0])
	return m.left > 0
}

// pieces is the number of straight pieces that stay within a hundredth of a unit of a curve: a chord differs from it by
// at most an eighth of its second derivative, divided by the square of their number.
func pieces(a, b, c, end point) int {
	bend := func(p, q, r point) float64 { d := p.plus(r).minus(q.times(2)); return math.Hypot(d[0], d[1]) }
	n := math.Ceil(math.Sqrt(6 * max(bend(a, b, c), bend(b, c, end)) / 8 / .01))
	return int(min(max(n, 1), 1024))
}

// crossStraight does it for a straight step, by the rule of matplotlib for points on it.
func (m *Map) crossStraight(p, q point) {
	low, high := min(p[1], q[1]), max(p[1], q[1])
	above := func(y float64) int { // the first vertex with more than y
		i, _ := slices.BinarySearchFunc(m.order, y, func(v int32, y float64) int {
			if m.at[v][1] <= y {
				return -1
			}
			return 1
		})
		return i
	}
	from, to := above(low), above(high)
	m.left -= to - from + stepCost
	m.from, m.to = min(m.from, from), max(m.to, to)
	for _, v := range m.order[from:to] {
		x, y := m.at[v][0], m.at[v][1]
		if ((q[1]-y)*(p[0]-q[0]) >= (q[0]-x)*(p[1]-q[1])) == (q[1] >= y) {
			m.odd[v] = !m.odd[v]
		}
	}
}
