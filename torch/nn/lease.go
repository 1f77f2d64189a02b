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
	// ErrBusy is returned while another training has the store.
	ErrBusy = errors.New("nn: another training has these parameters")
	// ErrReading is returned inside an inference over the same store, which the step would have to wait for.
	ErrReading = errors.New("nn: this closure reads these parameters; end it before training")
)

// everyone is more readers than there will be.
const everyone = 1 << 30

// lease lets many read a store or one write it.
type lease struct {
	training *semaphore.Weighted // one trainer
	readers  *semaphore.Weighted
	order    uint64 // leases are taken in this order, so that no two closures wait for each other
}

func newLease() lease {
	return lease{semaphore.NewWeighted(1), semaphore.NewWeighted(everyone), rand.Uint64()}
}

// heldKey is where a closure's context has the leases that the closure holds.
type heldKey struct{}

// Session runs closures over the parameters of some stores on one device. Closures of sessions may be nested, with
// the scope's Context.
type Session struct {
	Stores  []*Store
	Device  torch.Device
	Compute torch.DType
}

// leases are those of the session's stores, each once and in order, and those that are held around ctx.
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

// Infer runs fn without gradients. It waits while a training step changes the parameters, unless it is part of it.
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

// Train runs one training step. It returns ErrBusy if another training has one of the stores, and waits for those
// who infer.
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
