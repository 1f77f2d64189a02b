package deniz

import (
	"fmt"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/triggers"
)

// rows derives the clock of each response and takes the rows within the recording.
func (f *find) rows() error {
	guessed := false
	for i := range f.Stories {
		s := &f.Stories[i]
		first, how := -silent*tr, fmt.Sprintf("the sound begins %d volumes after row 0", silent)
		volumes := 0
		if path := f.reports[s.Name]; path != "" {
			report, err := triggers.Read(path)
			if err != nil {
				return err
			}
			if math.Abs(report.TR-tr) > 1e-3 {
				return f.Fail(path, "volumes are %.4f s apart, want %g s", report.TR, tr)
			}
			first, how, volumes = report.First, report.String(), report.Rows
		} else {
			guessed = true
		}
		seconds, err := f.Length(f.ctx, s.Audio)
		if err != nil {
			return err
		}
		if err := f.cut(s, first, seconds, volumes, how); err != nil {
			return err
		}
	}
	if guessed {
		f.Guess("row 0 begins at second %g of the recordings: stories without a .report", -silent*tr)
	}
	if !f.opt.AllRows {
		f.Trim = &[2]int{5, 5}
	}
	return nil
}

// cut takes those rows of a story that lie within its recording, unless all are wanted.
func (f *find) cut(s *imports.Story, first, seconds float64, volumes int, how string) error {
	s.First = first
	for subject, r := range f.ResponsesTo(s.Name) {
		_, rows, voxels := r.Extent()
		if _, _, other := subject.Responses[0].Extent(); voxels != other {
			return f.Fail(r.File, "story %s has %d voxels, others of subject %s have %d", s.Name, voxels, subject.Name,
				other)
		}
		if volumes > 0 && rows != volumes {
			return f.Fail(r.File, "story %s has %d rows, its report %d triggers", s.Name, rows, volumes)
		}
		from, to := 0, rows
		if !f.opt.AllRows && seconds > 0 {
			const almost = .01 // TRs
			from = min(rows, max(0, int(math.Ceil(-first/tr-almost))))
			to = max(from, min(rows, int(math.Floor((seconds-first)/tr+almost))))
		}
		if from == to {
			return f.Fail(r.File, "story %s: none of %d rows lies within the recording of %.2f s", s.Name, rows,
				seconds)
		}
		r.Derived = how
		if from > 0 || to < rows {
			r.Open, r.InPlace = imports.Part(r.Open, rows, from, to), false
			r.Dropped = [2]int{from, rows - to}
			r.Shape = slices.Clone(r.Shape)
			r.Shape[len(r.Shape)-2] = to - from
			r.Derived += fmt.Sprintf("; rows %d to %d of %d lie within the recording of %.2f s", from, to-1, rows,
				seconds)
		}
		at := first + float64(from)*tr
		span := imports.Span{First: at, Last: at + tr*float64(to-from)}
		if s.Span == nil {
			s.First, s.Span = at, &span
		} else if *s.Span != span {
			r.First, r.Span = &at, &span
		}
	}
	return nil
}

// splits tests the stories with repeats and validates on the last of the others.
func (f *find) splits() {
	var out imports.Splits
	for _, s := range f.Stories {
		repeated := false
		for _, r := range f.ResponsesTo(s.Name) {
			repeats, _, _ := r.Extent()
			repeated = repeated || repeats > 1
		}
		if repeated {
			out.Test = append(out.Test, s.Name)
		} else {
			out.Train = append(out.Train, s.Name)
		}
	}
	if n := len(out.Train); n > 1 && len(out.Test) > 0 {
		out.Val, out.Train = out.Train[n-1:], out.Train[:n-1]
		out.Comment = []string{"The story with repeats is tested, as in the paper; the last of the others chooses " +
			"the epoch."}
		f.Splits = out
	}
}
