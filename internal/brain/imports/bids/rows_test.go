package bids

import (
	"context"
	"crypto/md5"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/clean"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// The digest of a key of git-annex is compared with the content.
func TestContentOfAnotherDigest(t *testing.T) {
	image := bold(40, 1.5, 1)
	sum := fmt.Sprintf("%x", md5.Sum([]byte(image)))
	for digest, refused := range map[string]bool{sum: false, strings.Repeat("0", 32): true} {
		name := "sub-1/func/sub-1_task-a_"
		root := tree(t, map[string]string{"a.wav": "60", name + "events.tsv": head + "0\t50\tstory\ta.wav\n"})
		object := filepath.Join(root, ".git/annex/objects/x/y", fmt.Sprintf("MD5E-s%d--%s.nii", len(image), digest))
		require.NoError(t, os.MkdirAll(filepath.Dir(object), 0o700))
		require.NoError(t, os.WriteFile(object, []byte(image), 0o600))
		require.NoError(t, os.Symlink(object, filepath.Join(root, name+"desc-preproc_bold.nii")))
		found, err := Find(t.Context(), root, Options{})
		require.NoError(t, err)
		_, err = found.Import(t.Context(), imports.Options{Dir: filepath.Join(t.TempDir(), "out")})
		if refused {
			faulttest.Require(t, fault.BadData, err, "the content is not what the data set lists: its MD5 is "+sum)
			continue
		}
		require.NoError(t, err)
	}
}

// What an import with another recipe finished is not kept.
func TestDigestsOfAnImportThatGoesOnCountAsChecked(t *testing.T) {
	files, images := map[string]string{}, map[string]string{}
	for i, task := range []string{"a", "b"} {
		name := "sub-1/func/sub-1_task-" + task + "_"
		images[name] = bold(100, 1.5, uint64(i))
		files[task+".wav"], files[name+"events.tsv"] = "150", head+"0\t140\tstory\t"+task+".wav\n"
	}
	root, dir := tree(t, files), filepath.Join(t.TempDir(), "out")
	for name, image := range images {
		object := filepath.Join(root, ".git/annex/objects/x/y",
			fmt.Sprintf("MD5E-s%d--%x.nii", len(image), md5.Sum([]byte(image))))
		require.NoError(t, os.MkdirAll(filepath.Dir(object), 0o700))
		require.NoError(t, os.WriteFile(object, []byte(image), 0o600))
		require.NoError(t, os.Symlink(object, filepath.Join(root, name+"desc-preproc_bold.nii")))
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for _, ctx := range []context.Context{ctx, t.Context()} {
		found, err := Find(ctx, root, Options{})
		require.NoError(t, err)
		record, err := found.Import(ctx, imports.Options{Dir: dir, Progress: func(_ string, done, _ int, _ string) {
			if done == 150 { // within the second story
				stop()
			}
		}})
		if record == nil {
			require.ErrorIs(t, err, context.Canceled)
			continue
		}
		require.NoError(t, err)
		require.Len(t, record.Files, 2)
		for _, f := range record.Files {
			assert.True(t, f.Checked, f.Story)
		}
	}
}

func TestAnotherRecipeBeginsAnew(t *testing.T) {
	files := map[string]string{}
	for _, task := range []string{"a", "b"} {
		name := "sub-1/func/sub-1_task-" + task + "_"
		files[task+".wav"], files[name+"desc-preproc_bold.nii"] = "150", bold(100, 1.5, 3)
		files[name+"events.tsv"] = head + "0\t140\tstory\t" + task + ".wav\n"
	}
	root, dir := tree(t, files), filepath.Join(t.TempDir(), "out")
	found, err := Find(t.Context(), root, Options{})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	_, err = found.Import(ctx, imports.Options{Dir: dir, Progress: func(_ string, done, _ int, _ string) {
		if done == 150 { // within the second story
			stop()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	require.FileExists(t, filepath.Join(dir+".tmp", "sub-1/a.npy"))
	found, err = Find(t.Context(), root, Options{Clean: clean.Recipe{Detrend: true}})
	require.NoError(t, err)
	_, err = found.Import(t.Context(), imports.Options{Dir: dir})
	require.NoError(t, err)
	d, err := dataset.Open(dir)
	require.NoError(t, err)
	m, err := d.ReadResponses(t.Context(), "sub-1", "a")
	require.NoError(t, err)
	assert.Less(t, m.Row(0, 0)[0], float32(20), "without its mean of 100")
}
