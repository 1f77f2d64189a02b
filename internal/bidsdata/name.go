package bidsdata

import (
	"path"
	"strings"
)

// Name is the name of a file in BIDS, taken apart: sub-01_task-rest_bold.nii.gz has the entities sub and task, the
// suffix bold and the extension .nii.gz.
type Name struct {
	Path     string // in the tree, with slashes
	Entities []Entity
	Suffix   string
	Ext      string // from the first dot on
}

// Entity is a key with its value.
type Entity struct{ Key, Value string }

// parseName takes the name of a file apart. It is false for a name with a part that is no entity, but for the last. A
// name may end with an entity, as those of AFNI's files in Narratives do; it has no suffix then.
func parseName(file string) (Name, bool) {
	n := Name{Path: file}
	base := path.Base(file)
	stem, ext, dot := strings.Cut(base, ".")
	n.Ext = "." + ext
	parts := strings.Split(stem, "_")
	for i, part := range parts {
		key, value, ok := strings.Cut(part, "-")
		if !ok && i == len(parts)-1 {
			n.Suffix = part
			break
		}
		if !ok || key == "" || value == "" {
			return n, false
		}
		n.Entities = append(n.Entities, Entity{key, value})
	}
	return n, dot && stem != ""
}

// Get returns the value of an entity, "" if there is none.
func (n Name) Get(key string) string {
	for _, e := range n.Entities {
		if e.Key == key {
			return e.Value
		}
	}
	return ""
}

// within reports whether all entities of n are also those of other.
func (n Name) within(other Name) bool {
	for _, e := range n.Entities {
		if other.Get(e.Key) != e.Value {
			return false
		}
	}
	return true
}

// without returns n with fewer entities.
func (n Name) without(keys ...string) Name {
	kept := n
	kept.Entities = nil
	for _, e := range n.Entities {
		drop := false
		for _, key := range keys {
			drop = drop || e.Key == key
		}
		if !drop {
			kept.Entities = append(kept.Entities, e)
		}
	}
	return kept
}

// ofRaw are the entities that a derived file adds to those of the raw file from which it was made.
var ofRaw = []string{"space", "res", "den", "desc", "hemi", "cohort", "label", "atlas", "seg"}

// raw returns the name with the entities of the raw file.
func (n Name) raw() Name { return n.without(ofRaw...) }

// key is the entities of a name as one string.
func (n Name) key() string {
	var b strings.Builder
	for _, e := range n.Entities {
		b.WriteString(e.Key + "-" + e.Value + "_")
	}
	return b.String()
}
