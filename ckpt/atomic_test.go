package ckpt

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

func TestAtomic(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "a b\n", "é" + strings.Repeat("x", 253)} {
		path := filepath.Join(dir, name)
		require.NoError(t, Atomic(path, text("old")))
		requireText(t, path, "old")
		require.NoError(t, Atomic(path, text("new")))
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
	require.NoError(t, Atomic("here", text("x")))
	requireText(t, filepath.Join(dir, "here"), "x")
}

// A link is replaced, so that what it leads to (perhaps a file in git-annex's store) stays as it is.
func TestAtomicReplacesLink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	require.NoError(t, Atomic(target, text("old")))
	require.NoError(t, os.Symlink("target", link))
	require.NoError(t, Atomic(link, text("new")))
	requireText(t, target, "old")
	requireText(t, link, "new")
}

func TestAtomicFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	require.NoError(t, Atomic(path, text("old")))
	broken := errors.New("broken")

	err := Atomic(path, func(w io.Writer) error { return errors.Join(text("new")(w), broken) })
	requireFault(t, fault.IO, err, "write: "+path+": broken")
	require.ErrorIs(t, err, broken)

	own := fault.New(fault.BadData, "make", "it", "wrong")
	require.Equal(t, error(own), Atomic(path, func(io.Writer) error { return own }))

	require.PanicsWithValue(t, "no", func() { _ = Atomic(path, func(io.Writer) error { panic("no") }) })

	requireText(t, path, "old")
	require.Equal(t, []string{"a"}, namesIn(t, dir))

	requireFault(t, fault.IO, Atomic(filepath.Join(dir, "none", "a"), text("")), "no such file", "; make its folder first")
	requireFault(t, fault.IO, Atomic(filepath.Join(path, "a"), text("")), "not a directory")
	requireFault(t, fault.IO, Atomic(filepath.Join(dir, strings.Repeat("x", 256)), text("")), "too long")
	requireFault(t, fault.Exists, Atomic(dir, text("")), "a folder or device is there")
	requireFault(t, fault.Exists, Atomic(os.DevNull, text("")), "a folder or device is there")
	require.Equal(t, []string{"a"}, namesIn(t, dir))
}

func TestAtomicDir(t *testing.T) {
	parent := t.TempDir()
	path := filepath.Join(parent, "step-1")
	stale := path + ".tmp." + itoa(os.Getpid())
	require.NoError(t, os.MkdirAll(filepath.Join(stale, "left"), 0o700))
	require.NoError(t, AtomicDir(path+"/", func(dir string) error {
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

	requireFault(t, fault.Exists, AtomicDir(path, func(string) error { t.Error("filled"); return nil }), "exists already")

	other := filepath.Join(parent, "step-2")
	broken := errors.New("broken")
	err := AtomicDir(other, func(dir string) error {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), nil, 0o600))
		return broken
	})
	require.ErrorIs(t, err, broken)
	requireFault(t, fault.IO, err, "write: "+other)
	require.PanicsWithValue(t, "no", func() { _ = AtomicDir(other, func(string) error { panic("no") }) })

	// Somebody else made it in the meantime.
	requireFault(t, fault.Exists, AtomicDir(other, func(string) error {
		require.NoError(t, os.MkdirAll(filepath.Join(other, "theirs"), 0o700))
		return nil
	}), "remove it")
	require.Equal(t, []string{"theirs"}, namesIn(t, other))
	require.Equal(t, []string{"step-1", "step-2"}, namesIn(t, parent))

	err = AtomicDir(filepath.Join(parent, "none", "a"), func(string) error { return nil })
	requireFault(t, fault.IO, err, "make its folder first")
	require.ErrorIs(t, err, fs.ErrNotExist)
}
