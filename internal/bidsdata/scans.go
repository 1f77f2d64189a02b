package bidsdata

import (
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Scan is a story that a subject heard, and the rows of a file that were acquired meanwhile.
type Scan struct {
	Subject, Session, Task, Run string // without sub- and so on; "" if the name has none
	Story                       string
	Audio                       string // the recording, as events.tsv names it

	Files     []string // the file of the responses, or those of the left and right hemisphere
	Form      Form
	Rows      int // of the file
	Columns   int // of the file, without a mask
	Mask      string
	Confounds string

	FromRow, ToRow int     // rows of the story; all if the scan has one story
	TR             float64 // seconds
	First          float64 // the second of the recording at which row FromRow begins
	RowTime        float64 // the instant within its TR that a row stands for, 0 to 1
	End            float64 // the second of the recording at which the story ends; 0: unknown

	SameAs    string // the first story of the same recording in this scan, "" if this is it
	SameAsRow int    // the row of that story which is this story's row 0

	How   string // how the clock was derived
	Notes []string
}

// Scans returns the stories that the options select, in the order of their files.
func (t *Tree) Scans(o Options) ([]Scan, error) {
	found, err := t.responses(o)
	if err != nil {
		return nil, err
	}
	if err := t.complete(found); err != nil {
		return nil, err
	}
	events, err := t.events(o)
	if err != nil {
		return nil, err
	}
	var out []Scan
	for _, r := range found {
		stories, err := t.scan(r, events, o)
		if err != nil {
			return nil, err
		}
		out = append(out, stories...)
	}
	if o.Sections != nil {
		return out, bySections(out, o)
	}
	return out, nil
}

// scan returns the stories of one response.
func (t *Tree) scan(r response, tables eventTables, o Options) ([]Scan, error) {
	file := t.path(r.Path)
	h, err := t.readHead(r, o)
	if err != nil {
		return nil, err
	}
	raw := t.rawOf(r.Name)
	rawSidecar, err := t.sidecar(raw)
	if err != nil {
		return nil, err
	}
	derivedName := r.Name
	derivedName.Suffix = "bold" // AFNI's files have none
	sidecar, err := t.sidecar(raw, derivedName)
	if err != nil {
		return nil, err
	}
	tr, howTR, err := findTR(file, sidecar, h.time)
	if err != nil {
		return nil, err
	}
	program, err := t.pipeline(r.Name)
	if err != nil {
		return nil, err
	}
	ignored, err := t.ignoredSlices(r.Name)
	if err != nil {
		return nil, err
	}
	clock := whenRows(tr, sidecar, rawSidecar, program, ignored)
	if h.start != 0 && sidecar.StartTime == nil {
		clock = rowClock{Start: h.start, How: fmt.Sprintf("SeriesStart %g s", h.start),
			Notes: []string{fmt.Sprintf("no sidecar has StartTime: rows stand for SeriesStart, %g s, and later",
				h.start)}}
	}
	base := Scan{Subject: r.Get("sub"), Session: r.Get("ses"), Task: r.Get("task"), Run: r.Get("run"),
		Files: []string{file}, Form: r.form, Rows: h.rows, Columns: h.columns, Mask: t.maskOf(r.Name),
		Confounds: t.confoundsOf(r.Name, raw), ToRow: h.rows, TR: tr, First: clock.Start, RowTime: clock.RowTime,
		How: howTR + "; " + clock.How, Notes: clock.Notes}
	if r.also != nil {
		base.Files = append(base.Files, t.path(r.also.Path))
	}
	if t.leftOut(r.Path) {
		base.Notes = append(base.Notes, fmt.Sprintf("%s lists %s among the scans to leave out", excludeFile,
			path.Base(r.Path)))
	}
	if o.Sections != nil {
		return []Scan{base}, nil
	}
	return tables.stories(base, raw, clock, o)
}

// rawOf is the name of the raw file of a response; it need not be there.
func (t *Tree) rawOf(n Name) Name {
	raw := n.raw()
	raw.Suffix, raw.Ext = "bold", ".nii.gz"
	dir := "sub-" + n.Get("sub")
	if ses := n.Get("ses"); ses != "" {
		dir += "/ses-" + ses
	}
	raw.Path = path.Join(dir, "func", raw.key()+"bold.nii.gz")
	return raw
}

// maskOf returns the brain mask of a run, "" if there is none.
func (t *Tree) maskOf(n Name) string {
	mask := n.without("desc").key() + "desc-brain_mask.nii"
	for _, ext := range []string{".gz", ""} {
		if file := path.Join(path.Dir(n.Path), mask+ext); formKind(n) == Volumes && t.has(file) {
			return t.path(file)
		}
	}
	return ""
}

func formKind(n Name) Kind {
	f, _ := formOf(n)
	return f.Kind
}

// confoundsOf returns the table of confounds of a run, "" if there is none.
func (t *Tree) confoundsOf(n, raw Name) string {
	for _, suffix := range []string{"timeseries", "regressors"} {
		file := path.Join(path.Dir(n.Path), raw.key()+"desc-confounds_"+suffix+".tsv")
		if t.has(file) {
			return t.path(file)
		}
	}
	return ""
}

// bySections names the scans of a book whose run numbers are no sections.
func bySections(scans []Scan, o Options) error {
	bySubject := map[string][]int{}
	for i, s := range scans {
		key := s.Subject + " " + s.Task
		bySubject[key] = append(bySubject[key], i)
	}
	for _, of := range bySubject {
		runs := make([]Run, len(of))
		for k, i := range of {
			n, err := strconv.Atoi(scans[i].Run)
			if err != nil {
				return fault.New(fault.BadData, "order runs", quote.OneLine(scans[i].Files[0]), "run %q is no number",
					quote.Short(scans[i].Run))
			}
			runs[k] = Run{n, scans[i].Rows}
		}
		sections, err := Sections("sub-"+scans[of[0]].Subject, runs, o.Sections)
		if err != nil {
			return err
		}
		for k, i := range of {
			s := &scans[i]
			s.Story = fmt.Sprintf("section-%d", sections[k]+1)
			if audio := o.Audio[s.Task]; audio != "" {
				s.Audio = strings.ReplaceAll(audio, "%d", strconv.Itoa(sections[k]+1))
			}
			s.How += fmt.Sprintf("; run %s is the subject's %s, so section %d, which has %d volumes; "+
				"row 0 is the beginning of the recording", s.Run, ordinal(sections[k]+1), sections[k]+1, s.Rows)
		}
	}
	return nil
}

// rowAt is the first row that begins at a second of the scan or later.
func rowAt(seconds, start, tr float64, rows int) int {
	row := math.Ceil((seconds-start)/tr - 1e-6)
	return int(math.Max(0, math.Min(float64(rows), row)))
}
