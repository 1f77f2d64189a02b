package outlines

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/raw"
)

const reading = "read outlines"

// Drawing is the layer of regions of a drawing.
type Drawing struct {
	path                     string
	left, top, width, height float64  // of the page, in units of paths
	regions                  []Region // in the order of the file
}

// Region is a region with its outlines.
type Region struct {
	Name  string
	lines []line
}

// Read reads the drawing at path.
func Read(path string) (*Drawing, error) {
	data, err := readWithout(path)
	if err != nil {
		return nil, err
	}
	return parse(data, path)
}

// parse reads the bytes of a drawing, which errors call name.
func parse(data []byte, name string) (*Drawing, error) {
	root, err := raw.ParseXML(data)
	if err != nil {
		return nil, raw.Damaged(reading, name, err)
	}
	if root.Name != "svg" {
		return nil, raw.Bad(reading, name, "it is no drawing: its outermost element is %s, want svg",
			quote.OneLine(quote.Short(root.Name)))
	}
	d := &Drawing{path: name}
	if err := d.page(root); err != nil {
		return nil, raw.Bad(reading, name, "%v", err)
	}
	rois := layer(root, "rois")
	if rois == nil {
		return nil, raw.Bad(reading, name, "it has no layer rois")
	}
	at, err := d.transformed(identity, root, rois)
	if err != nil {
		return nil, raw.Bad(reading, name, "layer rois: %v", err)
	}
	if shapes := layer(rois, "shapes"); shapes != nil { // not in drawings of the first pycortex
		rois = shapes
		if at, err = d.transformed(at, shapes); err != nil {
			return nil, raw.Bad(reading, name, "layer rois: %v", err)
		}
	}
	for _, g := range rois.All("g") {
		if label := labelOf(g); label != "" && label != "labels" {
			if err := d.region(label, g, at); err != nil {
				return nil, raw.Bad(reading, name, "region %s: %v", quote.OneLine(quote.Short(label)), err)
			}
		}
	}
	return d, nil
}

// Regions returns the regions in the order of the file. Some may have no outline.
func (d *Drawing) Regions() []Region { return d.regions }

// page reads the extent of the page.
func (d *Drawing) page(root *raw.Element) error {
	if text := root.Attr("viewBox"); text != "" {
		s := &scanner{text: text}
		for _, to := range []*float64{&d.left, &d.top, &d.width, &d.height} {
			*to = s.number()
		}
		if s.err != nil {
			return fmt.Errorf("viewBox: %w", s.err)
		}
	} else {
		for _, side := range []struct {
			name string
			to   *float64
		}{{"width", &d.width}, {"height", &d.height}} {
			s := &scanner{text: strings.TrimSuffix(strings.TrimSpace(root.Attr(side.name)), "px")}
			*side.to = s.number()
			if s.space(); s.err != nil || s.text != "" {
				return fmt.Errorf("its %s is %q, want a number", side.name, quote.Short(root.Attr(side.name)))
			}
		}
	}
	if !(d.width > 0 && d.height > 0) {
		return fmt.Errorf("its page is %g wide and %g high", d.width, d.height)
	}
	return nil
}

// region adds the paths of a group, also of groups in it.
func (d *Drawing) region(name string, g *raw.Element, at transform) error {
	i := slices.IndexFunc(d.regions, func(r Region) bool { return r.Name == name })
	if i < 0 {
		i, d.regions = len(d.regions), append(d.regions, Region{Name: name})
	}
	at, err := d.transformed(at, g)
	if err != nil {
		return err
	}
	for _, child := range g.Children {
		switch child.Name {
		case "g":
			if err := d.region(name, child, at); err != nil {
				return err
			}
		case "path":
			own, err := d.transformed(at, child)
			if err != nil {
				return err
			}
			lines, err := parsePath(child.Attr("d"), own)
			if err != nil {
				return err
			}
			d.regions[i].lines = append(d.regions[i].lines, lines...)
		}
	}
	return nil
}

// transformed adds the transforms of elements to one.
func (d *Drawing) transformed(t transform, elements ...*raw.Element) (transform, error) {
	for _, e := range elements {
		own, err := parseTransform(e.Attr("transform"))
		if err != nil {
			return t, err
		}
		t = t.then(own)
	}
	return t, nil
}

// layer finds a layer directly in an element.
func layer(in *raw.Element, name string) *raw.Element {
	for _, g := range in.All("g") {
		if labelOf(g) == name {
			return g
		}
	}
	return nil
}

// labelOf returns the name that Inkscape shows of a group.
func labelOf(g *raw.Element) string {
	if label := g.Attr("label"); label != "" {
		return strings.TrimSpace(label)
	}
	return g.Attr("id")
}

var errFar = errors.New("a point is not finite, or more than 1e9 units away")

// far reports whether a point is beyond all drawings.
func far(p point) bool { return !(math.Abs(p[0]) < 1e9 && math.Abs(p[1]) < 1e9) }
