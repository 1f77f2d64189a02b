package experiment

import (
	"fmt"
	"io"
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

// Template gives a file to start from: the required keys with examples, all others as comments with their defaults.
func Template() string {
	var b strings.Builder
	b.WriteString("# An experiment for bwlm: tune a speech model on brain responses and score what that changed.\n" +
		"# The keys below must be given. The others are commented out with their defaults: remove the # to change " +
		"one.\n" +
		"# Relative paths mean the directory of this file.\n")
	defaults := Default()
	for _, s := range sections {
		b.WriteString("\n")
		if s.doc != "" {
			b.WriteString("# " + s.doc + "\n")
		}
		indent := heading(&b, s.name)
		for i := range keys {
			k := &keys[i]
			section, leaf := k.split()
			if section != s.name {
				continue
			}
			for line := range strings.Lines(k.doc) {
				b.WriteString(indent + "# " + strings.TrimSuffix(line, "\n") + "\n")
			}
			if k.required() {
				b.WriteString(indent + leaf + ": " + k.example + "\n")
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
