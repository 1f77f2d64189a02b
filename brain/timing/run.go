package timing

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
)

// Options say what the doctor looks at. The zero value looks at all people and stories.
type Options struct {
	Subjects  []string // names, globs or "all", as an experiment has them; nil: all people
	Stories   []string // exact names; nil: all
	ROI       string   // look at the voxels of this region only
	Trim      [2]int   // rows that a run drops anyway, and so may lie outside the audio
	Detrended bool     // a run takes drift out, so raw responses are no mistake
	MaxLag    float64  // seconds; 0: 10
	Seed      uint64   // of the draws behind intervals
	Progress  func(done, total int)
}

// lagStep is the distance of the lags that are tried, in seconds.
const lagStep = .5

// Run looks at a data set. What is wrong with the data is a finding, not an error; an error is a name that is not in the
// data set, a bad option, or the end of the context.
func Run(ctx context.Context, data *dataset.Dataset, opt Options) (*Report, error) {
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
	for _, step := range []func(context.Context) error{d.resolveNames, d.checkData, d.loadStories, d.loadSubjects, d.estimate, d.swaps} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return d.finish(), nil
}

// doctor is an examination in progress.
type check struct {
	data     *dataset.Dataset
	opt      Options
	names    []string
	lags     []float64
	stories  []*story
	subjects []*subject
	peakZ    map[*subject]float64 // standard errors that a person's peak lies above 0
	report   Report
}

// names resolves subjects and stories.
func (d *check) resolveNames(context.Context) (err error) {
	if d.names, err = d.data.Subjects(d.opt.Subjects...); err != nil {
		return err
	}
	if d.opt.Stories == nil {
		d.opt.Stories = d.data.Stories()
	}
	d.report = Report{Schema: 1, Dataset: d.data.Name(), TR: d.data.TR(), RowTime: d.data.RowTime(), HRFPeak: hrfPeak, Lags: d.lags,
		R: []float64{}, PerSubject: map[string]Subject{}, Stories: []Story{}, Features: featureNames[:1+bands]}
	return nil
}

// check takes in what the data set's own check finds.
func (d *check) checkData(ctx context.Context) error {
	found, err := d.data.Check(ctx, dataset.CheckOptions{Subjects: d.names, Stories: d.opt.Stories, Trim: d.opt.Trim})
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
			Text: "voxels have means more than 3 SD from 0, which looks like raw scanner units", Do: "set data.detrend, such as legendre:N"})
	case !warned:
		d.add(Finding{About: "data", Verdict: OK, Text: "matrices are finite, the right way round, and vary"})
	}
	return nil
}

// rawWarning marks those warnings of dataset.Check that are said once for all people here.
const rawWarning = "raw scanner units"

func (d *check) add(f Finding) { d.report.Findings = append(d.report.Findings, f) }

// findError turns an error about the data into a finding.
func (d *check) addError(about string, err error) {
	f, ok := err.(*fault.Error)
	if !ok {
		d.add(Finding{About: about, Verdict: Wrong, Text: err.Error()})
		return
	}
	plain := *f
	plain.Op, plain.Path, plain.Hint = "", "", ""
	d.add(Finding{About: about, Verdict: Wrong, Where: f.Path, Text: plain.Error(), Do: f.Hint})
}

// finish draws the conclusions.
func (d *check) finish() *Report {
	d.lengths()
	d.judgeLag()
	d.report.Verdict = worst(d.report.Findings)
	return &d.report
}
