package pages

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

// pages returns the paths of all Markdown pages, relative to the root of the repository.
func pages(t *testing.T) (out []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (path == "third_party" || path == "out" || path == "runs" || strings.HasPrefix(d.Name(), ".") &&
			path != ".") {
			return fs.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			out = append(out, path)
		}
		return nil
	})
	require.NoError(t, err)
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	return string(text)
}

// anchors returns the names by which GitHub links to the headings of a page.
func anchors(text string) (out []string) {
	heading := regexp.MustCompile("(?m)^#+ +(.*)$")
	drop := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		out = append(out, strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return out
}

func TestLinksOfPagesLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	seen := 0
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			seen++
			target, anchor, _ := strings.Cut(m[1], "#")
			path := page
			if target != "" {
				path = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(filepath.Join(root, path)); !assert.NoError(t, err, "%s links to %s", page, m[1]) {
				continue
			}
			if anchor != "" && filepath.Ext(path) == ".md" {
				assert.True(t, slices.Contains(anchors(read(t, path)), anchor), "%s links to %s: no such heading", page,
					m[1])
			}
		}
	}
	assert.Greater(t, seen, 15, "hardly a link was found: the test would prove nothing")
}

// Pages, sources and examples name pages by their path from the root: docs/….
func TestNamedPagesExist(t *testing.T) {
	name := regexp.MustCompile(`(?:^|[^\w/])(docs/[\w./-]+\.(?:md|html|svg|png))`)
	seen := 0
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (path == "third_party" || path == "out" || path == "runs" || path == "testdata" ||
			strings.HasPrefix(d.Name(), ".") && path != ".") {
			return fs.SkipDir
		}
		if !slices.Contains([]string{".go", ".md", ".yaml", ".py", ".sh", ".cff"}, filepath.Ext(path)) {
			return nil
		}
		for _, m := range name.FindAllStringSubmatch(read(t, path), -1) {
			if m[1] == "docs/spec.md" { // of git-lfs
				continue
			}
			seen++
			assert.FileExists(t, filepath.Join(root, m[1]), path)
		}
		return nil
	})
	require.NoError(t, err)
	assert.Greater(t, seen, 10)
}

// The index lists every page of docs/.
func TestIndexListsEveryPage(t *testing.T) {
	index := read(t, "docs/README.md")
	for _, page := range pages(t) {
		if below, ok := strings.CutPrefix(page, "docs/"); ok && below != "README.md" {
			assert.True(t, strings.Contains(index, "]("+below+")"), "docs/README.md does not list %s", below)
		}
	}
}

// A page of a data set has a line on the licence of each of its parts; what is not known is written as unknown.
func TestPagesOfDataSetsNameLicences(t *testing.T) {
	seen := 0
	for _, page := range pages(t) {
		if !strings.HasPrefix(page, "docs/datasets/") || page == "docs/datasets/bids.md" { // on any data set
			continue
		}
		seen++
		_, licences, _ := strings.Cut(read(t, page), "\n## Licences\n")
		for _, part := range []string{"responses", "stimuli", "transcripts", "surfaces"} {
			assert.Regexp(t, `(?m)^\| `+part+`[^|]* \| [^|]+ \|$`, licences, "%s", page)
		}
	}
	assert.Greater(t, seen, 6)
}
