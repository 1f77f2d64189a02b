package dist

import (
	"runtime"
	"time"
)

// thread runs functions one after the other on an OS thread of its own, which is no worker of package torch. A call of
// c10d cannot be interrupted; its caller can stop waiting for it.
type thread struct {
	work chan func()
	over chan struct{} // closed by end
}

func newThread() *thread {
	t := &thread{make(chan func()), make(chan struct{})}
	go func() {
		runtime.LockOSThread() // and never unlocks it, so that the thread ends with the goroutine
		for {
			select {
			case fn := <-t.work:
				fn()
			case <-t.over:
				return
			}
		}
	}()
	return t
}

// do runs fn and waits for its end at most so long, or until a channel is closed. It reports whether fn has ended; if
// not, what fn writes must not be read.
func (t *thread) do(most time.Duration, until <-chan struct{}, fn func()) bool {
	late := time.NewTimer(most)
	defer late.Stop()
	done := make(chan struct{})
	select {
	case t.work <- func() { fn(); close(done) }:
	case <-late.C:
		return false
	case <-until:
		return false
	case <-t.over:
		return false
	}
	select {
	case <-done:
		return true
	case <-late.C:
	case <-until:
	}
	return false
}

// end ends the goroutine once what it does has ended. Later functions are not run.
func (t *thread) end() { close(t.over) }
