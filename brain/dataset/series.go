package dataset

import (
	"context"
	"math"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/rowsource"
)

// Series describes the responses of the design series, in seconds. Spec.TR is the length of a bin, a row, and the
// responses of a clip are time courses, (clips, times, channels); those of a story are (times, channels).
type Series struct {
	Step     float64    // from one response to the next
	Clip     float64    // of the responses to a clip, from its beginning on; 0: the stimuli are stories
	First    float64    // of the first response, from the beginning of its clip; below 0: before it
	Baseline [2]float64 // of the responses to a clip whose mean is taken from all of them; equal: none
}

// maxClipRows is the most bins of a clip: beyond it the file is likely to be wrong, and its rows would fill memory.
const maxClipRows = 1_000_000

// times returns seconds as a number of steps, and whether it is a whole one.
func (s *Series) times(seconds float64) (n int, whole bool) {
	n = int(math.Round(seconds / s.Step))
	return n, math.Abs(seconds/s.Step-float64(n)) < 1e-6
}

// check refuses steps, bins and clips that do not divide each other.
func (s *Series) check(bin float64, clips bool) *fault.Error {
	whole := func(where string, seconds float64) *fault.Error {
		if _, ok := s.times(seconds); !ok {
			return wrong(where, "%g ms is no multiple of step_ms %g", 1000*seconds, 1000*s.Step)
		}
		return nil
	}
	switch {
	case !(s.Step > 0) || math.IsInf(s.Step, 0):
		return wrong("step_ms", "%g is not above 0", 1000*s.Step)
	case !(bin > 0) || math.IsInf(bin, 0):
		return wrong("bin_ms", "%g is not above 0", 1000*bin)
	case clips && (!(s.Clip > 0) || math.IsInf(s.Clip, 0)):
		return wrong("clip_seconds", "%g is not above 0", s.Clip)
	case !clips && (s.First != 0 || s.Baseline != [2]float64{}):
		return wrong("baseline_ms", "first_ms and baseline_ms are for clips").WithHint("leave them out of stories")
	case s.First > 0:
		return wrong("first_ms", "%g is after the beginning of the clip", 1000*s.First)
	case s.Baseline[0] > s.Baseline[1] || s.Baseline != [2]float64{} && s.Baseline[0] == s.Baseline[1] ||
		s.Baseline[0] < s.First || clips && s.Baseline[1] > s.Clip:
		return wrong("baseline_ms", "%g to %g ms are no stretch of the responses from %g to %g ms",
			1000*s.Baseline[0], 1000*s.Baseline[1], 1000*s.First, 1000*s.Clip)
	}
	for _, one := range []struct {
		where   string
		seconds float64
	}{{"bin_ms", bin}, {"first_ms", s.First}, {"baseline_ms", s.Baseline[0]}, {"baseline_ms", s.Baseline[1]}} {
		if err := whole(one.where, one.seconds); err != nil {
			return err
		}
	}
	if n := s.Clip / bin; math.Abs(n-math.Round(n)) > 1e-6 {
		return wrong("clip_seconds", "%g s is no multiple of bin_ms %g", s.Clip, 1000*bin)
	}
	if n := s.Clip / bin; n > maxClipRows {
		return wrong("clip_seconds", "%g s are %.0f bins of %g ms, want at most %d", s.Clip, n, 1000*bin, maxClipRows)
	}
	return nil
}

// ClipRows returns the rows of each clip: 1 in the design event, bins in the design series; 0 where stimuli are
// stories.
func (d *Dataset) ClipRows() int { return d.spec.clipRows() }

func (s *Spec) clipRows() int {
	switch {
	case len(s.Events) == 0:
		return 0
	case s.Design == DesignSeries:
		return int(math.Round(s.Series.Clip / s.TR))
	}
	return 1
}

// ClipSeconds returns the seconds from the beginning of a clip to that of the next one; 0 where stimuli are stories.
func (d *Dataset) ClipSeconds() float64 { return float64(d.ClipRows()) * d.spec.TR }

// Channels returns the names of the columns of responses in the design series, nil if they have none.
func (d *Dataset) Channels() []string { return d.spec.Channels }

// IsSeries reports whether rows are bins of the design series.
func (d *Dataset) IsSeries() bool { return d.spec.Design == DesignSeries }

// binned returns responses, or features, in bins. Features may be shorter than the responses, and those that are the
// same for all of a clip have one row for each, (clips, columns).
func (s *Spec) binned(r Response, features bool) Response {
	size, _ := s.Series.times(s.TR)
	at := func(seconds float64) int {
		n, _ := s.Series.times(seconds - s.Series.First)
		return n
	}
	b := rowsource.Binning{Size: size, Rows: s.clipRows(), Short: features}
	if !features {
		b.From, b.Baseline = at(0), [2]int{at(s.Series.Baseline[0]), at(s.Series.Baseline[1])}
	}
	from, clips := r, len(s.Events)
	r.Matrix = Input[*Matrix]{}
	r.Source = Input[Source]{Path: from.path(), Load: func(ctx context.Context) (Source, error) {
		opened, err := from.open(ctx, "time courses")
		if err != nil {
			return nil, err
		}
		bad := func(why string, args ...any) error {
			return fault.New(fault.BadData, "read responses", opened.Where, why, args...)
		}
		switch {
		case clips == 0:
			if b.Rows = opened.Rows / size; b.Rows == 0 {
				return nil, bad("%d responses do not fill a bin of %d", opened.Rows, size)
			}
			return rowsource.Bins(opened.Source, b), nil
		case features && opened.Repeats == 1 && opened.Rows == clips:
			return rowsource.Repeated(opened.Source, b.Rows), nil
		case opened.Repeats != clips:
			return nil, bad("%d × %d × %d numbers, want clips × times × channels of %d clips", opened.Repeats,
				opened.Rows, opened.Columns, clips)
		case !features && opened.Rows < b.From+size*b.Rows:
			return nil, bad("%d responses of %g ms to each clip end before clip_seconds %g", opened.Rows,
				1000*s.Series.Step, s.Series.Clip)
		}
		return rowsource.Joined(rowsource.Bins(opened.Source, b)), nil
	}}
	return r
}
