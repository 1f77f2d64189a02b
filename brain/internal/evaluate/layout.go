package evaluate

import (
	"github.com/brainwavlm/bwlm/brain/internal/study"
	"github.com/brainwavlm/bwlm/brain/results"
)

// layout describes what Write writes.
func (e *Evaluation) layout() results.Layout {
	out := results.Layout{Schema: 1}
	for i, p := range e.Study.Subjects {
		person := results.LayoutPerson{Name: p.Name, Voxels: p.Voxels, Rows: p.Parts[study.Test]}
		for _, g := range e.Groups {
			if g.Columns != nil && g.Name != results.TunedGroup { // which is this run's own
				person.Regions = append(person.Regions, results.LayoutRegion{Name: g.Name, Columns: g.Columns[i]})
			}
		}
		out.People = append(out.People, person)
	}
	return out
}
