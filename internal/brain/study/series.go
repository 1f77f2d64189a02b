package study

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
)

// refuseSeriesKeys refuses keys of the design series where rows are not bins of it. Their defaults are in the file of
// any experiment that was written out.
func refuseSeriesKeys(exp *experiment.Experiment) error {
	if exp.Model.Extraction == experiment.ExtractClip {
		return refuseKey("of this data set", "model.extraction",
			"clip is for the design series")
	}
	usual := experiment.Default().Readout
	if slices.Equal(exp.Readout.LagsMS, usual.LagsMS) && len(exp.Readout.LagWindows) == 0 {
		return nil
	}
	return refuseGiven(exp, "of this data set", "lags in ms are for the design series", "readout.lags_ms",
		"readout.lag_windows")
}

// asSeries returns the experiment for rows that are bins. Features are causal unless a bin is read from a pass over all
// of its clip.
func asSeries(exp *experiment.Experiment, data *dataset.Dataset) (*experiment.Experiment, error) {
	const series = dataset.DesignSeries
	whole := exp.Model.Extraction == experiment.ExtractClip
	if err := cmp.Or(
		refuseGiven(exp, series, "a vector is read for each bin", "model.downsample"),
		refuseGiven(exp, series, "lags are readout.lags_ms", "readout.delays_seconds"),
	); err != nil {
		return nil, err
	}
	switch {
	case exp.Model.Extraction == experiment.ExtractChunks:
		return nil, refuseKey(series, "model.extraction", "chunks overlap by a window")
	case exp.Origin("model.stride_seconds") != experiment.FromDefault && exp.Model.StrideSeconds != data.TR():
		return nil, refuseKey(series, "model.stride_seconds", fmt.Sprintf("a vector is read every %g s", data.TR()))
	case whole && !data.IsEvents():
		return nil, refuseKey(series, "model.extraction", "clip, and the stimuli are stories")
	case len(exp.Model.ClipWindow) > 0:
		return nil, refuseKey(series, "model.clip_window", "all bins are read")
	case data.IsEvents() && exp.Data.Detrend != "none":
		return nil, refuseKey(series, "data.detrend", "clips have no order in time")
	case exp.Compat.String() != "none":
		return nil, refuseKey(series, "compat", "the released code has no such rows")
	}
	exp = exp.ForDesign(func(e *experiment.Experiment) {
		e.Model.StrideSeconds, e.Model.Context = data.TR(), experiment.ContextWindow
		if whole {
			ofWholeClips(&e.Model, data)
		}
		e.Train.Mode, e.Train.ContextRows, e.Data.Trim = experiment.TrainReadout, 0, [2]int{}
		if data.IsEvents() {
			e.Eval.ChunkRows = data.ClipRows()
		}
	})
	return exp, checkClipKeys(exp, data)
}

// checkClipKeys refuses keys that were given other than the clips of a data set need them: a pass is one over a clip,
// of which bins are means, and the rows of a clip stay together.
func checkClipKeys(exp *experiment.Experiment, data *dataset.Dataset) error {
	const series = dataset.DesignSeries
	whole, m := exp.Model.Extraction == experiment.ExtractClip, exp.Model
	ofWholeClips(&m, data)
	switch {
	case whole && exp.Model.WindowSeconds != m.WindowSeconds:
		return refuseKey(series, "model.window_seconds", "with model.extraction: clip a bin has its own frames")
	case whole && exp.Model.Pooling != m.Pooling:
		return refuseKey(series, "model.pooling", "with model.extraction: clip a bin has the mean of its frames")
	case whole && exp.Model.ChunkSeconds != m.ChunkSeconds:
		return refuseKey(series, "model.chunk_seconds", "with model.extraction: clip a pass is over a clip")
	case data.IsEvents() && exp.Eval.ChunkRows%data.ClipRows() != 0:
		return fault.New(fault.Usage, "open study", "eval.chunk_rows", "%d rows are not whole clips of %d",
			exp.Eval.ChunkRows, data.ClipRows()).WithHint("leave it out, or give a multiple")
	}
	return nil
}

// ofWholeClips has bins read from one pass over each clip.
func ofWholeClips(m *experiment.Model, data *dataset.Dataset) {
	m.Extraction, m.Pooling = experiment.ExtractClip, experiment.PoolMean
	m.WindowSeconds, m.ChunkSeconds = data.TR(), data.ClipSeconds()
}

// series is the design of bins that are read in some way.
func (st *Study) series(m experiment.Model) design.Series {
	return design.Series{Window: m.WindowSeconds, Pass: m.Extraction == experiment.ExtractClip, Delays: st.Delays,
		Rows: st.Data.ClipRows(), Clips: st.clips}
}

// OtherExtraction returns the other way to read the bins of clips: causally, or from one pass over each clip.
func (st *Study) OtherExtraction() experiment.Model {
	m := st.Experiment.Model
	if m.Extraction == experiment.ExtractClip {
		m.Extraction, m.Pooling = experiment.ExtractWindows, experiment.PoolLast
		m.WindowSeconds = experiment.Default().Model.WindowSeconds
		return m
	}
	ofWholeClips(&m, st.Data)
	return m
}

// CutAgain cuts a stimulus into the windows of another way to read it.
func (st *Study) CutAgain(stim *windows.Stimulus, m experiment.Model) (*windows.Stimulus, error) {
	exp := *st.Experiment
	exp.Model = m
	clock, err := st.Data.Clock(stim.Name)
	if err != nil {
		return nil, err
	}
	return windows.Cut(&exp, st.series(m), clock, stim.Name, stim.Samples, stim.Rows)
}

// allLags returns the lags of rows and those of windows of lags, which are scored as well.
func (st *Study) allLags() []int {
	all := slices.Clone(st.Delays)
	for _, w := range st.LagWindows() {
		all = append(all, w.Lags...)
	}
	return all
}

// lags returns lags in milliseconds as numbers of bins of some seconds.
func lags(ms []float64, bin float64) (out []int, err error) {
	for _, lag := range ms {
		n := math.Round(lag / 1000 / bin)
		if math.Abs(lag/1000/bin-n) > 1e-6 {
			return nil, fault.New(fault.Usage, "set lags", "readout.lags_ms", "%g ms is no multiple of bins of %g ms",
				lag, 1000*bin).WithHint("write multiples of bin_ms")
		}
		out = append(out, int(n))
	}
	return out, nil
}

// LagWindow is a window of lags, in bins.
type LagWindow struct {
	Name string
	Lags []int
}

// LagWindows returns the windows of readout.lag_windows.
func (st *Study) LagWindows() (out []LagWindow) {
	for _, w := range st.Experiment.Readout.Windows() {
		of := LagWindow{Name: w.Name}
		bin := 1000 * st.Data.TR()
		for lag := int(math.Ceil(w.From/bin - 1e-6)); float64(lag)*bin <= w.To+1e-6*bin; lag++ {
			of.Lags = append(of.Lags, lag)
		}
		out = append(out, of)
	}
	return out
}

// checkLags refuses lags that no row has features for.
func (st *Study) checkLags(context.Context) error {
	if !st.Data.IsSeries() {
		return nil
	}
	if names := st.Data.Channels(); names != nil {
		for _, p := range st.Subjects {
			if p.Voxels != len(names) {
				return fault.New(fault.BadData, "load responses", p.Name, "%d channels, channels names %d", p.Voxels,
					len(names)).WithHint("give a name for each, in their order")
			}
		}
	}
	for _, w := range append(st.LagWindows(), LagWindow{"", st.Delays}) {
		covers := false
		for _, stim := range st.Stimuli {
			covers = covers || stim.Design.HasPresent(w.Lags, stim.Rows)
		}
		switch {
		case covers:
		case w.Name == "":
			return fault.New(fault.Usage, "set lags", "readout.lags_ms", "no row has features at lags of %v ms",
				st.Experiment.Readout.LagsMS).WithHint("give lags within the responses")
		case len(w.Lags) == 0:
			return fault.New(fault.Usage, "set lags", "readout.lag_windows",
				"window %s has no multiple of bins of %g ms", w.Name, 1000*st.Data.TR()).WithHint("give a longer one")
		default:
			return fault.New(fault.Usage, "set lags", "readout.lag_windows", "no row has features in window %s",
				w.Name).
				WithHint("give lags within the responses")
		}
	}
	return nil
}

// refuseTuning refuses to tune on bins: their vectors are read for scores alone.
func (st *Study) refuseTuning() error {
	if !st.Data.IsSeries() {
		return nil
	}
	return fault.New(fault.Usage, "begin run", "design", "models are not tuned on data sets of the design series").
		WithHint("score the untuned model, or tune on a data set of the design event")
}

// shortChunk is the seconds of a story below which neighbouring chunks of a fold are likely to be alike.
const shortChunk = 5

// noteSeries notes bins, lags, and what vectors depend on.
func (st *Study) noteSeries() {
	st.Note("rows are bins of %g ms; lags of %v ms are %v bins", 1000*st.Data.TR(), st.Experiment.Readout.LagsMS,
		st.Delays)
	if st.Experiment.Model.Extraction == experiment.ExtractClip {
		st.Note("features are ACAUSAL (model.extraction: clip): a bin depends on all of its clip; latencies are none")
	}
	if rows := st.Experiment.Eval.ChunkRows; !st.Data.IsEvents() && float64(rows)*st.Data.TR() < shortChunk {
		st.Note("eval.chunk_rows: %d bins last %.3g s; if responses depend on each other for longer, held-out rows "+
			"are no test of a penalty, and it comes out too small", rows, float64(rows)*st.Data.TR())
	}
}
