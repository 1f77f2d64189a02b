package imports

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// unfetched puts a link of git-annex without content at a path.
func unfetched(t *testing.T, path string) {
	t.Helper()
	key := "MD5E-s400--0cc175b9c0f1b6a831c399e269772661" + filepath.Ext(path)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.Symlink("../.git/annex/objects/Xm/0p/"+key+"/"+key, path))
}

// write writes a file of text.
func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// absent are the paths of what is missing, relative to a folder.
func absent(f *Found, dir string) (out []string) {
	for _, m := range f.Missing {
		out = append(out, relative(dir, m.Path))
	}
	return out
}

const table = "onset\toffset\tword\n1\t2\thello\n"

// Folders of recordings have recordings and words alone, and nothing in them is told as left out.
func TestRecordingsOfOtherFolders(t *testing.T) {
	dir := study(t, nil, map[string][]int{"s1/alice.npy": {10, 3}, "s1/wolf.npy": {10, 3}})
	sound := study(t, map[string]int{"alice.wav": 20, "wolf.wav": 20, "more/Alice.wav": 20},
		map[string][]int{"s2/alice.npy": {10, 3}, "s3/wolf.npy": {10, 3}})
	require.NoError(t, os.Rename(filepath.Join(sound, "s3/wolf.npy"), filepath.Join(sound, "s3/wolf.npz")))
	write(t, filepath.Join(sound, "readme.md"), "x")
	write(t, filepath.Join(sound, "fox.tsv"), table)
	write(t, filepath.Join(sound, "wolf.tsv"), table)
	f, err := Arrays(t.Context(), dir, 2, ArrayOptions{Audio: []string{sound}})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"s1/alice.npy": "s1/alice", "s1/wolf.npy": "s1/wolf"}, pairs(f))
	again := filepath.Join(sound, "more/Alice.wav")
	assert.Equal(t, []LeftOut{{again, "story Alice has the recording " + filepath.Join(sound, "alice.wav") +
		" already"}}, f.LeftOut)
	assert.Equal(t, filepath.Join(sound, "wolf.tsv"), f.Stories[1].Words)

	// Of a story that is given its recording, others are left out, and the file is no story of its own.
	f, err = Arrays(t.Context(), dir, 2, ArrayOptions{Audio: []string{sound, "wolf=" + again}})
	require.NoError(t, err)
	assert.Equal(t, []string{"wolf", "alice"}, []string{f.Stories[0].Name, f.Stories[1].Name})
	assert.Equal(t, []string{again, filepath.Join(sound, "alice.wav")}, []string{f.Stories[0].Audio,
		f.Stories[1].Audio})
	require.Len(t, f.LeftOut, 1)
	assert.Equal(t, filepath.Join(sound, "wolf.wav"), f.LeftOut[0].File)

	// A recording that is given may not have been fetched, but must be there.
	away := filepath.Join(t.TempDir(), "away.wav")
	unfetched(t, away)
	f, err = Arrays(t.Context(), dir, 2, ArrayOptions{Audio: []string{sound, "wolf=" + away}})
	require.NoError(t, err)
	assert.Equal(t, []string{"away.wav"}, absent(f, filepath.Dir(away)))
	_, err = Arrays(t.Context(), dir, 2, ArrayOptions{Audio: []string{sound, "wolf=x.wav"}, Stories: []string{"alice"}})
	faulttest.Require(t, fault.Missing, err, "x.wav")
}

// Of subjects and stories that are not selected nothing is wanted, and nothing is told.
func TestSelectedSubjectsAndStories(t *testing.T) {
	dir := study(t, map[string]int{"alice.wav": 20, "wolf.wav": 20, "fox.wav": 20}, map[string][]int{
		"s1/alice.npy": {10, 3}, "s1/wolf.npy": {10, 3}, "s2/wolf.npy": {10, 3}, "s3/fox.npy": {10, 3}})
	write(t, filepath.Join(dir, "wolf.tsv"), table)
	require.NoError(t, os.Remove(filepath.Join(dir, "fox.wav")))
	unfetched(t, filepath.Join(dir, "fox.wav"))
	unfetched(t, filepath.Join(dir, "s3/wolf.npy"))
	unfetched(t, filepath.Join(dir, "alice.TextGrid"))
	find := func(opt ArrayOptions) *Found {
		f, err := Arrays(t.Context(), dir, 2, opt)
		require.NoError(t, err)
		return f
	}
	names := func(f *Found) (stories []string) {
		for _, s := range f.Stories {
			stories = append(stories, s.Name)
		}
		return stories
	}
	f := find(ArrayOptions{Stories: []string{"a*"}})
	assert.Equal(t, []string{"alice"}, names(f))
	assert.Equal(t, map[string]string{"s1/alice.npy": "s1/alice"}, pairs(f))
	assert.Equal(t, []string{"subject s2 has responses to none of the stories, and is left out",
		"subject s3 has responses to none of the stories, and is left out"}, f.Notes)
	assert.Empty(t, f.LeftOut)
	assert.Equal(t, []string{"alice.TextGrid"}, absent(f, dir))

	f = find(ArrayOptions{Subjects: []string{"s2"}})
	assert.Equal(t, []string{"wolf"}, names(f), "stories of others are none")
	assert.Equal(t, map[string]string{"s2/wolf.npy": "s2/wolf"}, pairs(f))
	assert.Equal(t, filepath.Join(dir, "wolf.tsv"), f.Stories[0].Words)
	assert.Empty(t, f.Missing)

	f = find(ArrayOptions{Subjects: []string{"s3"}})
	assert.Equal(t, []string{"fox.wav", "s3/wolf.npy"}, absent(f, dir))
	_, err := Arrays(t.Context(), dir, 2, ArrayOptions{Subjects: []string{"s2"}, Stories: []string{"alice"}})
	faulttest.Require(t, fault.BadData, err, "none of the chosen subjects has responses to a chosen story")
}

// The seconds of a row count from the second at which row 0 begins.
func TestLikelyTRFromRow0On(t *testing.T) {
	dir := study(t, map[string]int{"alice.wav": 30, "wolf.wav": 60}, map[string][]int{"s1/alice.npy": {20, 3},
		"s1/wolf.npy": {20, 3}})
	f, err := Arrays(t.Context(), dir, 0, ArrayOptions{First: map[string]float64{"": -10, "wolf": 20}})
	require.NoError(t, err)
	assert.InDelta(t, 2, f.LikelyTR(t.Context()), .01)
	assert.Equal(t, []float64{-10, 20}, []float64{f.Stories[0].First, f.Stories[1].First})
}

// A TextGrid next to a recording has its words, and its phones if it has a tier of them.
func TestTextGridsOfArrays(t *testing.T) {
	dir := study(t, map[string]int{"alice.wav": 20, "wolf.wav": 20}, map[string][]int{"s1/alice.npy": {10, 3},
		"s1/wolf.npy": {10, 3}})
	tier := func(name string) string {
		return "\"IntervalTier\"\n\"" + name + "\"\n0\n20\n1\n0\n20\n\"hello\"\n"
	}
	head := "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\n0\n20\n<exists>\n"
	write(t, filepath.Join(dir, "alice.TextGrid"), head+"2\n"+tier("phone")+tier("word"))
	write(t, filepath.Join(dir, "wolf.TextGrid"), head+"1\n"+tier("word"))
	f, err := Arrays(t.Context(), dir, 2, ArrayOptions{})
	require.NoError(t, err)
	both := filepath.Join(dir, "alice.TextGrid")
	assert.Equal(t, []string{both, both, filepath.Join(dir, "wolf.TextGrid"), ""}, []string{f.Stories[0].Words,
		f.Stories[0].Phones, f.Stories[1].Words, f.Stories[1].Phones})
}

// Columns can be selected before anything is fetched; they are compared with the responses later.
func TestColumnsOfResponsesThatAreNotThere(t *testing.T) {
	path := columnsFile(t, 0, 9)
	f, err := Start("test", t.TempDir())
	require.NoError(t, err)
	f.Missing = []File{{Path: "x"}}
	require.NoError(t, f.KeepFile(path))
	faulttest.Require(t, fault.Missing, f.KeepFile("none.npy"), "none.npy")
	dir := study(t, map[string]int{"alice.wav": 20}, nil)
	unfetched(t, filepath.Join(dir, "s1/alice.npy"))
	f, err = Arrays(t.Context(), dir, 2, ArrayOptions{})
	require.NoError(t, err)
	require.NoError(t, f.KeepFile(path))
	assert.Nil(t, f.Subjects[0].Selection)
}

// Of the columns that are selected, one must have numbers in all stories.
func TestSelectedColumnsWithoutNumbers(t *testing.T) {
	f, data := made(t, "a", "b")
	for k := range data["a"].rows {
		data["a"].rows[k][1], data["b"].rows[k][2] = math.NaN(), math.NaN()
	}
	require.NoError(t, f.KeepFile(columnsFile(t, 2, 1)))
	_, err := f.Import(t.Context(), Options{Dir: filepath.Join(t.TempDir(), "out")})
	faulttest.Require(t, fault.BadData, err, "subject s1 has no voxel with numbers in all stories")
}

// Integers that are multiplied are not named where they lie; both forms go together.
func TestScaledAndTransposed(t *testing.T) {
	dir := fileStudy(t, "hdf5/int16_scaled.h5", "souls.h5")
	f, err := Arrays(t.Context(), dir, longTR, ArrayOptions{Scale: true})
	require.NoError(t, err)
	out := filepath.Join(t.TempDir(), "out")
	_, err = f.Import(t.Context(), Options{Dir: out, Link: true})
	faulttest.Require(t, fault.BadData, err, "cannot be read where they lie")
	f, err = Arrays(t.Context(), dir, longTR, ArrayOptions{Scale: true, Transpose: true})
	require.NoError(t, err)
	r := f.Subjects[0].Responses[0]
	assert.Equal(t, "multiplied by 0.001; transposed", r.Treated)
	plain, err := Arrays(t.Context(), dir, longTR, ArrayOptions{Scale: true})
	require.NoError(t, err)
	_, want := importedNumbers(t, plain)
	rows, err := r.Open(t.Context())
	require.NoError(t, err)
	defer rows.Close()
	row := make([]float64, 12)
	for v := range 7 {
		require.NoError(t, rows.Next(row))
		for k, x := range row {
			require.InDelta(t, want[7*k+v], x, 0)
		}
	}
}
