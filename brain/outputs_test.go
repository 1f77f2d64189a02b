package brain_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/exampletest"
)

// Every file of a run directory is described in docs/outputs.md.
func TestFilesOfARunAreDescribed(t *testing.T) {
	page, err := os.ReadFile("../docs/outputs.md")
	require.NoError(t, err)
	exp, err := experiment.Load(exampletest.Study(t), "train.epochs=1")
	require.NoError(t, err)
	study, err := brain.Open(t.Context(), exp, brain.Options{})
	require.NoError(t, err)
	defer study.Close()
	run, err := study.StartOrResume(t.Context())
	require.NoError(t, err)
	defer run.Close()
	_, err = study.Fit(t.Context(), run)
	require.NoError(t, err)
	_, err = study.EvaluateRun(t.Context(), run)
	require.NoError(t, err)

	seen := 0
	require.NoError(t, fs.WalkDir(os.DirFS(run.Dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		seen++
		name := regexp.MustCompile(`step-\d+`).ReplaceAllString(path, "step-NNNNNN")
		name = regexp.MustCompile(`-\d{5}\.`).ReplaceAllString(name, "-NNNNN.")
		name = strings.ReplaceAll(name, "ada", "SUBJECT")
		name = strings.Replace(name, "SUBJECTpter", "adapter", 2)
		if dir := filepath.Dir(name); strings.HasSuffix(dir, "/SUBJECT") { // one row of the table has several
			assert.Contains(t, string(page), "`"+dir+"/")
			name = filepath.Base(name)
		}
		assert.Regexp(t, "`([^`]*/)?"+regexp.QuoteMeta(name)+"`", string(page), path)
		return nil
	}))
	assert.Greater(t, seen, 20)
}
