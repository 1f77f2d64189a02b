package imports

import (
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Selection is the columns of a subject's responses that are imported, where they are not all.
type Selection struct {
	From    string `json:"from"` // the file that says which
	SHA256  string `json:"sha256"`
	Columns int    `json:"columns"` // how many, empty ones among them

	rest []int // the columns that are not imported, ascending
}

// Keep selects columns of a subject, which a file says: a set without order. Columns that are not selected are not
// looked at: their values may be no numbers.
func (s *Subject) Keep(from string, columns []int) error {
	fail := func(why string, args ...any) error {
		return fault.New(fault.BadData, op, quote.OneLine(from), why, args...)
	}
	_, _, voxels := s.Responses[0].Extent()
	sum, err := digest(from)
	if err != nil {
		return err
	}
	if len(columns) == voxels && voxels > 2 && slices.Max(columns) <= 1 { // a mask: as columns it would name some twice
		mask := columns
		columns = nil
		for v, in := range mask {
			if in == 1 {
				columns = append(columns, v)
			}
		}
	}
	if len(columns) == 0 {
		return fail("selects no voxel of subject %s", quote.OneLine(s.Name))
	}
	columns = slices.Sorted(slices.Values(columns))
	for i, c := range columns {
		switch {
		case c < 0 || c >= voxels:
			return fail("column %d is not one of the %d voxels of subject %s, counted from 0", c, voxels,
				quote.OneLine(s.Name))
		case i > 0 && c == columns[i-1]:
			return fault.New(fault.BadData, op, quote.OneLine(from), "column %d is listed twice", c).
				WithHint("list each column once, or for each of the %d voxels 1 if it is wanted, else 0", voxels)
		}
	}
	s.Selection = &Selection{From: from, SHA256: sum, Columns: len(columns), rest: without(voxels, columns)}
	return nil
}

// KeepFile selects the columns that a .npy names, or that it has 1 for: those of the only subject, or of all subjects
// where their columns are the same places.
func (f *Found) KeepFile(path string) error {
	if err := inputfile.Check(op, path); err != nil {
		return err
	}
	if len(f.Subjects) == 0 && len(f.Missing) > 0 { // nothing is there yet
		return nil
	}
	if n := len(f.Subjects); n != 1 && !f.samePlaces() {
		return fault.New(fault.Usage, op, quote.OneLine(path), "has the columns of one subject, %d are imported", n).
			WithHint("select one subject")
	}
	_, _, voxels := f.Subjects[0].Responses[0].Extent()
	if voxels == 0 { // its content is not there
		return nil
	}
	columns, err := Columns(path, "", voxels)
	if err != nil {
		return err
	}
	for i := range f.Subjects {
		if err := f.Subjects[i].Keep(path, columns); err != nil {
			return err
		}
	}
	return nil
}

// samePlaces reports whether the columns of all subjects are the same places: those of a space that they share, not the
// voxels of a mask of their own.
func (f *Found) samePlaces() bool {
	_, _, columns := f.Subjects[0].Responses[0].Extent()
	return !slices.ContainsFunc(f.Subjects, func(s Subject) bool {
		_, _, n := s.Responses[0].Extent()
		return !s.KeepNaN || s.Mask != nil || n != columns
	})
}

// dropped are the columns of a subject that are not imported because others were selected, ascending.
func (s *Subject) dropped() []int {
	if s.Selection == nil {
		return nil
	}
	return s.Selection.rest
}

// selected is the digest of what selects columns, "" if all are imported.
func (s *Subject) selected() string {
	if s.Selection == nil {
		return ""
	}
	return s.Selection.SHA256
}

// without returns the numbers below n that are not in an ascending list.
func without(n int, list []int) (out []int) {
	for k := range n {
		if _, in := slices.BinarySearch(list, k); !in {
			out = append(out, k)
		}
	}
	return out
}
