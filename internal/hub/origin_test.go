package hub

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheOriginOfAModelIsInItsFolder(t *testing.T) {
	sha := strings.Repeat("0123456789", 4)
	dir := filepath.Join(t.TempDir(), "models--microsoft--wavlm-base-plus", "snapshots", sha)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	card := []byte("---\ntags: x\nlicense: mit\n---\nlicense: no\n")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README.md"), card, 0o644))
	assert.Equal(t, Origin{"microsoft/wavlm-base-plus", sha, "mit"}, OriginOf(dir))

	own := t.TempDir()
	notes := filepath.Join(own, ".cache", "huggingface", "download")
	require.NoError(t, os.MkdirAll(notes, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(notes, "config.json.metadata"), []byte(sha+"\nabc\n1.0\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(own, "README.md"), []byte("license: mit\n"), 0o644))
	assert.Equal(t, Origin{Revision: sha}, OriginOf(own), "a licence stands in the front matter")
	assert.Equal(t, Origin{}, OriginOf(t.TempDir()))
}
