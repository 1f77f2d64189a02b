package dataset

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/brainwavlm/bwlm/fault"
)

// CheckOptions select what [Dataset.Check] checks. The zero value selects everything.
type CheckOptions struct {
	Subjects []string // exact names; nil means all, derived subjects included
	Stories  []string // exact names; nil means all
	Trim     [2]int   // rows that a run drops from the ends of whole stories, which may lie outside the audio
}

// Report holds what a check found that does not stop a run.
type Report struct {
	Stories  []StoryReport
	Matrices []MatrixReport
	Warnings []string
}

// StoryReport describes one story.
type StoryReport struct {
	Story   string
	Seconds float64 // of audio
	Rows    int     // TRs that begin within the audio
}

// MatrixReport describes the responses of one subject to one story.
type MatrixReport struct {
	Subject, Story        string
	Repeats, Rows, Voxels int
	Constant              int // voxels that never vary
	Raw                   int // voxels whose mean is more than 3 SD from 0
}

// slack is the difference in rows between a matrix and its audio that is no warning: the last TR
// may be cut short.
const slack = 1

// Check compares audio, words and responses. The number of rows of a matrix must be the number of
// TRs that begin within the story's audio from first_tr_seconds on, give or take one. A difference
// up to the number of trimmed rows is a warning, a larger one is an error. Errors are also a
// transposed matrix, two stories whose matrices are swapped, a subject whose stories differ in
// voxels, motion that does not fit its responses, a matrix without a varying voxel, words after the
// end of the audio, and what a survey of all values refuses. Responses are read in bounded memory.
func (d *Dataset) Check(ctx context.Context, opt CheckOptions) (*Report, error) {
	if opt.Subjects == nil {
		opt.Subjects = slices.Concat(d.SubjectNames(), d.derived())
	}
	if opt.Stories == nil {
		opt.Stories = d.Stories()
	}
	c := &check{Dataset: d, opt: opt, report: &Report{}, want: make(map[string]int)}
	for _, story := range opt.Stories {
		if err := c.story(ctx, story); err != nil {
			return nil, err
		}
	}
	for _, subject := range opt.Subjects {
		if err := c.subject(ctx, subject); err != nil {
			return nil, err
		}
	}
	return c.report, nil
}

// check is a check in progress.
type check struct {
	*Dataset
	opt    CheckOptions
	report *Report
	want   map[string]int // rows by story
}

func (c *check) warn(text string, args ...any) {
	c.report.Warnings = append(c.report.Warnings, fmt.Sprintf(text, args...))
}

func (c *check) fail(where, why string, args ...any) *fault.Error {
	return fault.New(fault.BadData, "check data set", c.spec.Name+": "+where, why, args...)
}

func (c *check) story(ctx context.Context, name string) error {
	story, err := c.Story(name)
	if err != nil {
		return err
	}
	wave, err := c.Audio(ctx, name)
	if err != nil {
		return err
	}
	seconds := float64(len(wave)) / SampleRate
	// A TR that begins within the last millisecond comes from rounding and has no volume.
	rows := int(math.Ceil((seconds - story.First - 1e-3) / c.spec.TR))
	if rows < 1 {
		return c.fail("story "+name, "row 0 begins at %g s, the audio lasts %.2f s", story.First, seconds).
			WithHint("correct first_tr_seconds")
	}
	c.want[name] = rows
	c.report.Stories = append(c.report.Stories, StoryReport{Story: name, Seconds: seconds, Rows: rows})
	if story.Words.Absent() {
		return nil
	}
	words, err := c.Words(ctx, name)
	if err != nil {
		return err
	}
	for _, w := range words {
		if w.Onset > seconds {
			return c.fail("words of story "+name, "%q begins at %.2f s, the audio lasts %.2f s", w.Text, w.Onset,
				seconds)
		}
	}
	return nil
}

func (c *check) subject(ctx context.Context, name string) error {
	var found []MatrixReport
	for _, story := range c.StoriesOf(name) {
		if !slices.Contains(c.opt.Stories, story) {
			continue
		}
		m, err := c.OpenResponses(ctx, name, story)
		if err != nil {
			return err
		}
		survey, err := m.survey(ctx)
		if err != nil {
			return err
		}
		r := MatrixReport{Subject: name, Story: story, Repeats: m.Repeats, Rows: m.Rows, Voxels: m.Columns,
			Constant: len(survey.Constant), Raw: len(survey.Raw)}
		if err := c.shape(r); err != nil {
			return err
		}
		if r.Constant == r.Voxels {
			return c.fail(where(r), "none of %d voxels varies", r.Voxels)
		}
		if m.Stored != "" {
			c.warn("%s: the file holds whole numbers (%s), taken as they are; a scale it may have had is lost",
				where(r), m.Stored)
		}
		if c.HasMotion(name, story) {
			if _, err := c.Motion(ctx, name, story); err != nil {
				return err
			}
		}
		found = append(found, r)
	}
	if err := c.together(found); err != nil {
		return err
	}
	c.report.Matrices = append(c.report.Matrices, found...)
	return nil
}

// shape refuses a transposed matrix.
func (c *check) shape(r MatrixReport) error {
	want := c.want[r.Story]
	if off(r.Rows, want) > slack && off(r.Voxels, want) <= slack {
		return c.fail(where(r), "%d × %d looks transposed: the story has %d TRs", r.Rows, r.Voxels, want).
			WithHint("save it as TRs × voxels")
	}
	return nil
}

// together checks what depends on all stories of one subject.
func (c *check) together(found []MatrixReport) error {
	var constant, raw, constantIn, rawIn int
	for i, r := range found {
		if r.Voxels != found[0].Voxels {
			return c.fail(where(r), "%d voxels, story %s has %d", r.Voxels, found[0].Story, found[0].Voxels)
		}
		for _, other := range found[:i] {
			if c.swapped(r, other) {
				const swapped = "its %d rows fit story %s (%d TRs), whose %d rows fit story %s (%d TRs): they look " +
					"swapped"
				return c.fail(where(r), swapped,
					r.Rows, other.Story, c.want[other.Story], other.Rows, r.Story, c.want[r.Story])
			}
		}
		if r.Constant > 0 {
			constant, constantIn = constant+r.Constant, constantIn+1
		}
		if r.Raw > 0 {
			raw, rawIn = raw+r.Raw, rawIn+1
		}
	}
	for _, r := range found {
		if err := c.count(r); err != nil {
			return err
		}
	}
	if constant > 0 {
		c.warn("subject %s: %d constant voxels in %d of %d stories; they score 0 and are left out of means",
			found[0].Subject, constant, constantIn, len(found))
	}
	if raw > 0 {
		c.warn("subject %s: in %d of %d stories voxels (%d in all) have means more than 3 SD from 0,"+
			" which looks like raw scanner units; set data.detrend",
			found[0].Subject, rawIn, len(found), raw)
	}
	return nil
}

// swapped reports whether two matrices fit each other's story and not their own.
func (c *check) swapped(a, b MatrixReport) bool {
	wantA, wantB := c.want[a.Story], c.want[b.Story]
	return off(a.Rows, wantA) > slack && off(b.Rows, wantB) > slack && off(a.Rows, wantB) <= slack &&
		off(b.Rows, wantA) <= slack
}

// count compares the rows of a matrix with its audio.
func (c *check) count(r MatrixReport) error {
	want, trim := c.want[r.Story], c.opt.Trim[0]+c.opt.Trim[1]
	i := slices.IndexFunc(c.report.Stories, func(s StoryReport) bool { return s.Story == r.Story })
	seconds := c.report.Stories[i].Seconds
	switch diff := off(r.Rows, want); {
	case diff <= slack:
		return nil
	case diff <= trim:
		c.warn("%s: %d rows, the audio of %.2f s has %d TRs of %g s; the difference is within data.trim", where(r),
			r.Rows, seconds, want, c.spec.TR)
		return nil
	}
	return c.fail(where(r), "%d rows are %.2f s at TR %g s, the audio of %.2f s has %d TRs from first_tr_seconds on",
		r.Rows, float64(r.Rows)*c.spec.TR, c.spec.TR, seconds, want).
		WithHint("correct tr_seconds or first_tr_seconds, or set data.trim for rows that were cut")
}

// off returns the difference of two counts.
func off(a, b int) int { return max(a-b, b-a) }

func where(r MatrixReport) string { return fmt.Sprintf("subject %s, story %s", r.Subject, r.Story) }

// String returns a table of stories, a table of matrices, and the warnings.
func (r *Report) String() string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "story\tseconds\tTRs")
	for _, s := range r.Stories {
		fmt.Fprintf(table, "%s\t%.2f\t%d\n", s.Story, s.Seconds, s.Rows)
	}
	table.Flush()
	fmt.Fprintln(table, "subject\tstory\trepeats\trows\tvoxels\tconstant\traw")
	for _, m := range r.Matrices {
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\t%d\n", m.Subject, m.Story, m.Repeats, m.Rows, m.Voxels,
			m.Constant, m.Raw)
	}
	table.Flush()
	for _, w := range r.Warnings {
		fmt.Fprintf(&text, "warning: %s\n", w)
	}
	return text.String()
}
