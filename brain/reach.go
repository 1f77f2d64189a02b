package brain

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/design"
)

func (st *Study) auditSplits(context.Context) (err error) {
	if st.Audit, err = audit(st.reach(), st.Data, st.people); err != nil {
		return err
	}
	return st.refuse(st.Audit)
}

// refuse refuses the leaks of an audit, or, where the experiment allows them, notes each.
func (st *Study) refuse(report *design.Report) error {
	if !st.Experiment.Data.AllowLeak {
		return report.Err()
	}
	for _, leak := range report.Leaks {
		st.note("LEAK, allowed by data.allow_leak: %s; scores on these rows are no evidence", leak)
	}
	return nil
}

// reach is the audio that one row depends on.
func (st *Study) reach() design.Reach {
	exp, tr, rowTime := st.Experiment, st.Data.TR(), st.Data.RowTime()
	if exp.Compat.TimesAtTRStarts {
		rowTime = 0
	}
	behind := clipLength(exp.Model)
	reach := design.LanczosReach(behind, tr, st.delays)
	if exp.Model.Downsample == "average" {
		reach = design.AverageReach(behind, tr, rowTime, st.delays)
	}
	if exp.Model.Mode == "block" { // a frame hears its clip to the end
		reach.Ahead += behind
	}
	return reach
}
