package dataset

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

func TestFeaturesOfStories(t *testing.T) {
	dir := write(t, map[string]string{"dataset.yaml": `tr_seconds: 2
stories:
  a: {audio: a.wav}
  b: {audio: b.wav}
subjects:
  s1: {a: a.txt, b: b.txt}
features:
  own: {a: own/a.txt, b: {file: own/b.txt}}
`, "a.txt": "1 2\n3 4\n", "b.txt": "5 6\n", "own/a.txt": "7 8 9\n1 2 3\n", "own/b.txt": "4 5 6\n"})
	d, err := Open(dir)
	require.NoError(t, err)
	assert.Equal(t, []string{"own"}, d.featureNames())
	m, err := d.Features(t.Context(), "own", "a")
	require.NoError(t, err)
	assert.Equal(t, NewMatrix(2, 3, []float32{7, 8, 9, 1, 2, 3}), m)
	_, err = d.Features(t.Context(), "on", "a")
	faulttest.Require(t, fault.Usage, err, `there is no features "on"; did you mean "own"?`)
	assert.Contains(t, d.paths([]string{"s1"}, []string{"a"}), filepath.Join(dir, "own/a.txt"))
	assert.NotContains(t, d.paths([]string{"s1"}, []string{"a"}), filepath.Join(dir, "own/b.txt"))
}

func TestFeaturesThatCannotBe(t *testing.T) {
	for text, want := range map[string]string{
		"features: {own: {c: own.txt}}":          `features/own/c: there is no story "c"`,
		"features: {own: own.txt}":               "features/own",
		"features: {own: {}}":                    "features/own",
		"features: {own: {a: {array: x}}}":       "features/own/a needs file",
		"features: {own: {a: {fill: own.txt}}}":  `"fill"`,
		"features: {\"a/b\": {a: own.txt}}":      "cannot be the name of features",
		"features: {own: {a: ../elsewhere.txt}}": "elsewhere.txt",
	} {
		d, err := Open(write(t, map[string]string{"dataset.yaml": good + text + "\n"}))
		if err == nil {
			_, err = d.Features(t.Context(), "own", "a")
		}
		require.ErrorContains(t, err, want, text)
		assert.Contains(t, []fault.Kind{fault.BadData, fault.Usage}, fault.KindOf(err), text)
	}
}

// Rows of features follow the clips when these are put in the order of splits, and so do labels.
func TestFeaturesOfClips(t *testing.T) {
	dir := write(t, map[string]string{"dataset.yaml": `design: event
clip_seconds: 1
events: {table: clips.tsv, audio: "{clip}.wav"}
subjects: {s1: r.txt}
features: {own: own.txt}
`, "clips.tsv": "clip\tkind\nc0\ty\nc1\tx\nc2\ty\nc3\tz\n", "r.txt": "0\n1\n2\n3\n",
		"own.txt": "0 0\n1 10\n2 20\n3 30\n"})
	d, err := Open(dir)
	require.NoError(t, err)
	assert.Equal(t, []string{"own", "kind"}, d.featureNames())
	d, err = d.Arranged([]string{"c3", "c1"}, []string{"kind=y"})
	require.NoError(t, err)
	m, err := d.Features(t.Context(), "own", EventStory)
	require.NoError(t, err)
	kinds, err := d.Features(t.Context(), "kind", EventStory)
	require.NoError(t, err)
	responses, err := d.ReadResponses(t.Context(), "s1", EventStory)
	require.NoError(t, err)
	require.NotEqual(t, []float32{0, 1, 2, 3}, responses.Data, "the order is another one")
	of := map[string][]float32{"x": {1, 0, 0}, "y": {0, 1, 0}, "z": {0, 0, 1}}
	for k, e := range d.Events() {
		at := responses.Row(0, k)[0]
		assert.Equal(t, []float32{at, 10 * at}, m.Row(0, k), e.Name)
		assert.Equal(t, of[e.Labels["kind"]], kinds.Row(0, k), e.Name)
	}
	_, err = Open(write(t, map[string]string{"dataset.yaml": `design: event
clip_seconds: 1
events: {table: clips.tsv, audio: "{clip}.wav"}
subjects: {s1: r.txt}
features: {kind: own.txt}
`, "clips.tsv": "clip\tkind\nc0\ty\n", "r.txt": "0\n", "own.txt": "0 0\n"}))
	faulttest.Require(t, fault.BadData, err, "features/kind: a column of the labels of clips has this name")
}
