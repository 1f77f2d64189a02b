package experiment

import (
	"iter"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
)

// Origin is the source of a value.
type Origin string

// The origins; where two claim a key the later one here wins.
const (
	FromDefault Origin = "default"
	FromDesign  Origin = "design" // follows from the design of the data set
	FromCompat  Origin = "compat" // changed by a switch of the key compat
	FromFile    Origin = "file"
	FromSet     Origin = "set"
)

// Setting is one key with its value as YAML on one line.
type Setting struct {
	Key, Value string
	Origin     Origin
}

// Origin returns the origin of the value of a key such as "train.lr".
func (e *Experiment) Origin(key string) Origin {
	if o, ok := e.origin[key]; ok {
		return o
	}
	return FromDefault
}

// Given returns a path such as "model.path" as it was written, if it was relative and is not what it became; else the
// value. It may be a name instead of a path.
func (e *Experiment) Given(key string) string {
	k := find(key)
	if k == nil {
		return ""
	}
	p, ok := k.field(e).(*string)
	if !ok {
		return ""
	}
	if g := e.given[key]; g != "" && strings.HasSuffix(*p, filepath.Clean("/"+g)) {
		return g
	}
	return *p
}

// MarkSet records that a program set the values that differ from their defaults and have no other origin.
func (e *Experiment) MarkSet() {
	if e.origin == nil {
		e.origin, e.where = map[string]Origin{}, map[string]string{}
	}
	fresh := Default()
	for i := range keys {
		k := &keys[i]
		if e.Origin(k.name) == FromDefault && encode(k.field(e)) != encode(k.field(fresh)) {
			e.origin[k.name] = FromSet
		}
	}
}

// ForDesign returns a copy that change has been made to, as far as keys were left at their defaults: these follow from
// the design of the data set.
func (e *Experiment) ForDesign(change func(*Experiment)) *Experiment {
	out, changed := *e, *e
	change(&changed)
	if out.origin = maps.Clone(e.origin); out.origin == nil {
		out.origin = map[string]Origin{}
	}
	for i := range keys {
		k := &keys[i]
		if o := e.Origin(k.name); o != FromDefault && o != FromDesign {
			continue
		}
		if encode(k.field(&changed)) != encode(k.field(&out)) {
			reflect.ValueOf(k.field(&out)).Elem().Set(reflect.ValueOf(k.field(&changed)).Elem())
			out.origin[k.name] = FromDesign
		}
	}
	return &out
}

// Settings goes through every key in the order of the file, for a report or a manifest.
func (e *Experiment) Settings() iter.Seq[Setting] {
	return func(yield func(Setting) bool) {
		for _, k := range keys {
			if !yield(Setting{k.name, encode(k.field(e)), e.Origin(k.name)}) {
				return
			}
		}
	}
}

// recorded matches the lines that [Experiment.Write] writes: a section, or a key with the origin of its value.
var recorded = regexp.MustCompile(`(?m)^(  )?([a-z0-9_]+):(?: .*# (default|design|compat|file|set))?$`)

// takeOrigins takes over the origins that a resolved copy records. Lines without one keep theirs.
func (e *Experiment) takeOrigins(data []byte) {
	section := ""
	for _, m := range recorded.FindAllSubmatch(data, -1) {
		indent, name, from := string(m[1]), string(m[2]), Origin(m[3])
		switch {
		case from == "" && indent == "":
			section = name + "."
		case from == "":
		case indent == "" && find(name) != nil:
			e.origin[name] = from
		case indent != "" && find(section+name) != nil:
			e.origin[section+name] = from
		}
	}
}
