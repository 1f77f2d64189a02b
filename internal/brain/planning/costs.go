package planning

import (
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/plan"
)

// costs are the seconds of parts of the work, or their operations.
type costs struct {
	// for each window: frozen layers; the other layers up to model.layer; all layers of the untuned model
	front, tuned, base float64
	step               float64 // for each window of a tuning step, with cached activations
	ridge              float64 // fit and prediction for all subjects
	bootstrap          float64
	once, save         float64 // what is done once; a checkpoint
}

// scaled returns the costs where reading a second of audio takes a multiple.
func (k costs) scaled(by float64) costs {
	k.front, k.tuned, k.base, k.step = by*k.front, by*k.tuned, by*k.base, by*k.step
	return k
}

// complete fills in the costs that nothing is measured for.
func (c *calibration) complete(w *work) {
	c.once = c.trainer.Study.Took.Seconds() + c.manifest + c.prove
	for _, p := range w.st.Subjects {
		c.once += c.value * float64(p.Responses.StoredBytes()) / 4
	}
	c.save = checkpointSeconds + float64(w.checkpointBytes)/diskBytesASecond
	c.flops.once = readoutOperations(w)
}

// phases returns the phases of a run with their costs.
func (k costs) phases(w *work) []plan.Phase {
	exp := w.st.Experiment
	epochs, missing := float64(exp.Train.Epochs), 1-w.cached
	var out []plan.Phase
	add := func(name string, times, each float64) {
		out = append(out, plan.Phase{Name: name, Times: times, Each: each, Seconds: times * each})
	}
	add("open data and model, hash inputs", 1, k.once)
	add("activations of frozen layers, once", 1, k.front*float64(w.epochWindows+w.testWindows))
	reads := 1.
	if exp.Train.Mode != experiment.TrainReadout {
		reads += epochs
	}
	add("tuning steps", epochs*float64(len(w.order)),
		float64(w.stepWindows)/float64(len(w.order))*(k.step+missing*k.front))
	add("read for validation", reads,
		float64(w.epochWindows)*k.tuned+missing*k.front*float64(w.epochWindows)*(reads-1)/reads)
	if exp.Train.Mode != experiment.TrainReadout {
		add("score validation", reads, k.ridge)
	}
	add("checkpoints", epochs+1, k.save)
	bootstraps := 2. // of base and of its best layer, of all subjects together
	if len(w.st.Subjects) > 1 {
		bootstraps++ // and each alone
	}
	reading := float64(w.epochWindows+w.testWindows)*(k.base+missing*k.front) +
		float64(w.trainTest)*(k.tuned+missing*k.front)
	add("evaluate base, each layer, and tuned", 1, reading+float64(w.fits())*k.ridge+bootstraps*k.bootstrap)
	return out
}

// total is the sum over the phases of a run, and over its folds.
func (k costs) total(w *work, folds int) (sum float64) {
	for _, phase := range k.phases(w) {
		sum += phase.Seconds * float64(max(1, folds))
	}
	return sum
}
