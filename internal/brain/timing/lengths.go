package timing

import (
	"fmt"
	"math"
	"strings"
)

// lengths compares the lengths of audio and responses of each story. The lag scan decides where they differ:
// if the responses come when the clock says, rows outside the audio were acquired before or after it.
func (d *check) lengths() {
	uncovered, silent := 0, 0
	for _, s := range d.stories {
		if s.rows[1] == 0 {
			continue
		}
		r := Story{Story: s.name, Seconds: s.seconds, Fewest: s.rows[0], Rows: s.rows[1]}
		r.TRs = int(math.Ceil((s.seconds - s.clock.First - 1e-3) / s.clock.TR)) // as datacheck.CheckShapes counts them
		for k := range r.Rows {
			if t := s.clock.Time(k); t < 0 || t > s.seconds {
				r.Uncovered++
			}
		}
		r.Silent = max(0, s.seconds-(s.clock.First+float64(r.Rows)*s.clock.TR))
		if r.Uncovered > 0 {
			uncovered++
		}
		if r.Silent > s.clock.TR {
			silent++
		}
		d.report.Stories = append(d.report.Stories, r)
	}
	if len(d.report.Stories) == 0 {
		return
	}
	onTime := d.report.Clear && math.Abs(*d.report.Lag) <= tolerance
	f := Finding{About: "lengths", Verdict: OK, Text: "rows and audio are equally long"}
	switch faults := d.shapes.Lengths; {
	case len(faults) > 0:
		f = fromError("lengths", faults[0])
		if len(faults) > 1 {
			f.Text += fmt.Sprintf("; %d more matrices do not fit", len(faults)-1)
		}
		if onTime {
			f.Verdict = Check
		}
	case len(d.shapes.Notes) > 0:
		f.Text = strings.Join(d.shapes.Notes, "; ")
		if !onTime {
			f.Verdict, f.Do = Check, "say where row 0 begins (first_tr_seconds)"
		}
	}
	total := len(d.report.Stories)
	if uncovered > 0 {
		f.Text += fmt.Sprintf("; %d of %d stories have rows outside the audio", uncovered, total)
	}
	if silent > 0 {
		f.Text += fmt.Sprintf("; in %d of %d the audio continues after the last row", silent, total)
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
