package planning

import (
	"context"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/speech"
)

// piece is a range of rows of a split with the audio that they depend on.
type piece struct {
	rows   design.Rows
	before int // rows before them, for the delays
	clock  design.Clock
	audio  []float32
}

// lead returns the seconds of audio before the first and after the last row of a piece, the delays apart: a window, and
// the reach of the interpolation.
func lead(st *study.Study) (before, after float64) {
	const lobes = 3
	return st.Experiment.Model.WindowSeconds + lobes*st.Data.TR(), lobes * st.Data.TR()
}

// extraSeconds is the audio of a piece beyond its rows.
func extraSeconds(st *study.Study) float64 {
	before, after := lead(st)
	return before + after + float64(slices.Max(append(slices.Clone(st.Delays), 0)))*st.Data.TR()
}

// spread returns n ranges of at most some rows in the middle of n equal shares of the parts.
func spread(parts []design.Rows, n, rows int) (out []design.Rows) {
	total := 0
	for _, r := range parts {
		total += r.Len()
	}
	for i := range n {
		at := total * (2*i + 1) / (2 * n) // the middle row
		for _, r := range parts {
			if at >= r.Len() {
				at -= r.Len()
				continue
			}
			from := max(r.From, min(r.From+at-rows/2, r.To-rows))
			one := design.Rows{Story: r.Story, From: from, To: min(r.To, from+rows)}
			if len(out) == 0 || out[len(out)-1].Story != one.Story || out[len(out)-1].To <= one.From {
				out = append(out, one)
			}
			break
		}
	}
	return out
}

// newPiece cuts the audio of rows.
func newPiece(ctx context.Context, st *study.Study, rows design.Rows) (*piece, error) {
	wave, err := st.Wave(ctx, rows.Story)
	if err != nil {
		return nil, err
	}
	clock, err := st.Data.Clock(rows.Story)
	if err != nil {
		return nil, err
	}
	p := &piece{rows: rows, before: min(rows.From, slices.Max(append(slices.Clone(st.Delays), 0)))}
	before, after := lead(st)
	first := rows.From - p.before
	from := max(0, windows.SamplesOf(math.Floor(clock.Time(first)-before))) // windows end where those of the story do
	to := min(len(wave), windows.SamplesOf(clock.Time(rows.To-1)+after))
	if from >= to {
		return nil, nil
	}
	p.audio, p.clock = wave[from:to], clock
	p.clock.First += float64(first)*clock.TR - float64(from)/speech.SampleRate
	return p, nil
}

// cut returns the piece as a stimulus of a way.
func (p *piece) cut(st *study.Study, exp *experiment.Experiment) (*windows.Stimulus, error) {
	stim, err := windows.Cut(exp, windows.BOLD(exp, st.Delays), p.clock, p.rows.Story, windows.InMemory(p.audio),
		p.before+p.rows.Len())
	if err == nil {
		stim.SetStatistics([]design.Rows{{From: p.before, To: p.before + p.rows.Len()}})
	}
	return stim, err
}

// features are those of a way at the rows of a piece.
type features struct {
	vectors  []float32       // (windows, channels)
	windows  []design.Window // of the vectors
	rows     []float32       // (rows, channels), resampled
	design   []float32       // (rows, width): standardised and delayed
	channels int
}

// read extracts the features of a piece. Windows that other ways have read in the same manner are not read again.
func (p *piece) read(ctx context.Context, st *study.Study, y *way, from *features) (*features, error) {
	stim, err := p.cut(st, y.exp)
	if err != nil {
		return nil, err
	}
	f := &features{windows: stim.Windows, channels: st.Model.Architecture().Width}
	if from != nil {
		f.vectors = from.at(stim.Windows)
	}
	if f.vectors == nil {
		x, err := wayReader(st, y).Features(ctx, stim, []int{y.exp.Model.Layer})
		if err != nil {
			return nil, err
		}
		f.vectors = x[0]
	}
	skip := p.before * f.channels
	f.rows = stim.Design.Weights.Apply(f.vectors, f.channels)[skip:]
	matrix, _ := stim.Design.Matrix(f.vectors, f.channels)
	f.design = matrix[p.before*stim.Design.Width(f.channels):]
	return f, nil
}

// at returns the vectors of windows; nil unless all are there.
func (f *features) at(wanted []design.Window) []float32 {
	places := map[design.Window]int{}
	for i, w := range f.windows {
		places[w] = i
	}
	var out []float32
	for _, w := range wanted {
		i, ok := places[w]
		if !ok {
			return nil
		}
		out = append(out, f.vectors[i*f.channels:(i+1)*f.channels]...)
	}
	return out
}
