package huthbox

import (
	"fmt"
	"math"

	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/joblib"
)

// clock derives when the rows of each story were acquired.
func (f *find) clock() error {
	for i := range f.Stories {
		s := &f.Stories[i]
		s.First = silence
		how := "row 0 at second 10, as in ds003020"
		volumes := 0
		if c, ok := f.clockOf[s.Name]; ok {
			if len(c.Times) <= before+after {
				return f.Fail(f.clocks, "story %s has %d volumes, of which %d are cut", s.Name, len(c.Times),
					before+after)
			}
			first, err := f.first(s.Name, c)
			if err != nil {
				return err
			}
			s.First, volumes = first, len(c.Times)
			how = fmt.Sprintf("trtimes[%d] %.3f − soundstarttime %.3f = %.3f s", before, c.Times[before],
				c.SoundStart, first)
			if math.Abs(c.SoundStart) > 1e-6 {
				how += fmt.Sprintf("; brain_finetune.py takes %.3f s, without the start of the sound", c.Times[before])
			}
		} else if f.clocks != "" {
			f.Note("trfiles has no times of story %s: row 0 is taken to begin at second %g", s.Name, silence)
		}
		if err := f.rows(s, volumes, how); err != nil {
			return err
		}
	}
	return nil
}

// first is the second of the recording at which row 0 begins, from a line through all times.
func (f *find) first(story string, c joblib.Clock) (float64, error) {
	n := float64(len(c.Times))
	var mean, slope, squares float64
	for _, t := range c.Times {
		mean += t / n
	}
	for k, t := range c.Times {
		d := float64(k) - (n-1)/2
		slope += d * (t - mean)
		squares += d * d
	}
	slope /= squares
	if math.Abs(slope-tr) > 1e-3 {
		return 0, f.Fail(f.clocks, "story %s: volumes are %.4f s apart, want %g s", story, slope, tr)
	}
	for k, t := range c.Times {
		if off := t - (mean + slope*(float64(k)-(n-1)/2)); math.Abs(off) > mostLate*tr {
			return 0, f.Fail(f.clocks, "story %s: volume %d is %.2f s off the line through all", story, k, off)
		}
	}
	return mean + tr*(before-(n-1)/2) - c.SoundStart, nil
}

// rows compares the rows of a story with its volumes and its recording.
func (f *find) rows(s *imports.Story, volumes int, how string) error {
	seconds, err := f.Length(f.ctx, s.Audio)
	if err != nil {
		return err
	}
	for subject, r := range f.ResponsesTo(s.Name) {
		_, rows, _ := r.Extent()
		if volumes > 0 && rows != volumes-before-after {
			return f.Fail(r.File, "story %s of subject %s has %d rows, trfiles says %d − %d = %d", s.Name, subject.Name,
				rows, volumes, before+after, volumes-before-after)
		}
		span := &imports.Span{First: s.First, Last: s.First + tr*float64(rows)}
		r.Derived = how
		if s.Span == nil {
			s.Span = span
		} else if *s.Span != *span {
			r.Span = span
		}
		if seconds > 0 && seconds < span.Last-1 {
			return f.Fail(r.File,
				"story %s of subject %s: %d rows end at second %g of the recording, which has %.2f s", s.Name,
				subject.Name, rows, span.Last, seconds)
		}
	}
	return nil
}
