package imports

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/textgrid"
	"github.com/brainwavlm/bwlm/internal/wordtable"
)

// tables writes the words and phones of TextGrids, and the words of tables of aligners, as tables, unless everything
// stays where it is.
func (j *job) tables(context.Context) error {
	for _, s := range j.Stories {
		for _, table := range [][2]string{{"word", s.Words}, {"phone", s.Phones}} {
			unit, path := table[0], table[1]
			made := unit == "word" && s.ReadWords != nil // nothing that could stay where it is
			if path == "" || !made && (j.opt.Link || strings.EqualFold(filepath.Ext(path), ".tsv")) {
				continue
			}
			name := filepath.Join(unit+"s", s.Name+".tsv")
			var list []textgrid.Interval
			var err error
			if made {
				words, failed := s.ReadWords()
				list, err = spoken(words), failed
			} else {
				list, err = intervals(path, unit)
			}
			if err != nil {
				return err
			}
			if err := j.write(name, func(w io.Writer) error { return writeTable(w, unit, list) }); err != nil {
				return err
			}
			j.made[unit+"s:"+s.Name] = name
		}
	}
	return nil
}

// spoken are words as intervals.
func spoken(words []wordtable.Word) []textgrid.Interval {
	out := make([]textgrid.Interval, len(words))
	for i, w := range words {
		out[i] = textgrid.Interval{Start: w.Onset, End: w.Offset, Label: w.Text}
	}
	return out
}

// intervals reads the words of a TextGrid without pauses and noises, or its phones, or the words of an aligner's table.
func intervals(path, unit string) ([]textgrid.Interval, error) {
	if !strings.EqualFold(filepath.Ext(path), ".TextGrid") {
		words, _, err := wordtable.Read(path)
		return spoken(words), err
	}
	grid, err := textgrid.Read(path)
	if err != nil {
		return nil, err
	}
	tier, ok := grid.Words()
	if unit == "phone" {
		tier, ok = grid.Phones()
	}
	if !ok {
		return nil, fault.New(fault.BadData, op, quote.OneLine(path), "there is no interval tier of %ss", unit)
	}
	if unit == "word" {
		return tier.Spoken(), nil
	}
	return tier.Intervals, nil
}

// writeTable writes intervals that have a label.
func writeTable(w io.Writer, unit string, intervals []textgrid.Interval) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "onset\toffset\t%s\n", unit)
	for _, i := range intervals {
		if label := strings.Join(strings.Fields(i.Label), " "); label != "" {
			fmt.Fprintf(out, "%s\t%s\t%s\n", seconds(i.Start), seconds(i.End), label)
		}
	}
	return out.Flush()
}

func seconds(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// motionName is the file of computed motion: a table if its columns have names.
func motionName(subject string, r *Response) string {
	ext := ".npy"
	if len(r.Motion.Columns) > 0 {
		ext = ".tsv"
	}
	return filepath.Join(subject, "motion", r.Story+ext)
}

// writeMotion writes rows below the names of their columns.
func writeMotion(ctx context.Context, m *Motion, w io.Writer) error {
	rows, err := m.Open(ctx)
	if err != nil {
		return err
	}
	defer rows.Close()
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, strings.Join(m.Columns, "\t"))
	row, fields := make([]float64, len(m.Columns)), make([]string, len(m.Columns))
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return out.Flush()
		case err != nil:
			return err
		}
		for i, x := range row {
			fields[i] = seconds(x)
		}
		fmt.Fprintln(out, strings.Join(fields, "\t"))
	}
}

// motion writes what has to be computed of the motion of the head.
func (j *job) motion(ctx context.Context) error {
	for i := range j.Subjects {
		s := &j.Subjects[i]
		for k := range s.Responses {
			r := &s.Responses[k]
			if r.Motion == nil || r.Motion.Open == nil {
				continue
			}
			m := &Response{Story: r.Story, File: r.Motion.File, Shape: r.Motion.Shape, Open: r.Motion.Open}
			if err := j.write(motionName(s.Name, r), func(w io.Writer) error {
				if len(r.Motion.Columns) > 0 {
					return writeMotion(ctx, r.Motion, w)
				}
				_, err := stream(ctx, &Subject{}, m, nil, j.opt.DType, w, func() {})
				return err
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeDescription writes dataset.yaml.
func (j *job) writeDescription(context.Context) error {
	d := &description{Found: j.Found, linked: j.opt.Link, columns: j.columns, empty: j.empty, tables: j.made}
	return j.write(FileName, func(w io.Writer) error {
		_, err := w.Write(d.yaml())
		return err
	})
}
