// Package filetest makes files of runs and data sets for tests.
package filetest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/npy"
)

// Put writes a file below a folder: a string as it is, numbers as a .npy of one dimension, anything
// else as JSON.
func Put(t testing.TB, dir, name string, v any) {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	switch v := v.(type) {
	case string:
		require.NoError(t, os.WriteFile(path, []byte(v), 0o644))
	case []float32:
		require.NoError(t, npy.Write(path, []int{len(v)}, v))
	default:
		text, err := json.Marshal(v)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, text, 0o644))
	}
}
