package peft

import (
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
)

// Config is adapter_config.json as far as this package acts on it. The zero value is no valid config: R, LoraAlpha
// and TargetModules are needed.
type Config struct {
	BaseModel         string // base_model_name_or_path
	R                 int
	LoraAlpha         float64
	LoraDropout       float64
	UseRSLoRA         bool
	TargetModules     Modules
	ExcludeModules    Modules
	LayersToTransform []int    // only with a list of targets; none: all
	LayersPattern     []string // what stands before a layer's number; none: the first segment that is a number is it
	RankPattern       []Entry  // R of single layers
	AlphaPattern      []Entry  // LoraAlpha of single layers
	InitLoraWeights   string   // InitTrue (or empty), or InitGaussian
}

// The ways in which A starts; B starts at zero.
const (
	InitTrue     = "true"     // Kaiming uniform with a = √5
	InitGaussian = "gaussian" // N(0, 1/r²)
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

const (
	maxRank  = 1 << 20 // more than any layer is wide
	maxAlpha = 1e9
)

// Validate refuses what cannot be.
func (c *Config) Validate() error {
	bad := func(option, why string, args ...any) error {
		return fault.New(fault.BadData, readConfig, option, why, args...)
	}
	rank := func(v float64) bool { return v >= 1 && v <= maxRank && v == float64(int(v)) }
	alpha := func(v float64) bool { return v > 0 && v <= maxAlpha }
	switch {
	case !rank(float64(c.R)):
		return bad("r", "%d, want a whole number from 1 to %d", c.R, maxRank)
	case !alpha(c.LoraAlpha):
		return bad("lora_alpha", "%g, want a positive number of at most %g", c.LoraAlpha, maxAlpha)
	case !(c.LoraDropout >= 0 && c.LoraDropout < 1):
		return bad("lora_dropout", "%g, want at least 0 and less than 1", c.LoraDropout)
	case c.TargetModules.Empty():
		return bad("target_modules", "is empty, and speech models have no default")
	case slices.Contains(slices.Concat(c.TargetModules.List, c.ExcludeModules.List, c.LayersPattern), ""):
		return bad("target_modules, exclude_modules or layers_pattern", "has an empty name")
	case c.TargetModules.Pattern != "" && c.LayersToTransform != nil:
		return bad("layers_to_transform", "works only with a list of target_modules")
	case c.TargetModules.Pattern != "" && len(c.LayersPattern) > 0:
		return bad("layers_pattern", "works only with a list of target_modules")
	case len(c.LayersPattern) > 0 && c.LayersToTransform == nil:
		return bad("layers_pattern", "needs layers_to_transform")
	case !slices.Contains([]string{"", InitTrue, InitGaussian}, c.InitLoraWeights):
		return bad("init_lora_weights", "%q is not supported", c.InitLoraWeights)
	}
	for _, e := range c.RankPattern {
		if !rank(e.Value) {
			return bad("rank_pattern", "%s: %g, want a whole number from 1 to %d", e.Key, e.Value, maxRank)
		}
	}
	for _, e := range c.AlphaPattern {
		if !alpha(e.Value) {
			return bad("alpha_pattern", "%s: %g, want a positive number of at most %g", e.Key, e.Value, maxAlpha)
		}
	}
	return nil
}
