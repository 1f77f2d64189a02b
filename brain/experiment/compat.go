package experiment

import (
	"reflect"
	"strings"
)

// Compat reproduces properties of the code that the authors of BrainWavLM released, one switch
// each. All off is the sound choice, all on is `compat: release`.
//
// Most only change other keys, unless the file or Set gives those keys. The last five have no key: the package that
// computes reads the switch. Two properties have no switch because they change no number: adapters in layers that are
// never run get no gradient, and the number of delays, which that code fixes at four, is the default of
// readout.delays_seconds.
type Compat struct {
	FirstFrame       bool // model.pooling: first
	NoNormalise      bool // model.normalise: none
	NoContext        bool // train.context_rows: 0, so that the first rows of a block lack their history
	ModelNoise       bool // train.dropout: .1, layerdrop: .05, spec_augment: .05, as WavLM Base+ in train mode
	NoAdapterDropout bool // adapter.dropout: 0, since that code's dropout is never reached
	DataAsGiven      bool // data.trim: [0, 0], data.zscore: none, eval.zscore: story
	UniformBiases    bool // readout.bias: uniform
	ListedOrder      bool // train.order: listed
	KeepLastBlock    bool // train.last_block: keep
	StoryMeanVal     bool // train.epoch_by: story_mean
	ReuseAlphas      bool // eval.reuse_alphas: true
	HuthRidge        bool // eval.intercept: false, eval.chunks: whole, eval.ties: smaller
	TrainFrontEnd    bool // train.convolutions: true

	ClipLanczos         bool // negative lobes of the Lanczos kernel set to 0 while tuning, kept in evaluation
	BlockZScore         bool // features standardised by the statistics of their block, not of their story
	ShrunkenLossR       bool // r in the losses is r(n-1)/n: biased covariance over unbiased deviations
	ConstantRowGradient bool // a constant prediction passes a gradient: centred, it is not divided by its deviation
	TimesAtTRStarts     bool // rows count as acquired at the start of their TR, whatever the data set's row_time
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
	{"data_as_given", func(c *Compat) *bool { return &c.DataAsGiven }, []change{
		{"data.trim", func(e *Experiment) { e.Data.Trim = [2]int{} }},
		{"data.zscore", func(e *Experiment) { e.Data.ZScore = ZScoreNone }},
		{"eval.zscore", func(e *Experiment) { e.Eval.ZScore = "story" }}}},
	{"uniform_biases", func(c *Compat) *bool { return &c.UniformBiases }, []change{
		{"readout.bias", func(e *Experiment) { e.Readout.Bias = "uniform" }}}},
	{"listed_order", func(c *Compat) *bool { return &c.ListedOrder }, []change{
		{"train.order", func(e *Experiment) { e.Train.Order = "listed" }}}},
	{"keep_last_block", func(c *Compat) *bool { return &c.KeepLastBlock }, []change{
		{"train.last_block", func(e *Experiment) { e.Train.LastBlock = "keep" }}}},
	{"story_mean_val", func(c *Compat) *bool { return &c.StoryMeanVal }, []change{
		{"train.epoch_by", func(e *Experiment) { e.Train.EpochBy = "story_mean" }}}},
	{"reuse_alphas", func(c *Compat) *bool { return &c.ReuseAlphas }, []change{
		{"eval.reuse_alphas", func(e *Experiment) { e.Eval.ReuseAlphas = true }}}},
	{"huth_ridge", func(c *Compat) *bool { return &c.HuthRidge }, []change{
		{"eval.intercept", func(e *Experiment) { e.Eval.Intercept = false }},
		{"eval.chunks", func(e *Experiment) { e.Eval.Chunks = "whole" }},
		{"eval.ties", func(e *Experiment) { e.Eval.Ties = "smaller" }}}},
	{"train_front_end", func(c *Compat) *bool { return &c.TrainFrontEnd }, []change{
		{"train.convolutions", func(e *Experiment) { e.Train.Convolutions = true }}}},
	{"clip_lanczos", func(c *Compat) *bool { return &c.ClipLanczos }, nil},
	{"block_zscore", func(c *Compat) *bool { return &c.BlockZScore }, nil},
	{"shrunken_loss_r", func(c *Compat) *bool { return &c.ShrunkenLossR }, nil},
	{"constant_row_gradient", func(c *Compat) *bool { return &c.ConstantRowGradient }, nil},
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

// switchLines lists the names of the switches in lines for the documentation.
func switchLines() string {
	const width = 105
	var b strings.Builder
	at := 0
	for i, name := range switchNames() {
		switch {
		case i > 0 && at+len(name) > width:
			b.WriteString(",\n")
			at = 0
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(name)
		at += len(name) + 2
	}
	return b.String()
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
