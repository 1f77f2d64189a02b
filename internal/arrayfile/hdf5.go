package arrayfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/hdf5"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/stored"
)

// hdf5File is an HDF5 file as a File.
type hdf5File struct {
	*hdf5.File
	arrays []stored.Array
	others []stored.Other
	scaled []stored.Array // that are among others
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
		scale, refused, err := scaleOf(d)
		if err != nil {
			f.Close()
			return nil, err
		}
		if scale != 0 {
			a.Scale = scale
			out.scaled = append(out.scaled, a)
		}
		if refused != "" {
			out.others = append(out.others, stored.Other{Name: name, What: refused, Data: true})
			continue
		}
		out.arrays = append(out.arrays, a)
	}
	return out, nil
}

// MayBeScaled is how what is said of integers ends that an attribute says to multiply. No standard says that they have
// to be.
const MayBeScaled = "which may mean other numbers"

// scaleOf returns the factor that an attribute of integers has, 0 if none does, and why they are not read as they are.
func scaleOf(d *hdf5.Dataset) (scale float64, refused string, err error) {
	if kind := string(d.Type.Kind); kind == string(elements.Bool) || strings.HasPrefix(kind, "float") {
		return 0, "", nil
	}
	for _, name := range []string{"scale", "scale_factor", "scl_slope"} {
		a, there, err := d.Attribute(name)
		switch {
		case err != nil:
			return 0, "", err
		case !there:
			continue
		case len(a.Numbers) != 1 || a.Numbers[0] == 0 || a.Numbers[0]-a.Numbers[0] != 0:
			return 0, fmt.Sprintf("an array of integers whose attribute %s is no factor", name), nil
		}
		scale, refused = a.Numbers[0], fmt.Sprintf("an array of integers with an attribute %s, %s", name, MayBeScaled)
	}
	for _, name := range []string{"offset", "add_offset", "scl_inter"} {
		a, there, err := d.Attribute(name)
		if err != nil {
			return 0, "", err
		}
		if there && scale != 0 && (len(a.Numbers) != 1 || a.Numbers[0] != 0) {
			return 0, fmt.Sprintf("an array of integers with an attribute %s, which is not read", name), nil
		}
	}
	return scale, refused, nil
}

// Scaled returns the arrays and what else is in a file, as Arrays and Others, if integers are to be multiplied: arrays
// that are refused for an attribute are among the arrays, with their Scale.
func Scaled(f File) ([]stored.Array, []stored.Other) {
	h, ok := f.(*hdf5File)
	if !ok {
		return f.Arrays(), f.Others()
	}
	others := slices.DeleteFunc(slices.Clone(h.others), func(o stored.Other) bool {
		return slices.ContainsFunc(h.scaled, func(a stored.Array) bool { return a.Name == o.Name })
	})
	return slices.Concat(h.arrays, h.scaled), others
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

// Unwritten says how many chunks of an array were not written, and what stands for their elements; "" if all were, and
// of files of other kinds.
func Unwritten(f File, name string) (string, error) {
	h, ok := f.(*hdf5File)
	if !ok {
		return "", nil
	}
	d, err := h.File.Dataset(name)
	if err != nil {
		return "", err
	}
	missing, of, err := d.MissingChunks()
	if err != nil || missing == 0 {
		return "", err
	}
	return fmt.Sprintf("%d of %d chunks of %s were not written; their elements are %g", missing, of,
		quote.OneLine(name), d.Fill()), nil
}
