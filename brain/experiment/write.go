package experiment

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Write writes the resolved file: every key in a fixed order, with the origin of its value. Reading it gives the same
// settings. The error is w's own.
func (e *Experiment) Write(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Every setting of one run, with the origin of its value.\n")
	for _, s := range sections {
		indent := heading(&b, s.name)
		for i := range keys {
			k := &keys[i]
			if section, leaf := k.split(); section == s.name {
				line := indent + leaf + ": " + encode(k.field(e))
				fmt.Fprintf(&b, "%-48s # %s\n", line, e.Origin(k.name))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func heading(b *strings.Builder, section string) (indent string) {
	if section == "" {
		return ""
	}
	b.WriteString(section + ":\n")
	return "  "
}

// forClips are the headings and examples of the template for a data set of clips that differ from those for stories.
var forClips = map[string]string{
	"model":   "The speech model, and how its frames become one vector of features per clip.",
	"data":    "Subjects, clips, splits and the preparation of responses.",
	"readout": "From features to voxels: a linear map.",

	"data.path": "data/sounds", "data.train": `"fold!=0&fold!=1"`, "data.val": "fold=1", "data.test": "fold=0",
	"out": "runs/sounds",
}

// storyKeys have no part where rows are clips.
var storyKeys = []string{"model.window_seconds", "model.stride_seconds", "model.extraction", "model.chunk_seconds",
	"model.downsample", "data.detrend", "data.trim", "readout.delays_seconds", "train.context_rows", "compat"}

// Template gives a file to start from: the required keys with examples, all others as comments with their defaults.
// With clips it is for a data set of the design event: keys that have no part in it are left out.
func Template(clips bool) string {
	var b strings.Builder
	b.WriteString("# An experiment for bwlm: tune a speech model on brain responses and score what that changed.\n" +
		"# The keys below must be given. The others are commented out with their defaults: remove the # to change " +
		"one.\n" +
		"# Relative paths mean the directory of this file.\n")
	defaults := Default()
	text := func(_, otherwise string) string { return otherwise }
	if clips {
		b.WriteString("# The data set has design: event: rows are clips, which splits name by their labels.\n")
		defaults.Model.Pooling, defaults.Eval.ChunkRows = PoolMean, 1
		text = func(name, otherwise string) string { return cmp.Or(forClips[name], otherwise) }
	}
	for _, s := range sections {
		b.WriteString("\n")
		if s.doc != "" {
			b.WriteString("# " + text(s.name, s.doc) + "\n")
		}
		indent := heading(&b, s.name)
		for i := range keys {
			k := &keys[i]
			section, leaf := k.split()
			if section != s.name || clips && slices.Contains(storyKeys, k.name) {
				continue
			}
			for line := range strings.Lines(k.doc) {
				b.WriteString(indent + "# " + strings.TrimSuffix(line, "\n") + "\n")
			}
			if k.required() {
				b.WriteString(indent + leaf + ": " + text(k.name, k.example) + "\n")
			} else {
				b.WriteString(indent + "#" + leaf + ": " + templateValue(k, defaults) + "\n")
			}
		}
	}
	return b.String()
}

// templateValue spells the default; the ten default alphas are shown as the formula that made them.
func templateValue(k *key, defaults *Experiment) string {
	if k.name == "eval.alphas" {
		return "logspace(1, 4, 10)"
	}
	return encode(k.field(defaults))
}
