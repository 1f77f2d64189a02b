package atomicfile

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

// A crash test runs this program again as a child that writes in the current folder under a fault,
// and looks at what is left. The variable names the fault; see child.
const childVariable = "ATOMICFILE_TEST_CHILD"

// exit codes of a child beyond fault.Kind
const childFailed = 99

func itoa(n int) string { return strconv.Itoa(n) }

func TestMain(m *testing.M) {
	if mode := os.Getenv(childVariable); mode != "" {
		os.Exit(child(mode))
	}
	os.Exit(m.Run())
}

// child writes "file" or "dir" in the current folder and exits with the kind of the error.
func child(mode string) int {
	write := func(w io.Writer) error {
		_, err := w.Write(bytes.Repeat([]byte("new"), 1<<16))
		return err
	}
	runtime.LockOSThread() // strace counts the calls of each thread by itself
	var err error
	switch mode {
	case "file":
		err = Write("file", write)
	case "dir":
		err = Dir("dir", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "a"), []byte("new"), 0o600)
		})
	case "limit": // no file may grow past 1000 bytes
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1000, Max: 1000}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return childFailed
		}
		err = Write("file", write)
	case "nobody": // root may write anywhere, so become somebody who may not
		if os.Getuid() == 0 {
			if err := syscall.Setuid(65534); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return childFailed
			}
		}
		err = Write("file", write)
	case "hang": // say that the file is half written and wait to be killed
		err = Write("file", func(w io.Writer) error {
			if err := write(w); err != nil {
				return err
			}
			fmt.Println("half")
			select {}
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return int(fault.KindOf(err))
	}
	return 0
}

// childCommand makes the command that runs a child in dir, where "file" holds "old".
func childCommand(t *testing.T, dir, mode string, wrapper ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), []byte("old"), 0o600))
	args := append(wrapper, self)
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), childVariable+"="+mode, "GORACE=atexit_sleep_ms=0")
	return cmd
}

// run runs cmd and gives its exit code and what it said.
func run(t *testing.T, cmd *exec.Cmd) (int, string) {
	t.Helper()
	said, err := cmd.CombinedOutput()
	if err != nil {
		require.IsType(t, &exec.ExitError{}, err, "%s", said)
	}
	return cmd.ProcessState.ExitCode(), string(said)
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	code, said := run(t, childCommand(t, dir, "limit"))
	require.Equal(t, int(fault.IO), code, said)
	require.Contains(t, said, "write: file: file too large; raise the limit")
	requireText(t, filepath.Join(dir, "file"), "old")
	require.Equal(t, []string{"file"}, namesIn(t, dir))
}

func TestReadOnlyFolder(t *testing.T) {
	dir := t.TempDir()
	cmd := childCommand(t, dir, "nobody")
	require.NoError(t, os.Chmod(dir, 0o555))
	defer os.Chmod(dir, 0o755) // so that it can be removed
	code, said := run(t, cmd)
	require.Equal(t, int(fault.IO), code, said)
	require.Contains(t, said, "write: file: permission denied; choose a folder that may be written to")
	requireText(t, filepath.Join(dir, "file"), "old")
}

func TestKilledWhileWriting(t *testing.T) {
	dir := t.TempDir()
	cmd := childCommand(t, dir, "hang")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	half := make([]byte, len("half"))
	_, err = io.ReadFull(out, half)
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	requireText(t, filepath.Join(dir, "file"), "old")

	// The next run is not hindered by what the dead one left.
	require.Len(t, namesIn(t, dir), 2)
	require.NoError(t, Write(filepath.Join(dir, "file"), text("new")))
	requireText(t, filepath.Join(dir, "file"), "new")
}

// Each system call that matters fails, or the process dies at it, at its first, second, … use until
// the child comes through: whatever happens the result is whole, old or new, and an error leaves
// nothing else.
func TestEverySystemCallFails(t *testing.T) {
	if testing.Short() {
		t.Skip("starts about 80 processes")
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace, which makes system calls fail, is not installed")
	}
	if out, err := exec.Command(strace, "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here: %s", out)
	}
	// A file and its folder are synced; of a folder, what is in it, itself and its parent.
	syncs := map[string]int{"file": 2, "dir": 3}
	for _, mode := range []string{"file", "dir"} {
		for _, how := range []string{"error=EIO", "error=ENOSPC", "signal=SIGKILL"} {
			t.Run(mode+" "+how, func(t *testing.T) {
				require.NotZero(t, sweep(t, strace, mode, "write", how))
				require.Equal(t, syncs[mode], sweep(t, strace, mode, "fsync", how))
				require.Equal(t, 1, sweep(t, strace, mode, "renameat", how))
			})
		}
	}
}

// sweep lets the first, second, … use of call fail and counts how often the child noticed.
func sweep(t *testing.T, strace, mode, call, how string) int {
	late := 0
	for n := 1; ; n++ {
		dir := t.TempDir()
		cmd := childCommand(t, dir, mode, strace, "-f", "-q", "-o", os.DevNull,
			"-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:%s:when=%d", call, how, n))
		code, said := run(t, cmd)
		require.NotEqual(t, childFailed, code, said)
		state := result(t, dir, mode)
		if code == 0 {
			require.Equal(t, "new", state)
			return n - 1
		}
		if state == "new" {
			late++ // only the sync of the folder, after the renaming, may find the new result there
			require.Equal(t, "fsync", call)
			require.Equal(t, 1, late)
		}
		if strings.HasPrefix(how, "error") {
			require.Equal(t, int(fault.IO), code, said)
			require.Contains(t, said, "write: ")
			require.Subset(t, []string{"file", "dir"}, namesIn(t, dir), "something is left behind")
		}
	}
}

// result says whether the result in dir is whole and new, or as it was.
func result(t *testing.T, dir, mode string) string {
	t.Helper()
	path, want := filepath.Join(dir, "file"), strings.Repeat("new", 1<<16)
	if mode == "dir" {
		path, want = filepath.Join(dir, "dir", "a"), "new"
		if _, err := os.Lstat(filepath.Dir(path)); os.IsNotExist(err) {
			return "old"
		}
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	if string(got) == want {
		return "new"
	}
	require.Equal(t, "old", string(got))
	return "old"
}
