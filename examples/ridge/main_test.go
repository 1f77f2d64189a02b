package main

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/exampletest"
	"github.com/brainwavlm/bwlm/npy"
)

func TestMain(m *testing.M) { exampletest.Main(m) }

// Voxel 0 follows feature 0 two rows later, voxel 1 is noise, voxel 2 does not vary.
func TestRidge(t *testing.T) {
	dir := t.TempDir()
	var files []string
	write := func(name string, rows int, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		x, y := make([]float32, rows*3), make([]float32, rows*3)
		for k := range rows {
			for c := range 3 {
				x[k*3+c] = float32(r.NormFloat64())
			}
			y[k*3], y[k*3+1], y[k*3+2] = float32(.3*r.NormFloat64()), float32(r.NormFloat64()), 7
			if k >= 2 {
				y[k*3] += x[(k-2)*3]
			}
		}
		for suffix, values := range map[string][]float32{"x": x, "y": y} {
			require.NoError(t, npy.Write(filepath.Join(dir, name+suffix), []int{rows, 3}, values))
		}
		files = append(files, filepath.Join(dir, name+"x"), filepath.Join(dir, name+"y"))
	}
	write("train", 400, 1)
	write("test", 200, 2)
	out := filepath.Join(dir, "r.npy")
	var printed strings.Builder
	require.NoError(t, run(t.Context(), append([]string{"-out", out}, files...), &printed))
	assert.Contains(t, printed.String(), "over 2 voxels that vary")
	a, err := npy.Read(out)
	require.NoError(t, err)
	r, err := a.Float32()
	require.NoError(t, err)
	assert.InDelta(t, .95, r[0], .03, "the planted voxel; noise of SD .3 leaves .958")
	assert.InDelta(t, 0, r[1], .2)
	assert.Zero(t, r[2])

	err = run(t.Context(), []string{files[0], files[3], files[2], files[3]}, &printed)
	assert.Equal(t, fault.BadData, fault.KindOf(err))
}
