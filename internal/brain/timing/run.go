package timing

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/datacheck"
)

// Options configures [Run]. The zero value checks all subjects and stories.
type Options struct {
	Subjects []string // names, globs or "all", as in an experiment; nil: all
	Stories  []string // exact names; nil: all
	ROI      string   // use the voxels of this ROI only; "": all

	// Columns are voxels of a subject that are used instead of some of all: its 500 most reliable ones, for example.
	Columns map[string][]int

	Detrended bool    // the study detrends, so raw responses are no problem
	MaxLag    float64 // largest lag, in seconds; 0: 10
	Seed      uint64  // of the bootstrap
	Progress  func(done, total int)
}

// lagStep is the distance between lags, in seconds.
const lagStep = .5

// Run checks the timing of a data set. A problem of the data is a finding of the report, not an
// error. Errors are names that are not in the data set, invalid options, and a cancelled context.
func Run(ctx context.Context, data *dataset.Dataset, opt Options) (*Report, error) {
	if data.IsEvents() {
		return nil, fault.New(fault.Usage, "check timing", data.Name(),
			"rows of this data set are clips (design: event), which have one response each and no lag to find").
			WithHint("verify the data set: its rows and recordings")
	}
	opt.MaxLag = cmp.Or(opt.MaxLag, 10)
	if !(opt.MaxLag >= 2 && opt.MaxLag <= 60) {
		return nil, fault.New(fault.Usage, "check timing", "max lag", "%g s, want 2 to 60", opt.MaxLag)
	}
	if opt.Subjects == nil {
		opt.Subjects = []string{"all"}
	}
	if opt.Progress == nil {
		opt.Progress = func(int, int) {}
	}
	d := &check{data: data, opt: opt}
	for lag := -opt.MaxLag; lag <= opt.MaxLag+1e-9; lag += lagStep {
		d.lags = append(d.lags, math.Round(lag/lagStep)*lagStep)
	}
	steps := []func(context.Context) error{d.resolveNames, d.checkShapes, d.checkData, d.loadStories,
		d.loadSubjects, d.estimate, d.swaps}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return d.finish(), nil
}

// check is a Run in progress.
type check struct {
	data     *dataset.Dataset
	opt      Options
	names    []string
	lags     []float64
	shapes   *datacheck.Shapes
	stories  []*story
	subjects []*subject
	peakZ    map[*subject]float64 // peak of each subject in standard errors above 0
	report   Report
}

// resolveNames resolves the names of subjects and stories.
func (d *check) resolveNames(context.Context) (err error) {
	if d.names, err = d.data.Subjects(d.opt.Subjects...); err != nil {
		return err
	}
	if d.opt.Stories == nil {
		d.opt.Stories = d.data.Stories()
	}
	d.report = Report{Schema: 1, Dataset: d.data.Name(), TR: d.data.TR(), RowTime: d.data.RowTime(),
		HRFPeak: hrfPeak, Lags: d.lags,
		R: []float64{}, PerSubject: map[string]Subject{}, Stories: []Story{}, Features: featureNames[:1+bands]}
	return nil
}

// checkShapes compares numbers of rows and voxels. What they say about lengths is judged after the lag scan.
func (d *check) checkShapes(ctx context.Context) error {
	d.shapes = &datacheck.Shapes{}
	found, err := datacheck.CheckShapes(ctx, d.data, d.names, d.opt.Stories)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return nil // checkData meets the same file, and adds a finding
	}
	for _, err := range found.Wrong {
		d.addError("data", err)
	}
	d.shapes = found
	return nil
}

// checkData adds the findings of the data set's own check.
func (d *check) checkData(ctx context.Context) error {
	found, err := datacheck.Run(ctx, d.data, datacheck.Options{Subjects: d.names, Stories: d.opt.Stories})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		d.addError("data", err)
		return nil
	}
	warned := false
	for _, w := range found.Warnings {
		if !strings.Contains(w, rawWarning) {
			d.add(Finding{About: "data", Verdict: Check, Text: w})
			warned = true
		}
	}
	var raw []string
	for _, m := range found.Matrices {
		if m.Raw > 0 && !slices.Contains(raw, m.Subject) {
			raw = append(raw, m.Subject)
		}
	}
	switch {
	case len(raw) > 0 && !d.opt.Detrended:
		d.add(Finding{About: "data", Verdict: Check, Where: joinFew(raw),
			Text: "voxels have means more than 3 SD from 0, which looks like raw scanner units",
			Do:   "set data.detrend, such as legendre:N"})
	case !warned && len(d.shapes.Wrong) == 0:
		d.add(Finding{About: "data", Verdict: OK, Text: "matrices are finite, the right way round, and vary"})
	}
	return nil
}

// rawWarning marks the warnings of package datacheck that become one finding about all subjects.
const rawWarning = "raw scanner units"

func (d *check) add(f Finding) { d.report.Findings = append(d.report.Findings, f) }

// addError turns an error about the data into a finding.
func (d *check) addError(about string, err error) { d.add(fromError(about, err)) }

// fromError returns an error as a finding.
func fromError(about string, err error) Finding {
	f, ok := err.(*fault.Error)
	if !ok {
		return Finding{About: about, Verdict: Wrong, Text: err.Error()}
	}
	plain := *f
	plain.Op, plain.Path, plain.Hint = "", "", ""
	return Finding{About: about, Verdict: Wrong, Where: f.Path, Text: plain.Error(), Do: f.Hint}
}

// finish adds the conclusions and returns the report.
func (d *check) finish() *Report {
	d.lengths()
	d.judgeLag()
	d.report.Verdict = worst(d.report.Findings)
	return &d.report
}
