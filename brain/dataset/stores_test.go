package dataset

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// Links of a data set may lead to the store of its own copy, and to nothing else outside its folder.
func TestLinksToTheStoreOfADataSet(t *testing.T) {
	top := t.TempDir()
	file := func(name string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(top, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(top, name), []byte("1 2\n"), 0o644))
	}
	link := func(name, to string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(top, name)), 0o755))
		require.NoError(t, os.Symlink(to, filepath.Join(top, name)))
	}
	file("hub/datasets--a/blobs/1")
	file("hub/datasets--b/blobs/1")
	file("hub/secret")
	file("repo/.git/annex/objects/xy/K/K")
	file("repo/.git/config")
	file("repo/plain")
	link("hub/datasets--a/snapshots/0f/m.txt", "../../blobs/1")
	link("hub/datasets--a/snapshots/0f/sub/m.txt", "../../../blobs/1")
	link("hub/datasets--a/snapshots/0f/twice.txt", "m.txt")
	link("hub/datasets--a/snapshots/0f/other.txt", "../../../datasets--b/blobs/1")
	link("hub/datasets--a/snapshots/0f/secret.txt", "../../../secret")
	link("hub/datasets--a/snapshots/0f/up.txt", "../../blobs/../../secret")
	link("repo/data/m.txt", "../.git/annex/objects/xy/K/K")
	link("repo/data/config.txt", "../.git/config")
	link("repo/data/plain.txt", "../plain")
	file("plain/blobs/1")
	link("plain/a/0f/m.txt", "../../blobs/1")
	link("named", "hub/datasets--a/snapshots/0f")
	for _, c := range []struct {
		dir, name string
		good      bool
	}{
		{"hub/datasets--a/snapshots/0f", "m.txt", true}, {"hub/datasets--a/snapshots/0f", "sub/m.txt", true},
		{"hub/datasets--a/snapshots/0f/sub", "m.txt", true}, {"hub/datasets--a/snapshots/0f", "twice.txt", true},
		{"named", "m.txt", true}, {"repo/data", "m.txt", true},
		{"hub/datasets--a/snapshots/0f", "other.txt", false}, {"hub/datasets--a/snapshots/0f", "secret.txt", false},
		{"hub/datasets--a/snapshots/0f", "up.txt", false}, {"repo/data", "config.txt", false},
		{"repo/data", "plain.txt", false}, {"plain/a/0f", "m.txt", false},
		{"hub/datasets--a/snapshots/0f", "../../blobs/1", false},
	} {
		_, err := folder{dir: filepath.Join(top, c.dir)}.matrix(t.Context(), c.name)
		if c.good {
			assert.NoError(t, err, "%s of %s", c.name, c.dir)
		} else {
			faulttest.Require(t, fault.BadData, err, filepath.Base(c.name), "leads out of the data set's folder")
		}
	}
}
