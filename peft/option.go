package peft

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// option ties a key of adapter_config.json to the address of its value, for reading and for
// writing.
type option struct {
	key string
	// at points to the value: *bool, *int, *float64, *pythonFloat, *string, *Modules, *[]Entry,
	// *[]int or *[]string, or it is a jsonValue. null leaves the value unchanged and is refused for
	// numbers. at is nil for options that this package does not act on.
	at any
	// fixed is what is written where at is nil. A file must then have fixed or an off value (null,
	// false, 0, empty).
	fixed any
	// inert options may have any value in a file, since none changes what a saved adapter computes.
	inert bool
}

// jsonValue is a value of an option with a JSON form of its own.
type jsonValue interface {
	readJSON(raw json.RawMessage) error
	writeJSON() any
}

// pythonFloat is written so that Python reads a float, even where the number is whole.
type pythonFloat float64

// MarshalJSON writes 0 as 0.0.
func (f pythonFloat) MarshalJSON() ([]byte, error) {
	s := strconv.FormatFloat(float64(f), 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return []byte(s), nil
}

// read sets the option from a file.
func (o option) read(raw json.RawMessage) error {
	null := string(raw) == "null"
	switch p := o.at.(type) {
	case nil:
		if o.inert || off(raw) {
			return nil
		}
		if want, err := text(o.fixed, ""); err == nil && string(want) == string(raw) {
			return nil
		}
		return errUnsupported
	case *int:
		return into(p)(raw)
	case *float64:
		return into(p)(raw)
	case *pythonFloat:
		return into(p)(raw)
	case jsonValue:
		return p.readJSON(raw)
	}
	if null {
		return nil
	}
	switch p := o.at.(type) {
	case *bool:
		return into(p)(raw)
	case *string:
		return into(p)(raw)
	case *Modules:
		return p.read(raw)
	case *[]Entry:
		return readEntries(raw, p)
	case *[]int:
		return list(raw, p)
	case *[]string:
		return list(raw, p)
	}
	return fmt.Errorf("an option at %T", o.at)
}

var errUnsupported = errors.New("is not supported")

// value returns what is written for the option.
func (o option) value() any {
	switch p := o.at.(type) {
	case nil:
		return o.fixed
	case jsonValue:
		return p.writeJSON()
	case *bool:
		return *p
	case *int:
		return *p
	case *float64:
		return *p
	case *pythonFloat:
		return *p
	case *string:
		return orNull(*p, *p != "")
	case *Modules:
		return p.json()
	case *[]Entry:
		return ordered(*p)
	case *[]int:
		return orNull(*p, *p != nil)
	case *[]string:
		return orNull(*p, len(*p) > 0)
	}
	return o.at
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

func (m *Modules) read(raw json.RawMessage) (err error) {
	if raw[0] == '"' {
		return json.Unmarshal(raw, &m.Pattern)
	}
	m.List, err = oneOrMore[string](raw)
	return err
}

// someModules are modules whose empty value is written as a list, not as null.
type someModules Modules

// readJSON reads a string or a list; null leaves the value unchanged.
func (m *someModules) readJSON(raw json.RawMessage) error {
	if string(raw) == "null" {
		return nil
	}
	return (*Modules)(m).read(raw)
}

// writeJSON never returns nil.
func (m *someModules) writeJSON() any {
	if v := (Modules)(*m).json(); v != nil {
		return v
	}
	return []string{}
}

// biasValue is the option bias, with the method's own word for the biases of adapted layers.
type biasValue struct {
	at   *Bias
	only string
}

// readJSON reads none, all, or the method's word.
func (b biasValue) readJSON(raw json.RawMessage) error {
	switch string(raw) {
	case `"none"`:
		*b.at = BiasNone
	case `"all"`:
		*b.at = BiasAll
	case `"` + b.only + `"`:
		*b.at = BiasOnly
	default:
		return fmt.Errorf("want none, all or %s", b.only)
	}
	return nil
}

// writeJSON returns PEFT's word.
func (b biasValue) writeJSON() any {
	switch *b.at {
	case BiasNone:
		return "none"
	case BiasOnly:
		return b.only
	}
	return string(*b.at)
}

// common returns the options of every method.
func (c *Config) common() []option {
	return []option{
		{key: "peft_type", fixed: c.Method.peftType(), inert: true},
		{key: "peft_version", fixed: version, inert: true},
		{key: "base_model_name_or_path", at: &c.BaseModel},
		{key: "target_modules", at: &c.TargetModules},
		{key: "modules_to_save", at: &c.ModulesToSave},
		{key: "inference_mode", fixed: true, inert: true},
		{key: "task_type", inert: true}, {key: "auto_mapping", inert: true}, {key: "revision", inert: true},
	}
}

// layers returns the options that choose among numbered layers.
func (c *Config) layers() []option {
	return []option{{key: "layers_to_transform", at: &c.LayersToTransform},
		{key: "layers_pattern", at: &c.LayersPattern}}
}

// inert returns options whose values change nothing that a saved adapter computes.
func inert(value any, keys ...string) (list []option) {
	for _, key := range keys {
		list = append(list, option{key: key, fixed: value, inert: true})
	}
	return list
}

// unsupported returns options that must be off.
func unsupported(value any, keys ...string) (list []option) {
	for _, key := range keys {
		list = append(list, option{key: key, fixed: value})
	}
	return list
}
