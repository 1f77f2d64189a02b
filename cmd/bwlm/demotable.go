package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/internal/brain/demo"
	"github.com/brainwavlm/bwlm/internal/decimal"
	"github.com/brainwavlm/bwlm/internal/sim"
)

// demoArms are the ways to tune, as the tables name them.
func demoArms(r *demo.Report) []struct {
	name, key string
	arm       demo.Arm
} {
	return []struct {
		name, key string
		arm       demo.Arm
	}{
		{"whole cortex", "whole_cortex", r.WholeCortex},
		{"auditory cortex only", "auditory_cortex", r.AuditoryCortex},
		{"shuffled (control)", "shuffled", r.Shuffled},
	}
}

// printDemo writes the tables of a demo and a verdict in words.
func printDemo(w io.Writer, r *demo.Report, out string) error {
	t := r.WholeCortex.Test
	fmt.Fprintf(w, "Simulated listener, seed %d: r on %d test rows, in a voice not used in tuning.\n\n", r.Seed, t.Rows)
	regions := []string{sim.Auditory, sim.Semantic, sim.Noise}
	line := func(name string, s *results.ModelScore) []string {
		row := []string{name}
		for _, region := range regions {
			row = append(row, score(s.ROIs[region]))
		}
		return row
	}
	rows := [][]string{
		line("base", &t.Base),
		line(fmt.Sprintf("base at its best layer (%d)", *t.BaseBestLayer.Layer), t.BaseBestLayer),
	}
	for _, a := range demoArms(r) {
		rows = append(rows, line("tuned: "+a.name, a.arm.Test.Tuned))
	}
	rows = append(rows, line("spectrum alone", r.Controls.Spectrum), line("word rate alone", r.Controls.WordRate),
		line("word identity (oracle)", r.Controls.WordIdentity))
	if t.Ceiling != nil {
		rows = append(rows, line("ceiling", t.Ceiling))
	}
	if err := ui.Table(w, append([]string{"score"}, regions...), rows); err != nil {
		return err
	}

	fmt.Fprintln(w, "\nΔr (tuned - base), with 95 % interval:")
	rows = nil
	for _, a := range demoArms(r) {
		row := []string{a.name, fmt.Sprint(a.arm.Chosen)}
		for _, region := range regions {
			d := a.arm.Test.Delta.ROIs[region]
			row = append(row, decimal.Signed(d.MeanR, 3)+" "+interval(d.CI95))
		}
		rows = append(rows, row)
	}
	if err := ui.Table(w, append([]string{"tuned on", "epoch"}, regions...), rows); err != nil {
		return err
	}

	fmt.Fprintln(w, "\nLinear probes of the representation, r on stories and a voice not used in tuning:")
	rows = nil
	for _, p := range append([]string{"base"}, "whole_cortex", "auditory_cortex", "shuffled") {
		rows = append(rows, []string{p, score(r.Probes.Lexical[p]), score(r.Probes.LexicalControl[p]),
			score(r.Probes.Acoustic[p])})
	}
	if err := ui.Table(w, []string{"model", "planted meaning", "other meaning", "sound"}, rows); err != nil {
		return err
	}

	fmt.Fprintln(w, "\nOther subjects with the whole-cortex adapter, all voxels, a ridge fitted to each:")
	rows = nil
	for _, p := range []struct {
		name string
		t    demo.Transfer
	}{{"related subject", r.Transfer.Related}, {"unrelated subject", r.Transfer.Unrelated}} {
		rows = append(rows, []string{p.name, score(p.t.Base), score(p.t.Tuned),
			decimal.Signed(p.t.Tuned-p.t.Base, 3) + " " + interval(p.t.CI95)})
	}
	if err := ui.Table(w, []string{"transfer", "base", "tuned", "Δr"}, rows); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, s := range verdicts(r) {
		fmt.Fprintln(w, s)
	}
	_, err := fmt.Fprintf(w,
		"\nEverything is in %s, with pictures in %s; each r can be recomputed from the .npy files below %s.\n", out,
		filepath.Join(out, "report.html"), filepath.Join(out, "*", "eval", "test"))
	return err
}

// verdicts say in words what came out and what did not.
func verdicts(r *demo.Report) (out []string) {
	say := func(what string, ci *stats.Interval, wanted string) {
		found := "no difference shown"
		switch {
		case ci == nil:
			found = "no interval"
		case ci[0] > 0:
			found = "gain"
		case ci[1] < 0:
			found = "loss"
		}
		mark := "as it must be"
		if found != wanted && wanted != "gain or no difference" && !(wanted == "no gain" && found != "gain") {
			mark = "NOT as it should be (wanted: " + wanted + ")"
		}
		out = append(out, fmt.Sprintf("%s: %s, %s.", what, found, mark))
	}
	gain := "gain"
	if r.Null {
		gain = "no gain"
	}
	whole, ac, shuffled := r.WholeCortex.Test.Delta, r.AuditoryCortex.Test.Delta, r.Shuffled.Test.Delta
	say("Whole-cortex tuning, semantic voxels", whole.ROIs[sim.Semantic].CI95, gain)
	say("Auditory-only tuning, auditory voxels", ac.ROIs[sim.Auditory].CI95, gain)
	say("Tuning on shuffled responses, all voxels", shuffled.CI95, "no gain")
	say("Unrelated subject, all voxels", r.Transfer.Unrelated.CI95, "no gain")
	return out
}
