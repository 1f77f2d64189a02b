package study

import (
	"cmp"
	"context"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
)

// designed returns the experiment with what follows from the design of the data set, and the data set in the order of
// its splits. Data sets of stories in TRs do not differ from what they are given as.
func designed(exp *experiment.Experiment, data *dataset.Dataset) (*experiment.Experiment, *dataset.Dataset, error) {
	if !data.IsEvents() {
		if len(exp.Model.ClipWindow) > 0 {
			return nil, nil, fault.New(fault.Usage, "open study", "model.clip_window",
				"stimuli of this data set are stories").WithHint("leave it out; it is for data sets with design: event")
		}
		if column := exp.Eval.Label(); column != "" {
			return nil, nil, noLabels(column)
		}
	}
	var err error
	switch {
	case data.IsSeries():
		exp, err = asSeries(exp, data)
	case data.IsEvents():
		exp, err = asEvents(exp, data)
	default:
		return exp, data, refuseSeriesKeys(exp)
	}
	if err == nil {
		data, err = data.Arranged(exp.Data.Train, exp.Data.Val, exp.Data.Test)
	}
	return exp, data, err
}

// asEvents returns the experiment for clips with one row each.
func asEvents(exp *experiment.Experiment, data *dataset.Dataset) (*experiment.Experiment, error) {
	if err := refuseForEvents(exp); err != nil {
		return nil, err
	}
	exp = exp.ForDesign(func(e *experiment.Experiment) {
		e.Model.WindowSeconds, e.Model.Pooling = data.TR(), experiment.PoolMean
		if w := e.Model.ClipWindow; len(w) == 2 {
			e.Model.WindowSeconds = min(w[1], data.TR()) - w[0]
		}
		e.Model.StrideSeconds = e.Model.WindowSeconds
		e.Train.ContextRows, e.Eval.ChunkRows, e.Data.Trim = 0, 1, [2]int{}
	})
	if !(exp.Model.WindowSeconds > 0) {
		return nil, fault.New(fault.Usage, "open study", "model.clip_window", "from %g s on there is nothing of "+
			"clips of at most %g s", exp.Model.ClipWindow[0], data.TR())
	}
	return exp, nil
}

// refuseKey refuses a key that has no part in a design.
func refuseKey(design, key, why string) error {
	return fault.New(fault.Usage, "open study", key, "has no part in the design %s: %s", design, why).
		WithHint("leave it out")
}

// refuseGiven refuses those of some keys that the user has given.
func refuseGiven(exp *experiment.Experiment, design, why string, keys ...string) error {
	for _, key := range keys {
		if o := exp.Origin(key); o == experiment.FromFile || o == experiment.FromSet {
			return refuseKey(design, key, why)
		}
	}
	return nil
}

// refuseForEvents refuses keys that have no part where rows are clips.
func refuseForEvents(exp *experiment.Experiment) error {
	refuse := func(key, why string) error { return refuseKey(dataset.DesignEvent, key, why) }
	if err := cmp.Or(refuseSeriesKeys(exp),
		refuseGiven(exp, dataset.DesignEvent, "a clip, or model.clip_window of it, is one window",
			"model.window_seconds", "model.stride_seconds", "model.downsample"),
		refuseGiven(exp, dataset.DesignEvent, "clips do not follow each other",
			"readout.delays_seconds", "train.context_rows", "data.trim")); err != nil {
		return err
	}
	switch {
	case exp.Model.Extraction == experiment.ExtractChunks:
		return refuse("model.extraction", "each clip goes through the model by itself")
	case exp.Data.Detrend != "none":
		return refuse("data.detrend", "clips have no order in time")
	case exp.Eval.HasFolds() && exp.Eval.Label() == "":
		return noStories()
	case exp.Compat.String() != "none":
		return refuse("compat", "the released code has no clips")
	}
	return nil
}

// Design returns the design of the study: how vectors become rows, and what a row depends on. The lengths of clips, in
// samples, are known once their story is loaded.
func (st *Study) Design() design.Design {
	switch {
	case st.Data.IsSeries():
		return st.series(st.Experiment.Model)
	case !st.Data.IsEvents():
		return windows.BOLD(st.Experiment, st.Delays)
	}
	d := design.Event{Clips: st.clips}
	if w := st.Experiment.Model.ClipWindow; len(w) == 2 {
		d.From, d.To = w[0], w[1]
	}
	return d
}

// chooseDelays sets the delays of rows, in rows.
func (st *Study) chooseDelays() (err error) {
	switch {
	case st.Data.IsSeries():
		st.Delays, err = lags(st.Experiment.Readout.LagsMS, st.Data.TR())
		return err
	case st.Data.IsEvents():
		st.Delays = []int{0}
		return nil
	}
	st.Delays, err = design.Delays(st.Experiment.Readout.DelaysSeconds, st.Data.TR())
	return err
}

// loadClips learns how long clips are, from a story that was read.
func (st *Study) loadClips(ctx context.Context) error {
	if !st.Data.IsEvents() {
		return nil
	}
	story, err := st.Data.Story(dataset.EventStory)
	if err != nil {
		return err
	}
	st.clips, err = story.Clips(ctx)
	return err
}

// ResampledRows returns the rows of the blocks that bootstrap and permutation tests draw: those of a clip, since clips
// do not depend on each other; 0, as many as responses depend on each other for, elsewhere.
func (st *Study) ResampledRows() int {
	if st.Data == nil { // scores given as they are
		return 0
	}
	return st.Data.ClipRows()
}

// Clips returns the names of the clips that rows are of; none of stories.
func (st *Study) Clips(rows []design.Rows) (names []string) {
	if st.Data == nil || !st.Data.IsEvents() {
		return nil
	}
	for _, r := range rows {
		for _, e := range st.Data.ClipsIn(r) {
			names = append(names, e.Name)
		}
	}
	return names
}
