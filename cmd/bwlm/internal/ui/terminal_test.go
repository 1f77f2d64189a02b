//go:build linux

package ui

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// openTerminal makes a pseudo-terminal of a width; what is written to tty can be read from screen.
func openTerminal(t *testing.T, columns uint16) (screen, tty *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("this machine gives no pseudo-terminals:", err)
	}
	t.Cleanup(func() { screen.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { tty.Close() })
	require.NoError(t, unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}))
	return screen, tty
}

func TestNewKnowsATerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	screen, tty := openTerminal(t, 20)
	u := New(tty)
	assert.Equal(t, 20, u.width())
	u.Progress("train", 0, 4).Set(4, "")
	buf := make([]byte, 100)
	require.NoError(t, screen.SetReadDeadline(time.Now().Add(10*time.Second)))
	n, err := screen.Read(buf)
	require.NoError(t, err)
	assert.Contains(t, string(buf[:n]), "  0% |  |")

	t.Setenv("TERM", "dumb")
	assert.Zero(t, New(tty).width())
	t.Setenv("TERM", "xterm")
	file, err := os.Create(t.TempDir() + "/log")
	require.NoError(t, err)
	defer file.Close()
	assert.Zero(t, New(file).width())
}
