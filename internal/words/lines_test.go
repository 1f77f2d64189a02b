package words

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mostLines bounds a file of code that is no test: one idea fits into it.
const mostLines = 350

func TestFilesAreShort(t *testing.T) {
	root, files := filepath.Join("..", ".."), 0
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if path != root && (d.Name() == "third_party" || strings.HasPrefix(d.Name(), ".")) {
				return filepath.SkipDir
			}
			return nil
		case !slices.Contains([]string{".go", ".cc", ".h"}, filepath.Ext(path)) || strings.HasSuffix(path,
			"_test.go") ||
			strings.HasSuffix(path, ".pb.go"): // generated
			return nil
		}
		files++
		text, err := os.ReadFile(path)
		if n := bytes.Count(text, []byte("\n")); n > mostLines {
			t.Errorf("%s has %d lines, at most %d: it holds more than one idea", path, n, mostLines)
		}
		return err
	}))
	assert.Greater(t, files, 300, "hardly a file was found: the test would show nothing")
}
