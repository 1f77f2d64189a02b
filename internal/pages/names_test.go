package pages

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exported returns the exported names of all packages that other modules can import: "ridge.Fit", "brain.Study.Fit".
func exported(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch name := d.Name(); {
			case name == "internal", name == "third_party", name == "testdata", name == "examples", name == "cmd",
				name == "tools",
				strings.HasPrefix(name, ".") && path != ".":
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			for _, name := range declared(decl) {
				out[file.Name.Name+"."+name] = true
			}
		}
		return nil
	})
	require.NoError(t, err)
	return out
}

// declared returns the names of a declaration; a method has the name of its type in front.
func declared(decl ast.Decl) (out []string) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
		on := d.Recv.List[0].Type
		if star, ok := on.(*ast.StarExpr); ok {
			on = star.X
		}
		if id, ok := on.(*ast.Ident); ok {
			return []string{id.Name + "." + d.Name.Name}
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				out = append(out, s.Name.Name)
			case *ast.ValueSpec:
				for _, id := range s.Names {
					out = append(out, id.Name)
				}
			}
		}
	}
	return out
}

func TestNamesOfTheAPIOverviewExist(t *testing.T) {
	names := exported(t)
	code := regexp.MustCompile("`[*]?([a-z]+\\.[A-Z]\\w*(?:\\.[A-Z]\\w*)?)(?:\\([^`]*)?`")
	seen := 0
	for _, m := range code.FindAllStringSubmatch(read(t, "docs/api.md"), -1) {
		if strings.HasPrefix(m[1], "fs.") {
			continue
		}
		seen++
		assert.True(t, names[m[1]], "docs/api.md names %s", m[1])
	}
	assert.Greater(t, seen, 50)
}

// Files and folders that CONTRIBUTING.md and the API overview name in code spans exist.
func TestNamedFilesExist(t *testing.T) {
	code := regexp.MustCompile("`([a-z][\\w.]*(?:/[\\w.-]+)+)`")
	seen := 0
	for _, page := range []string{"CONTRIBUTING.md", "docs/api.md"} {
		for _, m := range code.FindAllStringSubmatch(read(t, page), -1) {
			first, _, _ := strings.Cut(m[1], "/")
			if _, err := os.Stat(filepath.Join(root, first)); err != nil || first == "bin" || first == "out" {
				continue
			}
			seen++
			_, err := os.Stat(filepath.Join(root, m[1]))
			assert.NoError(t, err, page)
		}
	}
	assert.Greater(t, seen, 30)
}

// Messages that the troubleshooting page quotes, in the first column of its tables, are in the sources.
func TestQuotedMessagesExist(t *testing.T) {
	var sources strings.Builder
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (path == "third_party" || strings.HasPrefix(d.Name(), ".") && path != ".") {
			return fs.SkipDir
		}
		ext := filepath.Ext(path)
		if ext == ".go" && !strings.HasSuffix(path, "_test.go") || ext == ".sh" || ext == ".h" {
			for line := range strings.Lines(read(t, path)) {
				if !strings.HasPrefix(strings.TrimSpace(line), "//") {
					sources.WriteString(line)
				}
			}
		}
		return nil
	})
	require.NoError(t, err)
	cell := regexp.MustCompile(`(?m)^\|([^|]*)\|`)
	code := regexp.MustCompile("`([^`]+)`")
	seen := 0
	for _, row := range cell.FindAllStringSubmatch(read(t, "docs/troubleshooting.md"), -1) {
		for _, m := range code.FindAllStringSubmatch(row[1], -1) {
			seen++
			assert.True(t, strings.Contains(sources.String(), m[1]), "no source has the message %q", m[1])
		}
	}
	assert.Greater(t, seen, 25)
}
