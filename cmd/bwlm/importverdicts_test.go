package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/internal/labtest"
	"github.com/brainwavlm/bwlm/npy"
)

// arrayNames are the arrays of files that have several, and none where one cannot be meant.
var arrayNames = map[string]string{"lebel_test.hf5": "individual_repeats", "many_stories": "story000",
	"S01_responses": "Y_train", "data_trn": "story_01", "features.npz": "features", "stories.npz": "souls",
	"UTS00_responses.jbl": "souls", "joblib101": "souls", "f4.jbl": "souls", "noslice": "souls", "protocol": "souls",
	"v5_struct": "s.resp"}

// noMatrices are files that are read, but not as responses.
var noMatrices = map[string]string{"S01_mappers.hdf": "holds no array of floats of two or three dimensions",
	"UTS03_NC.npy": "one dimension of 7", "rois_S03.jbl": "AC (2) int64"}

// The command on each file of arrays of the laboratories: the verdict of the table, by exit code, text and values.
func TestImportArraysGivesEachFileItsVerdict(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	verdicts := labtest.Verdicts(t, "hdf5/*", "pytables/*", "old/*", "gallant/*", "mat/*", "numpy/*", "joblib/*",
		"ds003020/*.hf5", "ds003020/*/*/*/*.hf5")
	require.Len(t, verdicts, 110)
	dir := t.TempDir()
	sound := filepath.Join(dir, "souls.wav") // 12 TRs of 10 s, or 600 of .2 s
	require.NoError(t, audio.WriteWAV(sound, make([]float32, 120*4000), 4000, audio.PCM16))
	for file, verdict := range verdicts {
		t.Run(file, func(t *testing.T) {
			source, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
			folder, base := filepath.Join(source, "s1", "souls"), filepath.Base(file)
			require.NoError(t, os.MkdirAll(folder, 0o700))
			require.NoError(t, os.Symlink(sound, filepath.Join(source, "souls.wav")))
			content := filepath.Join(labtest.Dir(t), file)
			if target, err := os.Readlink(content); err == nil {
				require.NoError(t, os.Symlink(target, filepath.Join(folder, base)))
			} else {
				data, err := os.ReadFile(content)
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(filepath.Join(folder, base), data, 0o600))
			}
			imported := func(flags ...string) (int, string, string) {
				return call(t, append([]string{"import", "arrays", source, "--tr", "10", "--out", out, "--copy"},
					flags...)...)
			}
			code, stdout, stderr := imported()
			for part, name := range arrayNames {
				if strings.Contains(file, part) {
					assert.Equal(t, 65, code, stdout)
					assert.Contains(t, stderr, "name one of them with --var: ")
					code, stdout, stderr = imported("--var", name)
				}
			}
			if strings.Contains(stderr, ": 600 rows ") {
				code, stdout, stderr = imported("--tr", "0.2", "--var", map[bool]string{true: "Y_train"}[base ==
					"S01_responses.hdf"])
			}
			assert.NotContains(t, stderr, "bwlm-import-", "a temporary file")
			want, said := wantVerdict(base, verdict)
			require.Equal(t, want, code, stdout+stderr)
			if assert.Contains(t, stdout+stderr, said); code == 0 {
				sameAsTruth(t, out, verdict)
			}
			if _, flag, ok := strings.Cut(verdict, "refuse unless "); ok {
				assert.Contains(t, stderr, flag)
				code, stdout, stderr = imported(flag)
				require.Zero(t, code, stdout+stderr)
				sameAsTruth(t, out, verdict)
			}
		})
	}
}

// wantVerdict is the exit code of a verdict, and what is said.
func wantVerdict(base, verdict string) (code int, said string) {
	if text, ok := noMatrices[base]; ok {
		return 65, text
	}
	switch {
	case verdict == "read as clocks":
		return 65, "holds no array of floats"
	case verdict == "read, voxel 3 left out":
		return 0, "Left out: 1 of 7 voxels of "
	case strings.HasPrefix(verdict, "read, note: chunks missing"):
		return 0, "Note: s1/souls/missing_chunks.h5: 8 of 9 chunks of data were not written; their elements are -1.5."
	case strings.HasPrefix(verdict, "read"):
		return 0, ""
	case strings.HasPrefix(verdict, "66"):
		return 66, "souls/" + base + ", 156.4 MB; run `datalad get -d "
	case strings.HasPrefix(verdict, "ask for --var"):
		return 65, "name one of them with --var: "
	}
	return 65, map[string]string{
		"refuse unless --scale":                 "an attribute scale, which may mean other numbers",
		"refuse unless --transpose":             "7 × 12 looks transposed",
		"refuse: never written":                 "the array was never written",
		"refuse: filter scaleoffset":            "the filter scaleoffset is not read",
		"refuse: virtual data set":              "the array is a virtual data set",
		"refuse by name (blosc: read if built)": " is not read; write the array again with compression gzip",
		"refuse: sparse":                        "sp is a sparse matrix",
		"refuse: four dimensions":               "4 dimensions, want TRs × voxels",
		"refuse: Python objects":                "a .npy file of Python objects",
		"refuse: text":                          `holds text (dtype <U6)`,
		"refuse: object array":                  "holds an object array",
	}[verdict]
}

// sameAsTruth compares the copy with what was put into the files.
func sameAsTruth(t *testing.T, out, verdict string) {
	found, err := filepath.Glob(filepath.Join(out, "*", "souls.npy"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	a, err := npy.Read(found[0])
	require.NoError(t, err)
	got, err := a.Float64()
	require.NoError(t, err)
	for _, name := range []string{"X", "R", "big"} {
		shape, want := labtest.Truth(t, name)
		if !assert.ObjectsAreEqual(shape, a.Shape) || strings.Contains(verdict, "missing") {
			continue
		}
		for i, x := range want {
			require.InDelta(t, x, got[i], 1e-3*max(1, x, -x), "number %d", i)
		}
	}
}
