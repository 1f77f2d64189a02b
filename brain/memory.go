package brain

import (
	"runtime/debug"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/proc"
	"github.com/brainwavlm/bwlm/wavlm"
)

// Where nobody says how much memory there is.
const (
	defaultBatchBytes = 5 << 29 // of a forward and backward pass
	defaultCacheBytes = 2 << 30 // of what no tuning changes
)

// shareMemory divides the memory that is left, of what the process may have, among what is computed at once and what is
// kept, so that the peak stays below. What is there already is measured; what an evaluation will add is reserved:
// features of all layers at all rows, ridge weights and predictions, and as much again as a quarter for the garbage of Go.
func (st *Study) shareMemory(bound int64) error {
	if bound == 0 {
		return nil
	}
	left, clip, err := memoryLeft(st.Model.Config, st.Experiment.Model, bound, st.evaluationBytes())
	if err != nil {
		return err
	}
	if st.opt.BatchBytes == 0 {
		st.opt.BatchBytes = min(defaultBatchBytes, max(left*2/3, clip))
	}
	if st.opt.CacheBytes == 0 {
		st.opt.CacheBytes = max(1, left-st.opt.BatchBytes)
	}
	return nil
}

// memoryLeft is what a bound leaves beside what is in use now, what will be later, and the front end; at least what one
// clip takes, or it is an error of kind Memory.
func memoryLeft(cfg wavlm.Config, m experiment.Model, bound, later int64) (left, clip int64, err error) {
	debug.FreeOSMemory() // what loading left behind is not in use
	used, err := proc.ResidentMemory()
	if err != nil {
		return 0, 0, err
	}
	front, clip := frontBytes(cfg, m), clipBytes(cfg, m)
	if left = bound - used - later - front; left < clip {
		return 0, 0, fault.New(fault.Memory, "share memory", "max_memory", "%d MB do not suffice: %d MB are in use, results will take %d, and one clip %d",
			bound>>20, used>>20, later>>20, (front+clip)>>20).Advise("allow at least %d MB", (used+later+front+clip)>>20+1)
	}
	return left, clip, nil
}

// evaluationBytes is what Go will hold at most while a tuned model is scored, beside what it holds now.
func (st *Study) evaluationBytes() int64 {
	width := int64(st.Model.Config.Hidden * len(st.delays))
	features, fits := int64(0), int64(0)
	for _, stim := range st.stimuli {
		features += int64(stim.rows) * width * 4
	}
	for _, group := range sameRows(st.people) {
		voxels := int64(0)
		for _, i := range group {
			voxels += int64(st.people[i].voxels)
		}
		rows := int64(st.people[group[0]].rowsOf(Train))
		k := min(rows, width)
		// As brain/ridge measures a fit: weights and their garbage, features, their decomposition, blocks.
		fits = max(fits, 12*width*voxels+160*voxels+12*rows*width+40*k*k+24*rows*k+16<<23)
		for _, i := range group {
			features += 4 * int64(st.people[i].rowsOf(Test)) * int64(st.people[i].voxels) * 4 // base, best, tuned, and a copy of the responses
		}
	}
	features += features / 4
	if st.Experiment.Train.Mode != experiment.TrainReadout {
		features += int64(st.Model.Config.Layers) * features / 4
	}
	return features + fits
}

// frontBytes is what the convolutional front end takes for the clips that go through it at once: its first layers give a
// frame for every few samples, and three of their results are there at once.
func frontBytes(cfg wavlm.Config, m experiment.Model) int64 {
	samples := samplesOf(clipLength(m))
	size := min(max(samplesOf(groupSeconds)/samples, 1), frontClips)
	return 3 * 4 * int64(size) * int64(cfg.ConvWidth[0]) * int64(samples/cfg.ConvStride[0])
}

// clipBytes estimates what one clip takes while gradients are kept: per layer and frame about 14 vectors of the hidden
// width and 2 of the feed-forward width.
func clipBytes(cfg wavlm.Config, m experiment.Model) int64 {
	frames := cfg.Frames(samplesOf(clipLength(m)))
	return int64(4*frames) * int64(max(m.Layer, 1)*(14*cfg.Hidden+2*cfg.Inner)+4*cfg.ConvOut())
}

// batchSize is how many clips a budget takes.
func batchSize(cfg wavlm.Config, m experiment.Model, budget int64) int {
	return int(min(max(budget/max(clipBytes(cfg, m), 1), 1), 512))
}
