package report

import (
	"cmp"
	"fmt"
	"image/color"
	"maps"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/probe"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/cortex/render"
)

// LearningCurve shows the validation r of each epoch, the one that was chosen, and the training's loss.
func (r *Run) LearningCurve() (Figure, bool) {
	if len(r.Epochs) < 2 {
		return Figure{}, false
	}
	p := newPlot("epoch", "validation r")
	p.X.Tick.Marker = wholeTicks{}
	var val, loss plotter.XYs
	for _, e := range r.Epochs {
		val = append(val, plotter.XY{X: float64(e.Epoch), Y: e.ValR})
		if e.Loss != nil && finite(*e.Loss) {
			loss = append(loss, plotter.XY{X: float64(e.Epoch), Y: *e.Loss})
		}
	}
	val = slices.DeleteFunc(val, func(p plotter.XY) bool { return !finite(p.Y) })
	if len(val) < 2 {
		return Figure{}, false
	}
	lossNote := ""
	if len(loss) > 1 { // on a scale of its own, over the whole height
		low, high := span(ys(loss))
		bottom, top := span(ys(val))
		scaled := slices.Clone(loss)
		for i := range scaled {
			scaled[i].Y = bottom + (top-bottom)*(loss[i].Y-low)/(high-low)
		}
		l := &plotter.Line{XYs: scaled, LineStyle: line(tones[1], 1.5, 5, 3)}
		p.Add(l)
		lossNote = fmt.Sprintf(" Training loss (own scale) from %.3g to %.3g.", loss[0].Y, loss[len(loss)-1].Y)
		p.Legend.Add("training loss, own scale", l)
	}
	l := &plotter.Line{XYs: val, LineStyle: line(tones[0], 2)}
	p.Add(l, &plotter.Scatter{XYs: val, GlyphStyle: glyph(0, 2.5)})
	p.Legend.Add("validation r", l)
	i := slices.IndexFunc(r.Epochs, func(e brain.Epoch) bool { return e.Epoch == r.Chosen })
	if i >= 0 && finite(r.Epochs[i].ValR) {
		chosen := &plotter.Scatter{XYs: plotter.XYs{{X: float64(r.Chosen), Y: r.Epochs[i].ValR}}, GlyphStyle: glyph(2, 5)}
		p.Add(chosen)
		p.Legend.Add("chosen", chosen)
	}
	room(&p.Y, .25)
	return svg(p, chartWidth, chartHeight, "Learning curve", fmt.Sprintf("Validation r from %.3f (epoch 0, untuned) to %.3f (epoch %d); epoch %d was chosen.%s",
		val[0].Y, val[len(val)-1].Y, int(val[len(val)-1].X), r.Chosen, lossNote)), true
}

// Histogram shows how the voxels' r are spread, before and after tuning.
func (r *Run) Histogram() (Figure, bool) {
	var base, tuned []float64
	for _, p := range r.People {
		base, tuned = append(base, numbers(p.Base)...), append(tuned, numbers(p.Tuned)...)
	}
	if len(base) < 10 {
		return Figure{}, false
	}
	low, high := span(append(slices.Clone(base), tuned...))
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
	return svg(p, chartWidth, chartHeight, "How the voxels' r are spread", alt+"."), true
}

// mostPoints are drawn of a scatter: more make the page heavy and tell no more.
const mostPoints = 600

// points draws pairs of voxels' numbers, coloured by region, and a line of equal numbers.
func (r *Run) points(x, y func(*Person) []float32, xLabel, yLabel, title, above string) (Figure, bool) {
	names, groups := []string{}, map[string]plotter.XYs{}
	total, over := 0, 0
	for i := range r.People {
		p := &r.People[i]
		a, b, of := x(p), y(p), p.regionOf()
		if a == nil || b == nil {
			return Figure{}, false
		}
		for v := range a {
			if a[v] != a[v] || b[v] != b[v] {
				continue
			}
			name := "other voxels"
			if of[v] >= 0 {
				name = p.Regions[of[v]].Name
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
		return Figure{}, false
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
	alt := fmt.Sprintf("%d of %d voxels %s", over, total, above)
	if every > 1 {
		alt += fmt.Sprintf("; one in %d is drawn", every)
	}
	return svg(p, chartWidth, chartHeight+30, title, alt+"."), true
}

// Voxels shows each voxel's r after tuning against that before.
func (r *Run) Voxels() (Figure, bool) {
	return r.points(func(p *Person) []float32 { return p.Base }, func(p *Person) []float32 { return p.Tuned },
		"r, untuned", "r, tuned", "Each voxel before and after", "are better after tuning")
}

// AgainstCeiling shows each voxel's r against what a perfect model would reach.
func (r *Run) AgainstCeiling() (Figure, bool) {
	return r.points(func(p *Person) []float32 { return p.Ceiling }, (*Person).best, "ceiling", "r", "Each voxel and its ceiling",
		"are above their estimated ceiling")
}

// whisker is a mean with an interval.
type whisker struct {
	name string
	mean float64
	ci   *stats.Interval
}

// whiskers draws means with their intervals, the first on top, beside a line at 0.
func whiskers(list []whisker, xLabel, title, alt string) Figure {
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
			p.Add(&plotter.Line{XYs: plotter.XYs{{X: w.ci[0], Y: at}, {X: w.ci[1], Y: at}}, LineStyle: line(tones[tone], 2)})
		}
		p.Add(&plotter.Scatter{XYs: plotter.XYs{{X: w.mean, Y: at}}, GlyphStyle: draw.GlyphStyle{Color: tones[tone], Radius: 4, Shape: mark(tone)}})
	}
	p.NominalY(names...)
	p.Y.Tick.Label.Color, p.Y.LineStyle.Width = ink, 0
	p.Add(&plotter.Line{XYs: plotter.XYs{{X: 0, Y: -.5}, {X: 0, Y: float64(len(list)) - .5}}, LineStyle: line(ink, 1, 3, 3)})
	p.Y.Min, p.Y.Max = -.5, float64(len(list))-.5
	room(&p.X, .05)
	return svg(p, chartWidth, 62+22*float64(len(list)), title, alt)
}

// mostRegions are drawn of a chart of regions; the table has them all.
const mostRegions = 16

// Gains shows the difference of tuned and base in each region with its interval.
func (r *Run) Gains() (Figure, bool) {
	d := r.Scores.Delta
	if d == nil || len(d.ROIs) == 0 {
		return Figure{}, false
	}
	list := []whisker{{AllVoxels, d.MeanR, d.CI95}}
	names := r.parts()
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(math.Abs(d.ROIs[b].MeanR), math.Abs(d.ROIs[a].MeanR)) })
	for _, name := range names[:min(mostRegions, len(names))] {
		list = append(list, whisker{name, d.ROIs[name].MeanR, d.ROIs[name].CI95})
	}
	alt := "Points are means, bars 95 % intervals; colour and shape tell gains, losses and differences that may be none. The numbers are in the table of regions."
	if len(names) > mostRegions {
		alt += fmt.Sprintf(" The %d of %d regions that changed most.", mostRegions, len(names))
	}
	return whiskers(list, "r, tuned less untuned", "What tuning changed, by region", alt), true
}

// Levels shows what untuned model, its best layer, tuned model and ceiling reach in each region.
func (r *Run) Levels() (Figure, bool) {
	names := r.parts()
	if len(names) == 0 {
		return Figure{}, false
	}
	names = names[:min(mostRegions, len(names))]
	p := newPlot("mean r", "")
	labels := make([]string, len(names)+1)
	systems := []struct {
		name string
		s    *brain.System
		tone int
	}{{"untuned", &r.Scores.Base, 4}, {"its best layer", r.Scores.BaseBestLayer, 2}, {"tuned", r.Scores.Tuned, 0}, {"ceiling", r.Scores.Ceiling, 1}}
	for k, sys := range systems {
		if sys.s == nil {
			continue
		}
		var xys plotter.XYs
		for i, name := range append([]string{""}, names...) {
			at := float64(len(names)-i) + .12*(1.5-float64(k))
			labels[len(names)-i] = short(cmp.Or(name, AllVoxels), 22)
			if name == "" {
				xys = append(xys, plotter.XY{X: sys.s.MeanR, Y: at})
			} else if v, ok := sys.s.ROIs[name]; ok {
				xys = append(xys, plotter.XY{X: v, Y: at})
			}
		}
		s := &plotter.Scatter{XYs: xys, GlyphStyle: draw.GlyphStyle{Color: tones[sys.tone], Radius: 4, Shape: mark(sys.tone)}}
		p.Add(s)
		p.Legend.Add(sys.name, s)
	}
	p.NominalY(labels...)
	p.Y.LineStyle.Width = 0
	p.Legend.Left = false
	p.Y.Min, p.Y.Max = -.5, float64(len(names))+1.6
	p.X.Min = min(0, p.X.Min)
	room(&p.X, .04)
	return svg(p, chartWidth, 110+24*float64(len(labels)), "Scores, by region", "The numbers are in the table of regions."), true
}

// ControlChart shows what controls gain over the untuned model.
func (r *Run) ControlChart() (Figure, bool) {
	var list []whisker
	for _, c := range r.Controls {
		list = append(list, whisker{c.Name, c.Summary.Test.Delta.MeanR, c.Summary.Test.Delta.CI95})
	}
	if len(list) == 0 {
		return Figure{}, false
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].mean > list[j].mean })
	return whiskers(list, "r, less untuned", "What controls gain", "Points are means over all voxels, bars 95 % intervals. A control that gains as much as tuning did says that the gain is not the brain's."), true
}

// grid draws a heat map with its numbers; cells that are NaN are empty.
func grid(rows, columns []string, cell [][]float64, title, alt string) Figure {
	p := newPlot("", "")
	low, high := math.Inf(1), math.Inf(-1)
	for _, row := range cell {
		for _, v := range row {
			if finite(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	p.Add(cells{cell, low, high})
	names := make([]string, len(rows))
	for i, name := range rows {
		names[len(rows)-1-i] = short(name, 16)
	}
	p.NominalY(names...)
	heads := make([]string, len(columns))
	slant := false
	for i, name := range columns {
		heads[i] = short(name, 16)
		slant = slant || len(name)*len(columns) > 44
	}
	p.NominalX(heads...)
	if slant {
		p.X.Tick.Label.Rotation, p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = math.Pi/4, draw.XRight, draw.YCenter
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -.5, float64(len(columns))-.5, -.5, float64(len(rows))-.5
	p.X.LineStyle.Width, p.Y.LineStyle.Width = 0, 0
	p.X.Tick.Length, p.Y.Tick.Length = 0, 0
	height := 40 + 20*float64(len(rows))
	if slant {
		height += 60
	}
	return svg(p, max(chartWidth, 90+34*float64(len(columns))), height, title, alt)
}

// cells are the coloured fields of a grid.
type cells struct {
	v         [][]float64
	low, high float64
}

// Plot draws them.
func (g cells) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	colors := render.ColormapByName("tide")
	for i, row := range g.v {
		for k, v := range row {
			if !finite(v) {
				continue
			}
			x, y := float64(k), float64(len(g.v)-1-i)
			t := .1 + .9*(v-g.low)/max(g.high-g.low, 1e-9)
			fill := colors.At(t)
			fill.A = 255
			c.FillPolygon(fill, []vg.Point{{X: tx(x - .48), Y: ty(y - .46)}, {X: tx(x + .48), Y: ty(y - .46)}, {X: tx(x + .48), Y: ty(y + .46)},
				{X: tx(x - .48), Y: ty(y + .46)}})
			on := color.NRGBA{17, 17, 17, 255}
			if .299*float64(fill.R)+.587*float64(fill.G)+.114*float64(fill.B) < 130 {
				on = color.NRGBA{255, 255, 255, 255}
			}
			style := p.X.Tick.Label
			style.Color, style.XAlign, style.YAlign, style.Rotation, style.Font.Size = on, draw.XCenter, draw.YCenter, 0, 9.5
			c.FillText(style, vg.Point{X: tx(x), Y: ty(y)}, fmt.Sprintf("%.2f", v))
		}
	}
}

// ProbeMaps show what probes and regions read from each layer.
func (r *Run) ProbeMaps() (out []Figure) {
	if r.Probes == nil || len(r.Probes.Layers) == 0 {
		return nil
	}
	var layers []string
	for _, l := range r.Probes.Layers {
		layers = append(layers, fmt.Sprint(l))
	}
	add := func(title, what string, names []string, of func(string) []float64) {
		var rows []string
		var cell [][]float64
		for _, name := range names {
			if x := of(name); len(x) == len(layers) {
				rows, cell = append(rows, name), append(cell, x)
			}
		}
		if len(rows) > 0 {
			out = append(out, grid(rows, layers, cell, title, what+" Columns are layers, 0 is the input of the first block."))
		}
	}
	for _, model := range []string{"untuned", "tuned"} {
		pick := func(m *probe.ByModel) []float64 {
			if model == "tuned" {
				return m.Tuned
			}
			return m.Base
		}
		add("Layer and probe, "+model, "Score of each probe: r, or accuracy where things are classified.", slices.Sorted(maps.Keys(r.Probes.Probes)),
			func(name string) []float64 { return pick(&r.Probes.Probes[name].ByModel) })
		add("Layer and region, "+model, "r of a ridge on test rows.", slices.Sorted(maps.Keys(r.Probes.Regions)),
			func(name string) []float64 { return pick(r.Probes.Regions[name]) })
	}
	return out
}

// TransferMatrix shows r of each person with the model that was tuned on each.
func (r *Run) TransferMatrix() (Figure, bool) {
	t := r.Unseen
	if t == nil || len(t.Matrix) == 0 || len(t.Base) != len(t.Subjects) {
		return Figure{}, false
	}
	return grid(append([]string{"untuned"}, t.Subjects...), t.Subjects, append([][]float64{t.Base}, t.Matrix...), "Transfer between people",
		"Mean r of the person in the column, with the model tuned on the person in the row; on the diagonal the two are the same."), true
}

// Minutes shows what a new person's data are worth, with the untuned model and with one tuned on the others.
func (r *Run) Minutes() (Figure, bool) {
	if r.Unseen == nil || r.Unseen.Curve == nil || len(r.Unseen.Curve.Points) < 2 {
		return Figure{}, false
	}
	c := r.Unseen.Curve
	var base, tuned plotter.XYs
	for _, at := range c.Points {
		base = append(base, plotter.XY{X: at.Minutes, Y: at.BaseMean.Mean})
		tuned = append(tuned, plotter.XY{X: at.Minutes, Y: at.TunedMean.Mean})
	}
	p := newPlot("minutes of a new person's data", "mean r")
	for i, xys := range []plotter.XYs{base, tuned} {
		l := &plotter.Line{XYs: xys, LineStyle: line(tones[i], 2)}
		p.Add(l, &plotter.Scatter{XYs: xys, GlyphStyle: glyph(i, 3)})
		p.Legend.Add([]string{"untuned model", "tuned on the others"}[i], l)
	}
	room(&p.Y, .25)
	alt := fmt.Sprintf("With all data the untuned model reaches %.3f.", c.Goal)
	if c.Saved != nil {
		alt += fmt.Sprintf(" The model tuned on other people saves %.1f minutes on the way there.", *c.Saved)
	}
	return svg(p, chartWidth, chartHeight, "How much data a new person needs", alt), true
}

// wholeTicks are ticks at whole numbers.
type wholeTicks struct{}

// Ticks gives at most eight.
func (wholeTicks) Ticks(low, high float64) (out []plot.Tick) {
	step := max(1, math.Ceil((high-low)/8))
	for v := math.Ceil(low); v <= high; v += step {
		out = append(out, plot.Tick{Value: v, Label: fmt.Sprint(v)})
	}
	return out
}

// room widens an axis upwards by a part of its length, and a little downwards.
func room(a *plot.Axis, part float64) {
	length := max(a.Max-a.Min, 1e-6)
	a.Max += part * length
	a.Min -= .04 * length
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// numbers are those that are numbers.
func numbers(x []float32) (out []float64) {
	for _, v := range x {
		if v == v {
			out = append(out, float64(v))
		}
	}
	return out
}

func ys(xys plotter.XYs) (out []float64) {
	for _, p := range xys {
		out = append(out, p.Y)
	}
	return out
}

// span is the least and the greatest, a little apart at least.
func span(x []float64) (low, high float64) {
	low, high = slices.Min(x), slices.Max(x)
	return low, max(high, low+1e-9)
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
