package ui

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"golang.org/x/term"

	"github.com/brainwavlm/bwlm/internal/quote"
)

// UI writes lines and at most one progress bar to one stream. It is safe for several goroutines.
type UI struct {
	Quiet bool                // no notes and no progress; warnings stay
	Words func(string) string // changes the text of notes and warnings; may be nil

	out   io.Writer
	width func() int // columns of the terminal, 0 if out is none

	mu    sync.Mutex
	shown *Progress
	log   *slog.Logger // takes the lines, if it is not nil
}

// New makes a UI on a file, usually standard error.
func New(f *os.File) *UI { return NewWriter(f, Width(f)) }

// Width returns a function for the columns of the terminal that a file is, 0 if it is none.
func Width(f *os.File) func() int {
	fd := int(f.Fd())
	if os.Getenv("TERM") == "dumb" || !term.IsTerminal(fd) {
		return func() int { return 0 }
	}
	return func() int {
		columns, _, err := term.GetSize(fd)
		if err != nil || columns <= 0 { // a terminal that does not report it
			return 80
		}
		return columns
	}
}

// NewWriter makes a UI on any writer. width returns the columns of its terminal, 0 if there is
// none.
func NewWriter(w io.Writer, width func() int) *UI { return &UI{out: w, width: width} }

// Columns returns the width of the terminal, 0 if there is none.
func (u *UI) Columns() int { return u.width() }

// LogTo gives lines to a log from now on, as what they say alone. The log writes whole lines by itself.
func (u *UI) LogTo(log *slog.Logger) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.log = log
}

// Note prints a note, unless the UI is quiet.
func (u *UI) Note(format string, args ...any) {
	if !u.Quiet {
		u.line(slog.LevelInfo, "", u.words(fmt.Sprintf(format, args...)))
	}
}

// Warn prints a warning, always.
func (u *UI) Warn(format string, args ...any) {
	u.line(slog.LevelWarn, "bwlm: warning: ", u.words(fmt.Sprintf(format, args...)))
}

// words applies Words.
func (u *UI) words(text string) string {
	if u.Words == nil {
		return text
	}
	return u.Words(text)
}

// line prints a whole line. A bar is erased and comes back with its next step. Errors of the stream
// are dropped: a run must not end because nobody reads its log.
func (u *UI) line(level slog.Level, before, s string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.log != nil {
		u.log.Log(context.Background(), level, s)
		return
	}
	if u.shown != nil {
		u.shown.erase()
	}
	_, _ = io.WriteString(u.out, quote.Escaped(before+s, "\n\t")+"\n")
}

// Fail prints why the program ends, always.
func (u *UI) Fail(message string) { u.line(slog.LevelError, "bwlm: ", message) }
