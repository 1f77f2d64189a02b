package jsonfile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
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

	root, err := os.OpenRoot(dir)
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

	root, err := os.OpenRoot(dir)
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
	require.ErrorContains(t, jsonfile.ReadIn("read it", root, "out", &v), "escapes")
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

	_, err = jsonfile.AppendLine("add it", path, "text")
	require.NoError(t, err)
	_, err = jsonfile.ReadLines[value]("read it", path)
	faulttest.Require(t, fault.BadData, err, "read it: "+path+":3")
	_, err = jsonfile.AppendLine("add it", filepath.Join(path, "x"), 1)
	faulttest.Require(t, fault.IO, err, "add it: ")
}
