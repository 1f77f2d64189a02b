package publish_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/predict"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/publish"
	"github.com/brainwavlm/bwlm/internal/exampletest"
	"github.com/brainwavlm/bwlm/npy"
)

func TestMain(m *testing.M) { exampletest.Main(m) }

// canary is a word that stands in every name and text of the study: none of them may come into a package.
const canary = "kanarienvogel"

var options = publish.Options{Base: "microsoft/wavlm-base-plus", BaseRevision: "abc123", BaseLicence: "mit",
	Data: "Tones 2026", DataLicence: "cc-by-4.0"}

// plantedRun trains on a study whose names of folders, files, subjects, stories, ROIs and licence have the canary.
func plantedRun(t *testing.T) (run, model string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), canary+"-folder")
	require.NoError(t, os.Mkdir(dir, 0o755))
	file, err := exampletest.WriteStudy(dir)
	require.NoError(t, err)
	edit := func(name string, pairs ...string) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		edited := strings.NewReplacer(pairs...).Replace(string(text))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(edited), 0o644))
	}
	edit("dataset.yaml", "name: tones", "name: "+canary+"-data\nlicence: "+canary+"-licence\nrois:\n  "+canary+
		"-roi: "+canary+"-roi.npy", "ada:", canary+"-subject:", " train:", " "+canary+"-train:", " val:", " "+canary+
		"-val:", " test:", " "+canary+"-test:", "train.", canary+"-train.", "val.", canary+"-val.", "test.",
		canary+"-test.")
	edit("study.yaml", "subjects: ada", "subjects: "+canary+"-subject", "train: train", "train: "+canary+"-train",
		"val: val", "val: "+canary+"-val", "test: test", "test: "+canary+"-test", "path: nano", "path: "+canary+
			"-nano", "out: run", "out: "+canary+"-run")
	require.NoError(t, os.Rename(filepath.Join(dir, "nano"), filepath.Join(dir, canary+"-nano")))
	for _, story := range []string{"train", "val", "test"} {
		for _, ext := range []string{".wav", ".npy"} {
			require.NoError(t, os.Rename(filepath.Join(dir, story+ext), filepath.Join(dir, canary+"-"+story+ext)))
		}
		note, err := os.OpenFile(filepath.Join(dir, canary+"-"+story+".wav"), os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = note.WriteString("LIST" + "\x1e\x00\x00\x00" + "INFOICMT" + "\x12\x00\x00\x00" + canary + "12345")
		require.NoError(t, err)
		require.NoError(t, note.Close())
	}
	mask := make([]bool, exampletest.Voxels)
	mask[3] = true
	require.NoError(t, npy.Write(filepath.Join(dir, canary+"-roi.npy"), []int{len(mask)}, mask))

	exp, err := experiment.Load(file, "readout.mode=ridge", "readout.bottleneck=0")
	require.NoError(t, err)
	st, err := brain.Open(t.Context(), exp, brain.Options{})
	require.NoError(t, err)
	defer st.Close()
	r, err := st.Begin(t.Context())
	require.NoError(t, err)
	defer r.Close()
	_, err = st.Fit(t.Context(), r)
	require.NoError(t, err)
	_, err = st.EvaluateRun(t.Context(), r)
	require.NoError(t, err)

	// texts of others in the adapter's files
	config := filepath.Join(r.Dir, "adapter", "adapter_config.json")
	var fields map[string]any
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &fields))
	fields["revision"], fields["base_model_name_or_path"] = canary, "/home/"+canary+"/model"
	text, err = json.Marshal(fields)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(config, text, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(r.Dir, "adapter", "README.md"), []byte(canary), 0o644))
	return r.Dir, filepath.Join(dir, canary+"-nano")
}

func TestAPackageHasNothingThatIsNotListed(t *testing.T) {
	run, model := plantedRun(t)
	planted := 0
	require.NoError(t, filepath.WalkDir(run, func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		if text, err := os.ReadFile(path); err == nil && bytes.Contains(text, []byte(canary)) {
			planted++
		}
		return nil
	}))
	require.Greater(t, planted, 6, "the canary is in the run")

	out := filepath.Join(t.TempDir(), "package")
	p, err := publish.Write(t.Context(), run, out, options)
	require.NoError(t, err)
	assert.Equal(t, []string{"subject-1"}, p.Aliases)
	assert.Equal(t, []string{canary + "-subject"}, p.Subjects)

	// a row of responses and one of predictions, as they would lie in a file
	var rows [][]byte
	for _, name := range []string{"responses.npy", "tuned_pred.npy", "tuned_r.npy"} {
		m, err := npy.Read(filepath.Join(run, "eval", "test", canary+"-subject", name))
		require.NoError(t, err)
		values, err := m.Float32()
		require.NoError(t, err)
		var row []byte
		for _, v := range values[:4] {
			row = binary.LittleEndian.AppendUint32(row, math.Float32bits(v))
		}
		rows = append(rows, row)
	}
	var names []string
	require.NoError(t, filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		if d.IsDir() {
			return nil
		}
		rel, err := filepath.Rel(out, path)
		require.NoError(t, err)
		names = append(names, rel)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.NotContains(t, strings.ToLower(rel+string(text)), canary, rel)
		for _, word := range []string{filepath.Dir(run), "/tmp", "/home", "-train", "-roi"} {
			assert.NotContains(t, string(text), word, rel)
		}
		for _, row := range rows {
			assert.False(t, bytes.Contains(text, row), rel)
		}
		return nil
	}))
	assert.Equal(t, []string{"LICENCES.json", "README.md", "adapter/README.md", "adapter/adapter_config.json",
		"adapter/adapter_model.safetensors", "adapter/base_model.json", "config.yaml", "manifest.json",
		"readout/subject-1.safetensors"}, names)

	licences := map[string]string{}
	for _, f := range p.Files {
		licences[f.Name] = f.Licence
	}
	assert.Equal(t, "mit AND cc-by-4.0", licences["readout/subject-1.safetensors"])
	assert.Equal(t, "mit AND cc-by-4.0", licences["adapter/adapter_model.safetensors"])
	assert.Equal(t, "cc-by-4.0", licences["README.md"])

	// The package predicts what the run predicts.
	clip, err := audio.Load(t.Context(), filepath.Join(filepath.Dir(run), canary+"-test.wav"), audio.Options{})
	require.NoError(t, err)
	predictions := func(dir string, opt predict.Options) []float32 {
		p, err := predict.Open(t.Context(), dir, opt)
		require.NoError(t, err)
		defer p.Close()
		got, err := p.Predict(t.Context(), clip.Samples)
		require.NoError(t, err)
		return got.Values
	}
	want := predictions(run, predict.Options{})
	assert.InDeltaSlice(t, want, predictions(out, predict.Options{Model: model, Subject: "subject-1"}), 1e-6)

	_, err = publish.Write(t.Context(), run, out, options)
	assert.Equal(t, fault.Exists, fault.KindOf(err), "what is there is not replaced")
}

func TestAPublisherMustSayNamesAndLicences(t *testing.T) {
	for _, change := range []func(*publish.Options){
		func(o *publish.Options) { o.Base = "/home/me/wavlm" },
		func(o *publish.Options) { o.Base = "" },
		func(o *publish.Options) { o.BaseLicence = "" },
		func(o *publish.Options) { o.DataLicence = "as you like it" },
		func(o *publish.Options) { o.Data = "two\nlines" },
		func(o *publish.Options) { o.BaseRevision = "../x" },
	} {
		opt := options
		change(&opt)
		_, err := publish.Write(t.Context(), t.TempDir(), filepath.Join(t.TempDir(), "out"), opt)
		assert.Equal(t, fault.Usage, fault.KindOf(err), opt)
	}
	_, err := publish.Write(t.Context(), filepath.Join(t.TempDir(), "none"), filepath.Join(t.TempDir(), "out"), options)
	assert.Equal(t, fault.Missing, fault.KindOf(err))
}
