package extract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/speech"
)

// BatchOptions are the options of [NewBatcher]. The zero value is useful.
type BatchOptions struct {
	// Windows go through a model together, at most; 0: 16.
	Windows int
	// Exact makes results independent of what else is computed: each clip is a pass of its own, so that nothing is won
	// by batches. The last bits of a clip depend on its place among others with some processors.
	Exact bool
	// Workers is the number of passes at the same time; 0: 1. It should be that of torch.Setup.
	Workers int
}

// Batcher computes the windows of many calls together. Windows of equal length that are read from the same hidden
// states of the same model share a pass, whichever calls they belong to. A pass starts as soon as a worker is free,
// with
// the windows that wait; calls take turns, so that a long one does not delay the others.
//
// A Batcher is used by any number of goroutines. Close ends it.
type Batcher struct {
	opt  BatchOptions
	life context.Context
	end  context.CancelFunc
	all  sync.WaitGroup // workers

	lock    sync.Mutex
	wake    *sync.Cond
	calls   []*call // that have clips to hand out, in the order of their turns
	waiting int     // windows that are not computed
	passes  map[*pass]struct{}
	seconds float64 // of a window, the mean over the latest passes
}

// BatchLoad is what a batcher has to do.
type BatchLoad struct {
	Windows   int           // that wait or are computed
	PerWindow time.Duration // of the latest passes, divided by the number of workers
	Longest   time.Duration // of a pass that runs now: how long it has been running
}

// call is the windows of one call of a batcher.
type call struct {
	reader   *windows.Reader
	alone    bool // its passes have no clips of others
	stimulus *windows.Stimulus
	layers   []int
	next     int         // first clip that has not been handed out
	running  int         // passes with clips of the call
	left     int         // windows that are not computed
	out      [][]float32 // of each layer (windows, E)
	err      error
	changed  chan struct{} // has room for one: a pass has ended
}

// pass is clips of calls that go through a model together.
type pass struct {
	began time.Time
	calls []*call // of each clip
	clips []int   // in the stimulus of the call
}

// NewBatcher returns a batcher with its workers.
func NewBatcher(opt BatchOptions) *Batcher {
	opt.Windows = cmp.Or(opt.Windows, experiment.Default().Train.UnitWindows)
	if opt.Exact {
		opt.Windows = 1
	}
	opt.Workers = cmp.Or(opt.Workers, 1)
	b := &Batcher{opt: opt, passes: map[*pass]struct{}{}}
	b.wake = sync.NewCond(&b.lock)
	b.life, b.end = context.WithCancel(context.Background())
	for range opt.Workers {
		b.all.Go(b.work)
	}
	return b
}

// Close ends calls that wait and the workers. A pass that runs ends first.
func (b *Batcher) Close() {
	b.end()
	b.lock.Lock()
	for _, c := range b.calls {
		c.fail(errBatcherClosed)
	}
	b.calls = nil
	b.lock.Unlock()
	b.wake.Broadcast()
	b.all.Wait()
}

var errBatcherClosed = &fault.Error{Kind: fault.Temporary, Op: "read features", Reason: "the batcher is closed",
	Err: fault.ErrClosed}

// Exact reports whether results do not depend on what else is computed, in a batcher for which this is an option.
func (b *Batcher) Exact() bool { return b != nil && b.opt.Exact }

// Load returns what there is to do now.
func (b *Batcher) Load() BatchLoad {
	b.lock.Lock()
	defer b.lock.Unlock()
	l := BatchLoad{Windows: b.waiting,
		PerWindow: time.Duration(b.seconds / float64(b.opt.Workers) * float64(time.Second))}
	for p := range b.passes {
		l.Longest = max(l.Longest, time.Since(p.began))
	}
	return l
}

// Reader returns what reads all windows of a clip, of each layer (windows, E): the batcher, or without one the model
// itself, in units of n windows. spec is resolved.
func (b *Batcher) Reader(model speech.Encoder, spec experiment.Model, n int) func(ctx context.Context,
	clip *windows.Stimulus, layers []int) ([][]float32, error) {
	if b == nil {
		return windows.ClipReader(model, spec, n).Features
	}
	return func(ctx context.Context, clip *windows.Stimulus, layers []int) ([][]float32, error) {
		return b.features(ctx, windows.ClipReader(model, spec, b.opt.Windows), false, clip, layers)
	}
}

// Alone is Reader whose passes have windows of one call, in units of n, so that results are bit-identical to those
// without a batcher. Such calls wait for their turn like others.
func (b *Batcher) Alone(model speech.Encoder, spec experiment.Model, n int) func(ctx context.Context,
	clip *windows.Stimulus, layers []int) ([][]float32, error) {
	r := windows.ClipReader(model, spec, n)
	if b == nil {
		return r.Features
	}
	return func(ctx context.Context, clip *windows.Stimulus, layers []int) ([][]float32, error) {
		return b.features(ctx, r, true, clip, layers)
	}
}

// features reads all windows of a stimulus: one matrix (windows, E) per layer. It returns the context's cause if that
// ends first; a pass that runs is waited for.
func (b *Batcher) features(ctx context.Context, r *windows.Reader, alone bool, st *windows.Stimulus,
	layers []int) ([][]float32, error) {
	c := &call{reader: r, alone: alone, stimulus: st, layers: layers,
		left: len(st.Windows), out: make([][]float32, len(layers)), changed: make(chan struct{}, 1)}
	for i := range c.out {
		c.out[i] = make([]float32, len(st.Windows)*r.Model.Architecture().Width)
	}
	b.lock.Lock()
	if b.life.Err() != nil {
		b.lock.Unlock()
		return nil, errBatcherClosed
	}
	b.calls, b.waiting = append(b.calls, c), b.waiting+c.left
	b.lock.Unlock()
	b.wake.Signal()
	stop := ctx.Done()
	for {
		select {
		case <-c.changed:
		case <-stop:
			stop = nil
			b.lock.Lock()
			c.fail(context.Cause(ctx))
			b.lock.Unlock()
		}
		b.lock.Lock()
		if c.running == 0 && (c.err != nil || c.left == 0) {
			b.waiting -= c.left
			b.calls = slices.DeleteFunc(b.calls, func(x *call) bool { return x == c })
			b.lock.Unlock()
			return c.out, c.err
		}
		b.lock.Unlock()
	}
}

// fail ends a call, of which no clip is handed out any more. The lock is held.
func (c *call) fail(err error) {
	if c.err == nil {
		c.err, c.next = err, len(c.stimulus.Clips)
	}
	c.notify()
}

func (c *call) notify() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// work computes passes until the batcher is closed.
func (b *Batcher) work() {
	for {
		p := b.take()
		if p == nil {
			return
		}
		vectors, err := b.vectors(p)
		b.finish(p, vectors, err)
	}
}

// take waits for a pass; nil when the batcher is closed.
func (b *Batcher) take() *pass {
	b.lock.Lock()
	defer b.lock.Unlock()
	for {
		if b.life.Err() != nil {
			return nil
		}
		b.calls = slices.DeleteFunc(b.calls, func(c *call) bool { return c.next == len(c.stimulus.Clips) })
		if len(b.calls) > 0 {
			break
		}
		b.wake.Wait()
	}
	p := &pass{began: time.Now()}
	first := b.calls[0]
	size, samples := first.reader.Unit, first.samples()
	for _, c := range b.calls {
		if !c.joins(first, samples) {
			continue
		}
		for n := len(p.clips); c.next < len(c.stimulus.Clips) && c.samples() == samples &&
			len(p.clips) < size; c.next++ {
			if len(p.clips) == n {
				c.running++
			}
			p.calls, p.clips = append(p.calls, c), append(p.clips, c.next)
		}
	}
	b.calls = append(b.calls[1:], first) // it is the others' turn
	b.passes[p] = struct{}{}
	return p
}

// samples returns the length of the next clip.
func (c *call) samples() int { return c.stimulus.Clips[c.next].Samples() }

// joins reports whether the next clip of a call may be in a pass with clips of another one.
func (c *call) joins(first *call, samples int) bool {
	if c != first && (c.alone || first.alone) {
		return false
	}
	return c.next < len(c.stimulus.Clips) && c.samples() == samples && c.stimulus.Shared == first.stimulus.Shared &&
		c.reader.Model.Session() == first.reader.Model.Session() && slices.Equal(c.layers, first.layers) &&
		c.reader.Pooling == first.reader.Pooling && c.reader.Frozen.Normalise == first.reader.Frozen.Normalise
}

// vectors computes a pass: of each layer (windows, E).
func (b *Batcher) vectors(p *pass) (vectors [][]float32, err error) {
	defer func() {
		if r := recover(); r != nil { // a bug, of which the calls of this pass alone are to suffer
			err = fault.New(fault.Internal, "read features", "", "%s", fmt.Sprint(r))
		}
	}()
	parts := make([]windows.Part, len(p.clips))
	for i, c := range p.calls {
		parts[i] = windows.Part{Stimulus: c.stimulus, Clip: p.clips[i]}
	}
	return p.calls[0].reader.Joined(b.life, parts, p.calls[0].layers)
}

// finish hands the vectors of a pass to its calls.
func (b *Batcher) finish(p *pass, vectors [][]float32, err error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	delete(b.passes, p)
	at, done := 0, 0
	for i, c := range p.calls {
		if i == 0 || p.calls[i-1] != c {
			c.running--
		}
		own := c.stimulus.Clips[p.clips[i]].Windows
		if err == nil {
			for l, x := range vectors {
				width := c.reader.Model.Architecture().Width
				copy(c.out[l][own.From*width:own.To*width], x[at*width:(at+own.Len())*width])
			}
		}
		at, done = at+own.Len(), done+own.Len()
		c.left, b.waiting = c.left-own.Len(), b.waiting-own.Len()
		switch {
		case err == nil:
			c.notify()
		case errors.Is(err, context.Canceled):
			c.fail(errBatcherClosed)
		default:
			c.fail(err)
		}
	}
	const memory = .9 // of the mean, of which a pass is the rest
	one := time.Since(p.began).Seconds() / float64(max(done, 1))
	if b.seconds == 0 {
		b.seconds = one
	}
	b.seconds = memory*b.seconds + (1-memory)*one
}
