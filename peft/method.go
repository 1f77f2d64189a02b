package peft

import (
	"encoding/json"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Method is a way of adapting layers, and the options it has. Each is one file; a further one, here or in another
// package, has nothing to do but to satisfy this interface. It must be a pointer to a struct, and must not change
// while an adapter uses it.
type Method interface {
	// Type is PEFT's peft_type.
	Type() string
	// Options are the keys of adapter_config.json beyond those that all methods have (see Option), each with the
	// place of its value in the method or in c.
	Options(c *Config) []Option
	// Validate refuses options that cannot be.
	Validate() error
	// Keys are the ends of the keys of an adapted layer's parameters in the file.
	Keys() []string
	// Wrap makes the adapted layer of a site, with the parameters that it takes from the site. Its error says why a
	// layer of that kind or size cannot be adapted.
	Wrap(site *Site) (Layer, error)
	// Look says what can be said of an adapted layer from its parameters alone.
	Look(t Tensors) Facts
}

// Layer is an adapted layer.
type Layer interface {
	nn.Layer
	// Merge gives some rows (output channels) of the weight and bias of the layer below with the adaptation in them;
	// w and b are those rows as they are. All are Float64; b is nil where the layer below has no bias.
	Merge(rows Rows, w, b *torch.Tensor) (*torch.Tensor, *torch.Tensor)
	// Effect is how it acts, by which it is decided what may be active beside it.
	Effect() Effect
	// String says in a word or two what the layer's numbers are, such as r=4 scale=2.
	String() string
}

// Effect is how an adapted layer acts on the one below.
type Effect int

// The effects. Several additions on one layer can be in any order, and so can several factors; nothing else can.
const (
	Adds Effect = iota
	Multiplies
	Replaces // or depends on the weight below
)

// Tensors finds a parameter of a layer by the end of its key; ok is false where there is none.
type Tensors func(name string) (v Values, ok bool)

// Values are the numbers of a parameter.
type Values struct {
	Shape []int
	Data  []float32
}

// all says whether each element is v.
func (x Values) all(v float32) bool {
	for _, e := range x.Data {
		if e != v {
			return false
		}
	}
	return true
}

// Facts are what Method.Look finds.
type Facts struct {
	Rank int // 0 where the method has none
	Dead Verdict
}

// Verdict is an answer to whether an adapted layer is certain to do nothing.
type Verdict int

// The verdicts.
const (
	Alive   Verdict = iota
	Dead            // the layer gives what the one below gives
	Unknown         // the parameters alone do not tell
)

func (v Verdict) String() string { return [...]string{"alive", "dead", "unknown"}[v] }

// Recognise gives the method with its defaults if the fields of an adapter_config.json are of it, else nil.
type Recognise func(fields map[string]json.RawMessage) Method

// methods are those of this package. The first that recognises a file reads it.
var methods = []Recognise{isBitFit, typed[*LoRA], typed[*IA3], typed[*VeRA], typed[*NormTuning], typed[*AdaLoRA]}

// starter makes a method with PEFT's defaults, for files that leave options out.
type starter[M Method] interface {
	Method
	defaults() M
}

// typed recognises a method by its type alone.
func typed[M starter[M]](fields map[string]json.RawMessage) Method {
	var none M
	if m := none.defaults(); string(fields["peft_type"]) == `"`+m.Type()+`"` {
		return m
	}
	return nil
}

// untargeted is a method that adapts no layers and so needs no targets.
type untargeted interface{ Untargeted() }

func wantsTargets(m Method) bool {
	_, none := m.(untargeted)
	return !none
}

// MarshalText writes the word.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }
