package datacheck

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
)

func TestTSNRIsTheMedianOverVoxels(t *testing.T) {
	// Means 100, 40, 10 and 7 in SDs of 1: rows go up and down by 1.
	matrix := func(rows int, scale float32) *dataset.Matrix {
		m := dataset.NewMatrix(rows, 4, make([]float32, rows*4))
		for k := range rows {
			for v, mean := range []float32{100, 40, 10, 7} {
				m.Row(0, k)[v] = mean*scale + float32(2*(k%2)-1)
			}
			m.Row(0, k)[3] = 7
		}
		return m
	}
	report, err := Run(t.Context(), mustNew(t, two(matrix(30, 1), matrix(46, 2))), Options{})
	require.NoError(t, err)
	require.Len(t, report.Subjects, 1)
	s := report.Subjects[0]
	assert.Equal(t, []any{"s1", 2, 76, 152.0, 4}, []any{s.Subject, s.Stories, s.Rows, s.Seconds, s.Voxels})
	assert.InDelta(t, 40*(30+2*46)/76., s.TSNR, 1e-4, "of three voxels; the fourth does not vary")
	assert.Nil(t, s.FD)

	report, err = Run(t.Context(), mustNew(t, two(noise(30, 5), noise(45, 5))), Options{})
	require.NoError(t, err)
	assert.Zero(t, report.Subjects[0].TSNR, "the mean is no longer there")
}

func TestDisplacementOfTables(t *testing.T) {
	dir := t.TempDir()
	head := "trans_x\ttrans_y\ttrans_z\trot_x\trot_y\trot_z\n"
	for name, text := range map[string]string{
		"dataset.yaml": "tr_seconds: 2\nstories:\n  a: {audio: a.wav}\nsubjects:\n  s: {a: r.txt}\n" +
			"motion:\n  s: {a: m.tsv}\n",
		"r.txt": strings.Repeat("1\n2\n", 2),
		"m.tsv": head + "0\t0\t0\t0\t0\t0\n.1\t0\t0\t0\t0\t0\n.1\t0\t-.2\t.01\t0\t0\n.1\t0\t-.2\t.01\t0\t0\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	d, err := dataset.Open(dir)
	require.NoError(t, err)
	report, err := Run(t.Context(), d, Options{Stories: []string{"a"}, Failed: func(error) {}})
	require.NoError(t, err)
	require.Len(t, report.Subjects, 1)
	require.NotNil(t, report.Subjects[0].FD)
	fd := *report.Subjects[0].FD
	assert.Equal(t, 4, fd.Rows)
	assert.InDelta(t, (.1+.2+50*.01)/4, fd.Mean, 1e-9)
	assert.InDelta(t, .25, fd.Share, 1e-9)
}

func TestValuesThatAreNotFiniteAreCounted(t *testing.T) {
	m := noise(30, 5)
	for k := range 30 {
		m.Row(0, k)[2] = float32(math.NaN())
	}
	m.Row(0, 3)[4] = float32(math.NaN())
	report, err := Run(t.Context(), mustNew(t, two(m, noise(45, 5))), Options{Failed: func(error) {}})
	require.NoError(t, err)
	assert.Equal(t, []int{2, 0}, []int{report.Matrices[0].NotFinite, report.Matrices[1].NotFinite})
}
