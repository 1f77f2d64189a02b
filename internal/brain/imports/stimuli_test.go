package imports

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

func TestStoriesAreThoseWithRecordingAndResponses(t *testing.T) {
	dir := t.TempDir()
	responses := func(stories ...string) (out []Response) {
		for _, story := range stories {
			out = append(out, Response{Story: story, File: filepath.Join(dir, "all.jbl"), Shape: []int{4, 2}})
		}
		return out
	}
	made := func() *Found {
		f, err := Start("test", dir)
		require.NoError(t, err)
		f.Subjects = []Subject{{Name: "s1", Responses: responses("a", "b", "c")}, {Name: "s2",
			Responses: responses("c")}}
		return f
	}
	var s Stimuli
	for _, name := range []string{"A.txt", "a.wav", "b.MP3", "a.flac", "d.wav", "b.TextGrid"} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
		assert.Equal(t, name != "A.txt", s.Add(path), name)
	}
	f := made()
	require.NoError(t, f.Hear(&s, nil, ""))
	assert.Equal(t, []Story{{Name: "a", Audio: filepath.Join(dir, "a.wav")}, {Name: "b",
		Audio: filepath.Join(dir, "b.MP3"), Words: filepath.Join(dir, "b.TextGrid"),
		Phones: filepath.Join(dir, "b.TextGrid")}}, f.Stories)
	assert.Equal(t, []LeftOut{{"all.jbl", "there is no recording of story c, which is left out"}}, f.LeftOut)
	assert.Equal(t, []string{"there are recordings without responses: d",
		"subject s2 has responses to none of the stories, and is left out"}, f.Notes)
	require.Len(t, f.Subjects, 1)
	assert.Len(t, f.Subjects[0].Responses, 2)

	f = made()
	require.NoError(t, f.Hear(&s, []string{"b"}, ""))
	assert.Empty(t, f.LeftOut, "what was not chosen is no loss")
	assert.Len(t, f.Stories, 1)
	faulttest.Require(t, fault.Missing, made().Hear(&s, []string{"x"}, ""), "there is no story x; there are a, b, c")
	faulttest.Require(t, fault.Missing, made().Hear(&Stimuli{}, nil, "look there"),
		"no story has a recording: there are a, b, c; look there")
}

// Links to folders are where a search begins, and what is hidden is no part of it.
func TestEachFileOnce(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/x.wav", "a/.x.wav", "a/.git/y.wav", "a/b/z.wav"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	require.NoError(t, os.Symlink("a", filepath.Join(dir, "link")))
	t.Chdir(dir)
	var found []string
	f, err := Start("test", "link")
	require.NoError(t, err)
	require.NoError(t, f.EachFile(t.Context(), []string{f.Source, "link/b", "a"}, func(path string) {
		rel, err := filepath.Rel(f.Source, path)
		require.NoError(t, err)
		found = append(found, rel)
	}))
	slices.Sort(found)
	assert.Equal(t, []string{"b/z.wav", "x.wav"}, found)
	faulttest.Require(t, fault.Missing, f.EachFile(t.Context(), []string{"none"}, func(string) {}), "none")
}
