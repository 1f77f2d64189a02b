package torch

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/brainwavlm/bwlm/fault"
)

// Options are the size of the thread pool. The zero value is one worker with libtorch's own number of threads
// (OMP_NUM_THREADS, or the number of cores).
type Options struct {
	Workers int // closures that run at the same time; 0 means 1
	Threads int // OpenMP threads of each worker; 0 means libtorch's default. Bits of results depend on it

	// KeepMemory makes the process's malloc reuse what tensors free instead of giving it back to the system. Large
	// tensors come and go in every step, and to map each of them anew can take half of the time. The process then
	// stays as large as it ever was, which suits a training and not every service; with MALLOC_ARENA_MAX=1 in its
	// environment by a fifth less, since threads then share what they free.
	KeepMemory bool
}

// executor runs closures on its workers. There is one in a process, because OpenMP teams are per thread and cost
// memory that libtorch never gives back.
type executor struct {
	mu      sync.Mutex
	opt     Options
	started bool
	cuda    bool // loaded
	jobs    chan *job
	threads int
}

var pool = &executor{jobs: make(chan *job)}

// Configure sets the size of the thread pool. It must come before the first closure, else ErrStarted.
func Configure(opt Options) error {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if pool.started {
		return ErrStarted
	}
	pool.opt = opt
	return nil
}

// LoadCUDA loads the CUDA half of libtorch, which registers its kernels. It must come before the first closure,
// else ErrStarted; where it is not called, no CUDA library is opened. A second call does nothing. Whether there is a
// device is for CUDADevices to say.
func LoadCUDA() error {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if pool.cuda {
		return nil
	}
	if pool.started {
		return ErrStarted
	}
	if err := loadCUDA(); err != nil {
		return fault.Wrap(fault.Unavailable, "load CUDA", "", err).WithHint("fetch it with `scripts/fetch_libtorch.sh cuda`, or use the CPU")
	}
	pool.cuda = true
	return nil
}

// CUDADevices counts the CUDA devices; 0 before [LoadCUDA].
func CUDADevices() int {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if !pool.cuda { // libtorch would settle for good that there are none
		return 0
	}
	return cudaDevices()
}

// Threads is the number of OpenMP threads that each worker uses. It starts the pool.
func Threads() int {
	pool.start()
	return pool.threads
}

func (e *executor) start() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.started {
		return
	}
	e.started = true
	if e.opt.KeepMemory {
		keepMemory()
	}
	ready := make(chan int)
	for id := range max(1, e.opt.Workers) {
		go e.work(int32(id+1), ready)
		e.threads = <-ready
	}
}

// work is the life of a worker: its goroutine owns an OS thread. A closure that ends its goroutine (testify's
// require does) ends the thread too; then another worker takes over its number.
func (e *executor) work(id int32, ready chan<- int) {
	runtime.LockOSThread()
	threads := workerBegin(id, e.opt.Threads)
	if ready != nil {
		ready <- threads
	}
	for j := range e.jobs {
		finished := false
		func() {
			defer func() {
				if !finished { // runtime.Goexit
					j.done <- outcome{exited: true}
					go e.work(id, nil)
				}
			}()
			j.done <- j.run(id)
			finished = true
		}()
	}
}

// job is one closure on its way to a worker and back.
type job struct {
	ctx   context.Context
	mode  Mode
	outer *Scope // of the closure around it
	fn    func(*Scope) error
	done  chan outcome
}

type outcome struct {
	err    error
	panic  *Panic
	exited bool
}

// Panic carries a foreign panic from the worker to the caller of Do, with the stack of the closure.
type Panic struct {
	Value any
	Stack []byte
}

func (p *Panic) Error() string { return fmt.Sprintf("%v\n\nclosure's stack:\n%s", p.Value, p.Stack) }

// Unwrap gives the value of the panic if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// canceled is the panic by which an operation leaves an Infer closure whose context has ended.
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

// Do runs fn in a new scope of the given mode on a worker and waits for it. It returns fn's error, the *Error
// that an operation panicked with, or the context's cause if it ends before a worker is free. With the context of a
// running closure, or one made from it, fn runs in place; then the caller must be that closure, else ErrNested.
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

// Infer runs fn without gradients and without dropout, on the device of the closure around it, else on the CPU. The
// context is looked at between operations.
func Infer(ctx context.Context, fn func(*Scope) error) error {
	mode := Mode{}
	if outer := enclosing(ctx); outer != nil {
		mode.Device = outer.mode.Device
	}
	return Do(ctx, mode, fn)
}

// Train runs fn with gradients and dropout; random numbers derive from seed. A step runs whole: once started,
// the context does not interrupt it.
func Train(ctx context.Context, seed uint64, fn func(*Scope) error) error {
	return Do(ctx, Mode{Grad: true, Dropout: true, Seed: seed}, fn)
}
