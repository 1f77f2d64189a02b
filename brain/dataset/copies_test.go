package dataset

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Responses in text are copied by rows into the cache folder once, and are then opened by a header. Without the folder,
// or where nothing is to be made, they are held.
func TestTextIsCopiedIntoTheCache(t *testing.T) {
	dir, cache := t.TempDir(), filepath.Join(t.TempDir(), "responses")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.txt"), []byte("1 2\n3 4\n5 6\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dataset.yaml"),
		[]byte("tr_seconds: 2\nstories: {a: {audio: a.wav}}\nsubjects: {s: {a: a.txt}}\n"), 0o600))
	for _, c := range []struct {
		change func(*Spec)
		copied string
		files  int
	}{
		{func(*Spec) {}, "", 0},
		{func(s *Spec) { s.CacheDir, s.CacheOnly = cache, true }, "", 0},
		{func(s *Spec) { s.CacheDir = cache }, "text", 1},
		{func(s *Spec) { s.CacheDir = cache }, "text", 1},
		{func(s *Spec) { s.CacheDir, s.CacheOnly = cache, true }, "text", 1},
	} {
		d, err := Open(dir, c.change)
		require.NoError(t, err)
		r, err := d.OpenResponses(t.Context(), "s", "a")
		require.NoError(t, err)
		assert.Equal(t, c.copied, r.Copied)
		m, err := d.ReadResponses(t.Context(), "s", "a")
		require.NoError(t, err)
		assert.Equal(t, []float32{1, 2, 3, 4, 5, 6}, m.Data)
		entries, _ := os.ReadDir(cache)
		assert.Len(t, entries, c.files)
	}
}
