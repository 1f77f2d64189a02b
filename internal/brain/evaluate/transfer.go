package evaluate

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// AuditAgainst refuses a study whose test rows share stimulus with the training or validation rows
// of the given subjects.
func AuditAgainst(ctx context.Context, st *study.Study, sources []*study.Subject) error {
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
	if err := st.Refuse(report); err != nil {
		return err
	}
	return st.CompareAudio(ctx, report)
}
