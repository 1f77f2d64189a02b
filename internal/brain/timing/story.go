package timing

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
)

// minRows is the least number of rows of a story for a scan.
const minRows = 20

// story is a stimulus with its features.
type story struct {
	name     string
	stimulus string // the story that it is a part of, or itself
	clock    design.Clock
	seconds  float64     // of audio
	features [][]float64 // (features, ticks), convolved with the haemodynamic response
	rows     [2]int      // least and most of all subjects
}

// loadStories computes the features of every story that a subject has.
func (d *check) loadStories(ctx context.Context) error {
	var wordless bool
	var words [][]dataset.Word
	h := hrf()
	for i, name := range d.opt.Stories {
		d.opt.Progress(i, len(d.opt.Stories)+len(d.names))
		if !slices.ContainsFunc(d.names, func(s string) bool { return slices.Contains(d.data.StoriesOf(s), name) }) {
			continue
		}
		clock, err := d.data.Clock(name)
		if err != nil {
			return err
		}
		heard := newSound()
		err = d.data.StreamAudio(ctx, name, heard.write)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			d.addError("data", err)
			continue
		case heard.samples < 2*tick:
			continue
		}
		own, err := d.data.Words(ctx, name)
		wordless = wordless || err != nil
		words = append(words, own)
		d.stories = append(d.stories, &story{name: name, stimulus: d.stimulus(name), clock: clock,
			seconds: heard.seconds(), features: heard.describe(own)})
	}
	if !wordless && len(words) > 0 {
		d.report.Features = featureNames
	}
	for _, s := range d.stories {
		s.features = s.features[:len(d.report.Features)] // the same number for all stories
		for j, x := range s.features {
			s.features[j] = convolve(x, h)
		}
	}
	return nil
}

// stimulus returns the whole story that a story is a part of, by same_as.
func (d *check) stimulus(name string) string {
	for range d.data.Stories() {
		s, err := d.data.Story(name)
		if err != nil || s.SameAs == nil {
			break
		}
		name = s.SameAs.Story
	}
	return name
}

// scannedRows returns the rows below n whose time is within the audio at every lag, empty if From ≥
// To.
func (s *story) scannedRows(n int, lags []float64) design.Rows {
	first, last := lags[0], lags[len(lags)-1]
	r := design.Rows{From: 0, To: n}
	for r.From < n && s.clock.Time(r.From)-last < 0 {
		r.From++
	}
	for r.To > r.From && s.clock.Time(r.To-1)-first > s.seconds {
		r.To--
	}
	return r
}

// predictors returns the features at the times of rows minus each lag, detrended and standardised,
// (rows, lags · features).
func (s *story) predictors(rows design.Rows, lags []float64) []float32 {
	width := len(lags) * len(s.features)
	x := make([]float32, 0, (rows.To-rows.From)*width)
	for _, t := range s.clock.Times(rows.From, rows.To) {
		for _, lag := range lags {
			for _, f := range s.features {
				x = append(x, float32(at(f, t-lag)))
			}
		}
	}
	return standardise(x, rows.To-rows.From, width, s.clock.TR)
}

// secondsPerDegree is the duration per degree of the drift polynomial (AFNI's 3dDeconvolve -polort
// A).
const secondsPerDegree = 150

// standardise detrends and standardises the columns of x, (rows, cols).
func standardise(x []float32, rows, cols int, tr float64) []float32 {
	degree := min(1+int(float64(rows)*tr/secondsPerDegree), rows/4)
	x = design.Detrend(x, rows, cols, degree)
	return design.FitZScore(x, rows, cols).Apply(x)
}
