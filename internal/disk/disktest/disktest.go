// Package disktest lets a program that a test starts die or fail at a step of package disk.
package disktest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/disk"
)

// Variables of the environment, which [Obey] reads.
const (
	dieAt  = "BWLM_TEST_DIE_AT"  // the number of the step before which the process is killed, from 1
	failAt = "BWLM_TEST_FAIL_AT" // the number of the step from which on all steps fail, and the error's number
	steps  = "BWLM_TEST_STEPS"   // a file to which each step is written
)

// DieAt is an entry of the environment with which a program kills itself before step n.
func DieAt(n int) string { return fmt.Sprintf("%s=%d", dieAt, n) }

// FailAt is an entry of the environment with which step n fails, and with always all that follow.
func FailAt(n int, errno syscall.Errno, always bool) string {
	return fmt.Sprintf("%s=%d,%d,%t", failAt, n, errno, always)
}

// Steps is an entry of the environment with which a program writes its steps to a file.
func Steps(path string) string { return steps + "=" + path }

// Obey makes this process do what the environment says. A program of tests calls it at its start.
func Obey() {
	die, _ := strconv.Atoi(os.Getenv(dieAt))
	var fail, errno int
	var always bool
	if text := os.Getenv(failAt); text != "" {
		if _, err := fmt.Sscanf(strings.ReplaceAll(text, ",", " "), "%d %d %t", &fail, &errno, &always); err != nil {
			panic(err)
		}
	}
	log := os.Getenv(steps)
	if die == 0 && fail == 0 && log == "" {
		return
	}
	var mu sync.Mutex
	n := 0
	disk.Step = func(op disk.Op, path string) error {
		mu.Lock()
		defer mu.Unlock()
		n++
		if log != "" {
			file, err := os.OpenFile(log, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
			if err != nil {
				panic(err)
			}
			fmt.Fprintf(file, "%s\t%s\n", op, strconv.Quote(path))
			file.Close()
		}
		if n == die {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // it comes in a moment
		}
		if n == fail || always && fail > 0 && n > fail {
			return syscall.Errno(errno)
		}
		return nil
	}
}

// Taken is a step that a program took.
type Taken struct {
	Op   disk.Op
	Path string
}

// Read reads the file of [Steps].
func Read(t *testing.T, path string) (out []Taken) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		op, quoted, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		path, err := strconv.Unquote(quoted)
		require.NoError(t, err, line)
		out = append(out, Taken{disk.Op(op), path})
	}
	return out
}
