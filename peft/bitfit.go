package peft

import (
	"encoding/json"
	"errors"
)

// BitFit trains all biases of the model and nothing else (Ben Zaken et al. 2022, arXiv 2106.10199).
// PEFT has no type for it. Its files are those of a LoRA with bias="all" that adapts no layer
// (target_modules="dummy-target-modules"), which PEFT both writes and reads.
type BitFit struct{}

const dummyTargets = "dummy-target-modules" // peft 0.21, utils/constants.py

func isBitFit(fields map[string]json.RawMessage) Method {
	if string(fields["peft_type"]) == `"LORA"` && string(fields["target_modules"]) == `"`+dummyTargets+`"` {
		return &BitFit{}
	}
	return nil
}

func (m *BitFit) peftType() string { return "LORA" }

func (m *BitFit) name() string { return "bitfit" }

func (m *BitFit) adaptsNoLayers() {}

func (m *BitFit) keys() []string { return nil }

// options returns those of LoraConfig.
func (m *BitFit) options(c *Config) []option {
	as := *c
	as.Method, as.Bias = (*LoRA)(nil).defaults(), BiasAll
	options := as.Method.options(&as)
	return append(options, option{key: "target_modules", fixed: dummyTargets, inert: true})
}

func (m *BitFit) validate() error { return nil }

// settle sets what the method implies.
func (m *BitFit) settle(c *Config) { c.TargetModules, c.Bias = Modules{}, BiasAll }

// wrap and inspect are never called, since there are no targets.
func (m *BitFit) wrap(*targetLayer) (adaptedLayer, error) {
	return nil, errors.New("BitFit adapts no layers")
}

func (m *BitFit) inspect(parameters) inspection { return inspection{state: Unknown} }
