package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/decimal"
	"github.com/brainwavlm/bwlm/internal/roikeys"
)

// sumFlags are the flags of bwlm eval that make a sum of adapters.
type sumFlags struct {
	scales                  []float64
	plus, subtract, average []string
}

func (f *sumFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.Float64SliceVar(&f.scales, "scale", []float64{1}, "factors of the adapter, such as 0,.5,1,1.5")
	flags.StringArrayVar(&f.plus, "add", nil, "`RUN` whose adapter is added; repeatable")
	flags.StringArrayVar(&f.subtract, "subtract", nil, "`RUN` whose adapter is subtracted; repeatable")
	flags.StringArrayVar(&f.average, "average", nil, "`RUN` whose adapter is averaged with the run's; repeatable")
}

func (f *sumFlags) names() []string { return []string{"scale", "add", "subtract", "average"} }

// given reports whether any flag was set.
func (f *sumFlags) given(c *cobra.Command) bool {
	return slices.ContainsFunc(f.names(), func(name string) bool { return c.Flags().Changed(name) })
}

// terms are the adapters of the run and of the other runs, with their factors.
func (f *sumFlags) terms(run string) ([]results.WeightedAdapter, error) {
	if len(f.average) > 0 && len(f.plus)+len(f.subtract) > 0 {
		return nil, fault.New(fault.Usage, "eval", "--average", "cannot go with --add or --subtract")
	}
	share := 1 / float64(1+len(f.average))
	terms := []results.WeightedAdapter{{Factor: share, Run: run}}
	for _, group := range []struct {
		factor float64
		runs   []string
	}{{share, f.average}, {1, f.plus}, {-1, f.subtract}} {
		for _, other := range group.runs {
			terms = append(terms, results.WeightedAdapter{Factor: group.factor, Run: other})
		}
	}
	return terms, nil
}

// arithmetic scores a sum of adapters.
func (a *app) arithmetic(ctx context.Context, path string, exp *experimentFlags, f *sumFlags) (*results.AdapterScores,
	error) {
	for _, s := range f.scales {
		if !(s >= -100 && s <= 100) {
			return nil, fault.New(fault.Usage, "eval", "--scale", "%g is not in -100 to 100", s)
		}
	}
	terms, err := f.terms(path)
	if err != nil {
		return nil, err
	}
	st, run, end, err := a.openRunOrExperiment(ctx, "eval", path, exp)
	if err != nil {
		return nil, err
	}
	defer end()
	if run == nil {
		return nil, fault.New(fault.Usage, "eval", path,
			"is an experiment file, which has no adapter").WithHint("name the directory of a finished run")
	}
	return st.ScoreAdapters(ctx, terms, f.scales)
}

// printArithmetic writes a line for each scale and ROI.
func printArithmetic(w io.Writer, r *results.AdapterScores) error {
	fmt.Fprintf(w, "Score: r on %d test rows of %s, by a ridge fitted on the training rows.\n", r.Points[0].Test.Rows,
		subjects(r.Points[0].Test.Subjects))
	fmt.Fprintf(w, "Adapter: scale × (%s)\n", r.Formula)
	var rows [][]string
	add := func(name string, base float64, of func(results.Scores) (float64, float64, *stats.Interval)) {
		rows = append(rows, []string{roikeys.Label(name), "untuned", score(base), "", ""})
		for _, p := range r.Points {
			tuned, delta, ci := of(p.Test)
			rows = append(rows, []string{"", fmt.Sprintf("%g", p.Scale), score(tuned), decimal.Signed(delta, 3),
				interval(ci)})
		}
	}
	add(roikeys.All, r.Base.MeanR, func(s results.Scores) (float64, float64, *stats.Interval) {
		return s.Tuned.MeanR, s.Delta.MeanR, s.Delta.CI95
	})
	for _, name := range roikeys.Sorted(r.Base.ROIs) {
		add(name, r.Base.ROIs[name], func(s results.Scores) (float64, float64, *stats.Interval) {
			d := s.Delta.ROIs[name]
			return s.Tuned.ROIs[name], d.MeanR, d.CI95
		})
	}
	return ui.Table(w, []string{"ROI", "scale", "r", "Δr to untuned", "95 % interval"}, rows)
}
