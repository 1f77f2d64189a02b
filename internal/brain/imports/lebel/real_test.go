package lebel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/labtest"
)

// dangling makes the links of the real data set, none of which has content.
func dangling(t *testing.T) string {
	t.Helper()
	dir, lab := filepath.Join(t.TempDir(), "ds003020"), filepath.Join(labtest.Dir(t), "real")
	for _, table := range []string{"ds003020_hf5_annex_links.txt", "ds003020_wav_annex_links.txt"} {
		text, err := os.ReadFile(filepath.Join(lab, table))
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			path, target, ok := strings.Cut(strings.TrimSpace(line), " ")
			require.True(t, ok, line)
			require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755))
			require.NoError(t, os.Symlink(target, filepath.Join(dir, path)))
		}
	}
	for _, name := range []string{"respdict.json", "subject_xfms.json"} {
		text, err := os.ReadFile(filepath.Join(lab, "ds003020_"+name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "derivative", name), text, 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "CHANGES"), []byte("2.0.2 2023-05-01\n - x\n1.0.0 2020\n"),
		0o600))
	return dir
}

// Of the real data set without content, sizes alone tell all shapes, and one command names what is to be fetched.
func TestRealSizesTellShapes(t *testing.T) {
	source := dangling(t)
	f, err := Find(t.Context(), source, nil, nil)
	require.NoError(t, err)
	voxels := map[string]int{"UTS01": 81126, "UTS02": 94251, "UTS03": 95556, "UTS04": 109469, "UTS05": 99322,
		"UTS06": 92198, "UTS07": 94395, "UTS08": 97023, "UTS09": 98336}
	equations, repeated := 0, 0
	for _, s := range f.Subjects {
		for i := range s.Responses {
			r := &s.Responses[i]
			n, rows, columns := r.Extent()
			require.Equal(t, voxels[s.Name], columns, r.File)
			require.Equal(t, f.Stories[0].First, 10.)
			if r.Story != "wheretheressmoke" {
				at := indexOf(f.Missing, r.File)
				require.Equal(t, int64(2048+8*rows*columns), f.Missing[at].Bytes, r.File)
				require.Equal(t, 1, n)
				equations++
				continue
			}
			repeated++
			want := 5
			if s.Name <= "UTS03" {
				want = 10
			}
			assert.Equal(t, want, n, r.File)
		}
	}
	assert.Equal(t, 431, equations)
	assert.Equal(t, 9, repeated)
	assert.Len(t, f.Missing, 440+84)
	assert.Contains(t, f.Notes, "version 2.0.2 of the data set")
	assert.Contains(t, f.Notes, "before version 2.0.3 sessions of UTS01 were missing")
	assert.NotContains(t, strings.Join(f.Notes, "\n"), "corrupted")
	assert.Equal(t, []string{"fromboyhoodtofatherhood", "hangtime"}, f.Splits.Val)
	assert.Len(t, f.Splits.Train, 81)
	assert.Contains(t, strings.Join(f.Splits.Comment, " "), "wheretheressmoke[40:291]")

	f, err = Find(t.Context(), source, []string{"UTS03"}, nil)
	require.NoError(t, err)
	pre := filepath.Join(source, "derivative", "preprocessed_data")
	faulttest.Require(t, fault.Missing, f.Complete(), "168 files, ", "run `datalad get -d "+source+" "+
		filepath.Join(source, "stimuli")+" "+filepath.Join(pre, "UTS03")+"`")
	var bytes int64
	for _, m := range f.Missing {
		bytes += m.Bytes
	}
	assert.Greater(t, bytes, int64(24e9))
	assert.ErrorContains(t, f.Complete(), sizeOf(bytes))

	f, err = Find(t.Context(), source, []string{"UTS09"}, []string{"stagefright", "where*", "a*"})
	require.NoError(t, err)
	assert.Equal(t, []string{"stagefright"}, f.Splits.Val)
	faulttest.Require(t, fault.Missing, f.Complete(), filepath.Join(pre, "UTS09", "stagefright.hf5")+" ")
}
