package study

import (
	"cmp"
	"context"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
)

// shareMemory divides a memory bound between ridges, units of computation and the activation cache, before anything but
// headers was read. Memory in use is measured. What an evaluation and a pass over the responses take is reserved, by
// the shapes in headers. A bound that does not suffice is refused.
func (st *Study) shareMemory(context.Context) error {
	if !st.owns {
		return nil
	}
	opt, exp := &st.Options, st.Experiment
	defer func() {
		opt.StepBytes = cmp.Or(opt.StepBytes, windows.DefaultStepBytes)
		opt.CacheBytes = cmp.Or(opt.CacheBytes, windows.DefaultCacheBytes)
	}()
	bound := cmp.Or(opt.MaxBytes, exp.MaxBytes())
	if bound == 0 {
		return nil
	}
	const least = 1 // the smallest groups of voxels
	unit := st.UnitBytes()
	later, err := st.evaluationBytes(least)
	if err != nil {
		return err
	}
	left, err := windows.MemoryLeft(st.Model, exp.Model, bound, later, unit)
	if err != nil {
		return err
	}
	// A third of the bound for sums or responses of a ridge, or what there is.
	st.ridgeBytes = int(min(bound/3, max(least, left-unit)))
	more, err := st.evaluationBytes(st.ridgeBytes)
	if err != nil {
		return err
	}
	left -= min(more-later, left-unit)
	left -= min(bound/8, left/4) // for what estimates miss: holes in the heap, above all
	if opt.StepBytes == 0 {
		opt.StepBytes = min(windows.DefaultStepBytes, max(left*2/3, unit))
	}
	if opt.CacheBytes == 0 {
		opt.CacheBytes = max(1, left-opt.StepBytes)
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

// EvaluationBytes estimates the most memory that the evaluation of a tuned model takes: waveforms, what is kept of
// responses and read of them, features and their ridge, and the predictions of test rows. A quarter more of what Go
// allocates is garbage.
func (st *Study) EvaluationBytes() (int64, error) { return st.evaluationBytes(st.ridgeBytes) }

// evaluationBytes is EvaluationBytes with ridges that hold some bytes of responses or sums.
func (st *Study) evaluationBytes(ridgeBytes int) (int64, error) {
	channels := int64(st.Model.Architecture().Width)
	width := channels * int64(len(st.Delays))
	rows, waves, longest := int64(0), int64(0), int64(0)
	for _, stim := range st.Stimuli {
		rows += int64(stim.Rows)
		bytes := 4 * int64(stim.Samples.Len())
		waves, longest = waves+bytes, max(longest, bytes)
	}
	layers := int64(len(st.ScoredLayers()))
	if st.Experiment.Train.Mode != experiment.TrainReadout {
		layers = int64(st.Model.Architecture().Layers) + 1
	}
	features := rows * channels * 4 * layers
	fits, kept, pass := int64(0), int64(0), int64(0)
	opt := st.RidgeOptions()
	opt.Bytes = ridgeBytes
	for _, group := range SameRows(st.Subjects) {
		voxels := 0
		for _, i := range group {
			p := st.Subjects[i]
			voxels += p.Voxels
			// base, best, tuned, and the responses
			features += 4 * int64(p.RowsOf(Test)) * int64(p.Voxels) * 4
			kept, pass = kept+p.Responses.Bytes(), max(pass, p.Responses.PassBytes())
		}
		train := st.Subjects[group[0]].RowsOf(Train)
		fit, err := ridge.Expect(train, int(width), voxels, opt)
		if err != nil {
			return 0, err
		}
		if fit.Form != ridge.Sums { // which does not keep the features
			fit.Memory += 4 * int64(train) * width
		}
		if st.Experiment.Eval.Layer == experiment.EvalLayerStack {
			fit.Memory += int64(min(stackVoxels(train, int(layers), ridgeBytes), voxels))*
				stackBytes(train, int(layers)) + 8*int64(train)*width
		}
		fits = max(fits, fit.Memory)
	}
	return min(waves, waveBytes+longest) + kept + pass + features + features/4 + fits, nil
}

// Stacking holds out training rows in StackFolds folds, and has its ridges made in units of StackUnit voxels, so that
// results do not depend on the memory for them.
const (
	StackFolds = 5
	StackUnit  = 512
)

// StackVoxels returns the number of voxels whose predictions of held-out rows, from all hidden states, are in memory at
// once, for a number of training rows.
func (st *Study) StackVoxels(rows int) int {
	return stackVoxels(rows, len(st.ScoredLayers()), st.ridgeBytes)
}

func stackVoxels(rows, layers, bytes int) int {
	if bytes == 0 {
		bytes = 1 << 30
	}
	return max(1, int(int64(bytes)/(StackUnit*stackBytes(rows, layers)))) * StackUnit
}

// stackBytes is the memory of a voxel: residuals of the rows of a fold, responses and parts of them, and products.
func stackBytes(rows, layers int) int64 {
	return int64(4*layers*((rows+StackFolds-1)/StackFolds) + 12*rows + 8*layers*layers)
}
