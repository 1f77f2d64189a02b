package evaluate

import (
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/internal/study"
)

// AuditAgainst refuses stimulus that the subjects of a tuning met in tuning, or in the choice of
// its epoch, and that these subjects are tested on.
func AuditAgainst(st *study.Study, sources []*study.Subject) error {
	var met []*study.Subject
	for _, p := range sources {
		seen := *p
		seen.Parts[study.Test] = nil
		met = append(met, &seen)
	}
	for _, p := range st.Subjects {
		tested := *p
		tested.Parts = [3][]design.Rows{study.Test: p.Parts[study.Test]}
		met = append(met, &tested)
	}
	report, err := study.Audit(st.StimulusWindow(), st.Data, met)
	if err != nil {
		return err
	}
	return st.Refuse(report)
}
