package dataset

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/npy"
)

func TestRegionFiles(t *testing.T) {
	dir := t.TempDir()
	array := func(name string, err error) string {
		require.NoError(t, err)
		return name
	}
	text := func(name, text string) string {
		return array(name, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{
		text("columns.txt", "# Heschl's gyrus\n4 1\n2\n"),
		text("floats.txt", "4.0 1.000e+00 2"),
		text("mask.txt", "0\n1\n1\n0\n1\n0\n"),
		text("true.txt", "False True true false TRUE false"),
		text("columns.json", "[4, 1, 2]"),
		text("mask.json", "[false, true, true, false, true, false]"),
		text("01.json", "[0, 1, 1, 0, 1, 0]"),
		array("columns.npy", npy.Write(at("columns.npy"), []int{3}, []int64{4, 1, 2})),
		array("floats.npy", npy.Write(at("floats.npy"), []int{3}, []float64{4, 1, 2})),
		array("bool.npy", npy.Write(at("bool.npy"), []int{6}, []bool{false, true, true, false, true, false})),
		array("uint8.npy", npy.Write(at("uint8.npy"), []int{6}, []uint8{0, 1, 1, 0, 1, 0})),
	} {
		region, err := folder{dir: dir}.region(t.Context(), name)
		require.NoError(t, err, name)
		columns, err := region.in("ROI", 6, "")
		require.NoError(t, err, name)
		assert.Equal(t, []int{1, 2, 4}, columns, name)
	}
	for name, part := range map[string]string{
		text("bad1.txt", "1 x"):         `line 1: "x" is not a column`,
		text("bad2.txt", "1.5"):         "is not a column",
		text("bad3.txt", "1 true"):      "another kind",
		text("bad4.txt", "1e300"):       "is not a column",
		text("bad1.json", "[1, 2.5]"):   "whole numbers",
		text("bad2.json", `{"a": [1]}`): "whole numbers",
		text("bad3.json", "[1, true]"):  "whole numbers",
		text("bad4.json", "[1] [2]"):    "whole numbers",
		text("bad.csv", "1"):            `".csv"`,
		text("bad.npy", "not an array"): "bad.npy",
		array("nan.npy", npy.Write(at("nan.npy"), []int{1}, []float32{.5})):    "element 0 is 0.5",
		array("2d.npy", npy.Write(at("2d.npy"), []int{1, 2}, []float32{1, 2})): "one dimension",
	} {
		_, err := folder{dir: dir}.region(t.Context(), name)
		faulttest.Require(t, fault.BadData, err, part)
	}
}

func TestRegionMustFitTheResponses(t *testing.T) {
	columns := func(n ...int) Region { return Region{Columns: n} }
	for _, c := range []struct {
		region Region
		voxels int
		part   string
	}{
		{columns(0, 6), 6, "column 6 is not among"},
		{columns(-1), 6, "column -1 is not among"},
		{columns(2, 2), 6, "column 2 is listed twice"},
		{columns(0, 1, 2, 2, 3, 0), 6, "column 0 is listed twice"}, // an atlas of labels is no mask
		{columns(0, 1, 1), 6, "column 1 is listed twice"},          // a mask of another subject
		{Region{Mask: []bool{true, false}}, 6, "for 2 voxels, the responses have 6"},
		{Region{Mask: make([]bool, 6)}, 6, "empty"},
		{columns(), 6, "empty"},
		{columns(0, 0, 0), 3, "empty"}, // a mask without a voxel
	} {
		_, err := c.region.in("ROI", c.voxels, "here")
		faulttest.Require(t, fault.BadData, err, "here", c.part)
	}
	for _, c := range []struct {
		region Region
		voxels int
		want   []int
	}{
		{columns(1, 1, 1), 3, []int{0, 1, 2}}, // a full mask
		{columns(300, 70000), 81126, []int{300, 70000}},
		{columns(1, 0), 2, []int{0, 1}}, // two numbers are columns
		{columns(1), 2, []int{1}},
	} {
		got, err := c.region.in("ROI", c.voxels, "")
		require.NoError(t, err)
		assert.Equal(t, c.want, got)
	}
}

func TestROI(t *testing.T) {
	spec := subjects([]string{"s1", "s2"}, []string{"mean"})
	spec.ROIs = []ROI{
		{Name: "both", Region: Value(Region{Columns: []int{1}})},
		{Name: "own", BySubject: []SubjectRegion{{"s1", Value(Region{Columns: []int{1}})},
			{"mean", Value(Region{Columns: []int{0}})}}},
	}
	d := mustNew(t, spec)
	get := func(name, subject string, voxels int) ([]int, error) {
		return d.ROI(t.Context(), name, subject, voxels)
	}
	for _, c := range []struct {
		name, subject string
		want          int
	}{{"both", "s2", 1}, {"own", "s1", 1}, {"own", "mean", 0}} {
		columns, err := get(c.name, c.subject, 2)
		require.NoError(t, err)
		assert.Equal(t, []int{c.want}, columns)
	}
	_, err := get("own", "s2", 2)
	faulttest.Require(t, fault.BadData, err, "rois/own", "not given for subject s2, only for s1, mean")
	_, err = get("both", "s2", 1)
	faulttest.Require(t, fault.BadData, err, "rois/both, subject s2", "column 1")
	_, err = get("bott", "s2", 1)
	faulttest.Require(t, fault.Usage, err, `did you mean "both"?`)
}
