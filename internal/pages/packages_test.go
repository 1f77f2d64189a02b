package pages

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every package has a doc comment that begins with its name, in doc.go unless it is a program.
func TestEveryPackageIsDocumented(t *testing.T) {
	seen := 0
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case !d.IsDir():
			return nil
		case path != "." && strings.HasPrefix(name, "."), name == "testdata", path == "third_party", path == "out":
			return fs.SkipDir
		}
		name, doc := documentation(t, filepath.Join(root, path))
		if name == "" {
			return nil
		}
		seen++
		want := "Package " + name + " "
		if name == "main" {
			want = "Command "
		}
		assert.True(t, strings.HasPrefix(doc, want), "%s: the doc comment does not begin with %q", path, want)
		return nil
	})
	require.NoError(t, err)
	assert.Greater(t, seen, 50)
}

// documentation returns the name and the doc comment of the package in a folder; "" where there is none.
func documentation(t *testing.T, dir string) (name, doc string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
		require.NoError(t, err)
		if name = f.Name.Name; f.Doc != nil {
			doc = f.Doc.Text()
		}
	}
	return name, doc
}
