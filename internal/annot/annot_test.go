package annot

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
)

// What nibabel reads is what is read.
func TestGoldens(t *testing.T) {
	for _, name := range []string{"new", "old"} {
		var want struct {
			Labels  []int32
			Names   []string
			Colours [][3]uint8
		}
		text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &want))
		got, err := Read(filepath.Join("testdata", name+".annot"))
		require.NoError(t, err)
		assert.Equal(t, want.Labels, got.Labels)
		for i, e := range got.Table {
			assert.Equal(t, want.Names[i], e.Name)
			assert.Equal(t, want.Colours[i], [3]uint8{e.R, e.G, e.B})
		}
		assert.Contains(t, got.Labels, int32(None), "some vertex has no label")
	}
}

// file makes an annotation of vertex-colour pairs and whatever follows them.
func file(pairs []int32, rest ...any) []byte {
	b, _ := binary.Append(nil, binary.BigEndian, int32(len(pairs)/2))
	b, _ = binary.Append(b, binary.BigEndian, pairs)
	for _, x := range rest {
		switch x := x.(type) {
		case int:
			b, _ = binary.Append(b, binary.BigEndian, int32(x))
		case string:
			b, _ = binary.Append(b, binary.BigEndian, int32(len(x)))
			b = append(b, x...)
		}
	}
	return b
}

func TestHostileFiles(t *testing.T) {
	good := file([]int32{0, 1, 1, 2}, 1, -2, 2, "f", 2, 0, "a\x00", 1, 0, 0, 0, 1, "b\x00", 2, 0, 0, 0)
	a, err := decode(good, "x.annot")
	require.NoError(t, err)
	require.Equal(t, []int32{0, 1}, a.Labels)
	for why, c := range map[string]struct {
		data []byte
		part string
	}{
		"empty":            {nil, "0 vertices"},
		"negative count":   {file(nil, -1)[4:], "-1 vertices"},
		"huge count":       {binary.BigEndian.AppendUint32(nil, 0x7fffffff), "2147483647 vertices"},
		"vertex twice":     {file([]int32{0, 1, 0, 1}, 1, 1), "vertex 0"},
		"vertex too large": {file([]int32{0, 1, 2, 1}, 1, 1), "vertex 2"},
		"no table":         {file([]int32{0, 1}), "no colour table"},
		"version":          {file([]int32{0, 1}, 1, -3, 1, "f", 0), "version 3"},
		"huge table":       {file([]int32{0, 1}, 1, -2, 1<<30, "f", 0), "declares 1073741824 rows"},
		"more than table":  {file([]int32{0, 1}, 1, -2, 1, "f", 2, 0, "a", 1, 0, 0, 0, 1, "b", 2, 0, 0, 0), "holds 2"},
		"row out of range": {file([]int32{0, 1}, 1, -2, 1, "f", 1, 7, "a", 1, 0, 0, 0), "row 7"},
		"row twice":        {file([]int32{0, 1}, 1, -2, 2, "f", 2, 0, "a", 1, 0, 0, 0, 0, "b", 2, 0, 0, 0), "row 0"},
		"colour":           {file([]int32{0, 1}, 1, -2, 1, "f", 1, 0, "a", 256, 0, 0, 0), "256"},
		"unknown colour":   {file([]int32{0, 9}, 1, -2, 1, "f", 1, 0, "a", 1, 0, 0, 0), "0x9"},
		"two names": {file([]int32{0, 1}, 1, -2, 2, "f", 2, 0, "a", 1, 0, 0, 0, 1, "b", 1, 0, 0, 0),
			`both "a" and "b"`},
		"name past end": {append(file([]int32{0, 1}, 1, -2, 1, "f", 1, 0), 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0,
			0, 0, 0, 0, 0), "ends in the middle"},
		"long old name": {file([]int32{0, 1}, 1, 1, "f", strings.Repeat("n", 200), 1, 0), "ends in the middle"},
	} {
		fuzztest.Run(t, 4, c.data, func() {
			_, err := decode(c.data, "x.annot")
			require.ErrorContains(t, err, c.part, why)
			assert.Equal(t, fault.BadData, fault.KindOf(err), why)
		})
	}
	for n := range good {
		_, err := decode(good[:n], "x.annot")
		require.Error(t, err, "the first %d bytes", n)
	}
	_, err = Read("testdata/none.annot")
	assert.Equal(t, fault.Missing, fault.KindOf(err))
}

// Real files: each vertex of fsaverage5 has a label, as many as the atlas has regions.
func TestRealAtlas(t *testing.T) {
	shared := os.Getenv("BWLM_SHARED")
	if shared == "" {
		t.Skip("BWLM_SHARED is not set: no real atlas")
	}
	a, err := Read(filepath.Join(shared, "data/brain/fsaverage5_enigma/fsa5_lh_glasser_360.annot"))
	require.NoError(t, err)
	assert.Len(t, a.Labels, 10242)
	assert.Len(t, a.Table, 181)
	counts := map[string]int{}
	for _, l := range a.Labels {
		counts[a.Table[l].Name]++
	}
	assert.Equal(t, 27, counts["A1"])
	assert.Len(t, counts, 181)
}

func FuzzAnnot(f *testing.F) {
	fuzztest.Seeds(f, "testdata/*.annot")
	f.Fuzz(func(t *testing.T, input []byte) {
		fuzztest.Run(t, 64, input, func() {
			a, err := decode(input, "fuzz")
			if err != nil {
				return
			}
			for _, l := range a.Labels {
				require.True(t, l == None || int(l) < len(a.Table))
			}
		})
	})
}
