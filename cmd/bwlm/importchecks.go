package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/brain/timing"
)

// printImportedTiming writes what the check of timing at the end of an import found: a line, and what is not ok.
func printImportedTiming(w io.Writer, t *imports.Timing, dir string) error {
	if t == nil {
		return nil
	}
	subjects := map[string][]string{} // by their voxels
	for _, subject := range slices.Sorted(maps.Keys(t.Subjects)) {
		subjects[t.Subjects[subject]] = append(subjects[t.Subjects[subject]], subject)
	}
	var of []string
	for _, voxels := range slices.Sorted(maps.Keys(subjects)) {
		names := strings.Join(subjects[voxels], ", ")
		if n := len(subjects[voxels]); n > 3 {
			names = fmt.Sprintf("%d subjects", n)
		}
		of = append(of, names+": "+voxels)
	}
	fmt.Fprintf(w, "Timing of %s (%s): %s", count(t.Stories, "story", "stories"), strings.Join(of, "; "), t.Verdict)
	if t.Lag != nil {
		fmt.Fprintf(w, ", responses %s", lagWords(t.Estimate))
	}
	if fmt.Fprint(w, ".\n"); t.Part {
		fmt.Fprintf(w, "The rest is checked by `bwlm check-timing %s`.\n", dir)
	}
	printTimingFindings(w, slices.DeleteFunc(slices.Clone(t.Findings),
		func(f timing.Finding) bool { return f.Verdict == timing.OK }))
	return nil
}

// longHours of audio in windows are worth a word on how there would be less.
const longHours = 24

// printWork writes how much audio a training on all stories reads.
func printWork(w io.Writer, seconds float64, dir string) {
	m := experiment.Default().Model
	times := m.WindowSeconds / m.StrideSeconds
	fmt.Fprintf(w, "Plan: %s of recordings. Windows of %g s every %g s read %g times as much, %s, in each pass; `bwlm "+
		"plan %s/experiment.yaml --set model.path=MODEL` says time and memory.\n", duration(seconds), m.WindowSeconds,
		m.StrideSeconds, times, duration(times*seconds), dir)
	if times*seconds > longHours*3600 {
		fmt.Fprintf(w, "Chunks (--set model.extraction=chunks) read %.1f times as much as there is; --stories imports "+
			"fewer.\n", m.ChunkSeconds/(m.ChunkSeconds-m.WindowSeconds))
	}
}

// printValues writes the range of the voxels' means and SDs, from which it is seen whether they were z-scored.
func printValues(w io.Writer, files []imports.Output) {
	if len(files) == 0 {
		return
	}
	all := files[0].Values
	for _, f := range files {
		all.Mean = [2]float64{min(all.Mean[0], f.Values.Mean[0]), max(all.Mean[1], f.Values.Mean[1])}
		all.SD = [2]float64{min(all.SD[0], f.Values.SD[0]), max(all.SD[1], f.Values.SD[1])}
	}
	fmt.Fprintf(w, "Values: over the rows of a story, voxels have means of %.3g to %.3g and SDs of %.3g to %.3g.\n",
		all.Mean[0], all.Mean[1], all.SD[0], all.SD[1])
}
