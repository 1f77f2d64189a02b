package datacheck

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
)

// Responses that two names stand for are found by some of their values.
const (
	sampleFrom    = 12 // the first rows of a story are often alike: scaled or empty
	sampleRows    = 6
	sampleColumns = 64   // that are compared at most, evenly spaced
	leastDistinct = 8    // values of a sample that says something
	rescaled      = 1e-5 // of 1 - r²: a copy in other units, z-scored or in another type
	oneCourse     = .02  // of 1 - r², above which two columns have time courses of their own
)

// A sample holds some rows of some columns of one repeat of responses.
type sample struct {
	subject, story, where, stimulus string
	repeat, repeats                 int
	columns, from                   int         // of the matrix; the first row
	values                          [][]float32 // by column
}

// CheckCopies finds responses that are listed under two names: subjects, stories or repeats with the same values, or
// with the same in other units. It reads a few rows of each matrix; of one whose columns lie together, a few columns.
// Pieces of one stimulus (same_as) may have the same rows, and derived subjects are left out. Each error, of kind
// BadData, is one pair.
func CheckCopies(ctx context.Context, d *dataset.Dataset, subjects, stories []string) (found []error, err error) {
	real := map[string]bool{}
	for _, s := range d.Spec().Subjects {
		real[s.Name] = true
	}
	var all []*sample
	for _, subject := range subjects {
		for _, story := range d.StoriesOf(subject) {
			if !real[subject] || !slices.Contains(stories, story) {
				continue
			}
			r, err := d.OpenResponses(ctx, subject, story)
			if err != nil {
				return nil, err
			}
			for repeat := range r.Repeats {
				s, err := sampleOf(ctx, r, repeat)
				if err != nil {
					return nil, err
				}
				if s == nil {
					continue
				}
				if s.stimulus, err = stimulusOf(d, story); err != nil {
					return nil, err
				}
				for _, other := range all {
					if err := s.copyOf(other); err != nil {
						found = append(found, err)
						break
					}
				}
				all = append(all, s)
			}
		}
	}
	return found, nil
}

// stimulusOf returns the whole story that a story is a piece of.
func stimulusOf(d *dataset.Dataset, name string) (string, error) {
	for {
		s, err := d.Story(name)
		if err != nil || s.SameAs == nil {
			return name, err
		}
		name = s.SameAs.Story
	}
}

// sampleOf reads a sample; nil if it says nothing.
func sampleOf(ctx context.Context, r *dataset.Responses, repeat int) (*sample, error) {
	n := min(sampleRows, r.Rows)
	s := &sample{subject: r.Subject, story: r.Story, where: r.Where, repeat: repeat, repeats: r.Repeats,
		columns: r.Columns, from: max(0, min(sampleFrom, r.Rows-n))}
	tiles, columnar := r.Source.(interface {
		ReadTile(ctx context.Context, from, to int, out []float32) error
	})
	var rows, tile []float32
	if columnar {
		tile = make([]float32, r.Repeats*r.Rows)
	} else {
		rows = make([]float32, n*r.Columns)
		if err := r.Source.ReadRows(ctx, repeat, s.from, s.from+n, rows); err != nil {
			return nil, err
		}
	}
	distinct := map[float32]bool{}
	taken := min(sampleColumns, r.Columns)
	for i := range taken {
		c, column := i*r.Columns/taken, make([]float32, n)
		if columnar {
			if err := tiles.ReadTile(ctx, c, c+1, tile); err != nil {
				return nil, err
			}
			copy(column, tile[repeat*r.Rows+s.from:])
		}
		for k := range column {
			if !columnar {
				column[k] = rows[k*r.Columns+c]
			}
			distinct[column[k]] = true
		}
		s.values = append(s.values, column)
	}
	if len(distinct) < leastDistinct {
		return nil, nil
	}
	return s, nil
}

// copyOf returns an error if a sample has the values of another, or the same in other units.
func (s *sample) copyOf(o *sample) error {
	if s.columns != o.columns || s.from != o.from || len(s.values[0]) != len(o.values[0]) ||
		s.subject == o.subject && s.story != o.story && s.stimulus == o.stimulus {
		return nil
	}
	how := "the same values"
	if !slices.EqualFunc(s.values, o.values, slices.Equal) {
		if s.subject != o.subject && s.story != o.story || !s.rescales(o) {
			return nil
		}
		how = "the same values in other units"
	}
	fail := func(why, hint string) error {
		return fault.New(fault.BadData, "check responses", s.where, "%s (%d rows and %d columns were compared)", why,
			len(s.values[0]), len(s.values)).WithHint("%s", hint)
	}
	if s.subject == o.subject && s.story == o.story {
		return fail(fmt.Sprintf("repeats %d and %d have %s: a noise ceiling would be too high", o.repeat, s.repeat,
			how), "save each repeat once")
	}
	return fail(fmt.Sprintf("has %s as %s", how, o.where),
		fmt.Sprintf("name the file of subject %s, story %s", s.subject, s.story))
}

// rescales reports whether each column is that of another sample times a number, plus a number. Columns of one time
// course, as simulations without noise have, are no evidence.
func (s *sample) rescales(o *sample) bool {
	first, own, varying := -1, false, 0
	for c := range s.values {
		u := unlike(s.values[c], o.values[c])
		if math.IsNaN(u) { // one does not vary, or is not finite
			continue
		}
		if u > rescaled {
			return false
		}
		if varying++; first < 0 {
			first = c
		}
		own = own || unlike(s.values[first], s.values[c]) > oneCourse
	}
	return own && 2*varying > len(s.values)
}

// unlike is 1 - r² of two time courses; NaN if one does not vary or is not finite.
func unlike(x, y []float32) float64 {
	var mx, my, xx, yy, xy float64
	for k := range x {
		mx, my = mx+float64(x[k]), my+float64(y[k])
	}
	mx, my = mx/float64(len(x)), my/float64(len(x))
	for k := range x {
		a, b := float64(x[k])-mx, float64(y[k])-my
		xx, yy, xy = xx+a*a, yy+b*b, xy+a*b
	}
	if !(xx > 1e-12*mx*mx && yy > 1e-12*my*my) {
		return math.NaN()
	}
	return 1 - xy*xy/(xx*yy)
}
