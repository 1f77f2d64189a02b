package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/roikeys"
)

// whisker is a mean with an interval.
type whisker struct {
	name string
	mean float64
	ci   *stats.Interval
}

// whiskers draws means with their intervals and a line at 0, the first on top.
func whiskers(list []whisker, xLabel, title, alt string) figureHTML {
	p := newPlot(xLabel, "")
	names := make([]string, len(list))
	for i, w := range list {
		at := float64(len(list) - 1 - i)
		names[len(list)-1-i] = short(w.name, 22)
		tone := 4
		if w.ci != nil {
			if w.ci[0] > 0 {
				tone = 0
			} else if w.ci[1] < 0 {
				tone = 1
			}
			p.Add(&plotter.Line{XYs: plotter.XYs{{X: w.ci[0], Y: at}, {X: w.ci[1], Y: at}},
				LineStyle: line(tones[tone], 2)})
		}
		p.Add(&plotter.Scatter{XYs: plotter.XYs{{X: w.mean, Y: at}},
			GlyphStyle: draw.GlyphStyle{Color: tones[tone], Radius: 4, Shape: mark(tone)}})
	}
	p.NominalY(names...)
	p.Y.Tick.Label.Color, p.Y.LineStyle.Width = ink, 0
	p.Add(&plotter.Line{XYs: plotter.XYs{{X: 0, Y: -.5}, {X: 0, Y: float64(len(list)) - .5}},
		LineStyle: line(ink, 1, 3, 3)})
	p.Y.Min, p.Y.Max = -.5, float64(len(list))-.5
	atLeast(&p.X, leastSpan)
	room(&p.X, .05)
	return svg(p, chartWidth, 62+22*float64(len(list)), title, alt)
}

// maxROIs are drawn of a chart of regions; the table has them all.
const maxROIs = 16

// partsByDelta are the regions, those with the largest |Δr| first.
func (r *pageOfRun) partsByDelta(d *results.Delta) []string {
	names := r.parts()
	slices.SortStableFunc(names, func(a, b string) int {
		return cmp.Compare(math.Abs(d.ROIs[b].MeanR), math.Abs(d.ROIs[a].MeanR))
	})
	return names
}

// Deltas shows the difference of tuned and base in each region with its interval.
func (r *pageOfRun) Deltas() (figureHTML, bool) {
	d := r.Scores.Delta
	if d == nil || len(d.ROIs) == 0 {
		return figureHTML{}, false
	}
	list := []whisker{{roikeys.Label(roikeys.All), d.MeanR, d.CI95}}
	names := r.partsByDelta(d)
	for _, name := range names[:min(maxROIs, len(names))] {
		list = append(list, whisker{roikeys.Label(name), d.ROIs[name].MeanR, d.ROIs[name].CI95})
	}
	alt := "Points are means, bars 95 % intervals; colour and shape show significant gains, significant losses and " +
		"differences that are not significant. The numbers are in the table of ROIs."
	if len(names) > maxROIs {
		alt += fmt.Sprintf(" The %d of %d ROIs with the largest |Δr|.", maxROIs, len(names))
	}
	return whiskers(list, "Δr, tuned − untuned", "Effect of tuning by ROI", alt), true
}

// Levels shows the r of the untuned model, its best layer, the tuned model and the ceiling in each ROI.
func (r *pageOfRun) Levels() (figureHTML, bool) {
	names := r.parts()
	if len(names) == 0 {
		return figureHTML{}, false
	}
	names = names[:min(maxROIs, len(names))]
	p := newPlot("mean r", "")
	labels := make([]string, len(names)+1)
	systems := []struct {
		name string
		s    *results.ModelScore
		tone int
	}{{"untuned", &r.Scores.Base, 4}, {"its best layer", r.Scores.BaseBestLayer, 2}, {"tuned", r.Scores.Tuned, 0},
		{"ceiling", r.Scores.Ceiling, 1}}
	for k, sys := range systems {
		if sys.s == nil {
			continue
		}
		var xys plotter.XYs
		for i, name := range append([]string{""}, names...) {
			at := float64(len(names)-i) + .12*(1.5-float64(k))
			labels[len(names)-i] = short(roikeys.Label(name), 22)
			if name == "" {
				xys = append(xys, plotter.XY{X: sys.s.MeanR, Y: at})
			} else if v, ok := sys.s.ROIs[name]; ok {
				xys = append(xys, plotter.XY{X: v, Y: at})
			}
		}
		s := &plotter.Scatter{XYs: xys, GlyphStyle: draw.GlyphStyle{Color: tones[sys.tone], Radius: 4,
			Shape: mark(sys.tone)}}
		p.Add(s)
		p.Legend.Add(sys.name, s)
	}
	p.NominalY(labels...)
	p.Y.LineStyle.Width = 0
	p.Legend.Left = false
	p.Y.Min, p.Y.Max = -.5, float64(len(names))+1.6
	p.X.Min = min(0, p.X.Min)
	room(&p.X, .04)
	return svg(p, chartWidth, 110+24*float64(len(labels)), "Scores by ROI", "The numbers are in the table of ROIs."),
		true
}

// ControlChart shows what controls gain over the untuned model.
func (r *pageOfRun) ControlChart() (figureHTML, bool) {
	var list []whisker
	for _, c := range r.Controls {
		list = append(list, whisker{c.Name, c.Summary.Test.Delta.MeanR, c.Summary.Test.Delta.CI95})
	}
	if len(list) == 0 {
		return figureHTML{}, false
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].mean > list[j].mean })
	return whiskers(list, "Δr to the untuned model", "Controls", "Points are means over all voxels, bars 95 % "+
		"intervals. Where a control gains as much as tuning, the gain is not specific to the brain responses."), true
}
