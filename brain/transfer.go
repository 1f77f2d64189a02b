package brain

import (
	"github.com/brainwavlm/bwlm/brain/design"
)

// auditAgainst refuses stimulus that the people of a tuning met in tuning, or in the choice of its epoch, and that these
// people are tested on.
func (st *Study) auditAgainst(sources []*person) error {
	var met []*person
	for _, p := range sources {
		seen := *p
		seen.parts[Test] = nil
		met = append(met, &seen)
	}
	for _, p := range st.people {
		tested := *p
		tested.parts = [3][]design.Rows{Test: p.parts[Test]}
		met = append(met, &tested)
	}
	report, err := audit(st.stimulusWindow(), st.Data, met)
	if err != nil {
		return err
	}
	return st.refuse(report)
}
