package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/extract"
)

// adapterFlags name adapters and how they are made one.
type adapterFlags struct {
	dirs             []string
	weights, combine string
	allow            allowChanged
}

func (f *adapterFlags) register(c *cobra.Command) {
	f.allow.onlyBase = true
	f.allow.add(c)
	flags := c.Flags()
	flags.StringArrayVar(&f.dirs, "adapter", nil, "`folder` of an adapter of that model; may be given several times")
	flags.StringVar(&f.weights, "weights", "", "a weight for each adapter, such as 0.5,0.5 (default 1 for each)")
	flags.StringVar(&f.combine, "combine", "",
		"make one of several LoRAs: cat (exact), linear, svd, ties or magnitude_prune")
}

// adapters is what the flags say.
func (f *adapterFlags) adapters(c *cobra.Command) (extract.Adapters, error) {
	a := extract.Adapters{Dirs: f.dirs, Combine: f.combine, AllowChangedBase: f.allow.base}
	for _, dir := range f.dirs {
		if dir == "" {
			return a, usage(c, "--adapter is empty")
		}
	}
	if f.weights == "" {
		return a, nil
	}
	for part := range strings.SplitSeq(f.weights, ",") {
		w, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil {
			return a, usage(c, "--weights: %q is no number", part)
		}
		a.Weights = append(a.Weights, w)
	}
	if len(a.Weights) != len(a.Dirs) {
		return a, usage(c, "--weights: %d weights for %d adapters", len(a.Weights), len(a.Dirs))
	}
	return a, nil
}
