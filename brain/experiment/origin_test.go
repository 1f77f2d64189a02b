package experiment

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRunDirectoriesKeepTheOriginOfEachValue(t *testing.T) {
	e, err := load(t, enough+"compat: [first_frame]\n", "train.lr=0.1", `data.roi=["a # default", "b: c # set"]`)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, e.Write(&b))
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	again, err := LoadRun(path)
	require.NoError(t, err)
	for s := range e.Settings() {
		assert.Equal(t, s.Origin, again.Origin(s.Key), s.Key)
	}
	for key, want := range map[string]Origin{"train.lr": FromSet, "data.roi": FromSet, "data.train": FromFile,
		"out": FromFile, "train.epochs": FromDefault, "model.pooling": FromCompat} {
		assert.Equal(t, want, again.Origin(key), key)
	}
	var second bytes.Buffer
	require.NoError(t, again.Write(&second))
	assert.Equal(t, b.String(), second.String(), "the copy of a copy is the same")

	read, err := readFile(t.Context(), path)
	require.NoError(t, err)
	assert.Equal(t, FromFile, read.Origin("train.epochs"), "as an experiment file its keys are given")
}

func TestValuesThatAProgramSetAreMarked(t *testing.T) {
	e := Default()
	e.Train.LR, e.Data.Train = .5, []string{"a"}
	e.MarkSet()
	for key, want := range map[string]Origin{"train.lr": FromSet, "data.train": FromSet, "train.epochs": FromDefault} {
		assert.Equal(t, want, e.Origin(key), key)
	}
	read, err := load(t, enough)
	require.NoError(t, err)
	read.Train.LR = .5
	read.MarkSet()
	assert.Equal(t, FromFile, read.Origin("data.train"), "its origin is known")
	assert.Equal(t, FromSet, read.Origin("train.lr"))
}

// A name in the place of a path is known as it was written, until something else takes its place.
func TestARelativePathIsKnownAsItWasGiven(t *testing.T) {
	path := filepath.Join(t.TempDir(), "e.yaml")
	require.NoError(t, os.WriteFile(path, []byte("model: {path: microsoft/wavlm-base}\nout: run\n"), 0o600))
	e, err := readFile(t.Context(), path)
	require.NoError(t, err)
	require.True(t, filepath.IsAbs(e.Model.Path))
	assert.Equal(t, "microsoft/wavlm-base", e.Given("model.path"))
	require.NoError(t, e.Set("model.path=a/../b/c"))
	assert.Equal(t, "a/../b/c", e.Given("model.path"))
	for _, absolute := range []string{"/models/x", "/models/b/c"} {
		require.NoError(t, e.Set("model.path="+absolute))
		assert.Equal(t, absolute, e.Given("model.path"))
	}
	require.NoError(t, e.Set("model.path=me/model"))
	e.Model.Path = "/elsewhere"
	assert.Equal(t, "/elsewhere", e.Given("model.path"))
	assert.Empty(t, e.Given("train.lr"))
	assert.Empty(t, e.Given("no.key"))
}
