package peft

import (
	"encoding/json"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Method is a way of adapting layers, with its options: *LoRA, *IA3, *VeRA, *NormTuning or *BitFit.
// An adapter keeps the pointer, so a method must not be changed after [New].
//
// A further method is one more file of this package: a type with the methods below, and a line in
// the table methods.
type Method interface {
	// peftType returns PEFT's peft_type.
	peftType() string
	// options returns the keys of adapter_config.json that the method has beyond the common ones,
	// each with the address of its value in the method or in c.
	options(c *Config) []option
	// validate returns an error for options that have no meaning.
	validate() error
	// keys returns the ends of the keys that an adapted layer's parameters have in the file.
	keys() []string
	// wrap returns the adapted layer, whose parameters it takes from the target. Its error says why
	// a layer of that kind or size cannot be adapted.
	wrap(t *targetLayer) (adaptedLayer, error)
	// inspect returns what the parameters of an adapted layer alone tell.
	inspect(p parameters) inspection
}

// adaptedLayer is a layer of the model with a method's change.
type adaptedLayer interface {
	nn.Layer
	// merge returns rows (output channels) of the weight and bias with the method's change added. w
	// and b are those rows of the layer below, in Float64; b is nil where that layer has no bias.
	merge(rows rowRange, w, b *torch.Tensor) (*torch.Tensor, *torch.Tensor)
	// effect returns how the layer changes the one below, which decides what may be active
	// together.
	effect() effect
	// String returns the layer's numbers in a word or two, such as r=4 scale=2.
	String() string
}

// effect is how an adapted layer changes the one below. Additions to one layer commute, and so do
// factors. No other combination does.
type effect int

const (
	adds effect = iota
	multiplies
	replaces // or depends on the weight below
)

// parameters finds a parameter of a layer by the end of its key; ok is false where there is none.
type parameters func(end string) (v array, ok bool)

// array holds the numbers of a parameter.
type array struct {
	shape []int
	data  []float32
}

// all reports whether each element is v.
func (x array) all(v float32) bool {
	for _, e := range x.data {
		if e != v {
			return false
		}
	}
	return true
}

// inspection is what Method.inspect finds.
type inspection struct {
	rank  int // 0 where the method has none
	state Activity
}

// Activity is whether an adapted layer changes the output of the layer that it wraps.
type Activity int

// The values of Activity.
const (
	Active   Activity = iota
	Inactive          // the layer returns what the one below returns
	Unknown           // the adapter's parameters alone do not decide it
)

func (a Activity) String() string { return [...]string{"active", "inactive", "unknown"}[a] }

// MarshalText returns the word, which JSON so has instead of a number.
func (a Activity) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// recognise returns a method with its default options if an adapter_config.json with these fields
// is of it, else nil.
type recognise func(fields map[string]json.RawMessage) Method

// methods lists the methods of this package. The first one that recognises a file reads it.
var methods = []recognise{
	isBitFit, typed[*LoRA], typed[*IA3], typed[*VeRA], typed[*NormTuning], typed[*adaLoRA],
}

// starter is a method that has PEFT's defaults for options that a file leaves out.
type starter[M Method] interface {
	Method
	defaults() M
}

// typed recognises a method by peft_type alone.
func typed[M starter[M]](fields map[string]json.RawMessage) Method {
	var none M
	if m := none.defaults(); string(fields["peft_type"]) == `"`+m.peftType()+`"` {
		return m
	}
	return nil
}

// untargeted is a method that adapts no layers and so needs no targets.
type untargeted interface{ adaptsNoLayers() }

func wantsTargets(m Method) bool {
	_, none := m.(untargeted)
	return !none
}
