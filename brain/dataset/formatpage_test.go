package dataset

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// formatPage reads the page of the format: the keys of its table and its examples.
func formatPage(t *testing.T) (keys []string, examples []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash("../../docs/dataset-format.md"))
	require.NoError(t, err)
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| [^|]+ \\| [^|]+ \\| [^|]+ \\|$") // of four columns
	for _, m := range row.FindAllSubmatch(text, -1) {
		keys = append(keys, string(m[1]))
	}
	for rest := string(text); ; {
		_, after, more := strings.Cut(rest, "```yaml\n")
		if !more {
			return keys, examples
		}
		example, after, ok := strings.Cut(after, "```")
		require.True(t, ok)
		rest, examples = after, append(examples, example)
	}
}

func TestThePageOfTheFormatHasEveryKey(t *testing.T) {
	keys, _ := formatPage(t)
	var want []string
	for path, names := range layoutKeys {
		for _, name := range names {
			want = append(want, strings.TrimPrefix(path+"/"+name, "/"))
		}
	}
	// whose values may be a path
	want = append(want, "subjects/SUBJECT", "subjects/SUBJECT/STORY", "motion/SUBJECT/STORY", "rois/ROI",
		"features/SPACE", "features/SPACE/STORY")
	slices.Sort(want)
	slices.Sort(keys)
	assert.Equal(t, want, keys, "docs/dataset-format.md and layoutKeys")
}

func TestTheExamplesOfThePageAreRead(t *testing.T) {
	keys, examples := formatPage(t)
	require.Len(t, examples, 3)
	dir := t.TempDir()
	for name, text := range map[string]string{"sounds.tsv": "sound\tcategory\ndog\tanimal\nchoir\tsong\n",
		"folds.tsv": "sound\tfold\nchoir\t1\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	var paths []string
	for _, example := range examples {
		spec, doc, err := parse([]byte(example), filepath.Join(dir, "dataset.yaml"), &recordings{})
		require.NoError(t, err)
		if bad := spec.check(); bad != nil {
			require.NoError(t, bad)
		}
		paths = slices.AppendSeq(paths, maps.Keys(doc.at))
	}
	names := regexp.MustCompile("STORY|SUBJECT|ROI|SPACE")
	for _, key := range keys {
		if strings.HasPrefix(key, "mask") { // instead of surface
			continue
		}
		pattern := regexp.MustCompile("^" + names.ReplaceAllString(key, "[^/]+") + "$")
		assert.True(t, slices.ContainsFunc(paths, pattern.MatchString), "the examples have no %s", key)
	}
}
