package peft

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/sniff"
)

const (
	readConfig = "read adapter config"
	maxConfig  = 16 << 20 // bytes
)

// readConfigFile reads the adapter_config.json of a folder.
func readConfigFile(dir string) (Config, error) {
	path := filepath.Join(dir, ConfigFile)
	data, err := inputfile.Read(readConfig, path, maxConfig)
	if err != nil {
		return Config{}, err
	}
	if err := sniff.Other(readConfig, path, sniff.Bytes(data), "JSON", sniff.JSON); err != nil {
		return Config{}, err
	}
	c, err := parseConfig(data)
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		if f.Path = path + ":" + f.Path; f.Path == path+":" {
			f.Path = path
		}
	}
	return c, err
}

// parseConfig reads the bytes of an adapter_config.json. It accepts options that this package does
// not act on while they are off (null, false, 0, empty), and refuses them otherwise. Its errors
// name the option as their place.
func parseConfig(data []byte) (c Config, err error) {
	if len(data) > maxConfig {
		return c, fault.New(fault.BadData, readConfig, "", "is longer than %d bytes", maxConfig)
	}
	fields, order, err := object(data)
	if err != nil {
		return c, fault.Wrap(fault.BadData, readConfig, "", err)
	}
	for _, recognise := range methods {
		if c.Method = recognise(fields); c.Method != nil {
			break
		}
	}
	if c.Method == nil {
		return c, refuse("peft_type", "%s is not supported", clip(fields["peft_type"])).
			WithHint("convert it in Python, or merge it there and use the merged model")
	}
	known := map[string]option{"runtime_config": {inert: true}} // which PEFT never writes, and ignores
	for _, o := range slices.Concat(c.common(), c.Method.options(&c)) {
		known[o.key] = o
	}
	for _, key := range order {
		raw := fields[key]
		err := known[key].read(raw) // one that is not known must be off
		switch {
		case errors.Is(err, errUnsupported):
			return c, refuse(key, "%s is not supported", clip(raw)).
				WithHint("without it the adapter would compute something else")
		case err != nil:
			return c, refuse(key, "%s: %v", clip(raw), err)
		}
	}
	if s, ok := c.Method.(settler); ok {
		s.settle(&c)
	}
	return c, c.validate()
}

// settler is a method that implies values of the config.
type settler interface{ settle(c *Config) }

// into reads a value that must not be null, which encoding/json alone would ignore.
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

// want returns the error for a value that is not a T.
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

// list reads a value or a list of values into p. The empty string is an empty list.
func list[T any](raw json.RawMessage, p *[]T) (err error) {
	if string(raw) != `""` {
		*p, err = oneOrMore[T](raw)
	}
	return err
}

// oneOrMore reads a value or a list of values.
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

// object reads a JSON object and the order of its keys, which must be unique.
func object(data []byte) (fields map[string]json.RawMessage, order []string, err error) {
	if !utf8.Valid(data) { // encoding/json would replace the bytes
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

// off reports whether a value is null, false, zero or empty.
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
