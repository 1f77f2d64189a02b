package disk_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// planted makes a folder with a regular file and with everything that somebody could put in the place of one, and
// returns it with a file outside that must not change.
func planted(t *testing.T) (f *disk.Folder, victim string) {
	t.Helper()
	outside, dir := t.TempDir(), t.TempDir()
	victim = filepath.Join(outside, "victim")
	in := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(victim, []byte("mine"), 0o600))
	require.NoError(t, os.MkdirAll(in("sub/below"), 0o700))
	require.NoError(t, os.WriteFile(in("file"), []byte("four"), 0o600))
	require.NoError(t, os.WriteFile(in("sub/file"), []byte("four"), 0o600))
	for name, to := range map[string]string{"out": victim, "within": "file", "dangling": "nowhere", "loop": "loop",
		"outdir": outside, "withindir": "sub", "sub/up": "../file"} {
		require.NoError(t, os.Symlink(to, in(name)))
	}
	require.NoError(t, syscall.Mkfifo(in("pipe"), 0o600))
	socket, err := net.Listen("unix", in("socket"))
	require.NoError(t, err)
	t.Cleanup(func() { socket.Close() })
	f, err = disk.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() {
		f.Close()
		text, err := os.ReadFile(victim)
		require.NoError(t, err)
		require.Equal(t, "mine", string(text), "a link was written through")
	})
	return f, victim
}

// strange are names of planted, and what they are.
var strange = map[string]string{"out": "a link", "within": "a link", "dangling": "a link", "loop": "a link",
	"outdir": "a link", "outdir/victim": "a link", "withindir/file": "a link", "sub/up": "a link", "pipe": "a pipe",
	"pipe/x": "a pipe", "socket": "a socket", "sub": "a folder"}

func TestWhatIsNoRegularFileIsRefused(t *testing.T) {
	f, _ := planted(t)
	for name, is := range strange {
		for op, do := range map[string]func() error{
			"open":     func() error { _, _, err := f.Open(name); return err },
			"read":     func() error { _, err := f.Read(name, 10); return err },
			"append":   func() error { _, err := f.OpenOrCreate(name, os.O_APPEND, 0o600); return err },
			"truncate": func() error { return f.Truncate(name, 0) },
			"sync":     func() error { return f.Sync(name) },
		} {
			var e *disk.Strange
			err := do()
			require.ErrorAs(t, err, &e, "%s %s", op, name)
			require.Equal(t, is, e.Is, "%s %s", op, name)
			faulttest.Require(t, fault.BadData, disk.Fault("read it", f.Path(name), err), "read it: "+e.Path,
				"is "+is+", want a ", "; bwlm did not put it there: remove it")
		}
	}
	for _, name := range []string{"../x", "/etc/passwd", "sub/../../x"} {
		_, _, err := f.Open(name)
		require.Error(t, err, name)
		_, err = f.Create(name, 0o600)
		require.Error(t, err, name)
	}
}

func TestNoFolderIsMadeOrListedThroughALink(t *testing.T) {
	f, victim := planted(t)
	for _, name := range []string{"outdir", "outdir/new", "withindir/new", "dangling/new", "pipe/new"} {
		var e *disk.Strange
		require.ErrorAs(t, f.MkdirAll(name, 0o700), &e, name)
		_, err := f.ReadDir(name)
		require.ErrorAs(t, err, &e, name)
		_, err = f.Create(name+"/file", 0o600)
		require.ErrorAs(t, err, &e, name)
	}
	require.ErrorIs(t, f.MkdirAll("file/new", 0o700), syscall.ENOTDIR)
	require.NoError(t, f.MkdirAll("sub/new/er", 0o700))
	require.NoError(t, f.MkdirAll("sub/new/er", 0o700), "it is there")
	entries, err := os.ReadDir(filepath.Dir(victim))
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

func TestCheckFindsWhatIsNoFileBelow(t *testing.T) {
	f, _ := planted(t)
	require.NoError(t, f.Check("file", "nowhere", "sub/below"))
	for _, name := range []string{"out", "pipe", "socket", "sub", "dangling", "outdir", "sub/up"} {
		var e *disk.Strange
		require.ErrorAs(t, f.Check("file", name), &e, name)
	}
}

func TestRemoveAllRemovesLinksAndNotWhatTheyLeadTo(t *testing.T) {
	f, victim := planted(t)
	for _, name := range []string{"outdir", "out", "sub", "pipe", "nowhere"} {
		require.NoError(t, f.RemoveAll(name), name)
		_, err := f.Lstat(name)
		require.ErrorIs(t, err, fs.ErrNotExist, name)
	}
	require.FileExists(t, victim)
	var e *disk.Strange
	require.ErrorAs(t, f.RemoveAll("withindir/file"), &e)
}

func TestSizesAreCheckedBeforeReading(t *testing.T) {
	f, _ := planted(t)
	text, err := f.Read("sub/file", 4)
	require.NoError(t, err)
	require.Equal(t, "four", string(text))
	_, err = f.Read("file", 3)
	faulttest.Require(t, fault.BadData, disk.Fault("read it", "a", err), "the file has 4 bytes, at most 3 are allowed")
	require.NoError(t, os.Truncate(f.Path("file"), 1<<40)) // sparse
	_, err = f.Read("file", 1<<20)
	require.ErrorContains(t, err, "1099511627776 bytes")
}

func TestAFolderThatAUserNamesMayBeALink(t *testing.T) {
	f, _ := planted(t)
	require.NoError(t, disk.In(f.Path("withindir"), func(sub *disk.Folder) error {
		_, err := sub.Read("file", 10)
		return err
	}))
	for _, name := range []string{"pipe", "file", "nowhere", "dangling"} { // a pipe makes nobody wait
		_, err := disk.Open(f.Path(name))
		require.Error(t, err, name)
	}
	require.NoError(t, disk.MkdirAll(f.Path("withindir/a/b"), 0o700))
	require.DirExists(t, f.Path("sub/a/b"))
	require.ErrorIs(t, disk.MkdirAll(f.Path("file/a"), 0o700), syscall.ENOTDIR)
}

// Every change is a step: with a step that refuses, nothing changes.
func TestEveryChangeIsAStep(t *testing.T) {
	changes := map[string]func(f *disk.Folder) error{
		"create": func(f *disk.Folder) error { _, err := f.Create("new", 0o600); return err },
		"write": func(f *disk.Folder) error {
			file, err := f.OpenOrCreate("file", os.O_APPEND, 0)
			if err == nil {
				_, err = file.Write([]byte("more"))
				err = errors.Join(err, file.Close())
			}
			return err
		},
		"truncate": func(f *disk.Folder) error { return f.Truncate("file", 0) },
		"sync":     func(f *disk.Folder) error { return errors.Join(f.Sync("file"), f.SyncDir(".")) },
		"rename":   func(f *disk.Folder) error { return f.Rename("file", "other") },
		"mkdir":    func(f *disk.Folder) error { return f.MkdirAll("a/b", 0o700) },
		"remove":   func(f *disk.Folder) error { return f.RemoveAll("sub") },
		"touch":    func(f *disk.Folder) error { return f.Touch("file", time.Unix(1e9, 0)) },
		"new":      func(f *disk.Folder) error { return disk.WriteNew(f.Path("new"), []byte("x")) },
		"folders":  func(f *disk.Folder) error { return disk.MkdirAll(f.Path("a/b"), 0o700) },
	}
	defer func() { disk.Step = nil }()
	for name, change := range changes {
		f, _ := planted(t)
		before := listing(t, f.Path("."))
		var seen []string
		disk.Step = func(op disk.Op, path string) error { seen = append(seen, string(op)); return syscall.ENOSPC }
		err := change(f)
		disk.Step = nil
		require.ErrorIs(t, err, syscall.ENOSPC, name)
		faulttest.Require(t, fault.IO, disk.Fault("write it", "a", err), "no space left on device; free some space")
		require.NotEmpty(t, seen, name)
		require.Equal(t, before, listing(t, f.Path(".")), name)
		require.NoError(t, change(f), name)
		if name != "sync" {
			require.NotEqual(t, before, listing(t, f.Path(".")), name)
		}
	}
}

func TestAWriteMayEndInItsMiddle(t *testing.T) {
	defer func() { disk.Step = nil }()
	f, _ := planted(t)
	writes := 0
	disk.Step = func(op disk.Op, path string) error {
		if op == disk.OpWrite {
			if writes++; writes == 2 {
				return syscall.EIO
			}
		}
		return nil
	}
	require.ErrorIs(t, disk.WriteNew(f.Path("new"), []byte("halves")), syscall.EIO)
	text, err := f.Read("new", 10)
	require.NoError(t, err)
	require.Equal(t, "hal", string(text))
}

func TestOneHolderOfALock(t *testing.T) {
	f, _ := planted(t)
	open := func() *disk.File {
		file, err := f.OpenOrCreate("lock", 0, 0o600)
		require.NoError(t, err)
		return file
	}
	first, second := open(), open()
	for _, c := range []struct {
		file *disk.File
		want bool
	}{{first, true}, {second, false}, {first, true}} {
		ok, err := c.file.TryLock()
		require.NoError(t, err)
		require.Equal(t, c.want, ok)
	}
	require.NoError(t, first.Close())
	ok, err := second.TryLock()
	require.NoError(t, err)
	require.True(t, ok)
	require.NoError(t, second.Close())
}

// listing describes all that is below a folder.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		fmt.Fprintln(&out, path, info.Mode(), info.ModTime().UnixNano())
		if d.Type().IsRegular() {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			fmt.Fprintf(&out, "%q\n", text)
		}
		return err
	}))
	return out.String()
}

// A file that another process replaces again and again is read whole, as one of the two.
func TestAFileThatIsReplacedIsRead(t *testing.T) {
	dir := t.TempDir()
	f, err := disk.Open(dir)
	require.NoError(t, err)
	defer f.Close()
	put := func(text string) error {
		temp := filepath.Join(dir, "temp")
		if err := os.WriteFile(temp, []byte(text), 0o600); err != nil {
			return err
		}
		return os.Rename(temp, filepath.Join(dir, "name"))
	}
	require.NoError(t, put("old"))
	end, done := make(chan struct{}), make(chan error)
	go func() {
		for {
			select {
			case <-end:
				done <- nil
				return
			default:
				if err := put("new"); err != nil {
					done <- err
					return
				}
			}
		}
	}()
	for range 5000 {
		text, err := f.Read("name", 10)
		require.NoError(t, err)
		require.Len(t, text, 3)
	}
	close(end)
	require.NoError(t, <-done)
}
