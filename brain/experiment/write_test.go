package experiment

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTemplateParses(t *testing.T) {
	e, err := load(t, Template("bold"))
	require.NoError(t, err)
	for s := range e.Settings() {
		want := FromDefault
		if find(s.Key).required() {
			want = FromFile
		}
		assert.Equal(t, want, s.Origin, s.Key)
	}
}

func TestTemplateShowsEveryKeyWithItsDefault(t *testing.T) {
	full := regexp.MustCompile(`(?m)^( *)#([a-z])`).ReplaceAllString(Template("bold"), "$1$2")
	e, err := load(t, full)
	require.NoError(t, err)
	defaults := Default()
	for i := range keys {
		k := &keys[i]
		assert.Equal(t, FromFile, e.Origin(k.name), "%s is not in the template", k.name)
		if !k.required() {
			assert.Equal(t, encode(k.field(defaults)), encode(k.field(e)), k.name)
		}
	}
	for line := range strings.Lines(Template("bold")) {
		assert.LessOrEqual(t, len(line), 116, line)
	}
}

func TestTheTemplateForClipsHasTheKeysOfTheirDesign(t *testing.T) {
	full := regexp.MustCompile(`(?m)^( *)#([a-z])`).ReplaceAllString(Template("event"), "$1$2")
	e, err := load(t, full)
	require.NoError(t, err)
	for i := range keys {
		want := FromFile
		if leftOut("event", keys[i].name) {
			want = FromDefault
		}
		assert.Equal(t, want, e.Origin(keys[i].name), keys[i].name)
	}
	assert.Equal(t, []string{"fold!=0&fold!=1"}, e.Data.Train)
	assert.Equal(t, PoolMean, e.Model.Pooling)
	assert.NotContains(t, Template("event"), "alice")
}

// The template for milliseconds reads back, with its keys and none of tuning.
func TestTheTemplateForSeries(t *testing.T) {
	full := regexp.MustCompile(`(?m)^( *)#([a-z])`).ReplaceAllString(Template("series"), "$1$2")
	e, err := load(t, full)
	require.NoError(t, err)
	for i := range keys {
		want := FromFile
		if leftOut("series", keys[i].name) {
			want = FromDefault
		}
		assert.Equal(t, want, e.Origin(keys[i].name), keys[i].name)
	}
	assert.Equal(t, ContextWindow, e.Model.Context)
	assert.Equal(t, []float64{0, 80, 160, 240}, e.Readout.LagsMS)
	assert.NotContains(t, full, "train.lr")
}

func TestFoldsAreStoriesOrLabels(t *testing.T) {
	for value, want := range map[string]string{"none": "", "stories": "", "label:fold": "fold", "label:a b": "a b"} {
		e, err := load(t, enough, "eval.folds="+value)
		require.NoError(t, err)
		assert.Equal(t, want, e.Eval.Label())
		assert.Equal(t, value != "none", e.Eval.HasFolds())
	}
	for _, value := range []string{`"label:"`, "story", "fold"} {
		_, err := load(t, enough, "eval.folds="+value)
		require.ErrorContains(t, err, "is not one of none, stories, label:COLUMN")
	}
}

func TestWriteIsStableAndReadsBack(t *testing.T) {
	e, err := load(t, enough+"compat: [first_frame]\n", "train.lr=0.1", "train.readout_lr=1e-7", "train.context_rows=2",
		`data.roi=["a b", "null", "'", "x: y", "#", "é\n", "[1]", "no", "-", "3", "1e5", "~", "a:", "2001-01-01"]`)
	require.NoError(t, err)
	var first, second bytes.Buffer
	require.NoError(t, e.Write(&first))
	again, err := load(t, first.String())
	require.NoError(t, err, first.String())
	assert.Equal(t, values(e), values(again))
	assert.Equal(t, e.Data.ROI, again.Data.ROI)
	require.NoError(t, again.Write(&second))
	assert.Equal(t, regexp.MustCompile(` +#.*`).ReplaceAllString(second.String(), ""),
		regexp.MustCompile(` +#.*`).ReplaceAllString(first.String(), ""))
	assert.Contains(t, first.String(), "\n  context_rows: 2                                # set\n")
	assert.Contains(t, first.String(), "\n  pooling: first                                 # compat\n")
	assert.Contains(t, first.String(), "\n  window_seconds: 4                              # default\n")
	assert.Contains(t, first.String(), "\ncompat: [first_frame]                            # file\n")
}

// A program may build a section without naming every field. What is written of it is read again.
func TestSectionsOfAProgramAreReadAgain(t *testing.T) {
	e := Default()
	e.Model = Model{Path: "/model", Layer: 3, WindowSeconds: 2, StrideSeconds: 2, Extraction: ExtractWindows,
		ChunkSeconds: 32, Pooling: PoolMean, Normalise: NormaliseStory, Downsample: DownsampleAverage}
	e.Data.Path, e.Data.Subjects, e.Out = "/data", []string{"ada"}, "/run"
	e.Data.Train, e.Data.Val, e.Data.Test = []string{"a"}, []string{"b"}, []string{"c"}
	e.MarkSet()
	path := filepath.Join(t.TempDir(), "config.yaml")
	var text bytes.Buffer
	require.NoError(t, e.Write(&text))
	require.NoError(t, os.WriteFile(path, text.Bytes(), 0o600))
	again, err := LoadRun(path)
	require.NoError(t, err)
	var second bytes.Buffer
	require.NoError(t, again.Write(&second))
	assert.Equal(t, text.String(), second.String())
}
