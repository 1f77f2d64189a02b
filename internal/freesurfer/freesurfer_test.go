package freesurfer

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return data
}

// What nibabel reads is what is read, with and without the geometry of the volume at the end.
func TestGoldens(t *testing.T) {
	var want map[string]struct {
		Points, Values []float32
		Faces          []int32
	}
	require.NoError(t, json.Unmarshal(file(t, "want.json"), &want))
	for _, name := range []string{"lh.plain", "lh.tail"} {
		points, faces, err := ParseSurface(file(t, name), name)
		require.NoError(t, err)
		var p []float32
		for _, x := range points {
			p = append(p, x[:]...)
		}
		var f []int32
		for _, x := range faces {
			f = append(f, x[:]...)
		}
		assert.Equal(t, want[name].Points, p)
		assert.Equal(t, want[name].Faces, f)
	}
	values, err := ParseCurvature(file(t, "lh.sulc"), "lh.sulc")
	require.NoError(t, err)
	assert.Equal(t, want["lh.sulc"].Values, values)
}

func bytesOf(magic []byte, comment string, numbers ...int32) []byte {
	b := append([]byte(nil), magic...)
	b = append(b, comment...)
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return b
}

func TestHostileFiles(t *testing.T) {
	const two = "by\n\n"
	for why, c := range map[string]struct {
		data []byte
		part string
	}{
		"empty":            {nil, "no surface"},
		"text":             {[]byte("hello"), "no surface"},
		"quadrangles":      {bytesOf(quadrangles, two, 1, 1), "quadrangles"},
		"a curvature":      {file(t, "lh.sulc"), "or no surface"},
		"no comment":       {bytesOf(triangles, ""), "ends in its comment"},
		"one line":         {bytesOf(triangles, "by\n"), "ends in its comment"},
		"endless comment":  {bytesOf(triangles, string(make([]byte, 1<<16))), "ends in its comment"},
		"no numbers":       {bytesOf(triangles, two, 1), "before its numbers"},
		"no vertices":      {bytesOf(triangles, two, 0, 1, 0, 0, 0), "0 vertices"},
		"no triangles":     {bytesOf(triangles, two, 1, 0, 0, 0, 0), "0 triangles"},
		"negative":         {bytesOf(triangles, two, -1, 1, 0, 0, 0), "-1 vertices"},
		"huge":             {bytesOf(triangles, two, math.MaxInt32, math.MaxInt32), "2147483647 vertices"},
		"more than follow": {bytesOf(triangles, two, 2, 1, 0, 0, 0, 0, 0, 0), "24 bytes follow"},
	} {
		fuzztest.Run(t, 4, c.data, func() {
			_, _, err := ParseSurface(c.data, "x")
			require.ErrorContains(t, err, c.part, why)
			assert.Equal(t, fault.BadData, fault.KindOf(err), why)
		})
	}
	for why, c := range map[string]struct {
		data []byte
		part string
	}{
		"empty":            {nil, "no curvature"},
		"old format":       {[]byte{0, 0, 2, 0, 0, 1, 0, 5, 0, 6}, "mris_convert -c"},
		"a surface":        {file(t, "lh.plain"), "no curvature"},
		"header":           {bytesOf(curvature, "", 1, 1), "ends in its header"},
		"no vertices":      {bytesOf(curvature, "", 0, 0, 1), "0 vertices"},
		"negative":         {bytesOf(curvature, "", -5, 0, 1), "-5 vertices"},
		"huge":             {bytesOf(curvature, "", math.MaxInt32, 0, 1), "2147483647 vertices"},
		"more than follow": {bytesOf(curvature, "", 2, 0, 1, 5), "4 bytes follow"},
		"several a vertex": {bytesOf(curvature, "", 1, 0, 3, 5, 5, 5), "3 numbers for each"},
	} {
		fuzztest.Run(t, 4, c.data, func() {
			_, err := ParseCurvature(c.data, "x")
			require.ErrorContains(t, err, c.part, why)
			assert.Equal(t, fault.BadData, fault.KindOf(err), why)
		})
	}
	for name, parse := range map[string]func([]byte) error{
		"lh.plain": func(b []byte) error { _, _, err := ParseSurface(b, "x"); return err },
		"lh.sulc":  func(b []byte) error { _, err := ParseCurvature(b, "x"); return err },
	} {
		whole := file(t, name)
		require.NoError(t, parse(whole))
		for n := range whole {
			require.Error(t, parse(whole[:n]), "the first %d bytes of %s", n, name)
		}
	}
}

func FuzzSurface(f *testing.F) {
	fuzztest.Seeds(f, "testdata/lh.*")
	f.Fuzz(func(t *testing.T, input []byte) {
		fuzztest.Run(t, 4, input, func() {
			points, faces, err := ParseSurface(input, "fuzz")
			if err == nil {
				require.LessOrEqual(t, 12*(len(points)+len(faces)), len(input))
			}
		})
	})
}

func FuzzCurvature(f *testing.F) {
	fuzztest.Seeds(f, "testdata/lh.*")
	f.Fuzz(func(t *testing.T, input []byte) {
		fuzztest.Run(t, 4, input, func() {
			values, err := ParseCurvature(input, "fuzz")
			if err == nil {
				require.LessOrEqual(t, 4*len(values), len(input))
			}
		})
	})
}
