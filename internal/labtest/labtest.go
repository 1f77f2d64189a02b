// Package labtest gives tests the laboratory files of the shared test data: small files by the programs that
// laboratories use, what a reader must make of each, and the arrays that are in them.
package labtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/npy"
)

// Dir returns the folder of laboratory files. It skips the test where BWLM_SHARED does not name the shared data.
func Dir(t testing.TB) string {
	t.Helper()
	root := os.Getenv("BWLM_SHARED")
	if root == "" {
		t.Skip("BWLM_SHARED does not name the folder of shared test data")
	}
	if !filepath.IsAbs(root) {
		top, err := os.Getwd()
		require.NoError(t, err)
		for {
			if _, err := os.Stat(filepath.Join(top, "go.mod")); err == nil || top == filepath.Dir(top) {
				break
			}
			top = filepath.Dir(top)
		}
		root = filepath.Join(top, root)
	}
	dir := filepath.Join(root, "labfiles")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the shared test data have no laboratory files: %v", err)
	}
	return dir
}

// Verdicts returns what must become of each file whose path below [Dir] matches one of the patterns.
func Verdicts(t testing.TB, patterns ...string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Dir(t), "verdicts.tsv"))
	require.NoError(t, err)
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		file, verdict, ok := strings.Cut(strings.TrimSpace(line), "\t")
		require.True(t, ok, line)
		for _, pattern := range patterns {
			match, err := filepath.Match(pattern, file)
			require.NoError(t, err)
			if match {
				out[file] = verdict
			}
		}
	}
	return out
}

// Truth returns an array that was put into files: its shape and its elements row by row.
func Truth(t testing.TB, name string) ([]int, []float64) {
	t.Helper()
	a, err := npy.Read(filepath.Join(Dir(t), "truth", name+".npy"))
	require.NoError(t, err)
	values, err := a.Float64()
	require.NoError(t, err)
	return a.Shape, values
}
