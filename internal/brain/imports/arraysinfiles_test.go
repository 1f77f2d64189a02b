package imports

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/labtest"
)

// Matrices in files of arrays are imported as those in .npy.
func TestArraysInFiles(t *testing.T) {
	shape, want := labtest.Truth(t, "X")
	for to, c := range map[string]struct {
		from, name string
		inPlace    bool
	}{
		"s1/souls.hdf5":     {"hdf5/contiguous_latest.h5", "", true},
		"s1/souls.h5":       {"hdf5/onechunk_v110.h5", "", false},
		"s1_task-souls.mat": {"mat/v5_struct.mat", "s.resp", true},
		"s1/souls_v4.mat":   {"mat/v4.mat", "", true},
		"s1/big.mat":        {"mat/v5_compressed.mat", "data", false},
		"s1.npz":            {"numpy/stories.npz", "", true},
		"s1.jbl.z":          {"joblib/UTS00_responses.jbl.z", "", false},
		"s1/big.pkl":        {"joblib/noslice_sub-UTS03_story_data.pkl", "souls", true},
	} {
		seconds := map[string]int{"souls.wav": 24, "avatar.wav": 16, "wheretheressmoke.wav": 24}
		dir := study(t, seconds, nil)
		path := filepath.Join(dir, to)
		if c.name == "souls" || c.name == "data" {
			path = filepath.Join(dir, "s1", "souls", filepath.Base(to))
		}
		content, err := os.ReadFile(filepath.Join(labtest.Dir(t), c.from))
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, content, 0o600))
		for _, link := range []bool{true, false} {
			f, err := Arrays(t.Context(), dir, 2, c.name)
			require.NoError(t, err, to)
			out := filepath.Join(t.TempDir(), "out")
			_, err = f.Import(t.Context(), Options{Dir: out, Link: link})
			if link && !c.inPlace {
				faulttest.Require(t, fault.BadData, err, "cannot be read where they lie")
				continue
			}
			require.NoError(t, err, to)
			d, err := dataset.Open(out)
			require.NoError(t, err)
			m, err := d.ReadResponses(t.Context(), d.SubjectNames()[0], "souls")
			require.NoError(t, err, to)
			require.Equal(t, shape, []int{m.Rows, m.Voxels}, to)
			for i, x := range want {
				require.Equal(t, float32(x), m.Data[i], to)
			}
		}
	}
	dir := study(t, map[string]int{"souls.wav": 24}, nil)
	content, err := os.ReadFile(filepath.Join(labtest.Dir(t), "mat/v5.mat"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "souls.mat"), content, 0o600))
	_, err = Arrays(t.Context(), dir, 2, "nothing")
	faulttest.Require(t, fault.BadData, err, "there is no such array; choose one of them by name: data (12, 7) float64")
	f, err := Arrays(t.Context(), dir, 2, "data")
	require.NoError(t, err)
	assert.Equal(t, "data", f.Subjects[0].Responses[0].Array)
}
