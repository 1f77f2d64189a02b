package report

import (
	"fmt"
	"image/color"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/internal/render"
)

// grid draws a heat map with its numbers; cells that are NaN are empty.
func grid(rows, columns []string, cell [][]float64, title, alt string) figureHTML {
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
			c.FillPolygon(fill, []vg.Point{{X: tx(x - .48), Y: ty(y - .46)}, {X: tx(x + .48), Y: ty(y - .46)},
				{X: tx(x + .48), Y: ty(y + .46)},
				{X: tx(x - .48), Y: ty(y + .46)}})
			on := color.NRGBA{17, 17, 17, 255}
			if .299*float64(fill.R)+.587*float64(fill.G)+.114*float64(fill.B) < 130 {
				on = color.NRGBA{255, 255, 255, 255}
			}
			style := p.X.Tick.Label
			style.Color, style.XAlign, style.YAlign, style.Rotation, style.Font.Size = on, draw.XCenter, draw.YCenter,
				0, 9.5
			c.FillText(style, vg.Point{X: tx(x), Y: ty(y)}, fmt.Sprintf("%.2f", v))
		}
	}
}

// ProbeMaps show what probes and regions read from each layer.
func (r *pageOfRun) ProbeMaps() (out []figureHTML) {
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
			out = append(out,
				grid(rows, layers, cell, title, what+" Columns are layers, 0 is the input of the first block."))
		}
	}
	for _, model := range []string{"untuned", "tuned"} {
		pick := func(m *results.LayerScores) []float64 {
			if model == "tuned" {
				return m.Tuned
			}
			return m.Base
		}
		add("Layer and probe, "+model, "Score of each probe: r, or accuracy where things are classified.",
			slices.Sorted(maps.Keys(r.Probes.Probes)),
			func(name string) []float64 { return pick(&r.Probes.Probes[name].LayerScores) })
		add("Layer and ROI, "+model, "r of a ridge on test rows.", slices.Sorted(maps.Keys(r.Probes.ROIs)),
			func(name string) []float64 { return pick(r.Probes.ROIs[name]) })
	}
	return out
}

// TransferMatrix shows r of each subject with the model that was tuned on each.
func (r *pageOfRun) TransferMatrix() (figureHTML, bool) {
	t := r.Unseen
	if t == nil || len(t.Matrix) == 0 || len(t.Base) != len(t.Subjects) {
		return figureHTML{}, false
	}
	return grid(append([]string{"untuned"}, t.Subjects...), t.Subjects, append([][]float64{t.Base}, t.Matrix...),
		"Transfer between subjects",
		"Mean r of the subject in the column, with the model tuned on the subject in the row; on the diagonal the "+
			"two are the same."), true
}
