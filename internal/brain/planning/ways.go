package planning

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/plan"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/stopwatch"
)

// cheaperStrides are the strides of windows that a plan offers, in seconds.
var cheaperStrides = []float64{.25, .5, 1}

// way is a way to extract features.
type way struct {
	exp *experiment.Experiment // of the study, but for the extraction
	row plan.Way

	// of reading a second of audio, relative to the experiment's way
	seconds, flops, bytes float64
}

// newWay returns a way; the strides of windows and of those in chunks are in seconds.
func newWay(st *study.Study, how experiment.Extraction, stride float64) *way {
	exp := *st.Experiment
	exp.Model.Extraction, exp.Model.StrideSeconds = how, stride
	y := &way{exp: &exp, row: plan.Way{Extraction: string(how), Stride: stride}, seconds: 1, flops: 1, bytes: 1}
	if how == experiment.ExtractChunks {
		y.row.Chunk = exp.Model.ChunkSeconds
	}
	return y
}

// waysOf returns the way of the experiment, then those that may be cheaper; after chunks, the windows that they stand
// for.
func waysOf(st *study.Study) (ways []*way) {
	m := st.Experiment.Model
	ways = append(ways, newWay(st, m.Extraction, m.StrideSeconds))
	if st.Data.IsEvents() { // each row is a clip
		return ways
	}
	if m.Extraction == experiment.ExtractChunks {
		ways = append(ways, newWay(st, experiment.ExtractWindows, m.StrideSeconds))
	}
	for _, stride := range cheaperStrides {
		if stride > m.WindowSeconds { // would leave gaps of audio
			break
		}
		if stride > m.StrideSeconds {
			ways = append(ways, newWay(st, experiment.ExtractWindows, stride))
		}
	}
	if m.Extraction != experiment.ExtractChunks && m.ChunkSeconds >= 2*m.WindowSeconds {
		ways = append(ways, newWay(st, experiment.ExtractChunks, m.StrideSeconds))
	}
	return ways
}

// addWays adds the ways to extract features to a plan.
func (c *calibration) addWays(ctx context.Context, p *plan.Plan, w *work) error {
	st := c.trainer.Study
	ways := waysOf(st)
	for _, y := range ways[1:] {
		if err := c.price(ctx, y); err != nil {
			return err
		}
		if err := refused(st, y.exp); err != nil {
			y.row.Refused = err.Error()
		}
	}
	for _, y := range ways {
		y.row.Seconds = c.costs.scaled(y.seconds).total(w, p.Folds)
		y.row.TFLOP = c.flops.scaled(y.flops).total(w, p.Folds) / 1e12
		y.row.Hours = y.row.TFLOP / 3600
		if c.peak > 0 {
			y.row.PeakMB = c.peakMB(int64(y.bytes * float64(w.frozenBytes)))
		}
	}
	if err := c.compareWays(ctx, ways, &p.Compared); err != nil {
		return err
	}
	for _, y := range ways {
		p.Ways = append(p.Ways, y.row)
	}
	return nil
}

// refused returns why an experiment cannot be run: splits that share audio.
func refused(st *study.Study, exp *experiment.Experiment) error {
	window := (&study.Study{Experiment: exp, Data: st.Data, Delays: st.Delays}).StimulusWindow()
	report, err := study.Audit(window, st.Data, st.Subjects)
	if err != nil || exp.Data.AllowLeak {
		return err
	}
	return report.Err()
}

// price sets the cost of a way relative to the experiment's. That of windows follows from their number. Else a chunk,
// or a unit of windows, is read in both ways.
func (c *calibration) price(ctx context.Context, y *way) error {
	st := c.trainer.Study
	if y.exp.Model.Extraction == st.Experiment.Model.Extraction {
		share := st.Experiment.Model.StrideSeconds / y.exp.Model.StrideSeconds
		y.seconds, y.flops, y.bytes = share, share, share
		return nil
	}
	own, err := c.reading(ctx, newWay(st, st.Experiment.Model.Extraction, st.Experiment.Model.StrideSeconds))
	if err != nil {
		return err
	}
	other, err := c.reading(ctx, y)
	if err != nil {
		return err
	}
	y.seconds, y.flops, y.bytes = other.seconds/own.seconds, other.flops/own.flops, other.bytes/max(own.bytes, 1)
	return nil
}

// cost is that of reading a second of audio.
type cost struct{ seconds, flops, bytes float64 }

// reading measures a way on the longest training story, of which it reads one chunk, or one unit of full windows.
func (c *calibration) reading(ctx context.Context, y *way) (k cost, err error) {
	st, m := c.trainer.Study, y.exp.Model
	longest := slices.MaxFunc(st.StoriesOf(study.Train),
		func(a, b string) int { return st.Stimuli[a].Rows - st.Stimuli[b].Rows })
	wave, err := st.Wave(ctx, longest)
	if err != nil {
		return k, err
	}
	length := m.ChunkSeconds
	if m.Extraction == experiment.ExtractWindows {
		length = m.WindowSeconds + float64(y.exp.Train.UnitWindows)*m.StrideSeconds
	}
	wave = wave[:min(len(wave), windows.SamplesOf(length))]
	stim, err := windows.Cut(y.exp, windows.BOLD(y.exp, st.Delays), design.Clock{TR: st.Data.TR()}, longest,
		windows.InMemory(wave), 1)
	if err != nil {
		return k, err
	}
	last := stim.All(stim.Groups[len(stim.Groups)-1]).Windows // of the longest clips
	read := func(ctx context.Context) error {
		_, err := wayReader(st, y).Part(ctx, stim, last.From, last.To, []int{m.Layer})
		return err
	}
	if k.flops, err = operations(ctx, read); err != nil { // which warms up, too
		return k, err
	}
	if k.seconds, err = stopwatch.Seconds(func() error { return read(ctx) }); err != nil {
		return k, err
	}
	audio := float64(last.Len()) * m.StrideSeconds
	if stim.Shared { // chunks overlap by a window
		audio = max(m.ChunkSeconds-m.WindowSeconds, m.StrideSeconds)
		if stim.Samples.Len() < windows.SamplesOf(m.ChunkSeconds) {
			audio = float64(stim.Samples.Len()) / float64(windows.SamplesOf(1))
		}
	}
	k.bytes = float64(c.trainer.Reader.FrozenBytes(stim, []int{m.Layer})) * float64(last.Len()) /
		float64(len(stim.Windows))
	k.seconds, k.flops, k.bytes = k.seconds/audio, k.flops/audio, k.bytes/audio
	return k, nil
}

// wayReader reads the untuned model without a cache.
func wayReader(st *study.Study, y *way) *windows.Reader {
	r := windows.ClipReader(st.Model, y.exp.Model, y.exp.Train.UnitWindows)
	r.Frozen.Normalise = st.Frozen.Normalise
	return r
}

// name is how a way is told from others.
func (y *way) name() string {
	if y.row.Chunk > 0 {
		return fmt.Sprintf("chunks of %g s, windows every %g s", y.row.Chunk, y.row.Stride)
	}
	return fmt.Sprintf("windows every %g s", y.row.Stride)
}
