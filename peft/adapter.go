package peft

import (
	"fmt"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Adapter holds the layers and parameters that adapt one model. It is an nn.Adapter, which enters a
// view of the model when the view is built. Several views of the model may share an adapter, but
// they must be built one after another.
type Adapter struct {
	Config Config // as it was made; changing it has no effect on the layers
	Card   Card   // for README.md
	// AllowChangedBase lets a loaded adapter into a model other than the one that it was trained on,
	// if the layers fit. It counts when a view is built.
	AllowChangedBase bool

	match    *matcher
	store    *nn.Store    // trained
	frozen   *nn.Store    // saved, not trained
	arena    *torch.Arena // neither saved nor trained
	base     *nn.Store    // the model's
	file     *state       // source of first values; nil in a new adapter
	layers   []*Adapted
	byPath   map[string]*Adapted
	copies   []*replica             // of parameters of the model
	identity func() (string, error) // of the model that it is in; nil if unknown
	changed  bool                   // that model is another one than it was trained on
	merged   bool                   // guarded by the lease of the base weights' store

	fixed       map[string][]*torch.Tensor // by layer, see targetLayer.fixed
	shared      map[string]*sharedTensor
	sharedNames []string

	seen     map[string]bool // modules of the model by path
	absent   []string        // layers that the file lacks
	problems []string        // found while a model was built
}

// Adapted is a layer of the model with an adapter's change.
type Adapted struct {
	Path string // in the model
	Name string // in the config and the file

	layer        adaptedLayer
	weight, bias *torch.Tensor // the model's own; bias may be nil
	owner        *Adapter
}

// New returns an adapter whose parameters are drawn as its method says when a model is built with
// it.
func New(cfg Config) (*Adapter, error) { return newAdapter(cfg, nil) }

func newAdapter(cfg Config, file *state) (*Adapter, error) {
	if s, ok := cfg.Method.(settler); ok {
		s.settle(&cfg)
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	m, err := newMatcher(&cfg)
	if err != nil {
		return nil, err
	}
	return &Adapter{
		Config: cfg, match: m, file: file, store: nn.NewStore(), frozen: nn.NewStore(), arena: torch.NewArena(),
		byPath: map[string]*Adapted{}, fixed: map[string][]*torch.Tensor{}, shared: map[string]*sharedTensor{},
		seen: map[string]bool{},
	}, nil
}

// Close frees the adapter's parameters.
func (a *Adapter) Close() {
	a.store.Close()
	a.frozen.Close()
	a.arena.Close()
}

// Store holds the trained parameters by their keys in the file, such as PATH.lora_A.weight.
func (a *Adapter) Store() *nn.Store { return a.store }

// Stores returns the adapter's store in a list, as speech.Adapter has it.
func (a *Adapter) Stores() []*nn.Store { return []*nn.Store{a.store} }

// Seed returns Config.Seed.
func (a *Adapter) Seed() uint64 { return a.Config.Seed }

// Layers returns the adapted layers in the order of the model.
func (a *Adapter) Layers() []*Adapted { return a.layers }

// Paths returns the layers and parameters of the model that the adapter changes, in the order of
// the model.
func (a *Adapter) Paths() (paths []string) {
	for _, u := range unitsOf([]*Adapter{a}) {
		paths = append(paths, u.path)
	}
	return paths
}

// Wrap puts the method's layer around each layer that the config targets. A second view of the
// model gets the same parameters.
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
	var layer adaptedLayer
	var unfit error
	err := a.store.Build(b.Scope(), src, nil, func(own *nn.Builder) {
		target := &targetLayer{path: path, name: name, below: base, plain: plain, adapter: a, build: own}
		layer, unfit = a.match.cfg.Method.wrap(target)
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
		l := &Adapted{Path: path, Name: name, layer: layer, owner: a,
			weight: b.Store().Param(path + ".weight"), bias: b.Store().Param(path + ".bias")}
		a.byPath[path] = l
		a.layers = append(a.layers, l)
	}
	return w, nil
}

// Finish makes the tensors that layers share.
func (a *Adapter) Finish(b *nn.Builder) { a.finish(b) }

// problem notes what the construction returns as its error, and Check after it.
func (a *Adapter) problem(b *nn.Builder, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	b.Problem("%s", text)
	a.problems = append(a.problems, text)
}

// wrapped stands in a slot of the model. It runs the adapted layer or, while the adapter is merged
// into the weights, the layer below.
type wrapped struct {
	layer adaptedLayer
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

// bottom returns the plain layer under those of adapters.
func bottom(l nn.Layer) nn.Layer {
	if w, ok := l.(*wrapped); ok {
		return w.plain
	}
	return l
}

// compatible refuses two adapters on one layer whose result depends on their order (with DoRA in
// PEFT, outputs differ by up to .63; huggingface/peft#3608).
func compatible(base nn.Layer, layer adaptedLayer) error {
	w, ok := base.(*wrapped)
	if !ok {
		return nil
	}
	if other := w.layer.effect(); other != layer.effect() || other == replaces {
		return fmt.Errorf("adapters %s and %s on one layer would depend on their order", w.layer, layer)
	}
	return nil
}

// Check returns an error where the adapter fits no layer of the model, and where a loaded one does
// not fit it exactly. It must be called once a view has been built with the adapter.
func (a *Adapter) Check() error {
	if problems := slices.Concat(a.problems, a.misfits()); len(problems) > 0 {
		where := ""
		if a.file != nil {
			where = a.file.path
		}
		return fault.Wrap(fault.BadData, loadAdapter, where, &nn.LoadError{Problems: problems}).
			WithHint("use the model that the adapter was trained on")
	}
	if len(a.layers) == 0 && wantsTargets(a.Config.Method) {
		return fault.New(fault.BadData, "inject adapter", "target_modules", "%s: fits no layer of the model",
			a.Config.TargetModules).WithHint("name layers of the model, by their paths or the ends of their paths")
	}
	if a.store.Len() == 0 {
		return fault.New(fault.BadData, "inject adapter", a.Config.Method.peftType(),
			"there is nothing in the model to adapt")
	}
	return nil
}

// misfits lists tensors of the file that the model has no place for, and places without a tensor.
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
		if a.file.claimed[name] || a.ofTask(name) {
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

// known reports whether a module above a name of the file is one of the model's.
func (a *Adapter) known(name string) bool {
	name, ok := strings.CutPrefix(name, a.file.head())
	if !ok {
		return false
	}
	for i, c := range name {
		if c == '.' && a.seen[name[:i]] {
			return true
		}
	}
	return false
}

// Warnings returns findings that do no harm but may be mistakes: entries of the config that fit no
// layer, and paths in the file that are longer than the model's.
func (a *Adapter) Warnings() []string {
	a.misfits() // matches the config with the layers that the file lacks
	a.matchTask()
	warnings := a.match.unused()
	if a.file != nil && a.file.head() != "" {
		warnings = append(warnings, fmt.Sprintf("the adapter is of a model that holds this one as %s",
			strings.TrimSuffix(a.file.head(), ".")))
	}
	if a.changed {
		warnings = append(warnings, "it was trained on another base model, which was allowed")
	}
	if modules := a.taskModules(); len(modules) > 0 {
		warnings = append(warnings, "not used, since they belong to the head of a task: "+strings.Join(modules, ", "))
	}
	if a.biasesLost() {
		warnings = append(warnings, "the file has none of the biases that were trained with it; peft before 0.20 "+
			"lost them (huggingface/peft#3306), so those of the base model are used")
	}
	return warnings
}

// parameters returns the layer's parameters by the ends of their keys.
func (l *Adapted) parameters() parameters {
	return func(end string) (v array, ok bool) {
		p := l.owner.store.Param(l.Path + "." + end)
		if p == nil {
			return v, false
		}
		return array{p.Shape(), floats(p)}, true
	}
}

// count returns the number of trainable numbers.
func (l *Adapted) count() (n int) {
	for name, p := range l.owner.store.Params() {
		if end, ok := strings.CutPrefix(name, l.Path+"."); ok && end != ownBias {
			n += p.Len()
		}
	}
	return n
}

// String lists the adapted layers, and the adapter's copies of parameters.
func (a *Adapter) String() string {
	var b strings.Builder
	for _, l := range a.layers {
		fmt.Fprintf(&b, "%s %s parameters=%d\n", l.Path, l.layer, l.count())
	}
	for _, c := range a.copies {
		fmt.Fprintf(&b, "%s parameters=%d\n", c.path, c.own.Len())
	}
	return b.String()
}
