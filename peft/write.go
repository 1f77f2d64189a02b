package peft

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// version is the version of PEFT whose file format is written.
const version = "0.21.2"

// json returns the adapter_config.json that PEFT would write for inference: all of its keys,
// sorted.
func (c *Config) json() ([]byte, error) {
	fields := map[string]any{}
	for _, o := range slices.Concat(c.common(), c.Method.options(c)) {
		fields[o.key] = o.value()
	}
	return text(fields, "  ") // a map is written with its keys sorted
}

// text returns v in JSON without escapes of < and >, which occur in regular expressions.
func text(v any, indent string) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	err := enc.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// ordered is a JSON object that keeps the order of its entries.
type ordered []Entry

// MarshalJSON writes the entries in order.
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
