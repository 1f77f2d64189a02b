package evaluate

import (
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// layout describes the matrices that Write writes.
func (e *Evaluation) layout() results.Layout {
	out := results.Layout{Schema: results.RunSchema}
	for i, p := range e.Study.Subjects {
		subject := results.LayoutSubject{Name: p.Name, Voxels: p.Voxels, Rows: p.Parts[study.Test],
			Clips: e.Study.Clips(p.Parts[study.Test])}
		if e.Tuned != nil && e.Resolution != nil {
			subject.Resolution = e.Resolution[i]
		}
		for _, g := range e.Groups {
			if g.Columns != nil && g.Name != study.TunedGroup { // which is this run's own
				subject.ROIs = append(subject.ROIs, results.LayoutROI{Name: g.Name, Columns: g.Columns[i]})
			}
		}
		out.Subjects = append(out.Subjects, subject)
	}
	return out
}
