package dataset

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// formatPage reads the page of the format: the keys of its table and its first example.
func formatPage(t *testing.T) (keys []string, example string) {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash("../../docs/dataset-format.md"))
	require.NoError(t, err)
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| [^|]+ \\| [^|]+ \\| [^|]+ \\|$") // of four columns
	for _, m := range row.FindAllSubmatch(text, -1) {
		keys = append(keys, string(m[1]))
	}
	_, example, _ = strings.Cut(string(text), "```yaml\n")
	example, _, ok := strings.Cut(example, "```")
	require.True(t, ok)
	return keys, example
}

func TestThePageOfTheFormatHasEveryKey(t *testing.T) {
	keys, _ := formatPage(t)
	var want []string
	for path, names := range layoutKeys {
		for _, name := range names {
			want = append(want, strings.TrimPrefix(path+"/"+name, "/"))
		}
	}
	want = append(want, "subjects/SUBJECT/STORY", "motion/SUBJECT/STORY", "rois/ROI") // whose values may be a path
	slices.Sort(want)
	slices.Sort(keys)
	assert.Equal(t, want, keys, "docs/dataset-format.md and layoutKeys")
}

func TestTheExampleOfThePageIsRead(t *testing.T) {
	keys, example := formatPage(t)
	spec, doc, err := parse([]byte(example), "dataset.yaml", &recordings{})
	require.NoError(t, err)
	if bad := spec.check(); bad != nil {
		require.NoError(t, bad)
	}
	names := regexp.MustCompile("STORY|SUBJECT|ROI")
	for _, key := range keys {
		if strings.HasPrefix(key, "mask") { // instead of surface
			continue
		}
		pattern := regexp.MustCompile("^" + names.ReplaceAllString(key, "[^/]+") + "$")
		found := false
		for path := range doc.at {
			found = found || pattern.MatchString(path)
		}
		assert.True(t, found, "the example has no %s", key)
	}
}
