package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/labtest"
	"github.com/brainwavlm/bwlm/npy"
)

// smallSource puts the small form of ds003020 into the current folder, with its subject under the name of a real one.
func smallSource(t *testing.T) {
	t.Helper()
	require.NoError(t, os.CopyFS("ds003020", os.DirFS(filepath.Join(labtest.Dir(t), "ds003020"))))
	for _, dir := range []string{"preprocessed_data", "pycortex-db"} {
		dir = filepath.Join("ds003020", "derivative", dir)
		require.NoError(t, os.Rename(filepath.Join(dir, "UTS00"), filepath.Join(dir, "UTS03")))
	}
	transforms := filepath.Join("ds003020", "derivative", "subject_xfms.json")
	require.NoError(t, os.WriteFile(transforms, []byte(`{"UTS03": "UTS00_auto"}`), 0o600))
}

func TestALaboratorysFolderBecomesATraining(t *testing.T) {
	if testing.Short() {
		t.Skip("a training")
	}
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	t.Chdir(dir)
	smallSource(t)

	code, stdout, stderr := call(t, "import", "lebel", "ds003020", "--dry-run")
	assert.Equal(t, 66, code)
	assert.Regexp(t, `(?m)^UTS03 +wheretheressmoke +3 +20 +13 `, stdout)
	assert.Contains(t, stdout, "respdict 40 − 20 = 20 rows; recording 61.30 s")
	assert.Contains(t, stderr, "UTS01/souls.hf5, 156.4 MB; run `datalad get -d ")
	var missing struct {
		Kind     string
		Subjects []struct{ Name string }
		Missing  []struct{ Path string }
		Bytes    int64 `json:"missing_bytes"`
		Get      string
	}
	code, stdout, stderr = call(t, "import", "lebel", "ds003020", "--dry-run", "--json")
	assert.Equal(t, 66, code)
	require.NoError(t, json.Unmarshal([]byte(stdout), &missing), "one document: %s", stdout)
	assert.Equal(t, "lebel", missing.Kind)
	assert.Len(t, missing.Subjects, 2)
	assert.Len(t, missing.Missing, 1)
	assert.Equal(t, int64(156412976), missing.Bytes)
	assert.Contains(t, stderr, "run `"+missing.Get+"`")
	code, stdout, stderr = call(t, "import", "lebel", "ds003020", "--subjects", "UTS03", "--out", "uts03")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "Left out: 1 of 13 voxels of UTS03")
	assert.Contains(t, stdout,
		"Timing of 3 stories (UTS03: 12 voxels whose repeats of wheretheressmoke agree best): check, responses lag ")
	assert.Regexp(t, `(?m)^Plan: 3 minutes of recordings\. Windows of 4 s every 0\.25 s read 16 times as much, `+
		"46 minutes,.*`bwlm plan uts03/experiment.yaml --set model.path=MODEL`", stdout)
	code, _, stderr = call(t, "import", "lebel", "ds003020", "--subjects", "UTS03", "--out", "uts03")
	assert.Equal(t, 73, code, stderr)
	code, stdout, stderr = call(t, "import", "lebel", "ds003020", "--subjects", "UTS03", "--out", "linked", "--link")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "Empty: 1 of 13 voxels of UTS03")
	code, _, stderr = call(t, "import", "lebel", "ds003020", "--dtype", "f2", "--out", "x")
	assert.Equal(t, 2, code, stderr)
	require.NoError(t, npy.Write("ac.npy", []int{4}, []int32{5, 2, 4, 11}))
	code, stdout, stderr = call(t, "import", "lebel", "ds003020", "--subjects", "UTS03", "--voxels", "ac.npy",
		"--out", "ac")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "Selected: 4 of 13 voxels of UTS03, by ac.npy.\nLeft out: 1 of 4 voxels of UTS03")
	code, _, stderr = call(t, "import", "lebel", "ds003020", "--subjects", "UTS03", "--voxels", "cortical",
		"--out", "x")
	assert.Equal(t, 66, code)
	assert.Contains(t, stderr, "there is no mask of the cortex; "+
		"name a file with the columns of the subject (--voxels FILE.npy)")
	for _, data := range []string{"uts03", "linked", "ac"} {
		code, _, stderr = call(t, "verify", data)
		assert.Zero(t, code, stderr)
	}

	fast := []string{"--set", "model.path=model", "--set", "model.layer=2", "--set", "model.window_seconds=1", "--set",
		"model.stride_seconds=1", "--set", "train.epochs=1"}
	code, stdout, stderr = call(t, append([]string{"check-timing", "uts03/experiment.yaml"}, fast...)...)
	assert.Zero(t, code, stderr)
	assert.Contains(t, stdout, "lengths: rows and audio are equally long")
	code, _, stderr = call(t, append([]string{"train", "uts03/experiment.yaml"}, fast...)...)
	require.Zero(t, code, stderr)
	assert.Contains(t, stderr, "wheretheressmoke  0:20", "no rows are trimmed again")
	linked := append([]string{"eval", "linked/experiment.yaml"}, fast[:len(fast)-2]...)
	code, _, stderr = call(t, linked...)
	assert.Zero(t, code, stderr)
	code, _, stderr = call(t, "export", "uts03/runs/uts03", "--out", "maps")
	require.Zero(t, code, stderr)
	maps, err := filepath.Glob("maps/sub-UTS03/func/*.nii.gz")
	require.NoError(t, err)
	assert.NotEmpty(t, maps)
}
