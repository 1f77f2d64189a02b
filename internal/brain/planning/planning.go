package planning

import (
	"context"
	"fmt"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/plan"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/proc"
	"github.com/brainwavlm/bwlm/torch"
)

// Constants of checkpoints, which are not measured since a plan writes nothing: the overhead of
// each, and bytes written per second.
const (
	checkpointSeconds = .01 // 3 ms were measured on a local disk, 30 ms on a busy one
	diskBytesASecond  = 300e6
)

// Estimate measures parts of the study on this machine (windows, three tuning steps, a ridge) and
// extrapolates to the training and the evaluation. It compares cheaper ways to extract features on pieces of the
// training and validation rows, for about CompareSeconds of the study's options. It takes seconds to minutes, depending
// on the model, and writes nothing. The memory estimate is the peak of the process so far plus the expected growth,
// so call Estimate in a process that has done nothing else.
func Estimate(ctx context.Context, st *study.Study) (*plan.Plan, error) {
	if st.Data.IsSeries() {
		return estimateSeries(ctx, st)
	}
	defer st.InPieces()()
	t, err := tune.NewTrainer(ctx, st)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	c := &calibration{trainer: t, cache: windows.NewCache(planCache, nil, nil)}
	defer c.cache.Close()
	t.Reader.Frozen = c.without(t.Reader.Frozen)
	w := countWork(st, t)
	if err := c.measure(ctx, w); err != nil {
		return nil, err
	}
	c.complete(w)
	p := &plan.Plan{Schema: 2, Device: st.Model.Session().Device.String(), Threads: torch.Threads(),
		Subjects: len(st.Subjects), Models: models(st),
		Epochs: st.Experiment.Train.Epochs, StepsPerEpoch: len(w.order),
		Steps:           st.Experiment.Train.Epochs * len(w.order),
		WindowsPerEpoch: w.stepWindows, WindowsPerStep: float64(w.stepWindows) / float64(len(w.order)),
		WindowsRead: w.epochWindows,
		CachedShare: w.cached, ModelParameters: w.modelParameters, Parameters: w.parameters,
		DiskMB: float64(w.diskBytes()) / 1e6}
	p.Phases = c.costs.phases(w)
	if st.Experiment.Eval.HasFolds() {
		folds, err := study.Folds(st.Experiment, st.Data)
		if err != nil {
			return nil, err
		}
		p.Folds = len(folds)
		p.DiskMB *= float64(p.Folds)
		for i := range p.Phases { // each fold has all of them
			p.Phases[i].Times *= float64(p.Folds)
			p.Phases[i].Seconds *= float64(p.Folds)
		}
	}
	for _, phase := range p.Phases {
		p.Seconds += phase.Seconds
	}
	compareDisk(p, st, w)
	if c.evaluation, err = st.EvaluationBytes(); err != nil {
		return nil, err
	}
	if c.peak, err = proc.PeakMemory(); err != nil {
		p.Notes = append(p.Notes, err.Error())
	} else {
		p.PeakMB = c.peakMB(w.frozenBytes)
	}
	for _, s := range st.Subjects {
		if all, read := len(s.Parts[study.Train]), len(someRows(s, study.Train)); read < all {
			p.Notes = append(p.Notes, fmt.Sprintf("%s: autocorrelation and varying voxels are those of %d of %d parts "+
				"of the training rows", s.Name, read, all))
		}
	}
	if p.Intervals, err = expectIntervals(ctx, st); err != nil {
		return nil, err
	}
	if p.Sensitivity, err = detectable(ctx, st); err != nil {
		return nil, err
	}
	return p, c.addWays(ctx, p, w)
}

// models describes which subjects share a tuned model.
func models(st *study.Study) string {
	what := map[experiment.TrainMode]string{experiment.TrainLoRA: "one adapter", experiment.TrainFull: "one model",
		experiment.TrainReadout: "the model as it is"}[st.Experiment.Train.Mode]
	if len(st.Subjects) == 1 {
		return fmt.Sprintf("%s and one readout for %s", what, st.Subjects[0].Name)
	}
	how := "one forward pass of a block serves all its subjects, their losses averaged"
	if st.Experiment.Train.Joint == experiment.JointSequential {
		how = "one step for each subject and block"
	}
	return fmt.Sprintf("%s for all %d subjects, with a readout each (train.joint: %s, %s); for one model each, vary "+
		"data.subjects in a sweep",
		what, len(st.Subjects), st.Experiment.Train.Joint, how)
}
