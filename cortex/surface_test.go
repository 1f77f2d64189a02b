package cortex

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/cortex/gifti"
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
	_, err = ReadSurface(save(t, MapGIFTI(Left, "r", []float32{1, 2})))
	require.ErrorContains(t, err, "no points")
	values, err := ReadMap(save(t, MapGIFTI(Left, "r", []float32{1, 2})))
	require.NoError(t, err)
	assert.Equal(t, []float32{1, 2}, values)
	_, err = ReadMap(save(t, s.GIFTI(Left)))
	require.ErrorContains(t, err, "one value for each vertex")
}
