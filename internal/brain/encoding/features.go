package encoding

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
)

// RowFeatures are the features of stories at their rows: the input of a readout. They are held before they are delayed,
// since delayed copies are several times as large.
type RowFeatures struct {
	Width  int                      // channels times delays
	Delays []int                    // in rows
	Unit   int                      // rows of each clip, within which delays stay; 0: within the story
	Rows   map[string][]float32     // story → (rows, channels), standardised
	Zscore map[string]design.ZScore // story → statistics of the undelayed features

	Options func(*ridge.Options) // of the ridge on them; nil: those of every score
}

// Read extracts the vectors of stories and resamples them to rows, for each of the layers.
func Read(ctx context.Context, st *study.Study, r *windows.Reader, phase progress.Phase, stories []string,
	layers ...int) ([]RowFeatures, error) {
	out := make([]RowFeatures, len(layers))
	for i := range out {
		out[i] = RowFeatures{Rows: map[string][]float32{}, Zscore: map[string]design.ZScore{}}
	}
	for n, story := range stories {
		st.Options.Progress(progress.Event{Phase: phase, Done: n, Total: len(stories)})
		stim := st.Stimuli[story]
		windows, err := r.Features(ctx, stim, layers)
		if err != nil {
			return nil, err
		}
		for i, x := range windows {
			out[i].Add(stim, x)
		}
	}
	st.Options.Progress(progress.Event{Phase: phase, Done: len(stories), Total: len(stories)})
	return out, nil
}

// Add resamples the vectors x (windows, C) of a story to rows.
func (f *RowFeatures) Add(stim *windows.Stimulus, x []float32) {
	channels := len(x) / len(stim.Windows)
	rows, z := stim.Design.Undelayed(x, channels)
	if stim.Tuning != stim.Design {
		z = stim.Tuning.ZScore(x, channels)
	}
	f.Width, f.Delays, f.Unit = stim.Design.Width(channels), stim.Design.Delays, stim.Design.Unit
	f.Rows[stim.Name], f.Zscore[stim.Name] = rows, z
}

// Of returns rows of a story, delayed: (rows, Width).
func (f *RowFeatures) Of(rows design.Rows) []float32 {
	out := make([]float32, rows.Len()*f.Width)
	f.into(rows, out)
	return out
}

func (f *RowFeatures) into(rows design.Rows, out []float32) {
	design.Lags{Delays: f.Delays, Unit: f.Unit}.Rows(f.Rows[rows.Story], f.Width/len(f.Delays), rows, out)
}

// Stack joins the features of a subject's rows in a split, delayed: (rows, Width).
func (f *RowFeatures) Stack(p *study.Subject, split study.Split) (x []float32, rows int) {
	rows = p.RowsOf(split)
	x = make([]float32, rows*f.Width)
	at := 0
	for _, r := range p.Parts[split] {
		n := r.Len() * f.Width
		f.into(r, x[at:at+n])
		at += n
	}
	return x, rows
}

// Besides concatenates matrices (rows, widths[k]) along columns.
func Besides(xs [][]float32, widths []int, rows int) []float32 {
	if len(xs) == 1 {
		return xs[0]
	}
	var out []float32
	for r := range rows {
		for k, x := range xs {
			out = append(out, x[r*widths[k]:(r+1)*widths[k]]...)
		}
	}
	return out
}

// At delays the same features otherwise: by some rows.
func (f RowFeatures) At(delays []int) RowFeatures {
	f.Width, f.Delays = f.Width/len(f.Delays)*len(delays), delays
	return f
}

// At returns the elements of x at some indices.
func At[T any](x []T, places []int) []T {
	out := make([]T, len(places))
	for i, place := range places {
		out[i] = x[place]
	}
	return out
}
