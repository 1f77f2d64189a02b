package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// printTables writes the gains over the untuned model: mean over seeds and, in brackets, their standard deviation.
func printTables(w io.Writer, results []result) {
	fmt.Fprintf(w, "| strategy | seeds | auditory | semantic | all voxels | noise | chosen epochs |\n| --- | --- | "+
		"--- | --- | --- | --- | --- |\n")
	for _, a := range strategies {
		rs := of(results, a.name)
		if len(rs) == 0 {
			continue
		}
		fmt.Fprintf(w, "| %s | %d |", a.name, len(rs))
		for _, region := range []string{"auditory", "semantic", "all", "noise"} {
			fmt.Fprintf(w, " %s |", spread(gains(rs, region)))
		}
		var chosen []string
		for _, r := range rs {
			chosen = append(chosen, fmt.Sprint(r.Chosen))
		}
		fmt.Fprintf(w, " %s |\n", strings.Join(chosen, " "))
	}
	fmt.Fprintf(w, "\n| tuning | seeds | gain, all voxels | smallest | epochs below base on val | diverged |\n| --- "+
		"| --- | --- | --- | --- | --- |\n")
	for _, a := range stability {
		rs := of(results, a.name)
		if len(rs) == 0 {
			continue
		}
		g := gains(rs, "all")
		below, epochs, diverged := 0, 0, 0
		for _, r := range rs {
			bad := r.Failed != ""
			for _, v := range r.Val[min(1, len(r.Val)):] {
				epochs++
				if v < r.Val[0] {
					below++
				}
				bad = bad || v < r.Val[0]/2 // lost half of what it could
			}
			if bad {
				diverged++
			}
		}
		name := a.name
		if label := map[string]string{"whole cortex": "LoRA lr 2e-3",
			"full fine-tuning": "full lr 2e-4"}[name]; label != "" {
			name = label // it is in both tables
		}
		fmt.Fprintf(w, "| %s | %d | %s | %+.3f | %d of %d | %d of %d |\n", name, len(rs), spread(g), slices.Min(g),
			below, epochs, diverged, len(rs))
	}
}

func of(results []result, arm string) (out []result) {
	for _, r := range results {
		if r.Arm == arm {
			out = append(out, r)
		}
	}
	return out
}

// gains are the tuned scores less the untuned ones in a region; a run that failed gained nothing.
func gains(rs []result, region string) (out []float64) {
	for _, r := range rs {
		out = append(out, r.Tuned[region]-r.Base[region])
	}
	return out
}

// spread is the mean and the standard deviation between seeds.
func spread(x []float64) string {
	mean, square := 0., 0.
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		square += (v - mean) * (v - mean)
	}
	if len(x) < 2 {
		return fmt.Sprintf("%+.3f", mean)
	}
	return fmt.Sprintf("%+.3f (%.3f)", mean, math.Sqrt(square/float64(len(x)-1)))
}
