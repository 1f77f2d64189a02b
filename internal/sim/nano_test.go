package sim

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

func TestWriteNano(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "models", "nano")
	require.NoError(t, WriteNano(dir))
	for _, name := range []string{"config.json", "preprocessor_config.json", "model.safetensors"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Less(t, info.Size(), int64(3<<20))
	}

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	assert.Equal(t, fault.IO, fault.KindOf(WriteNano(file)))
}

// What is embedded must stay small enough to ship.
func TestLexiconSize(t *testing.T) {
	files, err := lexiconFiles.ReadDir("lexicon")
	require.NoError(t, err)
	total := int64(0)
	for _, f := range files {
		info, err := f.Info()
		require.NoError(t, err)
		total += info.Size()
	}
	assert.Less(t, total, int64(2<<20))
}
