package timing

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// lengths compares the lengths of audio and responses of each story.
func (d *check) lengths() {
	var off []string
	var ratios []float64
	uncovered, silent := 0, 0
	for _, s := range d.stories {
		if s.rows[1] == 0 {
			continue
		}
		r := Story{Story: s.name, Seconds: s.seconds, Fewest: s.rows[0], Rows: s.rows[1]}
		r.TRs = int(math.Ceil((s.seconds - s.clock.First - 1e-3) / s.clock.TR)) // as dataset.Check counts them
		for k := range r.Rows {
			if t := s.clock.Time(k); t < 0 || t > s.seconds {
				r.Uncovered++
			}
		}
		r.Silent = max(0, s.seconds-(s.clock.First+float64(r.Rows)*s.clock.TR))
		if diff := r.Rows - r.TRs; diff > 1 || diff < -1 {
			off = append(off, fmt.Sprintf("%s (%d rows, %d TRs of audio)", s.name, r.Rows, r.TRs))
		}
		if r.Uncovered > 0 {
			uncovered++
		}
		if r.Silent > s.clock.TR {
			silent++
		}
		ratios = append(ratios, (s.seconds-s.clock.First)/float64(r.Rows))
		d.report.Stories = append(d.report.Stories, r)
	}
	if len(ratios) == 0 {
		return
	}
	f := Finding{About: "lengths", Verdict: OK, Text: "rows and audio are equally long"}
	switch {
	case len(off) > 0:
		f.Verdict = Check
		f.Text = fmt.Sprintf("rows and audio differ in %d of %d stories: %s", len(off), len(ratios), joinFew(off))
		f.Do = "say where row 0 begins (first_tr_seconds); rows that were cut before belong into data.trim"
	case uncovered > 0:
		f.Text += fmt.Sprintf("; %d of %d stories have rows outside the audio", uncovered, len(ratios))
	}
	if silent > 0 && len(off) == 0 {
		f.Text += fmt.Sprintf("; in %d the audio continues after the last row", silent)
	}
	slices.Sort(ratios)
	fits := ratios[len(ratios)/2]
	steady := ratios[len(ratios)-1]-ratios[0] < .1*fits
	if math.Abs(fits/d.report.TR-1) > .2 && steady {
		f.Verdict = Wrong
		f.Text += fmt.Sprintf("; all of them fit a TR of %.3g s, not %g", fits, d.report.TR)
		f.Do = "take tr_seconds from the scanner's protocol"
	}
	d.add(f)
}

// joinFew joins the first names of a list and the number of the others.
func joinFew(list []string) string {
	const shown = 3
	if len(list) <= shown {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:shown], ", "), len(list)-shown)
}
