// Package datacheck looks through all values of a data set before anything is computed from them.
package datacheck

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/responses"
)

// Options select what [Run] checks. The zero value selects everything.
type Options struct {
	Subjects []string // exact names; nil means all, derived subjects included
	Stories  []string // exact names; nil means all

	// Failed is called with the error of each story and matrix, after which the check goes on; nil: the first one
	// ends it.
	Failed func(error)
}

// Report holds what a check found that does not stop a run.
type Report struct {
	Stories  []StoryReport
	Matrices []MatrixReport
	Subjects []SubjectReport
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
	Constant              int // voxels that never vary, without the empty ones
	Raw                   int // voxels whose mean is more than 3 SD from 0
	NotFinite             int // voxels with a value that is not finite
	Empty                 int // voxels that the data set says hold no values
}

// Run looks at the values of responses, words, motion and features. Errors are a matrix without a varying voxel, words
// after the end of the audio, motion that does not fit its responses, and what a survey of all values refuses.
// Responses are read in bounded memory. [CheckShapes] compares numbers of rows and voxels.
func Run(ctx context.Context, d *dataset.Dataset, opt Options) (*Report, error) {
	if opt.Subjects == nil {
		opt.Subjects = Subjects(d)
	}
	if opt.Stories == nil {
		opt.Stories = d.Stories()
	}
	c := &check{Dataset: d, opt: opt, report: &Report{}}
	for _, story := range opt.Stories {
		if err := c.passOver(ctx, c.story(ctx, story)); err != nil {
			return nil, err
		}
	}
	for _, subject := range opt.Subjects {
		if err := c.subject(ctx, subject); err != nil {
			return nil, err
		}
	}
	for _, f := range d.Spec().Features {
		for _, r := range f.Stories {
			if !slices.Contains(opt.Stories, r.Story) {
				continue
			}
			_, err := d.Features(ctx, f.Name, r.Story)
			if err := c.passOver(ctx, err); err != nil {
				return nil, err
			}
		}
	}
	return c.report, nil
}

// Subjects lists all subjects, derived ones included.
func Subjects(d *dataset.Dataset) (names []string) {
	spec := d.Spec()
	for _, s := range slices.Concat(spec.Subjects, spec.Derived) {
		names = append(names, s.Name)
	}
	return names
}

// check is a check in progress.
type check struct {
	*dataset.Dataset
	opt    Options
	report *Report
}

// passOver hands an error to Failed, if there is one, unless the context has ended.
func (c *check) passOver(ctx context.Context, err error) error {
	if err == nil || c.opt.Failed == nil || ctx.Err() != nil {
		return err
	}
	c.opt.Failed(err)
	return nil
}

func (c *check) warn(text string, args ...any) {
	c.report.Warnings = append(c.report.Warnings, fmt.Sprintf(text, args...))
}

func (c *check) fail(where, why string, args ...any) *fault.Error {
	return fault.New(fault.BadData, "check data set", c.Name()+": "+where, why, args...)
}

func (c *check) story(ctx context.Context, name string) error {
	story, err := c.Story(name)
	if err != nil {
		return err
	}
	samples := 0
	if err := c.StreamAudio(ctx, name, func(block []float32) error {
		samples += len(block)
		return nil
	}); err != nil {
		return err
	}
	seconds := float64(samples) / dataset.SampleRate
	// A TR that begins within the last millisecond comes from rounding and has no volume.
	rows := int(math.Ceil((seconds - story.First - 1e-3) / c.TR()))
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
	var f figures
	for _, story := range c.StoriesOf(name) {
		if !slices.Contains(c.opt.Stories, story) {
			continue
		}
		r, err := c.matrix(ctx, name, story, &f)
		if r != nil {
			found = append(found, *r)
			f.add(*r)
		}
		if err := c.passOver(ctx, err); err != nil {
			return err
		}
	}
	c.together(found)
	c.report.Matrices = append(c.report.Matrices, found...)
	if len(found) > 0 {
		c.report.Subjects = append(c.report.Subjects, f.report(name, c.TR()))
	}
	return nil
}

// matrix checks the responses of a subject to a story. With an error it returns what is known of them, if anything.
func (c *check) matrix(ctx context.Context, name, story string, f *figures) (*MatrixReport, error) {
	m, err := c.OpenResponses(ctx, name, story)
	if err != nil {
		return nil, err
	}
	r := &MatrixReport{Subject: name, Story: story, Repeats: m.Repeats, Rows: m.Rows, Voxels: m.Columns}
	survey, err := responses.Survey(ctx, m)
	r.NotFinite = survey.NotFinite
	if err != nil {
		return r, err
	}
	r.Constant, r.Raw, r.Empty = len(survey.Constant)-len(m.Empty), len(survey.Raw), len(m.Empty)
	f.addTSNR(survey.TSNR, r.Repeats*r.Rows)
	if r.Constant+r.Empty == r.Voxels {
		return r, c.fail(where(*r), "none of %d voxels varies", r.Voxels)
	}
	if m.Stored != "" {
		c.warn("%s: the file holds whole numbers (%s), taken as they are; a scale it may have had is lost",
			where(*r), m.Stored)
	}
	if c.HasMotion(name, story) {
		if _, err := c.Motion(ctx, name, story); err != nil {
			return r, err
		}
		f.addMotion(c.motionFile(name, story))
	}
	return r, nil
}

// together warns of what is counted over all stories of one subject.
func (c *check) together(found []MatrixReport) {
	var constant, raw, constantIn, rawIn int
	for _, r := range found {
		if r.Constant > 0 {
			constant, constantIn = constant+r.Constant, constantIn+1
		}
		if r.Raw > 0 {
			raw, rawIn = raw+r.Raw, rawIn+1
		}
	}
	if len(found) > 0 && found[0].Empty > 0 {
		c.warn("subject %s: %d of %d voxels hold no values and are left out", found[0].Subject, found[0].Empty,
			found[0].Voxels)
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
}

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
