package nn

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"

	"golang.org/x/sync/semaphore"

	"github.com/brainwavlm/bwlm/torch"
)

// Errors of Session.Train.
var (
	// ErrBusy is returned while another goroutine trains one of the stores.
	ErrBusy = errors.New("nn: these parameters are being trained already")
	// ErrReading is returned inside an inference over one of the stores, for whose end the step
	// would have to wait.
	ErrReading = errors.New("nn: an inference over these parameters is running in this closure; end it before training")
)

// everyone is larger than the number of readers will ever be.
const everyone = 1 << 30

// lease is a lock of a store: for many readers or one trainer.
type lease struct {
	training *semaphore.Weighted // one trainer
	readers  *semaphore.Weighted
	order    uint64 // leases are taken in this order, so that closures cannot deadlock
}

func newLease() lease {
	return lease{semaphore.NewWeighted(1), semaphore.NewWeighted(everyone), rand.Uint64()}
}

// heldKey is the key of the leases that a closure holds, in its context.
type heldKey struct{}

// Session runs closures over the parameters of some stores on one device. Any number of inferences
// run at the same time, or one training step. Closures of sessions may be nested, with the scope's
// Context.
type Session struct {
	Stores  []*Store
	Device  torch.Device
	Compute torch.DType
}

// leases returns the leases of the session's stores, each once and in order, and those that the
// closure of ctx holds.
func (ss *Session) leases(ctx context.Context) (all, held []*lease) {
	for _, st := range ss.Stores {
		if !slices.Contains(all, &st.lease) {
			all = append(all, &st.lease)
		}
	}
	slices.SortFunc(all, func(a, b *lease) int { return cmp.Compare(a.order, b.order) })
	held, _ = ctx.Value(heldKey{}).([]*lease)
	return all, held
}

// Infer runs fn without gradients. It waits for a running training step, unless it is nested in
// that step.
func (ss *Session) Infer(ctx context.Context, fn func(*torch.Scope) error) error {
	all, held := ss.leases(ctx)
	for _, l := range all {
		if slices.Contains(held, l) {
			continue
		}
		if err := l.readers.Acquire(ctx, 1); err != nil {
			return context.Cause(ctx)
		}
		defer l.readers.Release(1)
	}
	ctx = context.WithValue(ctx, heldKey{}, slices.Concat(held, all))
	return torch.Do(ctx, torch.Mode{Device: ss.Device, Compute: ss.Compute}, fn)
}

// Train runs fn with gradients and dropout as one training step. It waits for running inferences,
// and returns ErrBusy if another step is running over one of the stores.
func (ss *Session) Train(ctx context.Context, seed uint64, fn func(*torch.Scope) error) error {
	all, held := ss.leases(ctx)
	for _, l := range all {
		if !l.training.TryAcquire(1) {
			return ErrBusy
		}
		defer l.training.Release(1)
		if slices.Contains(held, l) {
			return ErrReading
		}
		if err := l.readers.Acquire(ctx, everyone); err != nil {
			return context.Cause(ctx)
		}
		defer l.readers.Release(everyone)
	}
	ctx = context.WithValue(ctx, heldKey{}, slices.Concat(held, all))
	mode := torch.Mode{Grad: true, Dropout: true, Seed: seed, Device: ss.Device, Compute: ss.Compute}
	return torch.Do(ctx, mode, fn)
}
