package regions

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/outlines"
	"github.com/brainwavlm/bwlm/internal/raw"
)

// set is a named set of vertices.
type set struct {
	name     string
	from     string // what it was made of: overlays.svg, or an atlas
	vertices []bool
}

// drawn returns the regions that overlays.svg outlines, without those that have no vertex.
func drawn(f Files, b *brain) (sets []set, empty []string, err error) {
	d, err := outlines.Read(f.Overlays)
	if err != nil {
		return nil, nil, err
	}
	page, err := d.Place(b.mapped)
	if err != nil {
		return nil, nil, err
	}
	neighbours := b.cutNeighbours()
	for _, r := range d.Regions() {
		inside, err := page.Inside(r)
		if err != nil {
			return nil, nil, err
		}
		s, any := set{r.Name, "overlays.svg", make([]bool, len(b.white))}, false
		for _, v := range inside {
			if b.flat[v] {
				s.vertices[v], any = true, true
				for _, cut := range neighbours[int32(v)] {
					s.vertices[cut] = true
				}
			}
		}
		if !any {
			empty = append(empty, r.Name)
			continue
		}
		sets = append(sets, s)
	}
	return sets, empty, nil
}

// cutNeighbours lists, for each vertex of the flat map, its neighbours on the surface that the flat map left out.
func (b *brain) cutNeighbours() map[int32][]int32 {
	out := map[int32][]int32{}
	for _, face := range b.faces {
		for i, v := range face {
			for _, w := range []int32{face[(i+1)%3], face[(i+2)%3]} {
				if b.flat[v] && !b.flat[w] {
					out[v] = append(out[v], w)
				}
			}
		}
	}
	return out
}

// labelled returns the areas of an atlas, both sides of one name together.
func labelled(ctx context.Context, f Files, a Annotation, b *brain) ([]set, error) {
	atlas, err := cortex.ReadAtlas(nil, a.Files[0], a.Files[1])
	if err != nil {
		return nil, err
	}
	labels, from := atlas.Labels, string(a.Atlas)
	if atlas.Left != b.left || atlas.Columns() != len(b.white) {
		if labels, err = acrossSpheres(ctx, f, a, atlas, b); err != nil {
			return nil, err
		}
		from += " of fsaverage"
	}
	var sets []set
	at := map[string]int{}
	for _, r := range atlas.Regions {
		if _, known := at[r.Name]; !known && !r.Background {
			at[r.Name] = len(sets)
			sets = append(sets, set{r.Name, from, make([]bool, len(labels))})
		}
	}
	for v, l := range labels {
		if l >= 0 && !atlas.Regions[l].Background {
			sets[at[atlas.Regions[l].Name]].vertices[v] = true
		}
	}
	return slices.DeleteFunc(sets, func(s set) bool { return !slices.Contains(s.vertices, true) }), nil
}

// acrossSpheres gives each vertex the label of the vertex of fsaverage that is nearest on the sphere.
func acrossSpheres(ctx context.Context, f Files, a Annotation, atlas *cortex.Atlas, b *brain) ([]int32, error) {
	if f.Sphere[0] == "" || f.AverageSphere[0] == "" {
		return nil, raw.Bad(makeRegions, a.Files[0], "it has %d vertices on the left, the subject has %d, and there "+
			"is no sphere.reg of the subject and of fsaverage to go from one to the other", atlas.Left, b.left)
	}
	var out []int32
	for side, n := range []int{b.left, len(b.white) - b.left} {
		own, err := sphere(f.Sphere[side], n, "the subject's surface")
		if err != nil {
			return nil, err
		}
		labels := atlas.Labels[:atlas.Left]
		if side == 1 {
			labels = atlas.Labels[atlas.Left:]
		}
		average, err := sphere(f.AverageSphere[side], len(labels), "its annotation")
		if err != nil {
			return nil, err
		}
		t := newTree(average)
		for v, p := range own {
			if v%1024 == 0 && ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			nearest, _ := t.nearest(p, math.Inf(1))
			out = append(out, labels[nearest])
		}
	}
	return out, nil
}

// sphere reads the points of a sphere and moves them to the distance 1 from its middle.
func sphere(path string, vertices int, of string) ([][3]float64, error) {
	s, err := cortex.ReadSurface(path)
	if err != nil {
		return nil, err
	}
	if len(s.Points) != vertices {
		return nil, raw.Bad(makeRegions, path, "it has %d vertices, %s has %d", len(s.Points), of, vertices)
	}
	out := make([][3]float64, vertices)
	for v, p := range s.Points {
		radius := math.Sqrt(squared(spatial(p), [3]float64{}))
		if !(radius > 0) {
			return nil, raw.Bad(makeRegions, path, "vertex %d is in the middle of the sphere", v)
		}
		for k, x := range p {
			out[v][k] = float64(x) / radius
		}
	}
	return out, nil
}

// union returns the vertices of the named sets, and those names that there is no set of.
func union(sets []set, from string, names ...string) (s set, absent []string) {
	s.from = from
	for _, name := range names {
		i := slices.IndexFunc(sets, func(s set) bool { return s.name == name })
		if i < 0 {
			absent = append(absent, name)
			continue
		}
		if s.vertices == nil {
			s.vertices = make([]bool, len(sets[i].vertices))
		}
		for v, in := range sets[i].vertices {
			s.vertices[v] = s.vertices[v] || in
		}
	}
	return s, absent
}

func (s set) has(vertex int) bool { return s.vertices[vertex] }

func (s set) count() (n int) {
	for _, in := range s.vertices {
		if in {
			n++
		}
	}
	return n
}

func list(names []string) string {
	if len(names) > 8 {
		return fmt.Sprintf("%s and %d more", join(names[:8]), len(names)-8)
	}
	return join(names)
}
