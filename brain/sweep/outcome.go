package sweep

import (
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/internal/brain/subrun"
	"github.com/brainwavlm/bwlm/internal/roikeys"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// table returns the table of all runs as they stand. It depends on their directories alone, so that each process
// comes to the same. Scores of the test rows are those of the best settings, and of all if they are to be revealed.
func (s *sweep) table() (*results.Sweep, error) {
	var tuned []string
	for _, r := range s.runs {
		if s.tuned(r) {
			tuned = append(tuned, r.exp.Out)
		}
	}
	if err := subrun.SameData(op, tuned); err != nil {
		return nil, err
	}
	out := &results.Sweep{Schema: 2, Axes: s.opt.Axes, Revealed: s.opt.Reveal}
	for _, r := range s.runs {
		run, err := s.outcome(r)
		if err != nil {
			return nil, err
		}
		out.Runs = append(out.Runs, run)
	}
	best := tabulate(out)
	for i, r := range s.runs {
		scores, err := rundir.Scores(op, r.exp.Out)
		if err != nil || scores == nil {
			continue // the row of a run whose scores failed has the reason
		}
		out.TestScored++
		if best[i] || s.opt.Reveal {
			readScores(&out.Runs[i], scores)
		}
	}
	tabulate(out)
	return out, nil
}

// shown returns the runs whose test rows the table shows: trained ones of the best settings, or all.
func (s *sweep) shown(r *results.Sweep) (runs []*member) {
	for i, best := range tabulate(r) {
		if r.Runs[i].ValR != nil && (best || s.opt.Reveal) {
			runs = append(runs, s.runs[i])
		}
	}
	return runs
}

// outcome reads how the training of a run ended.
func (s *sweep) outcome(r *member) (results.SweepRun, error) {
	out := results.SweepRun{Name: r.name, Values: r.values}
	t, err := rundir.ReadTuning(op, r.exp.Out)
	if err != nil {
		t = nil // the failure has the reason
	} else if t != nil {
		readTuning(&out, t)
	}
	failed, err := s.failures.Of(r.exp.Out)
	if err == nil && failed != nil && (failed.Tuned || t == nil) {
		out.Error, out.Code, out.Diverged = failed.Reason, failed.Code, failed.Diverged
	}
	return out, err
}

// readTuning fills in the scores of the validation rows.
func readTuning(run *results.SweepRun, t *rundir.Tuning) {
	base := t.Epochs[0].ValR
	run.Epochs, run.Best = len(t.Epochs)-1, t.Chosen
	for _, e := range t.Epochs {
		if e.ValR < base {
			run.Below++
		}
		if e.Epoch == t.Chosen {
			r, delta := e.ValR, e.ValR-base
			run.ValR, run.ValDelta = &r, &delta
		}
	}
}

// readScores fills in the scores of the test rows.
func readScores(run *results.SweepRun, s *results.Summary) {
	base := s.Test.Base.MeanR
	run.BaseR = &base
	if s.Test.Delta == nil { // only readouts were trained: there is no tuned model to score
		return
	}
	run.Delta = map[string]float64{roikeys.All: s.Test.Delta.MeanR}
	for roi, d := range s.Test.Delta.ROIs {
		run.Delta[roi] = d.MeanR
	}
}
