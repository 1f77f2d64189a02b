package report

import (
	"fmt"
	"slices"
	"strings"
)

// step is something that was not done, and the command that does it.
type step struct{ Run, About, Command string }

// steps lists what was not done with runs that were tuned. A demo has controls and transfer of its own kind.
func (rep *Report) steps() (out []step) {
	for _, r := range rep.Runs {
		if rep.Demo != nil || r.Experiment == nil || r.Scores.Tuned == nil {
			continue
		}
		name := shellWord(r.Name)
		for _, s := range []struct {
			done           bool
			about, command string
		}{
			{r.Controls != nil, "control analyses", "bwlm controls " + name},
			{r.Partition != nil, "variance partitioning of the gain",
				fmt.Sprintf("bwlm variance-partition %s --json > %s/variance_partition.json", name, name)},
			{r.Transfers != nil || r.Unseen != nil, "transfer to other subjects",
				fmt.Sprintf("bwlm transfer %s/config.yaml", name)},
			{r.Probes != nil, "probes: what each layer knows",
				fmt.Sprintf("bwlm probe %s --json > %s/probe.json", name, name)},
		} {
			if !s.done {
				out = append(out, step{r.Name, s.about, s.command})
			}
		}
	}
	return out
}

// commands repeat what was done.
func (rep *Report) commands() (out []string) {
	if d := rep.Demo; d != nil {
		null := ""
		if d.Null {
			null = " --null"
		}
		return []string{fmt.Sprintf("bwlm demo --out demo --seed %d%s", d.Seed, null),
			"bwlm report demo --out report.html"}
	}
	var dirs []string
	for _, r := range rep.Runs {
		name := shellWord(r.Name)
		dirs = append(dirs, name)
		if r.Experiment == nil {
			out = append(out, "bwlm eval EXPERIMENT.yaml        # the one whose out is "+name)
			continue
		}
		out = append(out, fmt.Sprintf("bwlm train %s/config.yaml --set out=%s-again", name, name),
			fmt.Sprintf("bwlm eval %s-again", name))
	}
	return append(out, "bwlm report "+strings.Join(dirs, " ")+" --out report.html")
}

// shellWord quotes what a shell would take apart.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// citations are data, method, model and program.
func (rep *Report) citations() (out []string) {
	for _, r := range rep.Runs {
		if r.Data != nil && r.Data.Citation != "" && !slices.Contains(out, "Data: "+r.Data.Citation) {
			out = append(out, "Data: "+r.Data.Citation)
		}
	}
	if rep.Demo != nil {
		out = append(out, "Data: simulated by bwlm (package internal/sim), not a measurement.")
	}
	version := ""
	for _, r := range rep.Runs {
		if r.Manifest != nil {
			version = r.Manifest.Versions["bwlm"]
		}
	}
	return append(out,
		"Method: Vattikonda, Vaidya, Antonello & Huth (2025). BrainWavLM: Fine-tuning Speech Representations with "+
			"Brain Responses to Language. arXiv 2502.08866.",
		"Speech model: Chen et al. (2022). WavLM: Large-Scale Self-Supervised Pre-Training for Full Stack Speech "+
			"Processing. IEEE J-STSP 16(6). arXiv 2110.13900.",
		"Adapters: Hu et al. (2021). LoRA: Low-Rank Adaptation of Large Language Models. arXiv 2106.09685.",
		strings.TrimSpace("Program: bwlm, BrainWavLM in Go "+version)+".")
}
