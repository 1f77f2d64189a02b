package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func requireText(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "a b\n", "é" + strings.Repeat("x", 253)} {
		path := filepath.Join(dir, name)
		require.NoError(t, Write(path, text("old")))
		requireText(t, path, "old")
		require.NoError(t, Write(path, text("new")))
		requireText(t, path, "new")
	}
	require.Len(t, namesIn(t, dir), 3)

	info, err := os.Stat(filepath.Join(dir, "a"))
	require.NoError(t, err)
	plain := filepath.Join(dir, "plain")
	require.NoError(t, os.WriteFile(plain, nil, 0o666))
	want, err := os.Stat(plain)
	require.NoError(t, err)
	require.Equal(t, want.Mode(), info.Mode(), "permissions are those of any new file")

	t.Chdir(dir)
	require.NoError(t, Write("here", text("x")))
	requireText(t, filepath.Join(dir, "here"), "x")
}

// A link is replaced, so that what it leads to (perhaps a file in git-annex's store) stays as it
// is.
func TestWriteReplacesLink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	require.NoError(t, Write(target, text("old")))
	require.NoError(t, os.Symlink("target", link))
	require.NoError(t, Write(link, text("new")))
	requireText(t, target, "old")
	requireText(t, link, "new")
}

func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	require.NoError(t, Write(path, text("old")))
	broken := errors.New("broken")

	err := Write(path, func(w io.Writer) error { return errors.Join(text("new")(w), broken) })
	faulttest.Require(t, fault.IO, err, "write: "+path+": broken")
	require.ErrorIs(t, err, broken)

	own := fault.New(fault.BadData, "make", "it", "wrong")
	require.Equal(t, error(own), Write(path, func(io.Writer) error { return own }))

	require.PanicsWithValue(t, "no", func() { _ = Write(path, func(io.Writer) error { panic("no") }) })

	requireText(t, path, "old")
	require.Equal(t, []string{"a"}, namesIn(t, dir))

	faulttest.Require(t, fault.IO, Write(filepath.Join(dir, "none", "a"), text("")), "no such file",
		"; make its folder first")
	faulttest.Require(t, fault.IO, Write(filepath.Join(path, "a"), text("")), "not a directory")
	faulttest.Require(t, fault.IO, Write(filepath.Join(dir, strings.Repeat("x", 256)), text("")), "too long")
	faulttest.Require(t, fault.Exists, Write(dir, text("")), "a folder or device is there")
	faulttest.Require(t, fault.Exists, Write(os.DevNull, text("")), "a folder or device is there")
	require.Equal(t, []string{"a"}, namesIn(t, dir))
}

func TestDir(t *testing.T) {
	parent := t.TempDir()
	path := filepath.Join(parent, "step-1")
	stale := path + ".tmp." + itoa(os.Getpid())
	require.NoError(t, os.MkdirAll(filepath.Join(stale, "left"), 0o700))
	require.NoError(t, Dir(path+"/", func(dir string) error {
		require.Equal(t, stale, dir)
		require.Empty(t, namesIn(t, dir))
		require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o700))
		require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "link")))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "sub", "b"), []byte("b"), 0o600))
		return os.WriteFile(filepath.Join(dir, "a"), []byte("a"), 0o600)
	}))
	require.Equal(t, []string{"step-1"}, namesIn(t, parent))
	requireText(t, filepath.Join(path, "a"), "a")
	requireText(t, filepath.Join(path, "sub", "b"), "b")

	faulttest.Require(t, fault.Exists, Dir(path, func(string) error { t.Error("filled"); return nil }),
		"exists already")

	other := filepath.Join(parent, "step-2")
	broken := errors.New("broken")
	err := Dir(other, func(dir string) error {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), nil, 0o600))
		return broken
	})
	require.ErrorIs(t, err, broken)
	faulttest.Require(t, fault.IO, err, "write: "+other)
	require.PanicsWithValue(t, "no", func() { _ = Dir(other, func(string) error { panic("no") }) })

	// Somebody else made it in the meantime.
	faulttest.Require(t, fault.Exists, Dir(other, func(string) error {
		require.NoError(t, os.MkdirAll(filepath.Join(other, "theirs"), 0o700))
		return nil
	}), "remove it")
	require.Equal(t, []string{"theirs"}, namesIn(t, other))
	require.Equal(t, []string{"step-1", "step-2"}, namesIn(t, parent))

	err = Dir(filepath.Join(parent, "none", "a"), func(string) error { return nil })
	faulttest.Require(t, fault.IO, err, "make its folder first")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// namesIn lists what is in a folder.
func namesIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
