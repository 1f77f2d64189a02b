package probing_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/probing"
	"github.com/brainwavlm/bwlm/npy"
)

func TestLoadVectors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		return path
	}
	text := write("text/glove.txt", "the 1 2 -3\n. . . 4 5 6\nking 7e-1 8 9\n")
	for _, path := range []string{text, filepath.Dir(text),
		write("w2v.txt", "3 3\nthe 1 2 -3\n. . . 4 5 6\nking .7 8 9\n")} {
		v, err := probing.LoadVectors(path, nil)
		require.NoError(t, err)
		assert.Equal(t, []float32{1, 2, -3}, v.Of("the"))
		assert.Equal(t, 3, v.Width)
		assert.Equal(t, []float32{.7, 8, 9}, v.Of("King,"))
		assert.Nil(t, v.Of("queen"))
	}
	v, err := probing.LoadVectors(text, func(w string) bool { return w == "the" })
	require.NoError(t, err)
	assert.NotNil(t, v.Of("the"))
	assert.Nil(t, v.Of("king"), "not wanted")

	array := filepath.Join(dir, "npy", "some.npy")
	write("npy/some.vocab.txt", "a\nb\n")
	require.NoError(t, npy.Write(array, []int{2, 2}, []float32{1, 2, 3, 4}))
	for _, path := range []string{array, filepath.Dir(array)} {
		v, err := probing.LoadVectors(path, nil)
		require.NoError(t, err)
		assert.Equal(t, []float32{3, 4}, v.Of("B"))
	}

	for path, why := range map[string]string{
		filepath.Join(dir, "none.txt"):            "no such file",
		dir:                                       "",
		write("x.txt", "a 1 2\nb 1\n"):            "x.txt:2: 2 fields, want a word and 2 numbers",
		write("y.txt", "a 1 2\nb 1 x\n"):          `y.txt:2: "x" is not a number`,
		write("z.txt", ""):                        "there are none",
		write("npy2/s.npy", "junk"):               "",
		filepath.Dir(write("two/a.txt", "a 1\n")): "",
	} {
		if path == filepath.Join(dir, "two") {
			write("two/b.txt", "a 1\n")
			why = "not exactly one"
		}
		_, err := probing.LoadVectors(path, nil)
		require.Error(t, err, path)
		assert.ErrorContains(t, err, why)
	}
}
