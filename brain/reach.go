package brain

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
)

func (st *Study) auditSplits(context.Context) (err error) {
	if st.Audit, err = audit(st.stimulusWindow(), st.Data, st.people); err != nil {
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

// stimulusWindow is the audio that one row depends on.
func (st *Study) stimulusWindow() design.StimulusWindow {
	exp, clock := st.Experiment, design.Clock{TR: st.Data.TR(), RowTime: st.Data.RowTime()}
	if exp.Compat.TimesAtTRStarts {
		clock.RowTime = 0
	}
	vector := design.StimulusWindow{Before: clipLength(exp.Model)}
	if exp.Model.Extraction == experiment.ExtractChunks { // a frame depends on all of its clip
		vector.After = vector.Before
	}
	return design.BOLD{Average: exp.Model.Downsample == experiment.DownsampleAverage, Delays: st.delays}.StimulusWindow(clock, vector)
}
