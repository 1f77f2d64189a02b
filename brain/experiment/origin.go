package experiment

import "iter"

// Origin is the source of a value.
type Origin string

// The origins; where two claim a key the later one here wins.
const (
	FromDefault Origin = "default"
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
