package study

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
)

func (st *Study) auditSplits(context.Context) (err error) {
	if st.Audit, err = Audit(st.StimulusWindow(), st.Data, st.Subjects); err != nil {
		return err
	}
	return st.Refuse(st.Audit)
}

// Refuse returns an error for the leaks of an audit or, where the experiment allows them, notes each.
func (st *Study) Refuse(report *design.Report) error {
	if st.Experiment.Data.AllowLeak {
		for _, leak := range report.Leaks {
			st.Note("LEAK, allowed by data.allow_leak: %s; scores on these rows are no evidence", leak)
		}
	}
	return st.refuse(report)
}

// refuse is the error of a report, unless the experiment allows leaks.
func (st *Study) refuse(report *design.Report) error {
	if st.Experiment.Data.AllowLeak {
		return nil
	}
	return report.Err()
}

// StimulusWindow is the audio that one row depends on, at all lags that are scored.
func (st *Study) StimulusWindow() design.StimulusWindow {
	exp, clock := st.Experiment, design.Clock{TR: st.Data.TR(), RowTime: st.Data.RowTime()}
	if exp.Compat.TimesAtTRStarts {
		clock.RowTime = 0
	}
	vector := design.StimulusWindow{Before: windows.ClipLength(exp.Model)}
	if windows.Shares(exp.Model) { // a frame depends on all of its clip
		vector.After = vector.Before
	}
	d := st.Design()
	if bins, ok := d.(design.Series); ok {
		bins.Delays = st.allLags()
		d = bins
	}
	return d.StimulusWindow(clock, vector)
}
