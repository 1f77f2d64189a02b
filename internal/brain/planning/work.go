package planning

import (
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/sections"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
)

// work holds the amounts of work of a training and its evaluation.
type work struct {
	order        []tune.Block
	spans        []int // windows of each block's clips
	stepWindows  int   // windows of all blocks
	epochWindows int   // of training and validation stories
	testWindows  int   // of test stories without training or validation rows
	trainTest    int   // of training and test stories
	frozenBytes  int64 // activations of frozen layers over all of them
	cached       float64

	modelParameters, parameters int
	checkpointBytes             int64
	st                          *study.Study
}

// countWork returns the work of a study without doing it.
func countWork(st *study.Study, t *tune.Trainer) *work {
	exp := st.Experiment
	w := &work{st: st, order: tune.Blocks(st.Subjects, exp.Train)}
	for _, b := range w.order {
		stim := st.Stimuli[b.Story]
		section := sections.Of(stim.Tuning, b.From, b.To, exp.Train.ContextRows)
		n := 0
		for _, run := range stim.Units(section.Vectors.From, section.Vectors.To, len(stim.Clips)) {
			all := stim.All(run.Clips).Windows
			n += all.To - all.From
		}
		w.spans = append(w.spans, n)
		w.stepWindows += n
	}
	fitted := st.StoriesOf(study.Train, study.Val)
	for _, story := range st.Stories {
		stim := st.Stimuli[story]
		n := len(stim.Windows)
		w.frozenBytes += t.Reader.FrozenBytes(stim, t.ReadLayers())
		if slices.Contains(fitted, story) {
			w.epochWindows += n
		} else {
			w.testWindows += n
		}
		if slices.Contains(st.StoriesOf(study.Train, study.Test), story) {
			w.trainTest += n
		}
	}
	w.cached = min(1, float64(st.Options.CacheBytes)/float64(max(w.frozenBytes, 1)))
	for name, p := range t.Params() {
		w.parameters += p.Len()
		if !strings.HasPrefix(name, "readout.") {
			w.modelParameters += p.Len()
		}
	}
	// weights and Adam's two moments
	w.checkpointBytes = int64(w.parameters)*3*4 + int64(len(fitted)*st.Model.Architecture().Width*2*8)
	return w
}

// keptCheckpoints counts the newest two and the best.
const keptCheckpoints = 3

// diskBytes returns the size of the finished run directory.
func (w *work) diskBytes() int64 {
	// bytes of a line of metrics.jsonl; of an epoch in all files; of config.yaml, manifest.json and their like
	const step, epoch, small = 96, 400, 20_000
	exp := w.st.Experiment
	total := min(int64(exp.Train.Epochs)+1, keptCheckpoints)*w.checkpointBytes + int64(w.parameters)*4
	if exp.Train.Mode == experiment.TrainFull {
		total += int64(w.st.Model.Store().Numel()-w.modelParameters) * 4 // the convolutions are saved, too
	}
	total += int64(exp.Train.Epochs*len(w.order))*step + int64(exp.Train.Epochs)*epoch + small
	for _, p := range w.st.Subjects {
		rows := p.RowsOf(study.Test)
		matrices, vectors := int64(2), int64(1) // responses and base
		if exp.Train.Mode != experiment.TrainReadout {
			matrices, vectors = 4, 4
		}
		total += (matrices*int64(rows) + vectors) * int64(p.Voxels) * 4
	}
	return total
}

// evalLayers returns the hidden states that an evaluation uses.
func (w *work) evalLayers() int { return w.st.Model.Architecture().Layers + 1 }

// fits returns the number of ridges of an evaluation: one for each layer on validation rows, base and its best
// layer and tuned on test rows.
func (w *work) fits() int {
	if w.st.Experiment.Train.Mode == experiment.TrainReadout {
		return w.evalLayers() + 2
	}
	return w.evalLayers() + 3
}
