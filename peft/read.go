package peft

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"github.com/brainwavlm/bwlm/ckpt"
	"github.com/brainwavlm/bwlm/fault"
)

const (
	readConfig = "read adapter config"
	maxConfig  = 16 << 20 // bytes
)

// ReadConfig reads the adapter_config.json of a folder.
func ReadConfig(dir string) (Config, error) {
	path := filepath.Join(dir, ConfigFile)
	if err := ckpt.CheckContent(path); err != nil {
		return Config{}, err
	}
	file, err := os.Open(path)
	if err != nil {
		return Config{}, fault.Wrap(fault.Missing, readConfig, path, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxConfig+1))
	if err != nil {
		return Config{}, fault.Wrap(fault.IO, readConfig, path, err)
	}
	c, err := ParseConfig(data)
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		if f.Where = path + ":" + f.Where; f.Where == path+":" {
			f.Where = path
		}
	}
	return c, err
}

// ParseConfig reads the bytes of an adapter_config.json. Options that it does not know, or does not act on, are
// accepted while they are off (null, false, 0, empty) and refused when they are on. Its errors have the option for
// their Where.
func ParseConfig(data []byte) (c Config, err error) {
	if len(data) > maxConfig {
		return c, fault.New(fault.BadData, readConfig, "", "is longer than %d bytes", maxConfig)
	}
	fields, order, err := object(data)
	if err != nil {
		return c, fault.Wrap(fault.BadData, readConfig, "", err)
	}
	if kind := string(fields["peft_type"]); kind != `"LORA"` {
		return c, fault.New(fault.BadData, readConfig, "peft_type", `%s, only "LORA" is supported`, clip(fields["peft_type"]))
	}
	c = Config{R: 8, LoraAlpha: 8, InitLoraWeights: InitTrue} // PEFT's defaults, for files that leave them out
	read := readers(&c)
	for _, key := range order {
		raw := fields[key]
		switch f := read[key]; {
		case f != nil && string(raw) == "null" && slices.Contains(nullable, key):
		case f != nil:
			if err := f(raw); err != nil {
				return c, fault.New(fault.BadData, readConfig, key, "%s: %v", clip(raw), err)
			}
		case !slices.Contains(inert, key) && !off(raw):
			return c, fault.New(fault.BadData, readConfig, key, "%s is not supported", clip(raw)).
				Advise("without it the adapter would compute something else")
		}
	}
	return c, c.Validate()
}

// nullable are the options for which null means that they are left out.
var nullable = []string{"base_model_name_or_path", "use_rslora", "target_modules", "exclude_modules",
	"layers_to_transform", "layers_pattern", "rank_pattern", "alpha_pattern"}

// inert are options that do not change what a saved adapter computes. Those of initialisations count only for
// init_lora_weights of that name, which readInit judges. fan_in_fan_out is for layers that store their weight
// transposed; PEFT ignores it on linear layers.
var inert = []string{"peft_type", "task_type", "auto_mapping", "peft_version", "inference_mode", "revision",
	"runtime_config", "fan_in_fan_out", "megatron_core", "qalora_group_size",
	"loftq_config", "eva_config", "corda_config", "lora_ga_config"}

// readers fill the fields of c from the values of their keys.
func readers(c *Config) map[string]func(json.RawMessage) error {
	return map[string]func(json.RawMessage) error{
		"base_model_name_or_path": into(&c.BaseModel),
		"r":                       into(&c.R),
		"lora_alpha":              into(&c.LoraAlpha),
		"lora_dropout":            into(&c.LoraDropout),
		"use_rslora":              into(&c.UseRSLoRA),
		"target_modules":          c.TargetModules.read,
		"exclude_modules":         c.ExcludeModules.read,
		"layers_to_transform": func(raw json.RawMessage) (err error) {
			c.LayersToTransform, err = oneOrMore[int](raw)
			return err
		},
		"layers_pattern": func(raw json.RawMessage) (err error) {
			if string(raw) != `""` {
				c.LayersPattern, err = oneOrMore[string](raw)
			}
			return err
		},
		"rank_pattern":      func(raw json.RawMessage) error { return readEntries(raw, &c.RankPattern) },
		"alpha_pattern":     func(raw json.RawMessage) error { return readEntries(raw, &c.AlphaPattern) },
		"init_lora_weights": func(raw json.RawMessage) error { return readInit(raw, &c.InitLoraWeights) },
		"bias": func(raw json.RawMessage) error {
			if string(raw) != `"none"` {
				return errors.New(`only "none" is supported`)
			}
			return nil
		},
	}
}

// into reads a value that must be there: encoding/json alone would take null for nothing to do.
func into[T any](p *T) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		var value *T
		if err := json.Unmarshal(raw, &value); err != nil {
			return want[T](err)
		}
		if value == nil {
			return want[T](nil)
		}
		*p = *value
		return nil
	}
}

// want says what T is called in JSON, for a value that is none.
func want[T any](err error) error {
	if wrong := (*json.UnmarshalTypeError)(nil); err != nil && !errors.As(err, &wrong) {
		return err
	}
	switch any(*new(T)).(type) {
	case string:
		return errors.New("want a string")
	case bool:
		return errors.New("want true or false")
	case int:
		return errors.New("want a whole number")
	default:
		return errors.New("want a number")
	}
}

// oneOrMore reads a value or a list of them.
func oneOrMore[T any](raw json.RawMessage) ([]T, error) {
	if raw[0] != '[' {
		var one T
		err := into(&one)(raw)
		return []T{one}, err
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, err
	}
	list := make([]T, len(items))
	for i, item := range items {
		if err := into(&list[i])(item); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (m *Modules) read(raw json.RawMessage) (err error) {
	if raw[0] == '"' {
		return json.Unmarshal(raw, &m.Pattern)
	}
	m.List, err = oneOrMore[string](raw)
	return err
}

func readEntries(raw json.RawMessage, out *[]Entry) error {
	fields, order, err := object(raw)
	if err != nil {
		return err
	}
	for _, key := range order {
		e := Entry{Key: key}
		if err := into(&e.Value)(fields[key]); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		*out = append(*out, e)
	}
	return nil
}

// readInit accepts the ways to start that leave the base model as it is: once trained, only A and B count. The others
// (pissa, olora, corda, loftq, lora_ga) train on a changed base, so their A and B are wrong on the original one.
func readInit(raw json.RawMessage, out *string) error {
	switch string(raw) {
	case "true", "false", `"orthogonal"`, `"eva"`, `"mica"`:
		*out = InitTrue
	case `"gaussian"`:
		*out = InitGaussian
	default:
		return errors.New("is not supported, since such an adapter was trained on a changed base model; " +
			"save it again with PEFT's path_initial_model_for_weight_conversion")
	}
	return nil
}

// object reads a JSON object and the order of its keys, none of which may stand twice.
func object(data []byte) (fields map[string]json.RawMessage, order []string, err error) {
	if !utf8.Valid(data) { // encoding/json would mend it
		return nil, nil, errors.New("is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, errors.New("is not a JSON object")
	}
	fields = map[string]json.RawMessage{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, nil, err
		}
		key := t.(string)
		if _, twice := fields[key]; twice {
			return nil, nil, fmt.Errorf("key %q stands twice", key)
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, nil, err
		}
		fields[key] = raw
		order = append(order, key)
	}
	if _, err := dec.Token(); err != nil {
		return nil, nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, nil, errors.New("something follows the JSON object")
	}
	return fields, order, nil
}

// off is true for values that switch nothing on.
func off(raw json.RawMessage) bool {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return false
	}
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case float64:
		return v == 0
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// clip shortens a value for an error message.
func clip(raw json.RawMessage) string {
	const most = 60
	text := []rune(string(raw))
	switch {
	case len(text) == 0:
		return "missing"
	case len(text) > most:
		return string(text[:most]) + "…"
	}
	return string(text)
}
