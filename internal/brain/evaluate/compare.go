package evaluate

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// Compare compares finished runs by the predictions that their evaluations saved. It needs neither
// data set nor model. Runs with different subjects, test rows, ROIs or responses are refused; the
// error names the difference.
//
// Intervals come from stats.PairedBootstrap, p from stats.PairedTest. Neither is corrected for the
// number of ROIs and runs.
func Compare(ctx context.Context, dirs []string, opt results.CompareOptions) (*results.Comparison, error) {
	if len(dirs) < 2 {
		return nil, fault.New(fault.Usage, comparing, "", "%d run, want at least 2", len(dirs))
	}
	runs := make([]*scored, len(dirs))
	for i, dir := range dirs {
		var err error
		if runs[i], err = readScored(dir); err != nil {
			return nil, err
		}
		if err := sameTest(runs[0], runs[i]); err != nil {
			return nil, err
		}
	}
	return against(ctx, runs[0], runs, opt)
}

// sameTest refuses a run with other test data.
func sameTest(r *scored, o *scored) error {
	differ := func(what string, a, b any) error {
		return fault.New(fault.BadData, comparing, o.Dir, "%s: %v, %s has %v", what, b, r.Dir, a).
			WithHint("compare runs that were tested on the same")
	}
	if a, b := r.Layout.Names(), o.Layout.Names(); !slices.Equal(a, b) {
		return differ("subjects", a, b)
	}
	for i, p := range r.Layout.Subjects {
		q := o.Layout.Subjects[i]
		switch {
		case p.Voxels != q.Voxels:
			return differ("voxels of "+p.Name, p.Voxels, q.Voxels)
		case !slices.Equal(p.Rows, q.Rows):
			return differ("test rows of "+p.Name, p.RowsOf(), q.RowsOf())
		}
		for _, region := range p.ROIs {
			if columns, ok := q.Region(region.Name); ok && !slices.Equal(columns, region.Columns) {
				return differ(fmt.Sprintf("ROI %s of %s", region.Name, p.Name),
					fmt.Sprint(len(region.Columns), " voxels"),
					fmt.Sprint(len(columns), " voxels, not the same"))
			}
		}
		for k, v := range r.Want[i] {
			if o.Want[i][k] != v {
				return fault.New(fault.BadData, comparing, o.Dir,
					"responses of %s: row %d, voxel %d is %g, %s has %g", p.Name, k/p.Voxels, k%p.Voxels,
					o.Want[i][k], r.Dir,
					v).WithHint("compare runs on the same data with the same data.detrend and data.zscore")
			}
		}
	}
	return nil
}

// groups returns the group of all voxels and the ROIs that all runs have.
func groups(r *scored, runs []*scored) []stats.Group {
	out := []stats.Group{{Name: study.Everything}}
	for _, region := range r.Layout.Subjects[0].ROIs {
		g := stats.Group{Name: region.Name}
		for _, p := range r.Layout.Subjects {
			columns, _ := p.Region(region.Name)
			g.Columns = append(g.Columns, columns)
		}
		lacks := func(o *scored) bool { _, ok := o.Layout.Subjects[0].Region(region.Name); return !ok }
		if !slices.ContainsFunc(runs, lacks) {
			out = append(out, g)
		}
	}
	return out
}

// pair joins two predictions of the same rows with the responses.
func pair(r, run *scored, base, tuned [][]float32) []stats.Subject {
	out := make([]stats.Subject, len(r.Layout.Subjects))
	for i, p := range r.Layout.Subjects {
		out[i].Voxels, out[i].Resolution = p.Voxels, max(p.Resolution, run.Layout.Subjects[i].Resolution)
		from := 0
		names := p.RowsOf()
		for k, rows := range p.Rows {
			to := from + (rows.To-rows.From)*p.Voxels
			out[i].Stories = append(out[i].Stories, stats.Story{Name: names[k], Rows: rows.To - rows.From,
				Responses: r.Want[i][from:to], Base: base[i][from:to], Tuned: tuned[i][from:to]})
			from = to
		}
	}
	return out
}

// against compares runs with equal test data to the first of them, r.
func against(ctx context.Context, r *scored, runs []*scored,
	opt results.CompareOptions) (*results.Comparison, error) {
	out := &results.Comparison{Schema: 1, Subjects: r.Layout.Names()}
	for _, p := range r.Layout.Subjects {
		out.Rows = max(out.Rows, p.Count())
	}
	groups := groups(r, runs)
	draw := stats.BootstrapOptions{Seed: opt.Seed, Resamples: opt.Resamples}
	if p := r.Layout.Subjects[0]; len(p.Clips) > 0 { // which do not depend on each other
		draw.BlockRows = p.Count() / len(p.Clips)
	}
	for k, run := range runs {
		out.Runs = append(out.Runs, results.ComparedRun{Dir: run.Dir, Chosen: run.Chosen})
		differences := func(base [][]float32) (*stats.BootstrapResult, *stats.PairedResult, error) {
			subjects := pair(r, run, base, run.Tuned)
			b, err := stats.PairedBootstrap(ctx, subjects, groups, draw)
			if err != nil {
				return nil, nil, err
			}
			t, err := stats.PairedTest(ctx, subjects, groups, stats.PairedOptions{Seed: opt.Seed,
				BlockRows: draw.BlockRows, Permutations: opt.Permutations, Unit: opt.Unit})
			return b, t, err
		}
		toBase, baseTest, err := differences(run.Base)
		toFirst, firstTest := toBase, baseTest
		if err == nil && k > 0 {
			toFirst, firstTest, err = differences(r.Tuned)
		}
		if err != nil {
			return nil, err
		}
		for g, score := range toBase.Groups {
			if k == 0 {
				out.ROIs = append(out.ROIs, results.ComparedROI{Name: score.Name, Voxels: score.Voxels,
					Base: score.Base, Reason: score.Reason})
			}
			s := results.ComparedScore{Tuned: *score.Tuned, Delta: results.ComparedDelta{Score: *score.Delta,
				Significance: results.Significance{P: baseTest.Groups.P[g]}}}
			if k > 0 {
				s.DeltaFirst = &results.ComparedDelta{Score: *toFirst.Groups[g].Delta,
					Significance: results.Significance{P: firstTest.Groups.P[g]}}
			}
			out.ROIs[g].Scores = append(out.ROIs[g].Scores, s)
		}
		out.Units = baseTest.Units[0]
		note(out, r, run, toBase)
	}
	correct(out)
	return out, nil
}
