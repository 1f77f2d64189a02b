package hfmodel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/sniff"
)

// Files of a model's folder.
const (
	ConfigFile       = "config.json"
	PreprocessorFile = "preprocessor_config.json"
	WeightsFile      = "model.safetensors"
)

// Field is a key of a file of JSON and the address of its value.
type Field struct {
	Key   string
	Value any // pointer
}

// Decode sets *to to the JSON value. Absent values and null leave it unchanged.
func Decode(raw json.RawMessage, to any) error {
	if raw == nil || string(raw) == "null" {
		return nil
	}
	if err := json.Unmarshal(raw, to); err != nil {
		want := map[string]string{"*int": "a whole number", "*float64": "a number", "*bool": "true or false",
			"*[]int": "a list of whole numbers"}
		kind, ok := want[fmt.Sprintf("%T", to)]
		if !ok {
			kind = "text"
		}
		return fmt.Errorf("%s, want %s", raw, kind)
	}
	return nil
}

// ParseObject reads a JSON object. Unlike encoding/json for structs it distinguishes upper and
// lower case, and it refuses duplicate keys.
func ParseObject(text []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("is not a JSON object")
	}
	values := map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, syntax(err)
		}
		name := key.(string) // the decoder accepts nothing else as a key
		if _, twice := values[name]; twice {
			return nil, fmt.Errorf("key %q stands twice", name)
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, syntax(err)
		}
		values[name] = raw
	}
	if _, err := d.Token(); err != nil {
		return nil, syntax(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something after the JSON object")
	}
	return values, nil
}

func syntax(err error) error { return fmt.Errorf("is not valid JSON: %w", err) }

// Indented returns JSON with sorted keys, as transformers writes it. Its values are numbers, text,
// lists and parsed JSON.
func Indented(values any) []byte {
	text, err := json.MarshalIndent(values, "", "  ")
	if err != nil {
		panic(err) // NaN in a Config, which problems excludes
	}
	return append(text, '\n')
}

// maxText is far more than any configuration has.
const maxText = 16 << 20

// ReadText reads a small file of JSON, and names what it is if it is something else.
func ReadText(path string) ([]byte, error) {
	text, err := inputfile.Read("read", path, maxText)
	if err != nil {
		return nil, err
	}
	if err := sniff.Other("read", path, sniff.Bytes(text), "JSON", sniff.JSON); err != nil {
		return nil, err
	}
	return text, nil
}

// most is the number of problems that an error lists.
const most = 10

// List returns up to ten problems on one line.
func List(problems []string) string {
	if n := len(problems) - most; n > 0 {
		problems = append(append([]string{}, problems[:most]...), fmt.Sprintf("and %d more", n))
	}
	return strings.Join(problems, "; ")
}

// Check returns an error if dir is a file or a folder without a model's config.json; one that does not exist is for who
// reads it.
func Check(op, dir string) error {
	const layout = "a model is a folder with config.json, model.safetensors and preprocessor_config.json"
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil
	case !info.IsDir():
		return fault.New(fault.BadData, op, dir, "this is a file").
			WithHint("%s: give that, or convert the checkpoint to one", layout)
	case !exists(filepath.Join(dir, ConfigFile)):
		return fault.New(fault.Missing, op, dir, "the folder has no %s", ConfigFile).
			WithHint("%s: give that, or convert a checkpoint to one", layout)
	}
	return nil
}

// Family returns the model_type of a model's folder; "" where it does not say one. Its reader names what is wrong.
func Family(dir string) (family string) {
	text, err := ReadText(filepath.Join(dir, ConfigFile))
	if err != nil {
		return ""
	}
	values, err := ParseObject(text)
	if err != nil || json.Unmarshal(values["model_type"], &family) != nil {
		return ""
	}
	return family
}
