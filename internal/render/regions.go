package render

import (
	"image"
	"math"
	"slices"
)

// tolerance is how far behind the surface a border is still visible, in mm: its points are near
// edges, those of the depth buffer in the middle of samples. On coarse meshes smoothed borders are
// farther from the surface.
func (p *panel) tolerance() float32 {
	const least, share = 1.5, .35
	t := float32(least)
	for _, m := range p.meshes {
		t = max(t, share*m.edge)
	}
	return t
}

// visible reports whether a place of the page, in samples, is in front.
func (p *panel) visible(q vec) bool {
	w, h := p.rect.Dx()*p.over, p.rect.Dy()*p.over
	x, y := int(q[0]), int(q[1])
	if x < 0 || y < 0 || x >= w || y >= h {
		return false
	}
	return q[2] >= p.depth[y*w+x]-p.slack
}

// onPage converts samples of the panel to pixels of the page.
func (p *panel) onPage(q vec) point {
	n := float32(p.over)
	return point{float32(p.rect.Min.X) + q[0]/n, float32(p.rect.Min.Y) + q[1]/n}
}

// drawRegions draws the visible parts of borders, then names.
func (p *panel) drawRegions(f *Figure, fr frame) {
	var names []label
	var borders []point
	for k, m := range p.meshes {
		for _, o := range m.regions {
			for _, line := range o.lines {
				for _, run := range p.visibleRuns(line) {
					borders = append(borders, run...)
					f.line(run, fr.line*1.25, fr.line*.9, black, o.name)
				}
			}
			if at, ok := p.middleOf(k, o); ok && o.name != "" {
				names = append(names, label{text: o.name, anchor: at, size: fr.small})
			}
		}
	}
	place(names, borders, p.rect)
	for _, l := range names {
		if l.led {
			f.line([]point{l.anchor, l.end()}, fr.line*.8, fr.line*.6, ink, "")
		}
		f.write(l.text, point{l.at[0], l.at[1] + l.size*.36}, l.size, middle, l.size*.18, black)
	}
}

// speck is the length in pixels of pieces of lines that are not drawn.
const speck = 4

// visibleRuns returns the visible parts of a line, in pixels.
func (p *panel) visibleRuns(line []vec) [][]point {
	var out [][]point
	var run []point
	end := func() {
		long := float32(0)
		for i := 1; i < len(run); i++ {
			long += distance(run[i-1], run[i], run[i])
		}
		if long > speck {
			out = append(out, run)
		}
		run = nil
	}
	for i := range line {
		from := line[max(i-1, 0)]
		a, b := p.toPage(from), p.toPage(line[i])
		parts := max(1, int(math.Hypot(float64(b[0]-a[0]), float64(b[1]-a[1]))/float64(2*p.over)))
		if i == 0 {
			parts = 1
		}
		for k := 1; k <= parts; k++ {
			q := a.plus(b.minus(a).times(float32(k) / float32(parts)))
			if !p.visible(q) {
				end()
				continue
			}
			run = append(run, p.onPage(q))
		}
	}
	end()
	return out
}

// middleOf returns the place for a name: the visible vertex nearest to the middle of the visible
// ones, if a third of the region is visible.
func (p *panel) middleOf(k int, o outline) (point, bool) {
	var mean vec
	var shown []vec
	for _, v := range o.vertices {
		if q := p.spots[k][v]; p.visible(q) {
			shown = append(shown, q)
			mean = mean.plus(q)
		}
	}
	if len(shown) == 0 || 3*len(shown) < len(o.vertices) {
		return point{}, false
	}
	mean = mean.times(1 / float32(len(shown)))
	best := shown[0]
	for _, q := range shown {
		d, e := q.minus(mean), best.minus(mean)
		if d[0]*d[0]+d[1]*d[1] < e[0]*e[0]+e[1]*e[1] {
			best = q
		}
	}
	return p.onPage(best), true
}

// label is a name and its place.
type label struct {
	text   string
	size   float32
	anchor point // in its region
	at     point // middle of the text
	led    bool  // a line leads from the text to its region
}

func (l *label) overlaps(o *label) bool {
	w := (textWidth(l.text, l.size) + textWidth(o.text, o.size)) / 2
	return abs(l.at[0]-o.at[0]) < w+l.size*.5 && abs(l.at[1]-o.at[1]) < l.size*1.1
}

// covers reports whether the text lies over a place.
func (l *label) covers(p point) bool {
	return abs(l.at[0]-p[0]) < textWidth(l.text, l.size)/2+l.size*.2 && abs(l.at[1]-p[1]) < l.size*.65
}

// end is where the line from the region meets the text.
func (l *label) end() point {
	w := textWidth(l.text, l.size)/2 + l.size*.15
	h := l.size * .55
	dx, dy := l.anchor[0]-l.at[0], l.anchor[1]-l.at[1]
	t := float32(1)
	if dx != 0 {
		t = min(t, w/abs(dx))
	}
	if dy != 0 {
		t = min(t, max(h/abs(dy), 0))
	}
	return point{l.at[0] + dx*t, l.at[1] + dy*t}
}

func abs(x float32) float32 { return max(x, -x) }

// place puts each name on its region or, where borders, names or the middles of other regions are
// in the way, at the nearest free place around it. A name without a free place may lie on borders.
func place(labels []label, borders []point, page image.Rectangle) {
	for i := range labels {
		l := &labels[i]
		if !l.search(labels, i, borders, page) && !l.search(labels, i, nil, page) {
			l.at, l.led = l.anchor, false
		}
	}
}

// search tries places at increasing distances, sixteen at each.
func (l *label) search(labels []label, i int, borders []point, page image.Rectangle) bool {
	const farthest, turns = 14, 16
	for radius := range farthest {
		for k := range turns {
			angle := (float64(k) + .5) * 2 * math.Pi / turns
			r := l.size * float32(radius) * .8
			l.at = point{l.anchor[0] + r*float32(math.Cos(angle))*1.3, l.anchor[1] - r*float32(math.Sin(angle))}
			l.led = radius > 0
			if l.free(labels, i, borders, page) {
				return true
			}
		}
	}
	return false
}

// free reports whether nothing is under the text at its place. It is the i-th label, and those
// before it have their places.
func (l *label) free(labels []label, i int, borders []point, page image.Rectangle) bool {
	half := textWidth(l.text, l.size) / 2
	room := l.size
	if l.at[0]-half < float32(page.Min.X)-room || l.at[0]+half > float32(page.Max.X)+room ||
		l.at[1] < float32(page.Min.Y)-room/2 || l.at[1] > float32(page.Max.Y)+room/2 {
		return false
	}
	for j := range labels {
		if j < i && l.overlaps(&labels[j]) || j != i && l.covers(labels[j].anchor) {
			return false
		}
	}
	return !slices.ContainsFunc(borders, l.covers)
}
