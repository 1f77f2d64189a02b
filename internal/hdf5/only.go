package hdf5

import (
	"fmt"
	"slices"
	"strings"
)

// Only returns the one array of floats with two or three axes: responses (rows, voxels), or (repeats, rows,
// voxels). If there are none or several, the error lists what there is.
func (f *File) Only() (*Dataset, error) {
	datasets, links, err := f.List()
	if err != nil {
		return nil, err
	}
	var found []*Dataset
	for _, d := range datasets {
		if d.Type.Float() && (len(d.Shape) == 2 || len(d.Shape) == 3) {
			found = append(found, d)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	reason, shown := "has several arrays of floats with two or three axes", found
	if len(found) == 0 {
		reason, shown = "has no array of floats with two or three axes", datasets
	}
	var all []string
	for _, d := range shown {
		all = append(all, d.String())
	}
	for _, l := range links {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s, %s to %s", l.Name, l.Kind, l.Target)))
	}
	e := &refusal{reason, "name one: it has " + few(all)}
	if len(all) == 0 {
		e = &refusal{"has no arrays", "name a file with arrays"}
	}
	return nil, f.src.fault("", e)
}

// String describes the data set on one line: its name, shape and type.
func (d *Dataset) String() string {
	axes := make([]string, 0, len(d.Shape))
	for _, n := range d.Shape {
		axes = append(axes, fmt.Sprint(n))
	}
	if len(axes) == 1 {
		axes = append(axes, "")
	}
	text := fmt.Sprintf("%s (%s) %s", d.Name, strings.TrimSuffix(strings.Join(axes, ", "), " "), d.Type)
	if slices.ContainsFunc(d.attributes, d.src.scales) {
		text += " with an attribute scale"
	}
	return text
}

// scales reports whether a message is the attribute scale, which HDF5 has no standard for.
func (s *source) scales(m message) bool {
	if m.kind != msgAttribute || m.shared {
		return false
	}
	a, err := s.parseAttribute(m.data, "scale")
	return err == nil && a.Name == "scale"
}
