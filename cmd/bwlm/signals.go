package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/fault"
)

// onSignals gives a context that ends at the first SIGINT, SIGTERM or SIGUSR1 (which schedulers
// send as a warning), its cause being a fault of kind Interrupted or Terminated. A second signal
// ends the program at once, after one line about what is left; unfinished files keep their temporary names. A signal
// that is ignored when the program starts, as under nohup, stays so.
//
// SIGPIPE is ignored, so that a closed reader is an error of that one write: a run that is being saved must not die
// because the pager of its log was closed.
func onSignals(u *ui.UI, l *left) (ctx context.Context, stop func()) {
	signal.Ignore(syscall.SIGPIPE)
	ctx, cancel := context.WithCancelCause(context.Background())
	arrived := make(chan os.Signal, 2)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGUSR1} {
		if !signal.Ignored(s) {
			signal.Notify(arrived, s)
		}
	}
	done := make(chan struct{})
	go func() {
		select {
		case s := <-arrived:
			cancel(stopRequest(s))
			u.Note("bwlm: %s: finishing this step; once more to stop at once", signalName(s))
		case <-done:
			return
		}
		select {
		case s := <-arrived:
			said := make(chan struct{})
			go func() {
				u.Fail(signalName(s) + ": stopped at once; " + l.text())
				close(said)
			}()
			select {
			case <-said:
			case <-time.After(time.Second): // nobody reads standard error, or the disk does not answer
			}
			os.Exit(int(fault.KindOf(stopRequest(s))))
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(arrived)
		close(done)
		cancel(nil)
	}
}

func stopRequest(s os.Signal) error {
	kind := fault.Terminated
	if s == os.Interrupt {
		kind = fault.Interrupted
	}
	return fault.New(kind, "stopped", "", signalName(s))
}

func signalName(s os.Signal) string {
	return map[os.Signal]string{os.Interrupt: "SIGINT", syscall.SIGTERM: "SIGTERM", syscall.SIGUSR1: "SIGUSR1"}[s]
}

// stopped gives the error of a command that ended because of a signal the signal's kind, whatever
// the library below knew of it. What the error says about the state that is left (what is saved,
// how to resume) is kept.
func stopped(ctx context.Context, err error) error {
	request, ok := errors.AsType[*fault.Error](context.Cause(ctx))
	switch {
	case !ok || !(errors.Is(err, context.Canceled) || errors.Is(err, request)):
		return err
	case err == context.Canceled:
		return request
	}
	if f, ok := err.(*fault.Error); ok {
		named := *f
		named.Kind = request.Kind
		return &named
	}
	return fault.Wrap(request.Kind, "", "", err)
}
