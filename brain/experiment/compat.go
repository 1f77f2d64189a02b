package experiment

import (
	"reflect"
	"strings"
)

// Compat reproduces properties of the code that the authors of BrainWavLM released, one switch
// each. All off is the sound choice, all on is `compat: release`.
//
// The first five only change other keys, unless the file or Set gives those keys. The others have
// no key: the package that computes reads the switch. Two properties have no switch because they
// change no number: adapters in layers that are never run get no gradient, and the number of
// delays, which that code fixes at four, is the default of readout.delays_seconds.
type Compat struct {
	FirstFrame       bool // model.pooling: first
	NoNormalise      bool // model.normalise: none
	NoContext        bool // train.context_rows: 0, so that the first rows of a block lack their history
	ModelNoise       bool // train.dropout: .1, layerdrop: .05, spec_augment: .05, as WavLM Base+ in train mode
	NoAdapterDropout bool // adapter.dropout: 0, since that code's dropout is never reached

	ClipLanczos     bool // negative lobes of the Lanczos kernel set to 0 while tuning, kept in evaluation
	BlockZScore     bool // features standardised by the statistics of their block, not of their story
	FirstBlockVal   bool // validation during tuning sees the first block of each story only
	ShrunkenLossR   bool // r in the losses is r(n-1)/n: biased covariance over unbiased deviations
	TimesAtTRStarts bool // rows count as acquired at the start of their TR, whatever the data set's row_time
}

// change is what a switch does to one key.
type change struct {
	key string
	set func(*Experiment)
}

// switches names them in the order of Compat.
var switches = []struct {
	name    string
	flag    func(*Compat) *bool
	changes []change
}{
	{"first_frame", func(c *Compat) *bool { return &c.FirstFrame }, []change{
		{"model.pooling", func(e *Experiment) { e.Model.Pooling = PoolFirst }}}},
	{"no_normalise", func(c *Compat) *bool { return &c.NoNormalise }, []change{
		{"model.normalise", func(e *Experiment) { e.Model.Normalise = NormaliseNone }}}},
	{"no_context", func(c *Compat) *bool { return &c.NoContext }, []change{
		{"train.context_rows", func(e *Experiment) { e.Train.ContextRows = 0 }}}},
	{"model_noise", func(c *Compat) *bool { return &c.ModelNoise }, []change{
		{"train.dropout", func(e *Experiment) { e.Train.Dropout = 0.1 }},
		{"train.layerdrop", func(e *Experiment) { e.Train.LayerDrop = 0.05 }},
		{"train.spec_augment", func(e *Experiment) { e.Train.SpecAugment = 0.05 }}}},
	{"no_adapter_dropout", func(c *Compat) *bool { return &c.NoAdapterDropout }, []change{
		{"adapter.dropout", func(e *Experiment) { e.Adapter.Dropout = 0 }}}},
	{"clip_lanczos", func(c *Compat) *bool { return &c.ClipLanczos }, nil},
	{"block_zscore", func(c *Compat) *bool { return &c.BlockZScore }, nil},
	{"first_block_val", func(c *Compat) *bool { return &c.FirstBlockVal }, nil},
	{"shrunken_loss_r", func(c *Compat) *bool { return &c.ShrunkenLossR }, nil},
	{"times_at_tr_starts", func(c *Compat) *bool { return &c.TimesAtTRStarts }, nil},
}

// Release gives all switches on.
func Release() Compat {
	var c Compat
	for _, s := range switches {
		*s.flag(&c) = true
	}
	return c
}

func switchNames() []string {
	var out []string
	for _, s := range switches {
		out = append(out, s.name)
	}
	return out
}

// on lists the names of the switches that are on.
func (c Compat) on() []string {
	var out []string
	for _, s := range switches {
		if *s.flag(&c) {
			out = append(out, s.name)
		}
	}
	return out
}

// String gives the switches as the file spells them: none, release or a list.
func (c Compat) String() string {
	switch c {
	case Compat{}:
		return "none"
	case Release():
		return "release"
	}
	return "[" + strings.Join(c.on(), ", ") + "]"
}

// applyCompat applies the switches to the keys that were not given: first their defaults, then the changes of the
// switches. So the order of keys in a file does not matter, nor does a later --set compat=none.
func (e *Experiment) applyCompat() {
	fresh := Default()
	for i := range keys {
		if k := &keys[i]; e.Origin(k.name) == FromCompat {
			reflect.ValueOf(k.field(e)).Elem().Set(reflect.ValueOf(k.field(fresh)).Elem())
			delete(e.origin, k.name)
		}
	}
	for _, s := range switches {
		if !*s.flag(&e.Compat) {
			continue
		}
		for _, c := range s.changes {
			if e.Origin(c.key) == FromDefault {
				c.set(e)
				e.origin[c.key] = FromCompat
			}
		}
	}
}
