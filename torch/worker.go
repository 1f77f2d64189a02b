package torch

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
)

// executor runs closures on its workers. A process has one executor, because each thread has an
// OpenMP team of its own, whose memory libtorch never frees.
type executor struct {
	mu      sync.Mutex
	opt     SetupOptions
	started bool
	cuda    bool // loaded
	jobs    chan *job
	threads int
}

var pool = &executor{jobs: make(chan *job)}

func (e *executor) start() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.started {
		return
	}
	e.started = true
	threads, ready := e.opt.threads(), make(chan int)
	for id := range max(1, e.opt.Workers) {
		go e.work(int32(id+1), threads, ready)
		e.threads = <-ready
	}
}

// work runs the jobs of a worker, whose goroutine owns an OS thread. A closure that ends its
// goroutine (by runtime.Goexit, as testify's require does) ends the thread as well, and a new
// worker gets its number.
func (e *executor) work(id int32, threads int, ready chan<- int) {
	runtime.LockOSThread()
	team := workerBegin(id, threads)
	if ready != nil {
		ready <- team
	}
	for j := range e.jobs {
		finished := false
		func() {
			defer func() {
				if !finished { // runtime.Goexit
					j.done <- outcome{exited: true}
					go e.work(id, threads, nil)
				}
			}()
			j.done <- j.run(id)
			finished = true
		}()
	}
}

// job is a closure for a worker.
type job struct {
	ctx   context.Context
	mode  Mode
	outer *Scope // of the closure around fn; may be nil
	fn    func(*Scope) error
	done  chan outcome
}

type outcome struct {
	err    error
	panic  *Panic
	exited bool
}

// Panic is the value with which Do panics in its caller if a closure panicked with another value
// than an *Error.
type Panic struct {
	Value any    // of the panic in the closure
	Stack []byte // of the closure
}

func (p *Panic) Error() string { return fmt.Sprintf("%v\n\nclosure's stack:\n%s", p.Value, p.Stack) }

// Unwrap returns the value of the panic if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// canceled is the panic of an operation in an inference whose context has ended.
type canceled struct{ cause error }

func (j *job) run(worker int32) (out outcome) {
	s := newScope(j.ctx, j.mode, worker, j.outer)
	defer s.close()
	if s.line != nil && j.outer == nil {
		s.line.enter(j.mode.Device)
		defer s.line.leave()
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Error:
			out.err = r
		case canceled:
			out.err = r.cause
		case *Panic:
			out.panic = r
		default:
			out.panic = &Panic{r, debug.Stack()}
		}
	}()
	return outcome{err: j.fn(s)}
}

// Do runs fn in a new scope of the given mode on a worker and waits for it. It returns the error of
// fn, the *Error of a failed operation, or the context's cause if the context ends before a worker
// is free. Inside a closure, Do must be called by that closure with its context or one derived from
// it, and runs fn in place; otherwise it returns ErrNested.
func Do(ctx context.Context, mode Mode, fn func(*Scope) error) error {
	j := &job{ctx: ctx, mode: mode, outer: enclosing(ctx), fn: fn, done: make(chan outcome, 1)}
	id := onWorker()
	switch {
	case j.outer == nil && id == 0: // the usual case, below
	case j.outer == nil || j.outer.worker != id:
		return ErrNested
	default:
		return j.run(id).deliver()
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := Available(); err != nil {
		return err
	}
	pool.start()
	select {
	case pool.jobs <- j:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return (<-j.done).deliver()
}

func (o outcome) deliver() error {
	if o.panic != nil {
		panic(o.panic)
	}
	if o.exited {
		runtime.Goexit()
	}
	return o.err
}

// Infer runs fn without gradients and without dropout, on the device of the enclosing closure, else
// on the CPU. It ends between two operations when the context does.
func Infer(ctx context.Context, fn func(*Scope) error) error {
	mode := Mode{}
	if outer := enclosing(ctx); outer != nil {
		mode.Device = outer.mode.Device
	}
	return Do(ctx, mode, fn)
}

// Train runs fn on the CPU with gradients and dropout, whose random numbers derive from seed. Once
// fn has started, the context does not interrupt it. For another device or type, call [Do] with a
// [Mode].
func Train(ctx context.Context, seed uint64, fn func(*Scope) error) error {
	return Do(ctx, Mode{Grad: true, Dropout: true, Seed: seed}, fn)
}
