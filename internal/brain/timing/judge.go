package timing

import (
	"fmt"
	"math"

	"github.com/brainwavlm/bwlm/brain/stats"
)

// tolerance is the largest lag, in seconds, that the variation of haemodynamic responses explains.
const tolerance = 2.

// judgeLag adds the findings about the lag.
func (d *check) judgeLag() {
	r := &d.report
	f := Finding{About: "lag", Verdict: Check}
	switch {
	case r.Lag == nil:
		f.Text = fmt.Sprintf("no story has %d rows that lie within the audio at all lags, so there is nothing to scan",
			minRows)
		f.Do = "compare lengths by hand, or scan less far (MaxLag)"
	case !r.Clear && math.Abs(*r.Lag) >= d.opt.MaxLag-lagStep/2:
		f.Text = fmt.Sprintf("r is highest at the end of the scan, %+.1f s", *r.Lag)
		f.Do = "scan further (MaxLag); if it stays there, audio and responses may not belong together"
	case !r.Clear:
		f.Text = fmt.Sprintf("no peak stands out (highest r %.3f at %+.1f s), so the lag cannot be judged",
			*r.PeakR, *r.Lag)
		f.Do = "use auditory cortex only (ROI), or more subjects; otherwise audio and responses may not belong together"
	case math.Abs(*r.Lag) <= tolerance:
		f.Verdict, f.Text = OK, fmt.Sprintf("the responses come %s", lateness(*r.Lag))
	default:
		if r.CI95 != nil && (r.CI95[0] > tolerance || r.CI95[1] < -tolerance) {
			f.Verdict = Wrong
		}
		f.Text = fmt.Sprintf("the responses come %s, beyond the %g s that differences between brains explain",
			lateness(*r.Lag), tolerance)
		if r.CI95 == nil {
			f.Text += "; the rows are too few for an interval"
		}
		direction := "higher"
		if *r.Lag > 0 {
			direction = "lower"
		}
		f.Do = fmt.Sprintf("count dummy volumes and lead-in silence; if all is so, set first_tr_seconds %.1f s %s",
			math.Abs(*r.Lag), direction)
	}
	d.add(f)
	d.halfTR()
	d.outliers()
}

// lateness returns a lag in words.
func lateness(lag float64) string {
	switch {
	case math.Abs(lag) < .05:
		return "when the audio clock says"
	case lag < 0:
		return fmt.Sprintf("%.1f s earlier than the audio clock says", -lag)
	}
	return fmt.Sprintf("%.1f s later than the audio clock says", lag)
}

// halfTR tests whether another row_time would remove the lag.
func (d *check) halfTR() {
	r := &d.report
	if !r.Clear || r.CI95 == nil || math.Abs(*r.Lag) > tolerance {
		return
	}
	half := r.TR / 2
	f := Finding{About: "row time", Verdict: OK}
	f.Text = fmt.Sprintf("row_time %g fits as well as others would", r.RowTime)
	sure := r.CI95[0] > half/2 || r.CI95[1] < -half/2 // nearer to half a TR than to 0
	other := r.RowTime - math.Copysign(.5, *r.Lag)
	if sure && math.Abs(math.Abs(*r.Lag)-half) < half/2 && other >= 0 && other <= 1 {
		f.Verdict = Check
		f.Text = fmt.Sprintf("the lag is about half a TR (%.2g s): row_time %g would take it away", half, other)
		f.Do = fmt.Sprintf("look up to which instant of its TR a volume was resampled (slice timing); "+
			"a response that peaks %+.1f s from the usual %g s explains it, too",
			*r.Lag, hrfPeak)
	}
	d.add(f)
}

// outlierZ is the least peak of a subject, in standard errors above 0, for its lag to count as
// different from that of the others. Among many noisy subjects, lower peaks occur at any lag by
// chance.
const outlierZ = 5.

// outliers adds a finding for each subject whose lag differs from that of the others.
func (d *check) outliers() {
	r := &d.report
	if !r.Clear || len(d.subjects) < 2 {
		return
	}
	for _, p := range d.subjects {
		own := r.PerSubject[p.name]
		if d.peakZ[p] < outlierZ || own.CI95 == nil {
			continue
		}
		if own.CI95[0]-*r.Lag <= tolerance && *r.Lag-own.CI95[1] <= tolerance {
			continue
		}
		d.add(Finding{About: "lag", Verdict: Check, Where: p.name,
			Text: fmt.Sprintf("the responses of this subject come %s, those of the others %+.1f s", lateness(*own.Lag),
				*r.Lag),
			Do: "check for volumes that were cut from this subject alone"})
	}
}

// drift compares the lag in the first and second half of stories, since it grows with a wrong TR.
func (d *check) drift(l layout, subjects []sums, counts [][]float64) {
	var half [2]sample
	var middles [2]float64 // mean time of the rows
	for h := range half {
		keep := func(b int) float64 {
			if l.blocks[b].half == h {
				return 1
			}
			return 0
		}
		half[h] = d.examine(subjects, counts, keep)
		rows := 0.
		for _, block := range l.blocks {
			if n := float64(block.rows.To - block.rows.From); block.half == h {
				middle := (block.story.clock.Time(block.rows.From) + block.story.clock.Time(block.rows.To-1)) / 2
				middles[h], rows = middles[h]+n*middle, rows+n
			}
		}
		middles[h] /= max(rows, 1)
	}
	if !d.report.Clear || half[0].drawn == nil || half[1].drawn == nil {
		return
	}
	change := *half[1].Lag - *half[0].Lag
	changes := make([]float64, draws)
	for i := range changes {
		changes[i] = half[1].drawn[i] - half[0].drawn[i]
	}
	ci := percentileInterval(changes)
	f := Finding{About: "TR", Verdict: OK}
	halves := fmt.Sprintf("second half less first: %+.1f s, 95 %% %s", change, intervalText(ci))
	f.Text = fmt.Sprintf("the lag does not grow within stories (%s)", halves)
	if least := d.report.TR / 2; (ci[0] > 0 || ci[1] < 0) && math.Abs(change) > least {
		fits := d.report.TR * (1 - change/(middles[1]-middles[0]))
		f.Verdict = Check
		if half[0].Clear && half[1].Clear {
			f.Verdict = Wrong
		}
		f.Text = fmt.Sprintf("the lag grows within stories (%s): a TR of %.4g s would fit, not %g", halves, fits,
			d.report.TR)
		f.Do = "take tr_seconds from the scanner's protocol, not from a file's header"
	}
	d.add(f)
}

func intervalText(ci *stats.Interval) string { return fmt.Sprintf("%+.1f to %+.1f", ci[0], ci[1]) }
