package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/brainwavlm/bwlm/internal/brain/finished"
)

// Histogram shows how the voxels' r are spread, before and after tuning.
func (r *pageOfRun) Histogram() (figureHTML, bool) {
	var base, tuned []float64
	for _, p := range r.Subjects {
		base, tuned = append(base, numbers(p.Base)...), append(tuned, numbers(p.Tuned)...)
	}
	if len(base) < 10 {
		return figureHTML{}, false
	}
	low, high := span(append(slices.Clone(base), tuned...), leastSpan)
	bins := min(30, max(8, len(base)/10))
	p := newPlot("r of a voxel", "voxels")
	for i, x := range [][]float64{base, tuned} {
		if len(x) == 0 {
			continue
		}
		count := make([]int, bins)
		for _, v := range x {
			count[min(bins-1, int(float64(bins)*(v-low)/(high-low)))]++
		}
		var steps plotter.XYs
		for b, n := range count {
			left, right := low+(high-low)*float64(b)/float64(bins), low+(high-low)*float64(b+1)/float64(bins)
			steps = append(steps, plotter.XY{X: left, Y: float64(n)}, plotter.XY{X: right, Y: float64(n)})
		}
		l := &plotter.Line{XYs: steps, LineStyle: line(tones[i], 2)}
		if i == 0 {
			l.Dashes = []vg.Length{5, 3}
		}
		p.Add(l)
		p.Legend.Add([]string{"untuned", "tuned"}[i], l)
	}
	p.Y.Min = 0
	room(&p.Y, .2)
	p.Y.Min = 0
	alt := fmt.Sprintf("%d voxels; median r untuned %.3f", len(base), median(base))
	if len(tuned) > 0 {
		alt += fmt.Sprintf(", tuned %.3f", median(tuned))
	}
	return svg(p, chartWidth, chartHeight, "Distribution of r over voxels", alt+"."), true
}

// mostPoints are drawn of a scatter: more make the page heavy and tell no more.
const mostPoints = 600

// points draws pairs of voxels' numbers, coloured by region, and a line of equal numbers.
func (r *pageOfRun) points(x, y func(*finished.Subject) []float32, xLabel, yLabel, title,
	above string) (figureHTML, bool) {
	names, groups := []string{}, map[string]plotter.XYs{}
	total, over := 0, 0
	for i := range r.Subjects {
		p := &r.Subjects[i]
		a, b, of := x(p), y(p), p.ROIOf()
		if a == nil || b == nil {
			return figureHTML{}, false
		}
		for v := range a {
			if a[v] != a[v] || b[v] != b[v] {
				continue
			}
			name := "other voxels"
			if of[v] >= 0 {
				name = p.ROIs[of[v]].Name
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
			groups[name] = append(groups[name], plotter.XY{X: float64(a[v]), Y: float64(b[v])})
			total++
			if b[v] > a[v] {
				over++
			}
		}
	}
	if total < 2 {
		return figureHTML{}, false
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(len(groups[b]), len(groups[a])) })
	p := newPlot(xLabel, yLabel)
	every := (total + mostPoints - 1) / mostPoints
	low, high := math.Inf(1), math.Inf(-1)
	at := 0
	for i, name := range names {
		var shown plotter.XYs
		for _, xy := range groups[name] {
			low, high = min(low, xy.X, xy.Y), max(high, xy.X, xy.Y)
			if at++; (at-1)%every == 0 {
				shown = append(shown, xy)
			}
		}
		if len(shown) == 0 {
			continue
		}
		s := &plotter.Scatter{XYs: shown, GlyphStyle: glyph(min(i, len(tones)-1), 2.2)}
		p.Add(s)
		switch {
		case i < len(tones)-1 || len(names) == len(tones):
			p.Legend.Add(short(name, 18), s)
		case i == len(tones)-1:
			p.Legend.Add(fmt.Sprintf("%d more", len(names)-i), s)
		}
	}
	p.Add(&plotter.Line{XYs: plotter.XYs{{X: low, Y: low}, {X: high, Y: high}}, LineStyle: line(ink, 1, 3, 3)})
	atLeast(&p.X, leastSpan)
	atLeast(&p.Y, leastSpan)
	alt := fmt.Sprintf("%d of %d voxels %s", over, total, above)
	if every > 1 {
		alt += fmt.Sprintf("; one in %d is drawn", every)
	}
	return svg(p, chartWidth, chartHeight+30, title, alt+"."), true
}

// Voxels shows each voxel's r after tuning against that before.
func (r *pageOfRun) Voxels() (figureHTML, bool) {
	return r.points(func(p *finished.Subject) []float32 { return p.Base },
		func(p *finished.Subject) []float32 { return p.Tuned },
		"r, untuned", "r, tuned", "Each voxel before and after", "have a higher r after tuning")
}

// AgainstCeiling shows each voxel's r against what a perfect model would reach.
func (r *pageOfRun) AgainstCeiling() (figureHTML, bool) {
	return r.points(func(p *finished.Subject) []float32 { return p.Ceiling }, (*finished.Subject).Scored, "ceiling",
		"r", "Each voxel and its ceiling",
		"are above their estimated ceiling")
}
