package pages

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rowsOf are the rows of the fault matrix: a letter and a number each.
var rowsOf = map[string]int{"F": 11, "S": 9, "R": 10, "I": 11, "B": 14, "W": 9, "C": 11, "G": 1, "D": 1, "U": 1}

// Each row of the fault matrix has a verdict and names what proves it; the tests and scripts that it names exist.
func TestTheReliabilityPageNamesTestsThatExist(t *testing.T) {
	seen, total := map[string]bool{}, 0
	line := regexp.MustCompile(`(?m)^\| ([A-Z])(\d+) \|([^|]*)\|([^|]*)\|([^|]*)\|$`)
	named := regexp.MustCompile("`([^`]+)`")
	for _, m := range line.FindAllStringSubmatch(read(t, "docs/reliability.md"), -1) {
		row, verdict := m[1]+m[2], strings.TrimSpace(m[4])
		assert.False(t, seen[row], "row %s is there twice", row)
		seen[row] = true
		assert.Contains(t, []string{"pass", "pass in part", "not run", "does not apply"}, verdict, row)
		assert.NotEmpty(t, strings.TrimSpace(m[3]), row)
		proofs := named.FindAllStringSubmatch(m[5], -1)
		if strings.HasPrefix(verdict, "pass") {
			assert.NotEmpty(t, proofs, "%s names no test", row)
		}
		for _, p := range proofs {
			total++
			if !strings.Contains(path.Base(p[1]), ".Test") && !strings.Contains(path.Base(p[1]), ".Fuzz") {
				_, err := os.Stat(filepath.Join(root, p[1]))
				assert.NoError(t, err, "%s names %s", row, p[1])
				continue
			}
			dot := strings.LastIndex(p[1], ".")
			assert.True(t, hasTest(t, p[1][:dot], p[1][dot+1:]), "%s names %s, which is not there", row, p[1])
		}
	}
	for letter, n := range rowsOf {
		for i := range n {
			row := letter + strconv.Itoa(i+1)
			assert.True(t, seen[row], "row %s is not there", row)
			delete(seen, row)
		}
	}
	assert.Empty(t, seen, "rows that the matrix does not have")
	assert.Greater(t, total, 150)
}

// hasTest reports whether the tests of a folder have a function.
func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
	require.NoError(t, err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		if strings.Contains(string(text), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
