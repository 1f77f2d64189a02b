package cortex

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/gifti"
)

var nan = float32(math.NaN())

func save(t *testing.T, im *gifti.Image) string {
	t.Helper()
	var b bytes.Buffer
	_, err := im.WriteTo(&b)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "x.surf.gii")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	return path
}

func TestSurfacesComeBack(t *testing.T) {
	s := &Surface{Points: [][3]float32{{0, 0, 0}, {1, 0, 0}, {0, 1, 0}}, Faces: [][3]int32{{0, 1, 2}}}
	again, err := ReadSurface(save(t, s.GIFTI(Right)))
	require.NoError(t, err)
	assert.Equal(t, s, again)
	for part, change := range map[string]func(*Surface){
		"corner 3, there are 3 points": func(s *Surface) { s.Faces = [][3]int32{{0, 1, 3}} },
		"corner -1":                    func(s *Surface) { s.Faces = [][3]int32{{0, 1, -1}} },
		"point 2 is not finite":        func(s *Surface) { s.Points = [][3]float32{{}, {}, {0, nan, 0}} },
	} {
		bad := *s
		change(&bad)
		_, err := ReadSurface(save(t, bad.GIFTI(Left)))
		require.ErrorContains(t, err, part)
	}
	again, err = ReadSurface("../freesurfer/testdata/lh.tail")
	require.NoError(t, err)
	assert.Len(t, again.Faces, 14)
	spoilt, err := os.ReadFile("../freesurfer/testdata/lh.plain")
	require.NoError(t, err)
	spoilt[len(spoilt)-1] = 9 // the last corner
	path := filepath.Join(t.TempDir(), "lh.pial")
	require.NoError(t, os.WriteFile(path, spoilt, 0o600))
	_, err = ReadSurface(path)
	require.ErrorContains(t, err, "corner 9, there are 9 points")
	depth, err := ReadMap("../freesurfer/testdata/lh.sulc")
	require.NoError(t, err)
	assert.Len(t, depth, 9)
	for _, read := range []func() error{
		func() error { _, err := ReadMap("../freesurfer/testdata/want.json"); return err },
		func() error { _, err := ReadSurface("../freesurfer/testdata/lh.sulc"); return err },
	} {
		assert.Equal(t, fault.BadData, fault.KindOf(read()))
	}
	_, err = ReadSurface(save(t, MapGIFTI(Left, "r", []float32{1, 2})))
	require.ErrorContains(t, err, "no points")
	values, err := ReadMap(save(t, MapGIFTI(Left, "r", []float32{1, 2})))
	require.NoError(t, err)
	assert.Equal(t, []float32{1, 2}, values)
	both, err := ReadMaps(save(t, MapGIFTI(Left, "r", []float32{1, 2})), save(t, MapGIFTI(Right, "r", []float32{3})))
	require.NoError(t, err)
	assert.Equal(t, []float32{1, 2, 3}, both)
	both, err = ReadMaps("../cifti/testdata/maps.dscalar.nii")
	require.NoError(t, err)
	assert.Len(t, both, 14)
	_, err = ReadMap(save(t, s.GIFTI(Left)))
	require.ErrorContains(t, err, "one value for each vertex")
}

// The made-up brain has fsaverage5's numbers, closed and mirrored surfaces, left on the left, and a
// patch of the size asked for.
func TestSynthetic(t *testing.T) {
	left, right := Synthetic(5)
	require.Len(t, left.Surface.Points, 10242)
	require.Len(t, right.Surface.Faces, 20480)
	for v, p := range left.Surface.Points {
		q := right.Surface.Points[v]
		assert.Equal(t, [3]float32{-q[0], q[1], q[2]}, p)
		assert.Positive(t, q[0], "vertex %d", v)
	}
	for _, s := range []*Surface{left.Surface, right.Surface} {
		edges := map[[2]int32]int{}
		volume := 0.0
		for _, f := range s.Faces {
			for k := range 3 {
				edges[[2]int32{f[k], f[(k+1)%3]}]++
			}
			a, b, c := s.Points[f[0]], s.Points[f[1]], s.Points[f[2]]
			volume += float64(a[0]*(b[1]*c[2]-b[2]*c[1])+a[1]*(b[2]*c[0]-b[0]*c[2])+a[2]*(b[0]*c[1]-b[1]*c[0])) / 6
		}
		assert.Positive(t, volume, "triangles face outward")
		for e, n := range edges {
			require.Equal(t, 1, n)
			require.Equal(t, 1, edges[[2]int32{e[1], e[0]}], "the surface is closed")
		}
	}
	patch := left.Patch([3]float64{1, .1, -.2}, 100)
	assert.Equal(t, 100, patch.Count())
	for _, v := range patch.Columns() {
		assert.Less(t, left.Surface.Points[v][0], float32(-45))
	}
}
