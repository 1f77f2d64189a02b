package peft

import (
	"encoding/json"
	"errors"
)

// BitFit trains biases alone (Ben Zaken et al. 2022, arXiv 2106.10199), all of the model. PEFT has no type for it; its
// files are those of a LoRA with bias="all" that adapts no layer (target_modules="dummy-target-modules"), which PEFT
// both writes and reads.
type BitFit struct{}

const dummyTargets = "dummy-target-modules" // peft 0.21, utils/constants.py

func isBitFit(fields map[string]json.RawMessage) Method {
	if string(fields["peft_type"]) == `"LORA"` && string(fields["target_modules"]) == `"`+dummyTargets+`"` {
		return &BitFit{}
	}
	return nil
}

// Type is LORA.
func (m *BitFit) Type() string { return "LORA" }

// Name is bitfit.
func (m *BitFit) Name() string { return "bitfit" }

// Untargeted says that no layers are wrapped.
func (m *BitFit) Untargeted() {}

// Keys of layers are none.
func (m *BitFit) Keys() []string { return nil }

// Options are those of LoraConfig.
func (m *BitFit) Options(c *Config) []Option {
	as := *c
	as.Method, as.Bias = (*LoRA)(nil).defaults(), BiasAll
	options := as.Method.Options(&as)
	return append(options, Option{Key: "target_modules", Fixed: dummyTargets, Inert: true})
}

// Validate has nothing to refuse.
func (m *BitFit) Validate() error { return nil }

func (m *BitFit) settle(c *Config) { c.TargetModules, c.Bias = Modules{}, BiasAll }

// Wrap is for nothing to be called, as there are no targets.
func (m *BitFit) Wrap(*Site) (Layer, error) { return nil, errors.New("BitFit adapts no layers") }

// Look is never called, either.
func (m *BitFit) Look(Tensors) Facts { return Facts{Dead: Unknown} }
