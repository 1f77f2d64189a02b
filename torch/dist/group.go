package dist

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brainwavlm/bwlm/fault"
)

// Group is the place of this process among those that compute together, the ranks. A nil Group is one process: what it
// exchanges stays where it is. The exchanges of a group are made by one goroutine, in the same order on all ranks.
type Group struct {
	env   Env
	opt   options
	h     *handle
	data  *thread // for exchanges
	store *thread // for the store, which may hang where exchanges do not
	names []string

	devices bool         // large exchanges go between the ranks' GPUs
	seq     atomic.Int64 // exchanges so far
	wish    atomic.Int64
	context context.Context
	stop    context.CancelCauseFunc
	forget  func() bool // to watch the context of Join
	traffic Traffic

	mu    sync.Mutex
	bad   error // what every later exchange returns
	ended chan struct{}
	once  sync.Once
	gone  atomic.Bool // another rank has left before the end
	watch sync.WaitGroup
}

// Traffic is what a rank has exchanged.
type Traffic struct {
	Exchanges int
	Sent      int64         // bytes, without those of the agreements, 128 for each rank and exchange
	Waited    time.Duration // for others and for the network
}

// Rank returns the number of this process, 0 in a nil group.
func (g *Group) Rank() int {
	if g == nil {
		return 0
	}
	return g.env.Rank
}

// World returns the number of processes, 1 in a nil group.
func (g *Group) World() int {
	if g == nil {
		return 1
	}
	return g.env.World
}

// Traffic returns what this rank has exchanged so far.
func (g *Group) Traffic() Traffic {
	if g == nil {
		return Traffic{}
	}
	return g.traffic
}

// Context returns a context that ends on all ranks after the same exchange, once the context given to Join has ended on
// one of them. Its cause is a fault of kind Interrupted or Terminated. That of a nil group is the given one.
func (g *Group) Context(otherwise context.Context) context.Context {
	if g == nil {
		return otherwise
	}
	return g.context
}

// Wishes of a rank, which travel with its next exchange.
const (
	wishInterrupt = 1 << iota
	wishTerminate
)

// stopWith is the cause of the end of the collective context.
func stopWith(wishes int64) error {
	kind := fault.Interrupted
	if wishes&wishTerminate != 0 {
		kind = fault.Terminated
	}
	return fault.New(kind, "stopped", "", "a rank was asked to stop")
}

// Close leaves the group. An exchange that goes on returns an error that matches fault.ErrClosed.
func (g *Group) Close() { g.leave("") }

// Fail leaves the group because of an error of this rank, which the others then name. It writes the error to the file
// that torchrun reads, unless another rank failed first.
func (g *Group) Fail(err error) {
	if g == nil || err == nil {
		return
	}
	g.mu.Lock()
	first := g.bad == nil
	g.mu.Unlock()
	if first {
		report(err)
		g.leave(oneLine(err.Error()))
	} else {
		g.leave("")
	}
}

func (g *Group) leave(failure string) {
	if g == nil {
		return
	}
	g.once.Do(func() {
		if failure != "" {
			_ = g.set(keyFailed(g.env.Rank), failure) // the others find out by themselves where the store is gone
			_ = g.set(keyGone, "1")
		}
		_ = g.set(keyLeft(g.env.Rank), "1")
		g.mu.Lock()
		if g.bad == nil {
			g.bad = fault.Wrap(fault.Unavailable, "exchange", g.env.String(), fault.ErrClosed)
		}
		g.mu.Unlock()
		close(g.ended)
		g.forget()
		g.watch.Wait()
		if g.env.Rank == 0 && !g.env.agent {
			g.waitForOthers()
		}
		g.data.do(time.Second, nil, g.h.close) // a stuck one is left to the end of the process
		g.data.end()
		g.store.end()
		g.stop(context.Canceled)
	})
}
