package arrayfile

import (
	"errors"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/hdf5"
	"github.com/brainwavlm/bwlm/internal/stored"
)

// hdf5File is an HDF5 file as a File.
type hdf5File struct {
	*hdf5.File
	arrays []stored.Array
	others []stored.Other
}

// openHDF5 opens an HDF5 file and lists its arrays by their paths, without the first stroke. Arrays of MATLAB have
// their axes reversed in the file: they are stored by columns.
func openHDF5(path string) (File, error) {
	f, err := hdf5.Open(path)
	if err != nil {
		return nil, err
	}
	out := &hdf5File{File: f}
	sets, _, err := f.List()
	if err != nil {
		f.Close()
		return nil, err
	}
	for _, d := range sets {
		name := strings.TrimPrefix(d.Name, "/")
		if err := d.Err(); err != nil {
			out.others = append(out.others, stored.Other{Name: name, What: "an array that is not read: " + why(err)})
			continue
		}
		if name, err := scaled(d); err != nil {
			f.Close()
			return nil, err
		} else if name != "" {
			out.others = append(out.others, stored.Other{Name: strings.TrimPrefix(d.Name, "/"), Data: true,
				What: "an array of integers with an attribute " + name + ", which may mean other numbers"})
			continue
		}
		a := stored.Array{Name: name, Shape: slices.Clone(d.Shape), DType: d.Type.Kind, BigEndian: d.Type.BigEndian,
			Offset: -1}
		if offset, ok := d.InPlace(); ok {
			a.Offset = offset
		}
		_, matlab, err := d.Attribute("MATLAB_class")
		if err != nil {
			f.Close()
			return nil, err
		}
		if matlab {
			slices.Reverse(a.Shape)
			a.ByColumns = len(a.Shape) > 1
		}
		out.arrays = append(out.arrays, a)
	}
	return out, nil
}

// Arrays returns the arrays of numbers.
func (f *hdf5File) Arrays() []stored.Array { return f.arrays }

// Others returns the arrays that cannot be read, with the reason.
func (f *hdf5File) Others() []stored.Other { return f.others }

// why is the reason of an error and what to do, without its place.
func why(err error) string {
	f, ok := errors.AsType[*fault.Error](err)
	switch {
	case !ok:
		return err.Error()
	case f.Hint != "":
		return f.Reason + "; " + f.Hint
	}
	return f.Reason
}

// scaled returns the attribute of an array of integers by which its numbers may have to be multiplied. No standard says
// that they have to be.
func scaled(d *hdf5.Dataset) (string, error) {
	if strings.HasPrefix(string(d.Type.Kind), "float") {
		return "", nil
	}
	for _, name := range []string{"scale", "scale_factor", "scl_slope"} {
		if _, there, err := d.Attribute(name); there || err != nil {
			return name, err
		}
	}
	return "", nil
}
