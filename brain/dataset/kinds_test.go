package dataset

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// header is the header of a .npy file of two values.
func header(descr string) string {
	text := "{'descr': " + descr + ", 'fortran_order': False, 'shape': (2,), }"
	text += strings.Repeat(" ", 118-1-len(text)) + "\n"
	return "\x93NUMPY\x01\x00v\x00" + text + strings.Repeat("\x00", 32)
}

// A file of the wrong kind is named for what it is, whatever its name.
func TestFilesOfAnotherKindAreNamed(t *testing.T) {
	dir := write(t, map[string]string{
		"hdf.txt":     "\x89HDF\r\n\x1a\n and more",
		"hdf.npy":     "\x89HDF\r\n\x1a\n and more",
		"npz.txt":     "PK\x03\x04 arr_0.npy",
		"npy.txt":     "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
		"object.npy":  "\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (2,), }",
		"mat.mat":     "MATLAB 5.0 MAT-file, Platform: GLNXA64",
		"html.txt":    "<!DOCTYPE html>\n<html>",
		"utf16.txt":   "\xff\xfe1\x00",
		"link.txt":    "../.git/annex/objects/K1/x8/MD5E-s1--a/MD5E-s1--a",
		"commas.txt":  "1,2,3\n",
		"heading.txt": "v1,v2\n1,2\n",
		"commas.npy":  "1,2,3\n4,5,6\n",
		"list.npy":    "[[1, 2], [3, 4]]",
		"cut.npy":     "\x93NUMPY\x01\x00",
		"complex.npy": header("'<c16'"),
		"words.npy":   header("'<U4'"),
		"dates.npy":   header("'<M8[ns]'"),
		"wide.npy":    header("'<f16'"),
		"record.npy":  header("[('a', '<f4'), ('b', '<f4')]"),
	})
	f := folder{dir: dir}
	matrix := func(name string) error { _, err := f.matrix(t.Context(), name); return err }
	source := func(name string) error { _, err := f.source(t.Context(), name); return err }
	region := func(name string) error { _, err := f.region(t.Context(), name); return err }
	words := func(name string) error { _, err := f.words(t.Context(), name); return err }
	for _, c := range []struct {
		read func(string) error
		name string
		kind fault.Kind
		err  []string
	}{
		{matrix, "hdf.txt", fault.BadData, []string{"is an HDF5 file, want text", "h5py"}},
		{source, "hdf.npy", fault.BadData, []string{"is an HDF5 file, want a .npy file of numbers"}},
		{matrix, "npz.txt", fault.BadData, []string{"is an npz archive of NumPy", "numpy.load"}},
		{matrix, "npy.txt", fault.BadData, []string{"is a .npy file, want text; give it the suffix .npy"}},
		{source, "object.npy", fault.BadData, []string{"is a .npy file of Python objects"}},
		{matrix, "mat.mat", fault.BadData, []string{"is a MATLAB file (version 5)", "scipy.io.loadmat"}},
		{region, "mat.mat", fault.BadData, []string{"is a MATLAB file (version 5)"}},
		{region, "hdf.txt", fault.BadData, []string{"is an HDF5 file"}},
		{words, "html.txt", fault.BadData, []string{"is an HTML page", "download it again"}},
		{words, "utf16.txt", fault.BadData, []string{"is UTF-16 text"}},
		{words, "link.txt", fault.Missing, []string{"datalad get"}},
		{matrix, "heading.txt", fault.BadData, []string{`heading.txt:1: "v1,v2" is a heading`, "remove it"}},
		{source, "commas.npy", fault.BadData, []string{"is text, want a .npy file", "numpy.loadtxt"}},
		{source, "list.npy", fault.BadData, []string{"is text, want a .npy file"}},
		{source, "cut.npy", fault.BadData, []string{"get it again"}},
		{source, "complex.npy", fault.BadData, []string{"holds complex numbers (dtype <c16)", "numpy.abs"}},
		{source, "words.npy", fault.BadData, []string{"holds text (dtype <U4), want numbers", "astype"}},
		{source, "dates.npy", fault.BadData, []string{"holds dates (dtype <M8[ns])", "astype"}},
		{source, "wide.npy", fault.BadData, []string{"holds floats of another size (dtype <f16)", "astype"}},
		{source, "record.npy", fault.BadData, []string{"holds a table with named columns", "structured_to_un"}},
		{matrix, "commas.txt", fault.BadData, []string{"is not a number; separate the numbers by spaces"}},
	} {
		t.Run(c.name, func(t *testing.T) { faulttest.Require(t, c.kind, c.read(c.name), c.err...) })
	}
}

// A folder without dataset.yaml says what there is instead.
func TestADescriptionUnderAnotherNameIsRecognised(t *testing.T) {
	for _, name := range []string{"dataset.yml", "Dataset.YAML", "data.yaml"} {
		dir := write(t, map[string]string{name: good, "other.yaml": "model: {path: x}\n"})
		_, err := Open(dir)
		faulttest.Require(t, fault.Missing, err, "has no dataset.yaml, but \""+name+"\"", "rename it to dataset.yaml")
		_, err = Open(filepath.Join(dir, name))
		require.NoError(t, err)
	}
	_, err := Open(write(t, map[string]string{"dataset_description.json": "{}"}))
	faulttest.Require(t, fault.Missing, err, "the dataset_description.json of BIDS")
	dir := write(t, map[string]string{"study.yaml": "model: {path: x}\n"})
	_, err = Open(dir)
	faulttest.Require(t, fault.Missing, err, dir+": has no dataset.yaml; name a data set, or import the folder")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dataset.yaml"), []byte("\x89HDF\r\n\x1a\n"), 0o600))
	_, err = Open(dir)
	faulttest.Require(t, fault.BadData, err, "is an HDF5 file, want YAML that describes a data set")
}
