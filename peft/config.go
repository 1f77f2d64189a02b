package peft

import (
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
)

// Config holds the options of adapter_config.json that this package acts on: a method, and what all
// methods have in common.
type Config struct {
	Method            Method // *LoRA, *IA3, *VeRA, *NormTuning or *BitFit
	BaseModel         string // base_model_name_or_path
	TargetModules     Modules
	ExcludeModules    Modules
	LayersToTransform []int    // numbers of layers, only with a list of targets; none: all
	LayersPattern     []string // segments before a layer's number; none: the first number in a path is it
	ModulesToSave     []string // modules that are copied and trained as a whole, by the ends of their paths
	Bias              Bias     // biases that are copied and trained

	// Seed is the seed of a new adapter's parameters where a speech encoder's WithAdapter draws
	// them. A construction of your own draws from its scope. It is not in the file.
	Seed uint64
}

// Bias chooses biases of the model that an adapter copies and trains.
type Bias string

// The values of Bias. PEFT's word for the last one has the method in it: lora_only, vera_only.
const (
	BiasNone Bias = ""
	BiasAll  Bias = "all"
	BiasOnly Bias = "only" // biases of adapted layers
)

// Modules names layers: by a regular expression that matches the whole path (or "all-linear"), or
// by a list of paths and ends of paths.
type Modules struct {
	Pattern string
	List    []string // ignored if there is a Pattern
}

// Targets returns Modules of a list of paths and ends of paths. The single word all-linear means
// every linear layer.
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

// empty reports whether nothing is named.
func (m Modules) empty() bool { return len(m.entries()) == 0 }

func (m Modules) all() bool { return strings.EqualFold(m.Pattern, allLinear) }

// Entry is one entry of rank_pattern or alpha_pattern. The key is a regular expression for the end
// of a path, and the first entry that matches counts.
type Entry struct {
	Key   string
	Value float64
}

// validate returns an error for options that contradict each other or have no meaning.
func (c *Config) validate() error {
	switch {
	case c.Method == nil:
		return refuse("peft_type", "there is no method")
	case c.TargetModules.empty() && wantsTargets(c.Method):
		return refuse("target_modules", "is empty, and there is no default")
	case slices.Contains(
		slices.Concat(c.TargetModules.List, c.ExcludeModules.List, c.LayersPattern, c.ModulesToSave), ""):
		return refuse("target_modules, exclude_modules, layers_pattern or modules_to_save", "has an empty name")
	case c.TargetModules.Pattern != "" && c.LayersToTransform != nil:
		return refuse("layers_to_transform", "works only with a list of target_modules")
	case c.TargetModules.Pattern != "" && len(c.LayersPattern) > 0:
		return refuse("layers_pattern", "works only with a list of target_modules")
	case len(c.LayersPattern) > 0 && c.LayersToTransform == nil:
		return refuse("layers_pattern", "needs layers_to_transform")
	}
	return c.Method.validate()
}

// refuse returns the error of an option.
func refuse(option, why string, args ...any) *fault.Error {
	return fault.New(fault.BadData, readConfig, option, why, args...)
}

const maxRank = 1 << 20 // more than any layer is wide

// checkRank returns an error unless v is a whole number in the range of ranks.
func checkRank(option string, v float64) error {
	if v >= 1 && v <= maxRank && v == float64(int(v)) {
		return nil
	}
	return refuse(option, "%g, want a whole number from 1 to %d", v, maxRank)
}

// checkDropout returns an error unless v is a probability below 1.
func checkDropout(option string, v float64) error {
	if v >= 0 && v < 1 {
		return nil
	}
	return refuse(option, "%g, want at least 0 and less than 1", v)
}
