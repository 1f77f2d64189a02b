package bids

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/bidsdata"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/clean"
	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/nifti"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/scanrows"
)

// subjects makes the responses of each subject.
func (f *finder) subjects(ctx context.Context, all []*heard) error {
	bySubject, names := map[string][]*heard{}, []string{}
	for _, h := range all {
		if bySubject[h.subject] == nil {
			names = append(names, h.subject)
		}
		bySubject[h.subject] = append(bySubject[h.subject], h)
	}
	slices.Sort(names)
	how := map[string][]string{}
	for _, name := range names {
		var scans []bidsdata.Scan
		for _, h := range bySubject[name] {
			scans = append(scans, h.scans...)
		}
		columns, err := scanrows.Find(ctx, scans, f.o.Cortical)
		if err != nil {
			return err
		}
		how[columns.How] = append(how[columns.How], name)
		s := imports.Subject{Name: name, KeepNaN: shared(scans[0].Form)}
		if err := f.place(&s, columns, scans[0]); err != nil {
			return err
		}
		r := &reader{columns: columns, recipe: f.o.Clean, files: f.made}
		removed, censored := 0, 0
		for _, h := range bySubject[name] {
			made, err := f.response(h, r)
			if err != nil {
				return err
			}
			s.Responses = append(s.Responses, *made)
			for _, scan := range h.scans {
				open, err := scanrows.Open(scan, columns, f.o.Clean)
				if err != nil {
					return err
				}
				removed, censored = max(removed, open.Removed), censored+open.Censored
			}
		}
		f.Subjects = append(f.Subjects, s)
		if text := f.o.Clean.String(); text != "" {
			f.Note("%s: %s takes out up to %d dimensions of a run; %d rows are censored", name,
				text, removed, censored)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(how)) {
		of := how[text][0]
		if n := len(how[text]); n > 1 {
			of = fmt.Sprintf("%d subjects", n)
		}
		f.Note("%s: %s", of, text)
	}
	if f.o.Clean == (clean.Recipe{}) {
		f.Note("nothing is taken out of the responses; usual for data of fMRIPrep: %s",
			clean.Recommended)
	}
	return nil
}

// shared reports whether columns are the same places in all subjects, so that those without numbers stay.
func shared(f bidsdata.Form) bool { return f.Kind == bidsdata.Dense || cortex.SharedSpace(f.Space) }

// place says where the columns of a subject are.
func (f *finder) place(s *imports.Subject, c *scanrows.Columns, scan bidsdata.Scan) error {
	if c.Volume != nil {
		s.Mask = &imports.Mask{Voxels: c.Count, Make: func(path string) error { return writeMask(c, path) }}
		return nil
	}
	switch {
	case len(f.o.Surface) == 0:
		return nil
	case c.Vertices == nil:
		return fault.New(fault.Usage, op, quote.OneLine(scan.Files[0]),
			"some of its places are voxels, which are on no surface").WithHint("take the vertices of the cortex alone")
	case c.Surface != 2*f.vertices:
		return fault.New(fault.BadData, op, quote.OneLine(scan.Files[0]),
			"its hemispheres have %d vertices in all, the surfaces %d each", c.Surface, f.vertices).
			WithHint("give the surfaces of its space")
	}
	s.Surface = &imports.Surface{Vertices: c.Vertices}
	var err error
	if s.Surface.Left, err = filepath.Abs(f.o.Surface[0]); err != nil {
		return err
	}
	s.Surface.Right, err = filepath.Abs(f.o.Surface[1])
	return err
}

// writeMask writes the mask of a subject's columns.
func writeMask(c *scanrows.Columns, path string) error {
	values := make([]int32, c.Volume.Dim[0]*c.Volume.Dim[1]*c.Volume.Dim[2])
	for _, v := range c.Volume.Voxels {
		values[v] = 1
	}
	file, err := os.Create(path)
	if err != nil {
		return fault.Wrap(fault.IO, op, path, err)
	}
	err = nifti.NewInt(c.Volume.Dim[:], c.Volume.Affine, values).WriteGzip(io.Writer(file))
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fault.Wrap(fault.IO, op, path, err)
	}
	return nil
}

// response makes the responses to a story.
func (f *finder) response(h *heard, r *reader) (*imports.Response, error) {
	s := h.scans[0]
	shape := []int{h.rows, r.columns.Count}
	if len(h.scans) > 1 {
		shape = append([]int{len(h.scans)}, shape...)
	}
	out := &imports.Response{Story: h.story, File: s.Files[0], Shape: shape, Offset: -1, Derived: s.How,
		Dropped: [2]int{s.FromRow, s.Rows - s.FromRow - h.rows}, Treated: r.columns.How, Open: r.opener(h.scans,
			h.rows)}
	if text := f.o.Clean.String(); text != "" {
		out.Treated += "; taken out of the whole run: " + text
	}
	for _, scan := range h.scans {
		for _, file := range f.made(scan) {
			source, ok, err := f.File(file)
			if err != nil {
				return nil, err
			}
			if ok {
				out.Sources = append(out.Sources, source)
			}
		}
	}
	if len(h.scans) > 1 {
		out.Derived += fmt.Sprintf("; %d runs with this clock are repeats", len(h.scans))
	}
	i := slices.IndexFunc(f.Stories, func(t imports.Story) bool { return t.Name == h.story })
	if story := f.Stories[i]; math.Abs(story.First-s.First) > sameClock {
		out.First, out.Span = &s.First, f.span(h)
	} else if span := f.span(h); span != nil && (story.Span == nil || *span != *story.Span) {
		out.Span = span
	} else if span == nil && story.Span != nil {
		out.Span = &imports.Span{First: story.First, Last: story.First + float64(h.rows)*f.TR}
	}
	return out, f.motion(out, h)
}

// made are the files that the numbers of a scan are made from: those of all masks are in the mask of the subject.
func (f *finder) made(scan bidsdata.Scan) []string {
	files := slices.Clone(scan.Files)
	if scan.Mask != "" {
		files = append(files, scan.Mask)
	}
	if f.o.Clean.Confounds() && scan.Confounds != "" {
		files = append(files, scan.Confounds)
	}
	return files
}

// motion finds the head motion of a story. A table that lacks some of the six parameters is left out.
func (f *finder) motion(r *imports.Response, h *heard) error {
	s := h.scans[0]
	if s.Confounds == "" || len(h.scans) > 1 {
		return nil
	}
	if _, ok, err := f.File(s.Confounds); err != nil || !ok {
		return err
	}
	table, err := clean.Read(s.Confounds)
	if err != nil {
		return err
	}
	parameters, err := table.Motion(6)
	if err != nil {
		f.notes["no motion: "+err.Error()]++
		return nil
	}
	if table.Rows != s.Rows {
		return fault.New(fault.BadData, op, quote.OneLine(s.Confounds), "there are %d rows, the responses have %d",
			table.Rows, s.Rows)
	}
	if s.FromRow == 0 && h.rows == s.Rows {
		r.Motion = &imports.Motion{File: s.Confounds}
		return nil
	}
	r.Motion = &imports.Motion{File: s.Confounds, Columns: clean.MotionNames(), Shape: []int{h.rows, 6},
		Open: func(context.Context) (imports.Rows, error) {
			return &cut{parameters, s.FromRow, s.FromRow + h.rows}, nil
		}}
	return nil
}

// cut are some rows of columns.
type cut struct {
	columns  [][]float64
	next, to int
}

// Next fills dst with the next row.
func (c *cut) Next(dst []float64) error {
	if c.next == c.to {
		return io.EOF
	}
	for i, column := range c.columns {
		dst[i] = column[c.next]
	}
	c.next++
	return nil
}

// Close does nothing.
func (c *cut) Close() error { return nil }
