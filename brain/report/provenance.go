package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/internal/brain/finished"
)

type settingLine struct {
	Key     string
	Values  []string
	Origin  string
	Differs bool
}

func (p *page) settings() {
	var with []*pageOfRun
	for _, r := range p.Report.Runs {
		if r.Experiment != nil {
			with = append(with, r)
			p.Configured = append(p.Configured, r.Name)
		}
	}
	if len(with) == 0 {
		return
	}
	var lines []settingLine
	for k, r := range with {
		i := 0
		for s := range r.Experiment.Settings() {
			if k == 0 {
				lines = append(lines, settingLine{Key: s.Key, Origin: string(s.Origin)})
			}
			lines[i].Values = append(lines[i].Values, finished.ShortPath(s.Value))
			lines[i].Differs = lines[i].Differs || lines[i].Values[0] != lines[i].Values[k]
			i++
		}
	}
	p.Settings = lines
}

type provenance struct {
	Heading string
	Facts   []fact
	Inputs  []results.ManifestInput
}

type fact struct{ Name, Value string }

func (p *page) provenance() {
	grouped(p.Report.Runs, p.Several, (*pageOfRun).provenance, func(heading string, v provenance) {
		v.Heading = heading
		p.Provenance = append(p.Provenance, v)
	})
}

// provenance lists versions, hashes, the analysis plan and the reads of test rows.
func (r *pageOfRun) provenance() (v provenance) {
	add := func(name, value string) {
		if value != "" {
			v.Facts = append(v.Facts, fact{name, value})
		}
	}
	if m := r.Manifest; m != nil {
		for _, name := range slices.Sorted(maps.Keys(m.Versions)) {
			add(name, m.Versions[name])
		}
		add("platform", fmt.Sprintf("%s, %d threads, %s", m.Platform, m.Threads, m.Device))
		add("seed", fmt.Sprint(m.Seed))
		add("loss", m.Loss)
		add("delays (TRs)", strings.Trim(fmt.Sprint(m.Delays), "[]"))
		v.Inputs = m.Inputs
	}
	v.Inputs = slices.Concat(v.Inputs, r.FilesOfPlaces())
	s := r.Summary.AnalysisPlan
	if s == nil {
		add("analysis plan", "none: splits and endpoints were not locked before the training")
		return v
	}
	add("analysis plan", fmt.Sprintf("%s, SHA-256 %s", s.Time.UTC().Format("2006-01-02 15:04 UTC"), s.SHA256))
	add("endpoints", fmt.Sprintf("%s; %s", cmp.Or(strings.Join(s.Endpoints.ROIs, ", "), "all voxels"),
		s.Endpoints.Test))
	add("reads of test rows", fmt.Sprintf("%d, this evaluation included", s.TestReads))
	if s.Refused > 0 {
		add("refused reads", fmt.Sprintf("%d: splits or masks differed from the locked ones", s.Refused))
	}
	return v
}
