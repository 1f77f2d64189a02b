package scanrows

import (
	"context"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/bidsdata"
	"github.com/brainwavlm/bwlm/internal/clean"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// MaxWeights bounds the memory of a scan that is cleaned, in bytes.
const MaxWeights = 256 << 20

// Scan is a file of responses, or two of the hemispheres, from which rows are read.
type Scan struct {
	Removed  int // dimensions that are taken out
	Censored int // rows that take no part in the fit and are put in between those next to them

	file    bidsdata.Scan
	columns *Columns
	design  *clean.Design  // nil: nothing is taken out
	cleaner *clean.Cleaner // once it was needed
}

// Open opens a scan of a subject with these columns. Of what is cleaned, only the table of confounds is read.
func Open(s bidsdata.Scan, columns *Columns, recipe clean.Recipe) (*Scan, error) {
	scan := &Scan{file: s, columns: columns}
	if recipe == (clean.Recipe{}) {
		return scan, nil
	}
	var table *clean.Confounds
	if recipe.Confounds() {
		if s.Confounds == "" {
			return nil, fault.New(fault.Missing, op, quote.OneLine(s.Files[0]),
				"there is no table desc-confounds_timeseries.tsv beside it, for %s", recipe).
				WithHint("get the table, or clean without confounds")
		}
		var err error
		if table, err = clean.Read(s.Confounds); err != nil {
			return nil, err
		}
	}
	d, err := recipe.Design(s.Rows, s.TR, table)
	if err != nil {
		return nil, located(err, s)
	}
	if need := d.Removed() * columns.Count * 8; need > MaxWeights {
		return nil, fault.New(fault.Memory, op, quote.OneLine(s.Files[0]),
			"cleaning %d columns of %d regressors needs %d MB, %d MB are allowed", columns.Count, d.Removed(),
			need>>20,
			MaxWeights>>20).WithHint("give a mask of the brain, or take less out")
	}
	scan.design, scan.Removed, scan.Censored = d, d.Removed(), s.Rows-d.Kept()
	return scan, nil
}

// located names the file in an error that has none.
func located(err error, s bidsdata.Scan) error {
	if kind := fault.KindOf(err); kind == fault.BadData || kind == fault.Missing {
		return fault.Wrap(kind, op, quote.OneLine(s.Files[0]), err)
	}
	return err
}

// raw calls visit with each row of the whole scan, as it is in the files. Columns that are not finite in some rows only
// are an error after the last row.
func (s *Scan) raw(ctx context.Context, visit func(row int, values []float32) error) error {
	var voxels []int
	if s.columns.Volume != nil {
		voxels = s.columns.Volume.Voxels
	}
	var picked []float32
	if s.columns.Places != nil {
		picked = make([]float32, len(s.columns.Places))
	}
	var gaps bidsdata.Gaps
	rows := 0
	err := s.file.Each(voxels, func(row int, values []float32) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if picked != nil {
			for i, place := range s.columns.Places {
				picked[i] = values[place]
			}
			values = picked
		}
		gaps.Add(values)
		rows++
		return visit(row, values)
	})
	if err == nil && rows != s.file.Rows {
		return fault.New(fault.BadData, op, quote.OneLine(s.file.Files[0]), "there are %d rows, its header says %d",
			rows,
			s.file.Rows)
	}
	if err == nil {
		err = gaps.Check(s.file.Files[0])
	}
	return err
}

// learn goes through the scan for what is taken out of it.
func (s *Scan) learn(ctx context.Context) error {
	if s.cleaner != nil {
		return nil
	}
	c := s.design.Cleaner(s.columns.Count)
	if err := s.raw(ctx, c.Learn); err != nil {
		return err
	}
	s.cleaner = c
	return nil
}

// Forget frees the weights. The next story of the scan takes a pass more.
func (s *Scan) Forget() { s.cleaner = nil }

// Each calls visit with rows from ≤ row < to, counted from from, in a slice that is used again. The scan is read to its
// end, which shows a damaged file.
func (s *Scan) Each(ctx context.Context, from, to int, visit func(row int, values []float32) error) error {
	if from < 0 || to > s.file.Rows || from >= to {
		return fault.New(fault.BadData, op, quote.OneLine(s.file.Files[0]), "rows %d to %d are not among its %d",
			from, to,
			s.file.Rows)
	}
	within := func(row int, values []float32) error {
		if row < from || row >= to {
			return nil
		}
		return visit(row-from, values)
	}
	if s.design == nil {
		return s.raw(ctx, within)
	}
	if err := s.learn(ctx); err != nil {
		return err
	}
	dst, out := make([]float64, s.columns.Count), make([]float32, s.columns.Count)
	even := between{visit: within}
	err := s.raw(ctx, func(row int, values []float32) error {
		kept, err := s.cleaner.Apply(row, values, dst)
		if err != nil || !kept {
			return err
		}
		for i, v := range dst {
			out[i] = float32(v)
		}
		return even.add(row, out)
	})
	if err != nil {
		return err
	}
	return even.finish(s.file.Rows)
}
