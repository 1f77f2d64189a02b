package peft

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// version is the peft whose files are written.
const version = "0.21.2"

// JSON is the adapter_config.json that PEFT would write: all of its keys, sorted, for inference.
func (c *Config) JSON() ([]byte, error) {
	var init any = true
	if c.InitLoraWeights == InitGaussian {
		init = InitGaussian
	}
	fields := map[string]any{
		"base_model_name_or_path": orNull(c.BaseModel, c.BaseModel != ""),
		"bias":                    "none",
		"peft_type":               "LORA",
		"peft_version":            version,
		"megatron_core":           "megatron.core",
		"qalora_group_size":       16,
		"loftq_config":            map[string]any{},
		"inference_mode":          true,
		"r":                       c.R,
		"lora_alpha":              c.LoraAlpha,
		"lora_dropout":            fraction(c.LoraDropout),
		"use_rslora":              c.UseRSLoRA,
		"init_lora_weights":       init,
		"target_modules":          c.TargetModules.json(),
		"exclude_modules":         c.ExcludeModules.json(),
		"layers_to_transform":     orNull(c.LayersToTransform, c.LayersToTransform != nil),
		"layers_pattern":          orNull(c.LayersPattern, len(c.LayersPattern) > 0),
		"rank_pattern":            ordered(c.RankPattern),
		"alpha_pattern":           ordered(c.AlphaPattern),
	}
	for _, key := range []string{"alora_invocation_tokens", "arrow_config", "auto_mapping", "corda_config", "eva_config",
		"kasa_config", "layer_replication", "lora_ga_config", "megatron_config", "modules_to_save", "monteclora_config",
		"revision", "target_parameters", "task_type", "trainable_token_indices", "use_bdlora", "velora_config"} {
		fields[key] = nil
	}
	for _, key := range []string{"ensure_weight_tying", "fan_in_fan_out", "lora_bias", "use_dora", "use_qalora"} {
		fields[key] = false
	}
	return text(fields, "  ") // a map is written with its keys sorted
}

// text is v in JSON, in which regular expressions keep their < and >.
func text(v any, indent string) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	err := enc.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

func orNull(v any, there bool) any {
	if there {
		return v
	}
	return nil
}

func (m Modules) json() any {
	if m.Pattern != "" {
		return m.Pattern
	}
	sorted := slices.Compact(slices.Sorted(slices.Values(m.List))) // PEFT takes the list for a set
	return orNull(sorted, len(sorted) > 0)
}

// fraction is a number that Python reads as a float also where it is whole.
type fraction float64

// MarshalJSON writes 0 as 0.0.
func (f fraction) MarshalJSON() ([]byte, error) {
	s := strconv.FormatFloat(float64(f), 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return []byte(s), nil
}

// ordered is a JSON object that keeps the order of its entries.
type ordered []Entry

// MarshalJSON writes the entries one after another.
func (o ordered) MarshalJSON() ([]byte, error) {
	members := make([]string, len(o))
	for i, e := range o {
		key, err := text(e.Key, "")
		if err != nil {
			return nil, err
		}
		value, err := text(e.Value, "")
		if err != nil {
			return nil, err
		}
		members[i] = string(key) + ":" + string(value)
	}
	return []byte("{" + strings.Join(members, ",") + "}"), nil
}
