package study

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
)

// noteRaw notes responses in scanner units and constant voxels.
func (st *Study) noteRaw(p *Subject) {
	if len(p.empty) > 0 {
		st.Note("%s: %d of %d voxels hold no values; they are left out", p.Name, len(p.empty), p.Voxels)
	}
	for _, story := range st.Data.StoriesOf(p.Name) {
		if p.Responses.Rows(story) == 0 {
			continue
		}
		if raw := p.Responses.Raw(story); len(raw) > 0 && st.Experiment.Data.Detrend == "none" {
			st.Note("%s/%s: %d of %d columns look raw (|mean| above 3 SD); consider data.detrend: legendre:N", p.Name,
				story, len(raw), p.Voxels)
		}
		if n := len(p.Responses.Constant(story)) - len(p.empty); n > 0 {
			st.Note("%s/%s: %d of %d voxels are constant; they are left out of means", p.Name, story, n, p.Voxels)
		}
	}
}

// noteCopies notes responses that are read from copies in the cache.
func (st *Study) noteCopies() {
	recordings, bytes := map[string]int{}, map[string]int64{} // by the reason
	for _, p := range st.Subjects {
		for _, r := range p.copied {
			recordings[r.Copied]++
			bytes[r.Copied] += 4 * int64(r.Repeats) * int64(r.Rows) * int64(r.Columns)
		}
	}
	for _, why := range slices.Sorted(maps.Keys(recordings)) {
		st.Note("responses are %s in %d files or arrays; they are read from copies by rows, %d MB in %s", why,
			recordings[why], (bytes[why]+1<<20-1)>>20, st.Data.Spec().CacheDir)
	}
}

// noteMethod notes how seconds become rows, the cost of that, and rounding.
func (st *Study) noteMethod(context.Context) error {
	exp := st.Experiment
	if st.Frozen.Half {
		st.Note("activations of frozen layers are cached in bf16: results are not bit-identical to those without")
	}
	if exp.Eval.Layer == experiment.EvalLayerStack {
		st.Note("scores are of stacks: predictions from hidden states 0 to %d with weights of each voxel, found on "+
			"held-out training rows in %d folds", exp.Model.Layer, StackFolds)
	}
	if st.Data.IsSeries() {
		st.noteSeries()
		return nil
	}
	if st.Data.IsEvents() {
		st.Note("rows are clips: one vector and one response each")
		return nil
	}
	st.Note("readout.delays_seconds %v are %v TRs of %g s", exp.Readout.DelaysSeconds, st.Delays, st.Data.TR())
	if trim := Trim(exp, st.Data); st.Data.Spec().Trimmed && trim != exp.Data.Trim {
		st.Note("data.trim %v is not applied: the data set says that its responses are trimmed already", exp.Data.Trim)
	} else if st.Data.Spec().Trimmed && trim != [2]int{} {
		st.Note("data.trim %v cuts more from responses that the data set says are trimmed already", trim)
	}
	if longest := slices.Max(st.Delays); exp.Train.ContextRows < longest && !exp.Compat.NoContext {
		st.Note("train.context_rows %d is less than the longest delay of %d TRs: the first rows of each block lack "+
			"their history", exp.Train.ContextRows, longest)
	}
	if exp.Readout.LayerWeights != experiment.LayerWeightsNone && exp.Eval.Layer == experiment.EvalLayerModel {
		st.Note("readout.layer_weights trains hidden states below %d too, and scores read that one alone; "+
			"eval.layer: voxel gives each voxel its best", exp.Model.Layer)
	}
	if story := st.inSeveralSplits(); story != "" && exp.Data.Detrend != "none" {
		st.Note("data.detrend is fitted over the whole of %s, whose rows are in several splits", story)
	}
	return nil
}

// inSeveralSplits returns a story with rows in more than one split.
func (st *Study) inSeveralSplits() string {
	for _, story := range st.Stories {
		in := 0
		for _, split := range Splits {
			if slices.Contains(st.StoriesOf(split), story) {
				in++
			}
		}
		if in > 1 {
			return story
		}
	}
	return ""
}

// Note adds a note unless it is there already. Once the study is open, it is an event, too.
func (st *Study) Note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if slices.Contains(st.Notes, text) {
		return
	}
	if st.Notes = append(st.Notes, text); st.opened {
		st.Options.Progress(progress.Event{Phase: progress.Note, Note: text})
	}
}
