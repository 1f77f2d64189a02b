package jsonfile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

type value struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

func TestWriteAndRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.json")
	want := value{"p < .05 & q", 3}
	require.NoError(t, jsonfile.Write(path, want))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "{\n  \"name\": \"p < .05 & q\",\n  \"n\": 3\n}\n", string(text))

	var got value
	require.NoError(t, jsonfile.Read("read it", path, &got))
	require.Equal(t, want, got)

	root, err := disk.Open(dir)
	require.NoError(t, err)
	defer root.Close()
	got = value{}
	require.NoError(t, jsonfile.ReadIn("read it", root, "a.json", &got))
	require.Equal(t, want, got)
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{"cut": `{"name":`, "type": `{"n": "3"}`, "two": `{} {}`, "empty": ""} {
		require.NoError(t, os.WriteFile(in(name), []byte(text), 0o600))
	}
	large, err := os.Create(in("large"))
	require.NoError(t, err)
	require.NoError(t, large.Truncate(64<<20+1))
	require.NoError(t, large.Close())
	require.NoError(t, os.Symlink("/etc/passwd", in("out")))

	root, err := disk.Open(dir)
	require.NoError(t, err)
	defer root.Close()
	var v value
	for _, name := range []string{"cut", "type", "two", "empty", "large"} {
		faulttest.Require(t, fault.BadData, jsonfile.Read("read it", in(name), &v), "read it: "+in(name))
		faulttest.Require(t, fault.BadData, jsonfile.ReadIn("read it", root, name, &v), "read it: "+in(name))
	}
	for _, err := range []error{jsonfile.Read("read it", in("none"), &v),
		jsonfile.ReadIn("read it", root, "none", &v)} {
		require.ErrorIs(t, err, fs.ErrNotExist)
		faulttest.Require(t, fault.Missing, err, in("none"))
	}
	require.NoError(t, os.Symlink("cut", in("link")))
	require.NoError(t, syscall.Mkfifo(in("pipe"), 0o600))
	for name, is := range map[string]string{"out": "is a link", "link": "is a link", "pipe": "is a pipe",
		".": "a folder"} {
		err := jsonfile.ReadOwn("read it", dir, name, &v)
		faulttest.Require(t, fault.BadData, err, "read it: "+in(name), is, "want a regular file; ")
	}
	faulttest.Require(t, fault.Missing, jsonfile.ReadOwn("read it", in("no"), "a", &v), "read it: "+in("no/a"))
}

func TestLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jsonl")
	_, err := jsonfile.ReadLines[value]("read it", path)
	require.ErrorIs(t, err, fs.ErrNotExist)
	want := []value{{"a\nb", 1}, {strings.Repeat("c", 1<<17), 2}}
	var size int64
	for _, v := range want {
		size, err = jsonfile.AppendLine("add it", path, v)
		require.NoError(t, err)
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, info.Size(), size)
	got, err := jsonfile.ReadLines[value]("read it", path)
	require.NoError(t, err)
	require.Equal(t, want, got)

	// What a killed process left of a line is nothing, and is cut off by the next one.
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, torn := range []string{`{`, `{"name":"` + strings.Repeat("d", 1<<17)} {
		require.NoError(t, os.WriteFile(path, append(whole, torn...), 0o600))
		got, err = jsonfile.ReadLines[value]("read it", path)
		require.NoError(t, err)
		require.Equal(t, want, got)
		size, err = jsonfile.AppendLine("add it", path, value{"e", 3})
		require.NoError(t, err)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(whole)+"{\"name\":\"e\",\"n\":3}\n", string(text))
		require.EqualValues(t, len(text), size)
	}
	require.NoError(t, os.WriteFile(path, []byte("torn"), 0o600))
	size, err = jsonfile.AppendLine("add it", path, 1)
	require.NoError(t, err)
	require.EqualValues(t, len("1\n"), size)
	require.NoError(t, os.WriteFile(path, whole, 0o600))

	_, err = jsonfile.AppendLine("add it", path, "text")
	require.NoError(t, err)
	_, err = jsonfile.ReadLines[value]("read it", path)
	faulttest.Require(t, fault.BadData, err, "read it: "+path+":3")
	_, err = jsonfile.AppendLine("add it", filepath.Join(path, "x"), 1)
	faulttest.Require(t, fault.IO, err, "add it: ")

	// A link or a pipe in the place of the file is neither followed nor waited for.
	dir := t.TempDir()
	victim, link, pipe := filepath.Join(dir, "victim"), filepath.Join(dir, "link"), filepath.Join(dir, "pipe")
	require.NoError(t, os.WriteFile(victim, []byte("{}\n"), 0o600))
	require.NoError(t, os.Symlink("victim", link))
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for _, path := range []string{link, pipe, dir} {
		_, err = jsonfile.AppendLine("add it", path, 1)
		faulttest.Require(t, fault.BadData, err, "add it: "+path, "want a regular file")
		_, err = jsonfile.ReadLines[value]("read it", path)
		faulttest.Require(t, fault.BadData, err, "read it: "+path, "want a regular file")
	}
	text, err := os.ReadFile(victim)
	require.NoError(t, err)
	require.Equal(t, "{}\n", string(text))
}
