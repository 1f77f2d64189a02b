package report

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"github.com/brainwavlm/bwlm/brain/results"
)

// LearningCurve shows the validation r of each epoch, the one that was chosen, and the training's loss.
func (r *pageOfRun) LearningCurve() (figureHTML, bool) {
	if len(r.Epochs) < 2 {
		return figureHTML{}, false
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
		return figureHTML{}, false
	}
	lossNote := ""
	if len(loss) > 1 { // on a scale of its own, over the whole height
		low, high := span(ys(loss), leastSpan*math.Abs(loss[0].Y)+1e-9)
		bottom, top := span(ys(val), leastSpan)
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
	i := slices.IndexFunc(r.Epochs, func(e results.Epoch) bool { return e.Epoch == r.Chosen })
	if i >= 0 && finite(r.Epochs[i].ValR) {
		chosen := &plotter.Scatter{XYs: plotter.XYs{{X: float64(r.Chosen), Y: r.Epochs[i].ValR}},
			GlyphStyle: glyph(2, 5)}
		p.Add(chosen)
		p.Legend.Add("chosen", chosen)
	}
	atLeast(&p.Y, leastSpan)
	room(&p.Y, .25)
	return svg(p, chartWidth, chartHeight, "Learning curve",
		fmt.Sprintf("Validation r from %.3f (epoch 0, untuned) to %.3f (epoch %d); epoch %d was chosen.%s",
			val[0].Y, val[len(val)-1].Y, int(val[len(val)-1].X), r.Chosen, lossNote)), true
}

// Minutes shows the score against minutes of a new subject's data, with the untuned model and with
// one tuned on the others.
func (r *pageOfRun) Minutes() (figureHTML, bool) {
	if r.Unseen == nil || r.Unseen.Curve == nil || len(r.Unseen.Curve.Points) < 2 {
		return figureHTML{}, false
	}
	c := r.Unseen.Curve
	var base, tuned plotter.XYs
	for _, at := range c.Points {
		base = append(base, plotter.XY{X: at.Minutes, Y: at.BaseMean.Mean})
		tuned = append(tuned, plotter.XY{X: at.Minutes, Y: at.TunedMean.Mean})
	}
	p := newPlot("minutes of a new subject's data", "mean r")
	for i, xys := range []plotter.XYs{base, tuned} {
		l := &plotter.Line{XYs: xys, LineStyle: line(tones[i], 2)}
		p.Add(l, &plotter.Scatter{XYs: xys, GlyphStyle: glyph(i, 3)})
		p.Legend.Add([]string{"untuned model", "tuned on the others"}[i], l)
	}
	atLeast(&p.Y, leastSpan)
	room(&p.Y, .25)
	alt := fmt.Sprintf("With all data the untuned model reaches %.3f.", c.Goal)
	if c.Saved != nil {
		alt += fmt.Sprintf(" The model tuned on other subjects reaches it with %.1f minutes less.", *c.Saved)
	}
	return svg(p, chartWidth, chartHeight, "Data efficiency of a new subject", alt), true
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
