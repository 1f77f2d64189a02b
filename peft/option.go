package peft

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Option ties a key of adapter_config.json to the place of its value, for reading and for writing.
type Option struct {
	Key string
	// At is a pointer to the value: *bool, *int, *float64, *Fraction, *string, *Modules, *[]Entry, *[]int or *[]string,
	// or anything else that satisfies Value. Null leaves a value as it is, but for numbers, which it is no value of.
	// If At is nil, the option is one that this package does not act on:
	At any
	// Fixed is what is then written for it. What is read must be Fixed or off (null, false, 0, empty), unless
	Inert bool // no value of it changes what a saved adapter computes
	Fixed any
}

// Value is a value of an option with a form of its own.
type Value interface {
	ReadJSON(raw json.RawMessage) error
	WriteJSON() any
}

// Fraction is a number that Python reads as a float also where it is whole.
type Fraction float64

// MarshalJSON writes 0 as 0.0.
func (f Fraction) MarshalJSON() ([]byte, error) {
	s := strconv.FormatFloat(float64(f), 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return []byte(s), nil
}

// read sets the option to what stands in a file.
func (o Option) read(raw json.RawMessage) error {
	null := string(raw) == "null"
	switch p := o.At.(type) {
	case nil:
		if o.Inert || off(raw) {
			return nil
		}
		if want, err := text(o.Fixed, ""); err == nil && string(want) == string(raw) {
			return nil
		}
		return errUnsupported
	case *int:
		return into(p)(raw)
	case *float64:
		return into(p)(raw)
	case *Fraction:
		return into(p)(raw)
	case Value:
		return p.ReadJSON(raw)
	}
	if null {
		return nil
	}
	switch p := o.At.(type) {
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
	return fmt.Errorf("an option at %T", o.At)
}

var errUnsupported = errors.New("is not supported")

// value is what is written for the option.
func (o Option) value() any {
	switch p := o.At.(type) {
	case nil:
		return o.Fixed
	case Value:
		return p.WriteJSON()
	case *bool:
		return *p
	case *int:
		return *p
	case *float64:
		return *p
	case *Fraction:
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
	return o.At
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

// someModules are modules of which none is an empty list rather than null.
type someModules Modules

// ReadJSON reads a string or a list; null leaves what is there.
func (m *someModules) ReadJSON(raw json.RawMessage) error {
	if string(raw) == "null" {
		return nil
	}
	return (*Modules)(m).read(raw)
}

// WriteJSON never writes null.
func (m *someModules) WriteJSON() any {
	if v := (Modules)(*m).json(); v != nil {
		return v
	}
	return []string{}
}

// biasValue is how a method spells the option bias: its own word for the biases of adapted layers.
type biasValue struct {
	at   *Bias
	only string
}

// ReadJSON takes none, all, or the method's word.
func (b biasValue) ReadJSON(raw json.RawMessage) error {
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

// WriteJSON is the word of PEFT.
func (b biasValue) WriteJSON() any {
	switch *b.at {
	case BiasNone:
		return "none"
	case BiasOnly:
		return b.only
	}
	return string(*b.at)
}

// common are the options of every method.
func (c *Config) common() []Option {
	return []Option{
		{Key: "peft_type", Fixed: c.Method.Type(), Inert: true},
		{Key: "peft_version", Fixed: version, Inert: true},
		{Key: "base_model_name_or_path", At: &c.BaseModel},
		{Key: "target_modules", At: &c.TargetModules},
		{Key: "modules_to_save", At: &c.ModulesToSave},
		{Key: "inference_mode", Fixed: true, Inert: true},
		{Key: "task_type", Inert: true}, {Key: "auto_mapping", Inert: true}, {Key: "revision", Inert: true},
	}
}

// layers are the options by which methods choose among numbered layers.
func (c *Config) layers() []Option {
	return []Option{{Key: "layers_to_transform", At: &c.LayersToTransform}, {Key: "layers_pattern", At: &c.LayersPattern}}
}

// inert are options that no value of changes what a saved adapter computes.
func inert(value any, keys ...string) (list []Option) {
	for _, key := range keys {
		list = append(list, Option{Key: key, Fixed: value, Inert: true})
	}
	return list
}

// unsupported are options that must be off.
func unsupported(value any, keys ...string) (list []Option) {
	for _, key := range keys {
		list = append(list, Option{Key: key, Fixed: value})
	}
	return list
}
