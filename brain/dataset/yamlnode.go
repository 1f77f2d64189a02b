package dataset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/rowsource"
	"github.com/brainwavlm/bwlm/internal/suggest"
)

// document reads a YAML tree node by node: the decoder of the library neither names columns nor
// refuses a key that is given twice within an inline tree of nodes. It keeps the place of each key
// for the errors of later checks.
type document struct {
	file string
	at   map[string]*yaml.Node // by path, "stories/alice/same_as"

	tables []string        // files of clips that were read
	kept   *rowsource.Kept // of the files that it names
}

// fail returns an error at a node.
func (d *document) fail(n *yaml.Node, why string, args ...any) *fault.Error {
	return fault.New(fault.BadData, "read data set", d.place(n), why, args...)
}

func (d *document) place(n *yaml.Node) string {
	return fmt.Sprintf("%s:%d:%d", d.file, n.Line, n.Column)
}

// each visits the entries of a mapping in order. A name that is there twice is an error.
func (d *document) each(path string, n *yaml.Node, visit func(name, path string, key, value *yaml.Node) error) error {
	n = follow(n)
	if n.Kind != yaml.MappingNode {
		return d.fail(n, "%s is %s, want a mapping", path, kind(n))
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], follow(n.Content[i+1])
		switch {
		case key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge":
			return d.fail(key, "a key of %s is %s, want a name", path, kind(key))
		case seen[key.Value]:
			return d.fail(key, "%s has %q twice", path, key.Value)
		}
		seen[key.Value] = true
		below := strings.TrimPrefix(path+"/"+key.Value, "/")
		d.at[below] = key
		if err := visit(key.Value, below, key, value); err != nil {
			return err
		}
	}
	return nil
}

// fields visits the entries of a mapping. A key that is not known is an error.
func (d *document) fields(path string, n *yaml.Node, known []string,
	visit func(name, path string, value *yaml.Node) error) error {
	return d.each(path, n, func(name, below string, key, value *yaml.Node) error {
		for _, k := range known {
			if k == name {
				return visit(name, below, value)
			}
		}
		err := d.fail(key, "unknown key %q", name)
		if near := suggest.Nearest(name, slices.Values(known)); near != "" {
			return err.WithHint("did you mean %s?", near)
		}
		return err.WithHint("the keys here are %s", strings.Join(known, ", "))
	})
}

// list visits the items of a sequence.
func (d *document) list(path string, n *yaml.Node, visit func(item *yaml.Node) error) error {
	if n.Kind != yaml.SequenceNode {
		return d.fail(n, "%s is %s, want a list", path, kind(n))
	}
	for _, item := range n.Content {
		if err := visit(follow(item)); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) text(path string, n *yaml.Node, to *string) error {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" || n.Value == "" {
		return d.fail(n, "%s is %s, want text", path, kind(n))
	}
	*to = n.Value
	return nil
}

func (d *document) number(path string, n *yaml.Node, to *float64) error {
	if tag := n.ShortTag(); n.Kind != yaml.ScalarNode || tag != "!!float" && tag != "!!int" || n.Decode(to) != nil {
		return d.fail(n, "%s is %s, want a number", path, kind(n))
	}
	return nil
}

func (d *document) boolean(path string, n *yaml.Node, to *bool) error {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Decode(to) != nil {
		return d.fail(n, "%s is %s, want true or false", path, kind(n))
	}
	return nil
}

func (d *document) integer(path string, n *yaml.Node, to *int) error {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || n.Decode(to) != nil {
		return d.fail(n, "%s is %s, want a whole number", path, kind(n))
	}
	return nil
}

// follow returns the node that an alias stands for.
func follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// kind describes a node, for errors.
func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.ShortTag() == "!!null" || n.Value == "" {
		return "empty"
	}
	return strconv.Quote(n.Value)
}
