package imports

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/npy"
)

// study writes recordings of a length, by name, and matrices, by path, into a folder.
func study(t *testing.T, seconds map[string]int, matrices map[string][]int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "study")
	for name, n := range seconds {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, audio.WriteWAV(path, make([]float32, n*audio.Rate), audio.Rate, audio.Float32))
	}
	for name, shape := range matrices {
		path, n := filepath.Join(dir, name), 1
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		for _, d := range shape {
			n *= d
		}
		require.NoError(t, npy.Write(path, shape, make([]float32, n)))
	}
	return dir
}

// found returns "subject/story" of each matrix by its relative path.
func pairs(f *Found) map[string]string {
	out := map[string]string{}
	for _, p := range f.Subjects {
		for _, r := range p.Responses {
			out[relative(f.Source, r.File)] = p.Name + "/" + r.Story
		}
	}
	return out
}

func TestStoriesAndSubjectsAreFoundByNames(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"a folder for each subject": {"s1/alice.npy": "s1/alice", "s2/alice.npy": "s2/alice", "s1/wolf.npy": "s1/wolf"},
		"a folder for each story":   {"alice/s1.npy": "s1/alice", "wolf/s1.npy": "s1/wolf", "alice/s2.npy": "s2/alice"},
		"names as in BIDS": {"sub-01/func/sub-01_task-alice_bold.npy": "sub-01/alice",
			"sub-01/func/sub-01_task-wolf_bold.npy": "sub-01/wolf",
			"sub-02/func/sub-02_task-wolf_bold.npy": "sub-02/wolf"},
		"one subject": {"resp/UTS03/alice.npy": "UTS03/alice", "resp/UTS03/wolf.npy": "UTS03/wolf"},
		"no subject":  {"alice.npy": "subject/alice", "wolf.npy": "subject/wolf"},
		"one name in another": {"s1_alice.npy": "s1/alice", "s1_alice_in_wonderland.npy": "s1/alice_in_wonderland",
			"s2_alice.npy": "s2/alice"},
		"parts that all files have": {"lab/v2/s1_Alice_resp.npy": "s1/alice", "lab/v2/s2_Wolf_resp.npy": "s2/wolf"},
	} {
		shapes := map[string][]int{}
		for file := range files {
			shapes[file] = []int{10, 3}
		}
		f, err := Arrays(t.Context(), study(t, map[string]int{"alice.wav": 20, "stimuli/wolf.wav": 20,
			"alice_in_wonderland.wav": 20}, shapes), 2, ArrayOptions{})
		require.NoError(t, err, name)
		assert.Equal(t, files, pairs(f), name)
		require.NoError(t, f.Check(t.Context()), name)
	}
}

func TestWhatIsNotUnderstoodIsLeftOutWithTheReason(t *testing.T) {
	dir := study(t, map[string]int{"alice.wav": 20, "noise.wav": 5}, map[string][]int{"s1/alice.npy": {10, 3},
		"s1/malice.npy": {10, 3}, "masks/alice_ac.npy": {3}, "s1/deep/alice4.npy": {1, 1, 1, 1}})
	for name, text := range map[string]string{"readme.md": "x", "alice.tsv": "onset\toffset\tword\n1\t2\thello\n",
		"s1/alice.tsv": "subject\tage\ns1\t20\n", "all.npz": "PK\x03\x04", "broken/alice.npy": "text", ".hidden": "x"} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	f, err := Arrays(t.Context(), dir, 2, ArrayOptions{})
	require.NoError(t, err)
	why := map[string]string{}
	for _, l := range f.LeftOut {
		why[l.File] = l.Why
	}
	assert.Len(t, why, 8)
	for file, want := range map[string]string{"readme.md": "neither a file of arrays nor a recording",
		"s1/malice.npy": "the name of no recording", "masks/alice_ac.npy": "one dimension of 3",
		"s1/deep/alice4.npy": "4 dimensions", "noise.wav": "a recording without responses",
		"s1/alice.tsv": "has a table of words already", "all.npz": "", "broken/alice.npy": ""} {
		assert.Contains(t, why, file)
		assert.Contains(t, why[file], want)
	}
	assert.Equal(t, filepath.Join(dir, "alice.tsv"), f.Stories[0].Words)
	require.NoError(t, f.Check(t.Context()))
	text := string(f.YAML())
	for _, l := range f.LeftOut {
		assert.Contains(t, text, "#   "+l.File+": "+l.Why)
	}
	for _, g := range f.Guessed {
		assert.Contains(t, text, "# Guessed: "+g)
	}
}

func TestFoldersWithoutADataSet(t *testing.T) {
	sound := map[string]int{"alice.wav": 20}
	for want, dir := range map[string]string{
		"there is no recording":        study(t, nil, map[string][]int{"alice.npy": {10, 3}}),
		"there is no .npy and no file": study(t, sound, nil),
		"has the name of a recording":  study(t, sound, map[string][]int{"wolf.npy": {10, 3}}),
		"both be subject s1, story": study(t, sound, map[string][]int{"s1/alice.npy": {10, 3},
			"s1/task_alice.npy": {10, 3}}),
		"is a file, want a folder": filepath.Join(study(t, sound, nil), "alice.wav"),
	} {
		_, err := Arrays(t.Context(), dir, 2, ArrayOptions{})
		faulttest.Require(t, fault.BadData, err, want)
	}
	_, err := Arrays(t.Context(), filepath.Join(t.TempDir(), "none"), 2, ArrayOptions{})
	faulttest.Require(t, fault.Missing, err, "none")
}

func TestRowsThatDoNotFitTheAudioAreNamed(t *testing.T) {
	dir := study(t, map[string]int{"alice.wav": 200, "wolf.wav": 300}, map[string][]int{"s1/alice.npy": {100, 30},
		"s1/wolf.npy": {90, 30}, "s2/alice.npy": {99, 30}, "s2/wolf.npy": {170, 30}})
	f, err := Arrays(t.Context(), dir, 2, ArrayOptions{})
	require.NoError(t, err)
	err = f.Check(t.Context())
	faulttest.Require(t, fault.BadData, err, "s1/wolf.npy: subject s1, story wolf: 90 rows")
	assert.ErrorContains(t, err, "s2/wolf.npy: subject s2, story wolf: 170 rows")
	assert.NotContains(t, err.Error(), "alice.npy")
}

func TestNothingIsWrittenInTheSource(t *testing.T) {
	dir := study(t, map[string]int{"a: b.wav": 20}, map[string][]int{"s1/a: b.npy": {10, 3}})
	f, err := Arrays(t.Context(), dir, 2, ArrayOptions{})
	require.NoError(t, err)
	require.NoError(t, f.Check(t.Context()))
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(filepath.Join(dir, "s1"), link))
	for _, out := range []string{dir, filepath.Join(dir, "new", "data"), link, filepath.Join(link, "below")} {
		_, err := f.Import(t.Context(), Options{Dir: out, Link: true})
		faulttest.Require(t, fault.Usage, err, "lies within")
	}
	files := 0
	require.NoError(t, filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if !e.IsDir() {
			files++
		}
		return err
	}))
	assert.Equal(t, 2, files)

	out := filepath.Join(t.TempDir(), "data")
	_, err = f.Import(t.Context(), Options{Dir: out, Link: true})
	require.NoError(t, err)
	d, err := dataset.Open(out)
	require.NoError(t, err)
	assert.Equal(t, []string{"a_ b"}, d.Stories())
	assert.Equal(t, []string{"s1"}, d.SubjectNames())
	assert.InDelta(t, 2, d.TR(), 0)
	_, err = f.Import(t.Context(), Options{Dir: out, Link: true})
	faulttest.Require(t, fault.Exists, err, "is there already")
}

func TestLikelyTRIsTheUsualSecondsOfARow(t *testing.T) {
	f, err := Arrays(t.Context(), study(t, map[string]int{"alice.wav": 30, "wolf.wav": 40},
		map[string][]int{"s1/alice.npy": {20, 3}, "s1/wolf.npy": {2, 27, 3}, "s2/alice.npy": {5, 3}}), 0,
		ArrayOptions{})
	require.NoError(t, err)
	assert.InDelta(t, 1.5, f.LikelyTR(t.Context()), .02)
}

func TestNamesInYAMLStayOnTheirLine(t *testing.T) {
	for _, text := range []string{"plain", "with: colon", "true", "1.5", "- x", "#x", strings.Repeat("long name ", 30),
		"tab\there", "line\nbreak", "é \U0001f600"} {
		assert.NotContains(t, scalar(text), "\n", text)
	}
}
