package report

import (
	"slices"
)

// sideBySide is a region's line in all runs.
type sideBySide struct {
	Name  string
	Cells []textLine
}

// together sets the regions of all runs side by side.
func (p *page) together() {
	if !p.Several {
		return
	}
	var names []string
	for _, run := range p.Pages {
		for _, l := range run.Lines {
			if !slices.Contains(names, l.Name) && l.Name != "voxels tuned on" { // which are each run's own
				names = append(names, l.Name)
			}
		}
	}
	for _, name := range names {
		line := sideBySide{Name: name}
		for _, run := range p.Pages {
			var cell textLine
			if i := slices.IndexFunc(run.Lines, func(l textLine) bool { return l.Name == name }); i >= 0 {
				cell = run.Lines[i]
			}
			line.Cells = append(line.Cells, cell)
		}
		p.Together = append(p.Together, line)
	}
	var list []whisker
	for _, run := range p.Pages {
		if d := run.Run.Scores.Delta; d != nil {
			list = append(list, whisker{run.Run.Name, d.MeanR, d.CI95})
		}
	}
	if len(list) > 1 {
		p.Joint = append(p.Joint, whiskers(list, "Δr, tuned − untuned", "Effect of each run",
			"All voxels; points are means, bars 95 % intervals."))
	}
}
