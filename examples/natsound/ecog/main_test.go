package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

func TestMeansOverFolds(t *testing.T) {
	var folds []string
	for _, r := range []string{".5", ".7"} {
		dir := filepath.Join(t.TempDir(), "eval")
		require.NoError(t, os.MkdirAll(dir, 0o755))
		text := strings.ReplaceAll(`{"test": {"base": {"rois": {"speech": R, "song": .2, "tuned": 1}},
			"features": [{"name": "category", "rois": {"speech": .6, "song": R}}],
			"lags": [{"window": "early", "lags_ms": [0, 80], "rois": {"speech": 1}},
				{"lags_ms": [80], "rois": {"speech": .4, "song": .1}}]}}`, "R", "0"+r)
		text = strings.NewReplacer(" .", " 0.").Replace(text)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "summary.json"), []byte(text), 0o600))
		folds = append(folds, filepath.Dir(dir))
	}
	var out strings.Builder
	require.NoError(t, run(folds, &out))
	assert.Equal(t, "              song  speech\nmodel        0.200   0.600\ncategory     0.600   0.600\n"+
		"80 ms        0.100   0.400\n", out.String())
	err := run([]string{t.TempDir()}, &out)
	assert.Equal(t, fault.Missing, fault.KindOf(err))
	assert.Equal(t, fault.Usage, fault.KindOf(run(nil, &out)))
}
