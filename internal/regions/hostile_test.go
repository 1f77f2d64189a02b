package regions

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

// empty is an array of a GIFTI file without elements.
func empty(intent, kind string) string {
	return `<DataArray Intent="NIFTI_INTENT_` + intent + `" DataType="NIFTI_TYPE_` + kind + `" ArrayIndexingOrder=` +
		`"RowMajorOrder" Dimensionality="2" Dim0="0" Dim1="3" Encoding="ASCII" Endian="LittleEndian"><Data></Data>` +
		`</DataArray>`
}

func replaced(text, old, with string) string { return strings.Replace(text, old, with, 1) }

// A file that is missing or wrong says what it is.
func TestWrongFiles(t *testing.T) {
	columns := thick(t)
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	for _, c := range []struct {
		name   string
		change func(f *Files)
		kind   fault.Kind
		says   string
	}{
		{"no transform", func(f *Files) { f.Transform = "" }, fault.Missing, "no matrices.xfm"},
		{"no surfaces", func(f *Files) { f.Pial[0] = "" }, fault.Missing, "there are no surfaces"},
		{"not JSON", func(f *Files) { f.Transform = write("x", "{") }, fault.BadData, "unexpected end"},
		{"no coord", func(f *Files) { f.Transform = write("x", `{"magnet": []}`) }, fault.BadData, "no matrix coord"},
		{"short row", func(f *Files) { f.Transform = write("x", `{"coord": [[1],[],[],[]]}`) }, fault.BadData,
			"is not 4 × 4"},
		{"flat", func(f *Files) {
			f.Transform = write("x", `{"coord": [[1,0,0,0],[0,1,0,0],[1,1,0,0],[0,0,0,1]]}`)
		}, fault.BadData, "has no inverse"},
		{"projective", func(f *Files) {
			f.Transform = write("x", `{"coord": [[1,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,1,1]]}`)
		}, fault.BadData, "last row"},
		{"elsewhere", func(f *Files) {
			f.Transform = write("x", `{"coord": [[1,0,0,9999],[0,1,0,0],[0,0,1,0],[0,0,0,1]]}`)
			f.Cortical = ""
		}, fault.BadData, "none of the cortex"},
		{"no vertices", func(f *Files) {
			f.White[0] = write("x.gii", `<GIFTI Version="1.0" NumberOfDataArrays="2">`+empty("POINTSET", "FLOAT32")+
				empty("TRIANGLE", "INT32")+`</GIFTI>`)
		}, fault.BadData, ""},
		{"other side", func(f *Files) { f.Pial[1] = free + "/surf/../../fsaverage/surf/lh.sphere.reg" }, fault.BadData,
			"it has 225 vertices, the white surface has 324"},
		{"other flat map", func(f *Files) { f.Flat[0] = fsaverage + "/surf/lh.sphere.reg" }, fault.BadData,
			"it has 225 vertices"},
		{"no drawing", func(f *Files) { f.Overlays = write("x.svg", "<svg") }, fault.BadData, "XML"},
		{"no spheres", func(f *Files) { f.Sphere = [2]string{} }, fault.BadData, "there is no sphere.reg"},
		{"other sphere", func(f *Files) { f.Sphere[1] = fsaverage + "/surf/lh.sphere.reg" }, fault.BadData,
			"it has 225 vertices, the subject's surface has 324"},
	} {
		f := Look(store, transform, free, fsaverage)
		c.change(&f)
		_, err := Make(t.Context(), f, columns, Options{})
		require.Error(t, err, c.name)
		assert.Equal(t, c.kind, fault.KindOf(err), c.name)
		assert.ErrorContains(t, err, c.says, c.name)
	}
}

// Without spheres, the annotation of fsaverage is not looked at.
func TestAnnotationsOfTheAverageNeedSpheres(t *testing.T) {
	assert.Len(t, Look(store, transform, free, fsaverage).Annotations, 2)
	assert.Empty(t, Look(store, transform, "", fsaverage).Annotations)
}

// The tree finds what a search through all points finds, with points on top of each other too.
func TestNearest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 13, 500, 3000} {
		for _, grain := range []float64{0, 1, 1000} { // 0: all points are one; 1: many of them are
			points := make([][3]float64, n)
			at := func() (p [3]float64) {
				for k := range p {
					if p[k] = 10 * rng.Float64(); grain < 1000 {
						p[k] = math.Round(p[k] * grain)
					}
				}
				return p
			}
			for i := range points {
				points[i] = at()
			}
			tree := newTree(points)
			for range 50 {
				p := at()
				best, where := math.Inf(1), 0
				for i, q := range points {
					if d := squared(p, q); d < best {
						best, where = d, i
					}
				}
				got, distance := tree.nearest(p, math.Inf(1))
				assert.Equal(t, where, got)
				assert.Equal(t, math.Sqrt(best), distance)
				got, _ = tree.nearest(p, math.Sqrt(best)*1.001)
				assert.Equal(t, where, got)
				if got, _ = tree.nearest(p, math.Sqrt(best)*.999); best > 0 {
					assert.Equal(t, -1, got)
				}
			}
		}
	}
}
