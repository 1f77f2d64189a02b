package peft

import (
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
)

// Config is adapter_config.json as far as this package acts on it: a method, and what all methods have in common.
type Config struct {
	Method            Method // *LoRA, *IA3, *VeRA, *NormTuning, *BitFit, or one of your own
	BaseModel         string // base_model_name_or_path
	TargetModules     Modules
	ExcludeModules    Modules
	LayersToTransform []int    // only with a list of targets; none: all
	LayersPattern     []string // what stands before a layer's number; none: the first segment that is a number is it
	ModulesToSave     []string // modules of which the adapter has its own copy, trained as a whole, by endings of paths
	Bias              Bias     // which biases are trained
}

// Bias says which biases of the model an adapter has its own copy of.
type Bias string

// The values of bias. PEFT calls the last one by the method: lora_only, vera_only.
const (
	BiasNone Bias = "" // none
	BiasAll  Bias = "all"
	BiasOnly Bias = "only" // those of the layers that are adapted
)

// Modules names layers: by one regular expression that fits the whole path (or "all-linear"), or by a list of paths
// and endings of paths.
type Modules struct {
	Pattern string
	List    []string // not looked at if there is a Pattern
}

// Targets is a list of path endings; the one word all-linear means every linear layer.
func Targets(names ...string) Modules {
	if len(names) == 1 && strings.EqualFold(names[0], allLinear) {
		return Modules{Pattern: allLinear}
	}
	return Modules{List: names}
}

func (m Modules) String() string { return strings.Join(m.entries(), ", ") }

func (m Modules) entries() []string {
	if m.Pattern != "" {
		return []string{m.Pattern}
	}
	return m.List
}

// Empty is true where nothing is named.
func (m Modules) Empty() bool { return len(m.entries()) == 0 }

func (m Modules) all() bool { return strings.EqualFold(m.Pattern, allLinear) }

// Entry is one key of rank_pattern or alpha_pattern, a regular expression for the end of a path. The first that fits
// counts.
type Entry struct {
	Key   string
	Value float64
}

// Validate refuses what cannot be.
func (c *Config) Validate() error {
	switch {
	case c.Method == nil:
		return refuse("peft_type", "there is no method")
	case c.TargetModules.Empty() && wantsTargets(c.Method):
		return refuse("target_modules", "is empty, and speech models have no default")
	case slices.Contains(slices.Concat(c.TargetModules.List, c.ExcludeModules.List, c.LayersPattern, c.ModulesToSave), ""):
		return refuse("target_modules, exclude_modules, layers_pattern or modules_to_save", "has an empty name")
	case c.TargetModules.Pattern != "" && c.LayersToTransform != nil:
		return refuse("layers_to_transform", "works only with a list of target_modules")
	case c.TargetModules.Pattern != "" && len(c.LayersPattern) > 0:
		return refuse("layers_pattern", "works only with a list of target_modules")
	case len(c.LayersPattern) > 0 && c.LayersToTransform == nil:
		return refuse("layers_pattern", "needs layers_to_transform")
	}
	return c.Method.Validate()
}

// refuse is the fault of an option.
func refuse(option, why string, args ...any) *fault.Error {
	return fault.New(fault.BadData, readConfig, option, why, args...)
}

const maxRank = 1 << 20 // more than any layer is wide

// checkRank wants a whole number that can be a rank.
func checkRank(option string, v float64) error {
	if v >= 1 && v <= maxRank && v == float64(int(v)) {
		return nil
	}
	return refuse(option, "%g, want a whole number from 1 to %d", v, maxRank)
}

// checkDropout wants a probability below 1.
func checkDropout(option string, v float64) error {
	if v >= 0 && v < 1 {
		return nil
	}
	return refuse(option, "%g, want at least 0 and less than 1", v)
}
