package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/internal/labtest"
)

func TestAutoTellsTheKind(t *testing.T) {
	lab, dir := labtest.Dir(t), t.TempDir()
	for folder, want := range map[string]string{filepath.Join(lab, "ds003020"): "lebel", filepath.Join(lab,
		"joblib"): "huthbox",
		filepath.Join(lab, "gallant"): "deniz", filepath.Join(lab, "bids"): "bids", filepath.Join(lab,
			"numpy"): "arrays"} {
		kind, why := kindOf(folder)
		assert.Equal(t, want, kind, folder)
		assert.NotEmpty(t, why)
	}
	code, stdout, stderr := call(t, "import", "auto", filepath.Join(lab, "ds003020"), "--subjects", "UTS0[0]",
		"--dry-run")
	assert.Zero(t, code, stderr)
	assert.Contains(t, stderr, "note: taken as lebel, since derivative/respdict.json is there")
	assert.Regexp(t, `(?m)^UTS00 +souls +1 +20 +13 `, stdout)
	assert.NotContains(t, stdout, "UTS01")
	code, _, stderr = call(t, "import", "auto", filepath.Join(lab, "ds003020"), "--tr", "2", "--dry-run")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "bwlm import lebel has no flag --tr")

	// What a newcomer tries first says what to do instead.
	lebel := filepath.Join(lab, "ds003020")
	response := filepath.Join(lebel, "derivative/preprocessed_data/UTS00/souls.hf5")
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"import lebell " + lebel + " --out x", 2, "did you mean `bwlm import lebel`?"},
		{"import lebel " + lebel, 2, "--out is missing; --dry-run prints what there is to import"},
		{"import lebel " + lebel + " --out x --link --copy", 2, "--link and --copy exclude each other"},
		{"import lebel nowhere --out x", 66, "import data: nowhere: no such file or directory; check the path"},
		{"import lebel " + lab + "/bids --out x", 66, "there is no derivative/respdict.json; name the " +
			"folder of ds003020"},
		{"check-timing " + lebel, 66, "has no dataset.yaml; name a data set, or make a data set of the folder " +
			"with `bwlm import auto`"},
		{"check-timing " + response, 2, "is an HDF5 file, want an experiment file in YAML"},
		{"verify " + response, 65, "is an HDF5 file"},
	} {
		code, _, stderr := call(t, strings.Fields(c.args)...)
		assert.Equal(t, c.code, code, "%s: %s", c.args, stderr)
		assert.Contains(t, stderr, c.want)
	}

	for _, story := range []string{"souls", "story_01"} {
		require.NoError(t, audio.WriteWAV(filepath.Join(dir, story+".wav"), make([]float32, 44*audio.Rate), audio.Rate,
			audio.PCM16))
	}
	code, stdout, stderr = call(t, "import", "huthbox", filepath.Join(lab, "joblib"), "--audio", dir, "--out",
		filepath.Join(dir, "box"), "--link")
	assert.Zero(t, code, stderr)
	assert.Contains(t, stdout, "Clock of souls: trtimes[10] 20.000 − soundstarttime 10.000 = 10.000 s")
	code, stdout, stderr = call(t, "import", "deniz", filepath.Join(lab, "gallant"), "--audio", dir, "--names",
		"story_11=souls", "--out", filepath.Join(dir, "deniz"), "--json")
	assert.Zero(t, code, stderr)
	assert.Contains(t, stdout, `"dropped_rows":[5,0]`)
	text, err := os.ReadFile(filepath.Join(dir, "deniz", "experiment.yaml"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "\n  trim: [5, 5]\n")
	code, _, stderr = call(t, "import", "deniz", filepath.Join(lab, "gallant"), "--rows", "some", "--out", "x")
	assert.Equal(t, 2, code, stderr)
}
