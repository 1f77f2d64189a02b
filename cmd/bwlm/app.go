package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"syscall"

	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/torch/dist"
)

// app is what the commands of one run of the program share.
type app struct {
	ui  *ui.UI
	out *output

	json, debug bool   // global flags
	command     string // that runs
	limits      limitFlags
	left        left        // by a command that is ended at once
	answered    bool        // an answer is on standard output, complete or not
	caveat      string      // printed below the text of an answer
	group       *dist.Group // of a training that several processes share
	fastSums    bool        // of that training
	watched     bool        // rank 0 shows the details of each epoch
}

// run is the whole program: it runs the command that args name and returns the exit code.
func run(args []string, stdout, stderr *os.File, commands []constructor) (code int) {
	a := &app{ui: ui.New(stderr), out: &output{w: stdout, width: ui.Width(stdout)}}
	a.ui.Words = inTerms
	ctx, stop := onSignals(a.ui, &a.left)
	defer stop()

	// A panic is a bug in bwlm. It gives one line and an exit code, too; the stack is for --debug.
	defer func() {
		if p := recover(); p != nil {
			code = a.report(fault.New(fault.Internal, "internal error", "", "%s", firstLine(fmt.Sprint(p))).
				WithHint("this is a mistake in bwlm: please report it with what --debug prints"))
			if a.debug {
				fmt.Fprintf(stderr, "%v\n%s", p, debug.Stack())
			}
		}
	}()

	root := newRoot(a, commands)
	root.SetArgs(args)
	root.SetErr(stderr)
	err := stopped(ctx, root.ExecuteContext(ctx))
	if err == nil && a.out.err != nil {
		if errors.Is(a.out.err, syscall.EPIPE) {
			return 0 // `bwlm … | head`: the reader has what it wanted
		}
		err = fault.Wrap(fault.IO, "write answer", "", a.out.err)
	}
	if err != nil {
		a.json = a.json || slices.Contains(args, "--json") // which a mistake before it may have kept from being read
		return a.report(err)
	}
	return 0
}

// answer prints what a command found out: v as JSON under --json, else what text writes.
//
// On a terminal lines of prose are broken between words; tables fit it already.
func (a *app) answer(v any, text func(io.Writer) error) error {
	a.answered = true
	if !a.json {
		if err := text(ui.Wrap(a.out)); err != nil || a.caveat == "" {
			return err
		}
		_, err := fmt.Fprintln(a.out, a.caveat)
		return err
	}
	return a.print(v)
}

func (a *app) print(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// output is standard output, with control characters escaped: names may come from anybody's files. A failed write is
// kept for run alone: a command need not check it, and cobra would print it.
type output struct {
	w     io.Writer
	width func() int // columns of the terminal; may be nil
	err   error
}

// Columns is the width of the terminal, 0 where there is none. Tables fit into it.
func (o *output) Columns() int {
	if o.width == nil {
		return 0
	}
	return o.width()
}

func (o *output) Write(p []byte) (int, error) {
	if o.err == nil {
		_, o.err = io.WriteString(o.w, quote.Escaped(string(p), "\n\t"))
	}
	return len(p), nil
}
