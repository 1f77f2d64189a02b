package report

import "github.com/brainwavlm/bwlm/brain/results"

type valuesOf struct {
	Name   string
	Values []float64
}

// demo reads what only a demo has.
func (p *page) demo() {
	d := p.Report.Demo
	p.DemoROIs = p.Report.Runs[0].parts()
	for _, c := range []struct {
		name string
		s    *results.ModelScore
	}{{"spectrum", d.Controls.Spectrum}, {"word rate", d.Controls.WordRate},
		{"word identity (an oracle)", d.Controls.WordIdentity}} {
		if c.s == nil {
			continue
		}
		line := valuesOf{Name: c.name}
		for _, region := range p.DemoROIs {
			line.Values = append(line.Values, c.s.ROIs[region])
		}
		p.DemoControls = append(p.DemoControls, line)
	}
	for _, name := range []string{"base", "whole_cortex", "auditory_cortex", "shuffled"} {
		p.DemoProbes = append(p.DemoProbes, valuesOf{name,
			[]float64{d.Probes.Lexical[name], d.Probes.LexicalControl[name], d.Probes.Acoustic[name]}})
	}
}
