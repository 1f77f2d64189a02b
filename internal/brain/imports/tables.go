package imports

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/textgrid"
)

// tables writes the words and phones of TextGrids as tables, unless everything stays where it is.
func (j *job) tables() error {
	made := map[string]string{}
	for _, s := range j.Stories {
		if j.opt.Link {
			break
		}
		for unit, path := range map[string]string{"word": s.Words, "phone": s.Phones} {
			if !strings.EqualFold(filepath.Ext(path), ".TextGrid") {
				continue
			}
			name := filepath.Join(unit+"s", s.Name+".tsv")
			intervals, err := intervals(path, unit)
			if err != nil {
				return err
			}
			if err := j.write(name, func(w io.Writer) error { return writeTable(w, unit, intervals) }); err != nil {
				return err
			}
			made[unit+"s:"+path] = name
		}
	}
	return j.motion(made)
}

// intervals reads the words of a TextGrid without pauses and noises, or its phones.
func intervals(path, unit string) ([]textgrid.Interval, error) {
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

func motionName(subject, story string) string { return filepath.Join(subject, "motion", story+".npy") }

// motion writes what has to be computed of the motion of the head, and then the description.
func (j *job) motion(tables map[string]string) error {
	for i := range j.Subjects {
		s := &j.Subjects[i]
		for k := range s.Responses {
			r := &s.Responses[k]
			if r.Motion == nil || r.Motion.Open == nil {
				continue
			}
			m := &Response{Story: r.Story, File: r.Motion.File, Shape: r.Motion.Shape, Open: r.Motion.Open}
			if err := j.write(motionName(s.Name, r.Story), func(w io.Writer) error {
				_, err := stream(context.Background(), m, nil, j.opt.DType, false, w, func() {})
				return err
			}); err != nil {
				return err
			}
		}
	}
	d := &description{Found: j.Found, linked: j.opt.Link, columns: j.columns, tables: tables}
	return j.write(FileName, func(w io.Writer) error {
		_, err := w.Write(d.yaml())
		return err
	})
}
