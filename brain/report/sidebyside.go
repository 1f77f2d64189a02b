package report

import (
	"slices"

	"github.com/brainwavlm/bwlm/internal/roikeys"
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
	var keys []string
	for _, run := range p.Pages {
		for _, l := range run.Lines {
			if !slices.Contains(keys, l.Key) && l.Key != roikeys.Tuned { // which are each run's own
				keys = append(keys, l.Key)
			}
		}
	}
	for _, key := range keys {
		line := sideBySide{Name: roikeys.Label(key)}
		for _, run := range p.Pages {
			var cell textLine
			if i := slices.IndexFunc(run.Lines, func(l textLine) bool { return l.Key == key }); i >= 0 {
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
