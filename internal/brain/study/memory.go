package study

import (
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
)

// shareMemory divides the remaining memory budget between units of computation and the activation
// cache. Memory in use is measured. Memory of the evaluation is reserved: features of all layers at
// all rows, ridge weights and predictions, and a quarter more for garbage of Go.
func (st *Study) shareMemory(bound int64) error {
	if bound == 0 {
		return nil
	}
	unit := st.UnitBytes()
	left, err := windows.MemoryLeft(st.Model, st.Experiment.Model, bound, st.EvaluationBytes(), unit)
	if err != nil {
		return err
	}
	if st.Options.StepBytes == 0 {
		st.Options.StepBytes = min(windows.DefaultStepBytes, max(left*2/3, unit))
	}
	if st.Options.CacheBytes == 0 {
		st.Options.CacheBytes = max(1, left-st.Options.StepBytes)
	}
	return nil
}

// UnitBytes estimates the memory of one unit of windows: with gradients, unless training leaves the model as it is.
func (st *Study) UnitBytes() int64 {
	bytes := windows.GraphBytes
	if st.Experiment.Train.Mode == experiment.TrainReadout {
		bytes = windows.ForwardBytes
	}
	unit := bytes(st.Model, st.Experiment.Model, st.Experiment.Train.UnitWindows)
	if trainsFrontEnd(st.Experiment) {
		unit += windows.UnitFrontBytes(st.Model, st.Experiment.Model, st.Experiment.Train.UnitWindows)
	}
	return unit
}

// EvaluationBytes estimates the most memory that Go will allocate for the evaluation of a tuned model.
func (st *Study) EvaluationBytes() int64 {
	width := int64(st.Model.Architecture().Width * len(st.Delays))
	features, fits := int64(0), int64(0)
	for _, stim := range st.Stimuli {
		features += int64(stim.Rows) * width * 4
	}
	for _, group := range SameRows(st.Subjects) {
		voxels := int64(0)
		for _, i := range group {
			voxels += int64(st.Subjects[i].Voxels)
		}
		rows := int64(st.Subjects[group[0]].RowsOf(Train))
		k := min(rows, width)
		// As brain/ridge measures a fit: weights and their garbage, features, their decomposition, blocks.
		fits = max(fits, 12*width*voxels+160*voxels+4*rows*voxels+12*rows*width+40*k*k+24*rows*k+16<<23)
		for _, i := range group {
			// base, best, tuned, and a copy of the responses
			features += 4 * int64(st.Subjects[i].RowsOf(Test)) * int64(st.Subjects[i].Voxels) * 4
		}
	}
	features += features / 4
	if st.Experiment.Train.Mode != experiment.TrainReadout {
		features += int64(st.Model.Architecture().Layers) * features / 4
	}
	return features + fits
}
