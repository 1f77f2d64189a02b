package ui

import (
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

// UI writes lines and at most one progress bar to one stream. It is safe for several goroutines.
type UI struct {
	Quiet bool // no notes and no progress; warnings stay

	out   io.Writer
	width func() int // columns of the terminal, 0 if out is none

	mu    sync.Mutex
	shown *Progress
}

// New makes a UI on a file, usually standard error.
func New(f *os.File) *UI {
	fd := int(f.Fd())
	if os.Getenv("TERM") == "dumb" || !term.IsTerminal(fd) {
		return NewWriter(f, func() int { return 0 })
	}
	return NewWriter(f, func() int {
		columns, _, err := term.GetSize(fd)
		if err != nil || columns <= 0 { // a terminal that does not say
			return 80
		}
		return columns
	})
}

// NewWriter makes a UI on any writer. Width tells the columns of the terminal behind it, 0 if there is none.
func NewWriter(w io.Writer, width func() int) *UI { return &UI{out: w, width: width} }

// Note says something worth knowing, unless the user wants quiet.
func (u *UI) Note(format string, args ...any) {
	if !u.Quiet {
		u.line(fmt.Sprintf(format, args...))
	}
}

// Warn says something that the user should look at, always.
func (u *UI) Warn(format string, args ...any) {
	u.line("bwlm: warning: " + fmt.Sprintf(format, args...))
}

// line prints a whole line; a bar that stands there makes room and comes back with its next step. Errors of the stream
// are dropped: a run must not end because nobody reads its log any more.
func (u *UI) line(s string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.shown != nil {
		u.shown.erase()
	}
	_, _ = io.WriteString(u.out, s+"\n")
}

// Fail says why the program ends, always.
func (u *UI) Fail(message string) { u.line("bwlm: " + message) }
