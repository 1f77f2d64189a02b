package plan

import (
	"context"
	"fmt"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/internal/study"
	"github.com/brainwavlm/bwlm/brain/internal/tune"
	"github.com/brainwavlm/bwlm/brain/internal/windows"
	"github.com/brainwavlm/bwlm/torch"
)

// Plan says what a training and its evaluation will take, before either begins, and what the test rows can show.
type Plan struct {
	Schema  int     `json:"schema"`
	Seconds float64 `json:"seconds"` // from opening the study to the scores
	PeakMB  float64 `json:"peak_mb"` // of the process's memory; on a GPU, its host memory
	DiskMB  float64 `json:"disk_mb"` // of the finished run directory
	Device  string  `json:"device"`  // that was measured
	Threads int     `json:"threads"`

	Subjects        int     `json:"subjects"`
	Models          string  `json:"models"` // one for all subjects, or one each, in words
	Epochs          int     `json:"epochs"`
	StepsPerEpoch   int     `json:"steps_per_epoch"`
	Steps           int     `json:"steps"`
	WindowsPerStep  float64 `json:"windows_per_step"`  // mean over an epoch
	WindowsPerEpoch int     `json:"windows_per_epoch"` // read by its steps
	// after each epoch, without gradients, for statistics and validation
	WindowsRead     int     `json:"windows_read"`
	CachedShare     float64 `json:"cached_share"` // fraction of the activations of frozen layers that fits in the cache
	ModelParameters int     `json:"trainable_model_parameters"`
	Parameters      int     `json:"trainable_parameters"` // with the readouts of all subjects

	Phases      []Phase       `json:"phases"`
	Sensitivity []Sensitivity `json:"sensitivity"`
	Fidelity    *Fidelity     `json:"fidelity,omitempty"` // with extraction by chunks
	Notes       []string      `json:"notes,omitempty"`
}

// PlanPhase is one kind of work.
type Phase struct {
	Name    string  `json:"name"`
	Times   float64 `json:"times"` // how often
	Each    float64 `json:"seconds_each"`
	Seconds float64 `json:"seconds"`
}

// Constants of what is not measured, since a plan writes nothing: what a checkpoint takes beside
// its bytes, and how many of those a disk takes in a second.
const (
	checkpointSeconds = .01 // 3 ms were measured on a local disk, 30 ms on a busy one
	diskBytesASecond  = 300e6
)

// Plan measures this machine on pieces of the study (windows, three tuning steps, a ridge) and adds
// up what Fit and EvaluateRun will do. It takes seconds to minutes, as large as the model is, and
// writes nothing. What it says of memory is the most that the process has used so far and what the
// rest will add, so call it in a process that has done nothing else.
func Estimate(ctx context.Context, st *study.Study) (*Plan, error) {
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
	p := &Plan{Schema: 1, Device: st.Model.Session().Device.String(), Threads: torch.Threads(),
		Subjects: len(st.Subjects), Models: models(st),
		Epochs: st.Experiment.Train.Epochs, StepsPerEpoch: len(w.order),
		Steps:           st.Experiment.Train.Epochs * len(w.order),
		WindowsPerEpoch: w.stepWindows, WindowsPerStep: float64(w.stepWindows) / float64(len(w.order)),
		WindowsRead: w.epochWindows,
		CachedShare: w.cached, ModelParameters: w.modelParameters, Parameters: w.parameters,
		DiskMB: float64(w.diskBytes()) / 1e6}
	p.Phases = c.phases(w)
	for _, phase := range p.Phases {
		p.Seconds += phase.Seconds
	}
	if p.PeakMB, err = c.peakMB(w); err != nil {
		p.Notes = append(p.Notes, err.Error())
	}
	if p.Sensitivity, err = detectable(ctx, st); err == nil &&
		st.Experiment.Model.Extraction == experiment.ExtractChunks {
		p.Fidelity, err = fidelityOfPlan(ctx, st)
	}
	return p, err
}

// models says for how many subjects one model is tuned.
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
		"data.subjects with bwlm sweep",
		what, len(st.Subjects), st.Experiment.Train.Joint, how)
}
