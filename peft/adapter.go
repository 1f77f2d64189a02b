package peft

import (
	"fmt"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Adapter is all low-rank pairs of one injection. It is for one model: views of that model may share it, but must be
// built one after another.
type Adapter struct {
	Config Config // as it was made; changing it has no effect on the pairs

	match  *matcher
	store  *nn.Store
	file   *pairs // where the pairs' first values come from; nil for a new adapter
	layers []*LoRA
	byPath map[string]*LoRA // every layer seen; nil for those that are left alone
	merged bool             // guarded by the lease of the base weights' store

	absent   []string // layers that the file does not have
	problems []string // with layers that it has
}

// New makes an adapter whose pairs start as the config's init_lora_weights says. They come into being when a model
// is built with it, with random numbers of that construction's scope.
func New(cfg Config) (*Adapter, error) { return newAdapter(cfg, nil) }

func newAdapter(cfg Config, file *pairs) (*Adapter, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	m, err := newMatcher(&cfg)
	if err != nil {
		return nil, err
	}
	return &Adapter{Config: cfg, match: m, store: nn.NewStore(), file: file, byPath: map[string]*LoRA{}}, nil
}

// Close frees the pairs.
func (a *Adapter) Close() { a.store.Close() }

// Store holds the pairs as PATH.lora_A.weight and PATH.lora_B.weight.
func (a *Adapter) Store() *nn.Store { return a.store }

// Layers are the adapted layers, in the order of the model.
func (a *Adapter) Layers() []*LoRA { return a.layers }

// Wrap puts a pair round the layers that the config targets. A second view of the model gets the same pairs.
func (a *Adapter) Wrap(b *nn.Builder, path string, base *nn.Dense) nn.Linear {
	l, seen := a.byPath[path]
	switch {
	case seen && l == nil:
		return base
	case seen && (l.A.Dim(1) != base.In() || l.B.Dim(0) != base.Out()):
		b.Problem("%s: the adapter's pair is of a layer (%d, %d), this one is (%d, %d)", path, l.B.Dim(0), l.A.Dim(1), base.Out(), base.In())
		return base
	case seen:
		again := *l
		again.Base = base
		return &again
	}
	l, err := a.pair(b.Scope(), path, base)
	a.byPath[path] = l
	if err != nil {
		b.Problem("%v", err)
		a.problems = append(a.problems, err.Error()) // so that Check tells them again
	}
	if l == nil {
		return base
	}
	a.layers = append(a.layers, l)
	return l
}

// pair makes or loads the two matrices of the layer at path; nil if it is left alone.
func (a *Adapter) pair(s *torch.Scope, path string, base *nn.Dense) (*LoRA, error) {
	if a.file == nil {
		if !a.match.targets(path) {
			return nil, nil
		}
		return a.build(s, nn.Fresh{}, path, path, base)
	}
	name, found := a.file.find(path)
	switch {
	case !found:
		a.absent = append(a.absent, path)
		return nil, nil
	case !a.match.targets(name):
		return nil, fmt.Errorf("%s: the file has a pair for it, the config does not target it", name)
	}
	if err := a.file.check(name, a.match.rank(name), base); err != nil {
		return nil, err
	}
	return a.build(s, a.file, path, name, base)
}

// build makes the pair of the layer at path, which the config knows by name.
func (a *Adapter) build(s *torch.Scope, src nn.Source, path, name string, base *nn.Dense) (*LoRA, error) {
	cfg, rank := a.match.cfg, a.match.rank(name)
	l := &LoRA{Path: path, Base: base, Scale: cfg.scale(rank, a.match.alpha(name)), Dropout: cfg.LoraDropout, owner: a}
	err := a.store.Build(s, src, nil, func(b *nn.Builder) {
		b = b.At(path)
		l.A = b.Param("lora_A.weight", cfg.startOfA(rank), rank, base.In())
		l.B = b.Param("lora_B.weight", nn.Zeros, base.Out(), rank)
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Check is to be called once a model has been built with the adapter. It fails where the adapter fits nothing of the
// model, and where a loaded one does not fit it exactly.
func (a *Adapter) Check() error {
	if problems := slices.Concat(a.problems, a.misfits()); len(problems) > 0 {
		return fault.Wrap(fault.BadData, loadAdapter, a.file.path, &nn.LoadError{Problems: problems}).
			Advise("use the model that the adapter was trained on")
	}
	if len(a.layers) == 0 {
		return fault.New(fault.BadData, "inject adapter", "target_modules", "%s: fits no linear layer of the model",
			a.Config.TargetModules).Advise("name layers such as q_proj, k_proj, v_proj")
	}
	return nil
}

// misfits are pairs of the file without a layer, and layers that the config targets without a pair.
func (a *Adapter) misfits() (problems []string) {
	if a.file == nil {
		return nil
	}
	for _, path := range a.absent {
		if name := a.file.head() + path; a.match.targets(name) {
			problems = append(problems, name+": the config targets it, the file has no pair for it")
		}
	}
	for _, key := range a.file.unclaimed() {
		problems = append(problems, key+": the model has no such layer")
	}
	return problems
}

// Warnings are what does no harm but may not be meant: entries of the config that fit no layer, and paths in the file
// that are longer than the model's.
func (a *Adapter) Warnings() []string {
	a.misfits() // has the config look at the layers that the file does not have
	warnings := a.match.unused()
	if a.file != nil && a.file.head() != "" {
		warnings = append(warnings, fmt.Sprintf("the adapter is of a model that holds this one as %s",
			strings.TrimSuffix(a.file.head(), ".")))
	}
	return warnings
}

// Params is the number of trainable numbers.
func (a *Adapter) Params() (n int) {
	for _, l := range a.layers {
		n += l.Params()
	}
	return n
}

// String lists the adapted layers.
func (a *Adapter) String() string {
	var b strings.Builder
	for _, l := range a.layers {
		fmt.Fprintf(&b, "%s r=%d scale=%g parameters=%d\n", l.Path, l.Rank(), l.Scale, l.Params())
	}
	return b.String()
}
