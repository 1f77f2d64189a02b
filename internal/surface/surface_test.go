package surface

import (
	"bufio"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/packages"
)

var update = flag.Bool("update", false, "write testdata/counts.txt anew")

const (
	countsFile = "testdata/counts.txt"
	keptFile   = "testdata/kept.txt"
	most       = 877 + later // names of all packages together; 1253 in November 2026, before the first rework
	later      = 109         // new: whisper, ridges, ranks, clips, ways, duals, losses, folds, features, bins, streams
	mostKept   = 30          // names of keptFile
)

// Names of package serve, of its fronts and its client, and of batches of extract.
const (
	served     = 82
	keptServed = 26
)

// load type-checks the packages of the module that a pattern names.
func load(t *testing.T, dir string, patterns ...string) []*packages.Package {
	t.Helper()
	pkgs, err := packages.Load(&packages.Config{
		Context: t.Context(),
		Dir:     dir,
		ParseFile: func(fset *token.FileSet, path string, src []byte) (*ast.File, error) {
			file, err := parser.ParseFile(fset, path, src, parser.SkipObjectResolution)
			if file != nil && (strings.Contains(path, "/pkg/mod/") || strings.Contains(path, "/go/src/")) {
				for _, d := range file.Decls {
					// bodies of other modules and the standard library take most of the time and tell nothing
					if f, ok := d.(*ast.FuncDecl); ok {
						f.Body = nil
					}
				}
			}
			return file, err
		},
		Mode: packages.NeedName | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps |
			packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo,
	}, patterns...)
	require.NoError(t, err)
	for _, p := range pkgs {
		require.Empty(t, p.Errors, p.PkgPath)
	}
	return pkgs
}

// read gives the first fields of the lines of a file, and the rest of each line by them.
func read(t *testing.T, path string, fields int) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	out := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		require.Greater(t, len(words), fields, "%s: %s", path, lines.Text())
		out[strings.Join(words[:fields], " ")] = strings.Join(words[fields:], " ")
	}
	return out
}

// counts gives the number of names of each package, and of all as "total".
func (s *surface) counts() map[string]int {
	out := map[string]int{"total": len(s.names)}
	for _, n := range s.names {
		out[n.pkg]++
	}
	return out
}

// grown says which packages have more names than they may have.
func grown(now map[string]int, allowed map[string]string) (out []string) {
	for _, pkg := range slices.Sorted(maps.Keys(now)) {
		if may, _ := strconv.Atoi(allowed[pkg]); now[pkg] > may {
			out = append(out, fmt.Sprintf("%s: %d exported names, %s allows %d", pkg, now[pkg], countsFile, may))
		}
	}
	return out
}

func TestThePublicAPIDoesNotGrow(t *testing.T) {
	if testing.Short() {
		t.Skip("type-checks the whole module")
	}
	pkgs := load(t, filepath.Join("..", ".."), "./...")
	s := list(pkgs)
	s.mark(pkgs)
	require.Greater(t, len(s.names), 100, "hardly a name was found: the test would show nothing")
	now := s.counts()
	if *update {
		var b strings.Builder
		b.WriteString("# Exported names of each public package: go test ./internal/surface -update\n")
		for _, pkg := range slices.Sorted(maps.Keys(now)) {
			fmt.Fprintf(&b, "%s %d\n", pkg, now[pkg])
		}
		require.NoError(t, os.WriteFile(countsFile, []byte(b.String()), 0o644))
	}
	assert.LessOrEqual(t, now["total"], most+served)
	assert.Empty(t, grown(now, read(t, countsFile, 1)),
		"if a program outside needs the new names: go test ./internal/surface -update")

	kept := read(t, keptFile, 2)
	assert.LessOrEqual(t, len(kept), mostKept+keptServed)
	unused := s.unused()
	for n := range kept {
		assert.Contains(t, unused, n, "%s lists a name that is gone or needed", keptFile)
	}
	s.keep(kept)
	for _, n := range s.unused() {
		t.Errorf("%s: no other package needs it; unexport it, or give the reason in %s", n, keptFile)
	}
}
