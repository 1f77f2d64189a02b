package peft

import (
	"fmt"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Adapter is all that one injection adds to a model. It is for one model: views of that model may share it, but must
// be built one after another.
type Adapter struct {
	Config Config // as it was made; changing it has no effect on the layers
	Card   Card   // for README.md

	match  *matcher
	store  *nn.Store    // what is trained
	frozen *nn.Store    // what is saved with it, but not trained
	arena  *torch.Arena // what is neither
	base   *nn.Store    // the model's
	file   *state       // where first values come from; nil for a new adapter
	layers []*Adapted
	byPath map[string]*Adapted
	copies []*replica // of parameters of the model
	merged bool       // guarded by the lease of the base weights' store

	fixed       map[string][]*torch.Tensor // by layer, see Site.Fixed
	shared      map[string]*Shared
	sharedNames []string

	seen     map[string]bool // modules of the model, as they are named in it
	absent   []string        // layers that the file does not have
	problems []string        // with what it has
}

// Adapted is a layer of the model with an adapter's addition.
type Adapted struct {
	Path  string // in the model
	Layer Layer
	Name  string // in the config and the file

	weight, bias *torch.Tensor // the model's own; bias may be nil
	owner        *Adapter
}

// New makes an adapter whose parameters start as its method says. They come into being when a model is built with it,
// with random numbers of that construction's scope.
func New(cfg Config) (*Adapter, error) { return newAdapter(cfg, nil) }

func newAdapter(cfg Config, file *state) (*Adapter, error) {
	if s, ok := cfg.Method.(settler); ok {
		s.settle(&cfg)
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	m, err := newMatcher(&cfg)
	if err != nil {
		return nil, err
	}
	return &Adapter{Config: cfg, match: m, store: nn.NewStore(), frozen: nn.NewStore(), arena: torch.NewArena(), file: file,
		byPath: map[string]*Adapted{}, fixed: map[string][]*torch.Tensor{}, shared: map[string]*Shared{}, seen: map[string]bool{}}, nil
}

// Close frees the adapter's parameters.
func (a *Adapter) Close() {
	a.store.Close()
	a.frozen.Close()
	a.arena.Close()
}

// Store holds what is trained, by the keys of the file, such as PATH.lora_A.weight.
func (a *Adapter) Store() *nn.Store { return a.store }

// Layers are the adapted layers, in the order of the model.
func (a *Adapter) Layers() []*Adapted { return a.layers }

// Paths are the layers and parameters of the model that the adapter changes, in its order.
func (a *Adapter) Paths() (paths []string) {
	for _, u := range unitsOf([]*Adapter{a}) {
		paths = append(paths, u.path)
	}
	return paths
}

// Wrap puts the method's layer round those that the config targets. A second view of the model gets the same
// parameters.
func (a *Adapter) Wrap(b *nn.Builder, path string, base nn.Layer) nn.Layer {
	a.seen[path] = true
	plain := bottom(base)
	if _, dense := plain.(*nn.Dense); a.match.cfg.TargetModules.all() && !dense {
		return base
	}
	name := path
	if a.file != nil {
		found := false
		if name, found = a.file.find(path); !found {
			a.absent = append(a.absent, path)
			return base
		}
	}
	if !a.match.targets(name) {
		return base
	}
	l, err := a.wrap(b, path, name, base, plain)
	if err != nil {
		a.problem(b, "%v", err)
		return base
	}
	return l
}

func (a *Adapter) wrap(b *nn.Builder, path, name string, base, plain nn.Layer) (nn.Layer, error) {
	var src nn.Source = nn.Fresh{}
	if a.file != nil {
		src = a.file
	}
	var layer Layer
	var unfit error
	err := a.store.Build(b.Scope(), src, nil, func(own *nn.Builder) {
		site := &Site{Path: path, Name: name, Below: base, Plain: plain, Config: a.match.cfg, adapter: a, build: own}
		layer, unfit = a.match.cfg.Method.Wrap(site)
	})
	if unfit == nil && err == nil {
		unfit = compatible(base, layer)
	}
	if unfit != nil {
		return nil, fmt.Errorf("%s: %w", path, unfit)
	}
	if err != nil {
		return nil, err
	}
	a.base = b.Store()
	w := &wrapped{layer: layer, below: a.before(base), plain: plain, owner: a}
	if a.byPath[path] == nil {
		l := &Adapted{Path: path, Name: name, Layer: layer, owner: a,
			weight: b.Store().Param(path + ".weight"), bias: b.Store().Param(path + ".bias")}
		a.byPath[path] = l
		a.layers = append(a.layers, l)
	}
	return w, nil
}

// Finish makes what layers share.
func (a *Adapter) Finish(b *nn.Builder) { a.finish(b) }

// problem is told by the construction, and again by Check.
func (a *Adapter) problem(b *nn.Builder, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	b.Problem("%s", text)
	a.problems = append(a.problems, text)
}

// wrapped is what stands in a slot: the adapted layer or, while the adapter is merged into the weights, the one below.
type wrapped struct {
	layer Layer
	below nn.Layer // without anything of this adapter
	plain nn.Layer
	owner *Adapter
}

// Forward runs the layer.
func (w *wrapped) Forward(x *torch.Tensor) *torch.Tensor {
	if w.owner.merged {
		return w.below.Forward(x)
	}
	return w.layer.Forward(x)
}

// bottom is the plain layer under those of adapters.
func bottom(l nn.Layer) nn.Layer {
	if w, ok := l.(*wrapped); ok {
		return w.plain
	}
	return l
}

// compatible refuses what would depend on the order in which adapters stand on one layer (0.63 measured with DoRA in
// PEFT; huggingface/peft#3608).
func compatible(base nn.Layer, layer Layer) error {
	w, ok := base.(*wrapped)
	if !ok {
		return nil
	}
	if other := w.layer.Effect(); other != layer.Effect() || other == Replaces {
		return fmt.Errorf("adapters %s and %s on one layer would depend on their order", w.layer, layer)
	}
	return nil
}

// Check is to be called once a model has been built with the adapter. It fails where the adapter fits nothing of the
// model, and where a loaded one does not fit it exactly.
func (a *Adapter) Check() error {
	if problems := slices.Concat(a.problems, a.misfits()); len(problems) > 0 {
		where := ""
		if a.file != nil {
			where = a.file.path
		}
		return fault.Wrap(fault.BadData, loadAdapter, where, &nn.LoadError{Problems: problems}).
			Advise("use the model that the adapter was trained on")
	}
	if len(a.layers) == 0 && wantsTargets(a.Config.Method) {
		return fault.New(fault.BadData, "inject adapter", "target_modules", "%s: fits no layer of the model",
			a.Config.TargetModules).Advise("name layers such as q_proj, k_proj, v_proj")
	}
	if a.store.Len() == 0 {
		return fault.New(fault.BadData, "inject adapter", a.Config.Method.Type(), "there is nothing in the model to adapt")
	}
	return nil
}

// misfits are tensors of the file without a place, and places in the model without a tensor of the file.
func (a *Adapter) misfits() (problems []string) {
	if a.file == nil {
		return nil
	}
	for _, path := range a.absent {
		if name := a.file.head() + path; a.match.targets(name) {
			problems = append(problems, name+": the config targets it, the file has nothing for it")
		}
	}
	for _, name := range a.file.names {
		if a.file.claimed[name] {
			continue
		}
		key := a.file.keys[name]
		if a.known(name) {
			problems = append(problems, key+": the config does not ask for it")
		} else {
			problems = append(problems, key+": the model has no such layer")
		}
	}
	return problems
}

// known says whether some module above a name of the file is one of the model's.
func (a *Adapter) known(name string) bool {
	name = strings.TrimPrefix(name, a.file.head())
	for i, c := range name {
		if c == '.' && a.seen[name[:i]] {
			return true
		}
	}
	return false
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
	if a.biasesLost() {
		warnings = append(warnings, "the file has none of the biases that were trained with it; peft before 0.20 lost them "+
			"(huggingface/peft#3306), so those of the base model are used")
	}
	return warnings
}

// Params is the number of trainable numbers.
func (a *Adapter) Params() int { return a.store.Numel() }

// tensors finds parameters of the layer.
func (l *Adapted) tensors() Tensors {
	return func(end string) (v Values, ok bool) {
		p := l.owner.store.Param(l.Path + "." + end)
		if p == nil {
			return v, false
		}
		return Values{p.Shape(), floats(p)}, true
	}
}

// Rank is the layer's rank, 0 where the method has none.
func (l *Adapted) Rank() int { return l.owner.match.cfg.Method.Look(l.tensors()).Rank }

// Params is the number of trainable numbers.
func (l *Adapted) Params() (n int) {
	for name, p := range l.owner.store.Params() {
		if end, ok := strings.CutPrefix(name, l.Path+"."); ok && end != keptBias {
			n += p.Len()
		}
	}
	return n
}

// String lists the adapted layers, and the parameters that are the adapter's own.
func (a *Adapter) String() string {
	var b strings.Builder
	for _, l := range a.layers {
		fmt.Fprintf(&b, "%s %s parameters=%d\n", l.Path, l.Layer, l.Params())
	}
	for _, c := range a.copies {
		fmt.Fprintf(&b, "%s parameters=%d\n", c.path, c.own.Len())
	}
	return b.String()
}
