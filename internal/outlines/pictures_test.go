package outlines

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Embedded pictures are left out, and nothing else is.
func TestPicturesAreLeftOut(t *testing.T) {
	long := strings.Repeat("iVBORw0KGgo=\n", 20_000)
	for text, want := range map[string]string{
		"":                            "",
		"plain":                       "plain",
		"a=":                          "a=",
		`<a b="c" d='e'/>`:            `<a b="c" d='e'/>`,
		`<a b="data:x=y'z" c="d"/>`:   `<a b="" c="d"/>`,
		`<a b='data:x=y"z' c="d"/>`:   `<a b='' c="d"/>`,
		`<a b="dat:x" c="=data:"/>`:   `<a b="dat:x" c="=data:"/>`,
		`<a b="` + long + `"/>`:       `<a b="` + long + `"/>`,
		`<a b="data:` + long + `" c>`: `<a b="" c>`,
		`<a b="data:` + long:          `<a b="`,
	} {
		for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
			got, err := without(r)
			require.NoError(t, err)
			assert.Equal(t, want, string(got))
		}
	}
	failing := io.MultiReader(strings.NewReader(`<a b="data:`), iotest.ErrReader(errors.New("disk")))
	_, err := without(failing)
	assert.EqualError(t, err, "disk")
}

// A drawing with pictures of 40 MB is read in the memory of its outlines.
func TestDrawingWithLargePictures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "overlays.svg")
	f, err := os.Create(path)
	require.NoError(t, err)
	svg := drawing(square, "", "M20 30H60V80H20z")
	head, tail, _ := bytes.Cut(svg, []byte(`><g`))
	picture := bytes.Repeat([]byte("iVBORw0KGgoAAAANSUhEUg\n"), 1_800_000)
	for _, part := range [][]byte{head, []byte(`><image xlink:href="data:image/png;base64,`), picture, []byte(`"/><g`),
		tail} {
		_, err := f.Write(part)
		require.NoError(t, err)
	}
	require.NoError(t, f.Close())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d, err := Read(path)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	assert.Len(t, d.Regions(), 1)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}
