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

// forClips are the headings and examples of the template for data sets of clips that differ from those for stories.
var forClips = map[string]string{
	"model":   "The speech model, and how its frames become one vector of features per clip.",
	"data":    "Subjects, clips, splits and the preparation of responses.",
	"readout": "From features to voxels: a linear map.",

	"data.path": "data/sounds", "data.train": `"fold!=0&fold!=1"`, "data.val": "fold=1", "data.test": "fold=0",
	"out": "runs/sounds",
}

// storyKeys have no part where rows are clips, seriesKeys but where they are bins of milliseconds.
var (
	storyKeys = []string{"model.window_seconds", "model.stride_seconds", "model.extraction", "model.chunk_seconds",
		"model.downsample", "data.detrend", "data.trim", "readout.delays_seconds", "train.context_rows", "compat"}
	seriesKeys = []string{"readout.lags_ms", "readout.lag_windows"}
)

// leftOut reports whether a key has no part in a design.
func leftOut(design, key string) bool {
	story := slices.Contains(storyKeys, key)
	switch design {
	case "event":
		return story || slices.Contains(seriesKeys, key)
	case "series":
		tuning := strings.HasPrefix(key, "train.") && key != "train.mode" && key != "train.seed"
		return tuning || strings.HasPrefix(key, "adapter.") || key == "model.clip_window" ||
			story && key != "model.window_seconds" && key != "model.extraction"
	}
	return false
}

// Template gives a file to start from: the required keys with examples, all others as comments with their defaults.
// It is for data sets of a design, bold, event or series: keys that have no part in it are left out.
func Template(design string) string {
	var b strings.Builder
	b.WriteString("# An experiment for bwlm: tune a speech model on brain responses and score what that changed.\n" +
		"# The keys below must be given. The others are commented out with their defaults: remove the # to change " +
		"one.\n" +
		"# Relative paths mean the directory of this file.\n")
	defaults := Default()
	text := func(_, otherwise string) string { return otherwise }
	switch design {
	case "event":
		b.WriteString("# The data set has design: event: rows are clips, which splits name by their labels.\n")
		defaults.Model.Pooling, defaults.Eval.ChunkRows = PoolMean, 1
	case "series":
		b.WriteString("# The data set has design: series: rows are bins of clips, which splits name by their labels.\n")
		defaults.Model.Context = ContextWindow
	}
	if design != "bold" {
		text = func(name, otherwise string) string { return cmp.Or(forClips[name], otherwise) }
	}
	for _, s := range sections {
		if strings.HasPrefix(s.name, "adapter") && design == "series" { // nothing is tuned
			continue
		}
		b.WriteString("\n")
		if s.doc != "" {
			b.WriteString("# " + text(s.name, s.doc) + "\n")
		}
		indent := heading(&b, s.name)
		for i := range keys {
			k := &keys[i]
			section, leaf := k.split()
			if section != s.name || leftOut(design, k.name) {
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
