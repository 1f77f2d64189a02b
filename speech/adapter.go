package speech

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Adapter adapts an encoder's layers. *peft.Adapter is one. If it has a method MeetBase, encoders call
// it with their Identity before a view is built, and return its error.
type Adapter interface {
	nn.Adapter
	// Stores hold the adapter's trained parameters; none if it has no parameters.
	Stores() []*nn.Store
	// Seed returns the seed of the initial parameters of a new adapter.
	Seed() uint64
	// Check returns an error unless the adapter fits the model that was built with it.
	Check() error
}

// Targets is a word for linear layers that adapters are put on. The family knows their names.
type Targets string

// The values of Targets.
const (
	TargetsAuto      Targets = "auto"       // the family's usual choice; in WavLM query, key and value
	TargetsAttention Targets = "attention"  // all projections of attention
	TargetsAllLinear Targets = "all-linear" // every linear layer
)

// View is what BuildView returns of a view.
type View struct {
	Session nn.Session // of the encoder's and the adapters' stores
	Adapted []string   // layers and parameters that the adapters replace
}

// BuildView builds a second model over the parameters of a session's first store, with adapters in
// it. Families implement WithAdapter by it: identity is their method Identity, which adapters may want to know, and
// build their constructor.
func BuildView(
	ctx context.Context, ss *nn.Session, identity func() (string, error), adapters []Adapter, build func(*nn.Builder),
) (*View, error) {
	for _, a := range adapters {
		based, ok := a.(interface {
			MeetBase(identity func() (string, error)) error
		})
		if ok {
			if err := based.MeetBase(identity); err != nil {
				return nil, err
			}
		}
	}
	v := &View{Session: *ss}
	base := ss.Stores[0]
	v.Session.Stores = []*nn.Store{base}
	mode := torch.Mode{Device: ss.Device, Compute: ss.Compute}
	var list []nn.Adapter
	for i, a := range adapters {
		if i == 0 {
			mode.Seed = a.Seed()
		}
		list = append(list, a)
		v.Session.Stores = append(v.Session.Stores, a.Stores()...)
	}
	for _, store := range v.Session.Stores {
		if err := store.Err(); err != nil {
			return nil, fault.Wrap(fault.Unavailable, "adapt a model", "", err)
		}
	}
	changes := &recorder{Adapter: nn.Stack(list...)}
	err := torch.Do(ctx, mode, func(s *torch.Scope) error { return base.Build(s, nil, changes, build) })
	if err != nil {
		return nil, AsFault(fault.BadData, "adapt a model", "", err)
	}
	for _, a := range adapters {
		if err := a.Check(); err != nil {
			return nil, err
		}
	}
	v.Adapted = changes.names
	return v, nil
}

// recorder is an adapter that records the names of what it replaces.
type recorder struct {
	nn.Adapter
	names []string
}

// Param records parameters that the adapter replaces.
func (r *recorder) Param(b *nn.Builder, path string, p *torch.Tensor) *torch.Tensor {
	own := r.Adapter.Param(b, path, p)
	r.note(path, own != p)
	return own
}

// Wrap records layers that the adapter replaces.
func (r *recorder) Wrap(b *nn.Builder, path string, base nn.Layer) nn.Layer {
	own := r.Adapter.Wrap(b, path, base)
	r.note(path, own != base)
	return own
}

func (r *recorder) note(path string, replaced bool) {
	if replaced && !slices.Contains(r.names, path) {
		r.names = append(r.names, path)
	}
}
