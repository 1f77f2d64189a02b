package experiment

import (
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/brainwavlm/bwlm/fault"
)

// Set changes one key by a text "key=value", whose value is YAML: "train.lr=1e-3", "data.subjects=[a, b]". It wins over
// the file, and a later Set over an earlier one. Relative paths mean the working directory. Errors are of kind Usage.
func (e *Experiment) Set(assignment string) error {
	where := "setting " + shorten(assignment)
	bad := func(why string, args ...any) *fault.Error {
		return fault.New(fault.Usage, "experiment", where, why, args...)
	}
	name, value, ok := strings.Cut(assignment, "=")
	k := find(strings.TrimSpace(name))
	switch {
	case !ok:
		return bad("there is no =").WithHint("write key=value, such as train.epochs=5")
	case len(assignment) > maxBytes:
		return bad("larger than %d bytes", maxBytes)
	case isSection(name):
		return bad("%s is a section", name).WithHint("set one of its keys")
	case k == nil:
		return e.unknown(name, where)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(value), &doc); err != nil {
		return bad("the value is not YAML: %s", strings.ReplaceAll(strings.TrimPrefix(err.Error(), "yaml: "), "\n",
			" ")).
			WithHint("quote it as YAML does, as in data.subjects=[\"sub-1*\"]")
	}
	v := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"} // an empty value is an empty document
	if len(doc.Content) > 0 {
		v = doc.Content[0]
	}
	base, err := filepath.Abs(".")
	if err != nil {
		return fault.Wrap(fault.IO, "experiment", where, err)
	}
	if e.origin == nil { // made by Default, not by Read
		e.origin, e.where = map[string]Origin{}, map[string]string{}
	}
	if err := e.put(k, v, base, FromSet, where); err != nil {
		return err
	}
	e.applyCompat()
	return nil
}
