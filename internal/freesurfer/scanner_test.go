package freesurfer

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/fuzztest"
)

// The axes of a volume that is turned are those of mris_convert: a surface's x runs against its columns, y along its
// slices, z against its rows.
func TestScannerOfTurnedVolume(t *testing.T) {
	text := "\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x14valid = 1  # volume info valid\n" +
		"filename = ../mri/x.mgz\n" +
		"volume = 256 256 256\nvoxelsize = 1 1 1\nxras   = 0.6 0.8 0\nyras   = 0 0 -1\nzras   = -0.8 0.6 0\n" +
		"cras   = 1.5 -2 3e1\n"
	got, err := geometry(text)
	require.NoError(t, err)
	assert.Equal(t, [3][4]float64{{-.6, -.8, 0, 1.5}, {-.8, .6, 0, -2}, {0, 0, 1, 30}}, got)
	for old, with := range map[string]string{"valid = 1": "valid = 0", "cras   =": "cros =",
		"yras   = 0 0":  "yras   = 0 x",
		"zras   = -0.8": "zras   = NaN", "xras   = 0.6 0.8 0": "xras   = 0.6 0.8"} {
		_, err := geometry(strings.Replace(text, old, with, 1))
		assert.Error(t, err, with)
	}
}

// A surface cut anywhere is an error, and not a wrong place.
func TestScannerOfCutSurface(t *testing.T) {
	data, err := os.ReadFile("../regions/testdata/freesurfer/S1/surf/lh.white")
	require.NoError(t, err)
	whole, err := ScannerOf(data, "lh.white")
	require.NoError(t, err)
	assert.Equal(t, [3][4]float64{{1, 0, 0, 1.5}, {0, 1, 0, -20.25}, {0, 0, 1, 13}}, whole)
	for n := 0; n < len(data)-40; n += 37 {
		_, err := ScannerOf(data[:n], "lh.white")
		assert.Error(t, err, n)
	}
	_, err = ScannerOf([]byte("text"), "lh.white")
	assert.ErrorContains(t, err, "no surface of FreeSurfer")
}

// FuzzScannerOf feeds damaged surfaces: what is read is finite, and nothing panics.
func FuzzScannerOf(f *testing.F) {
	data, err := os.ReadFile("../regions/testdata/freesurfer/fsaverage/surf/lh.sphere.reg")
	require.NoError(f, err)
	f.Add(data)
	f.Add(data[:200])
	f.Add([]byte("\xff\xff\xfea\n\n\x00\x00\x00\x00\x00\x00\x00\x00xras = 1 0 0\n" +
		"yras = 1 0 0\nzras = 1 0 0\ncras = 1 0 0"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzztest.Run(t, 64, data, func() {
			scanner, err := ScannerOf(data, "fuzz")
			if err != nil {
				return
			}
			for _, row := range scanner {
				for _, x := range row {
					require.Zero(t, x-x)
				}
			}
		})
	})
}
