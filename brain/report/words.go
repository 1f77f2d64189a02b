package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/finished"
	"github.com/brainwavlm/bwlm/internal/decimal"
	"github.com/brainwavlm/bwlm/internal/roikeys"
)

// verdictText is the answer to: did tuning help?
type verdictText struct {
	Kind     string // "gain", "loss", "open" or "none"
	Word     string // the kind in words
	Number   string // Δr; "" if nothing was tuned
	Interval string
	P        string
	Sentence string
	Where    string   // in which ROIs
	Layer    string   // against the untuned model's best layer
	Voxels   string   // how many of them changed, each tested by itself
	Losses   []string // non-inferiority of auditory cortex and of the ROIs of a locked analysis plan
}

// level is the significance level of all tests.
const level = .05

// kind judges a difference: by its interval, and by its test if there is one. Where they disagree it stays open.
func kind(mean float64, ci *stats.Interval, p float64) string {
	known := p > 0
	switch {
	case ci == nil && !known, known && p >= level, ci != nil && ci[0] <= 0 && ci[1] >= 0:
		return "open"
	case mean > 0:
		return "gain"
	}
	return "loss"
}

// Verdict describes the result in words.
func (r *pageOfRun) Verdict() verdictText {
	t := r.Scores
	tested := subjects(t.Subjects)
	if t.Tuned == nil || t.Delta == nil {
		v := verdictText{Kind: "none", Word: "nothing was tuned", Number: plain(t.Base.MeanR),
			Interval: named95(t.Base.CI95)}
		v.Sentence = fmt.Sprintf("The untuned model predicts the responses of %s with a mean r of %s on %s test rows.",
			tested, plain(t.Base.MeanR), count(t.Rows))
		if t.Base.CI95 == nil {
			v.Sentence += " There are too few rows for an interval."
		}
		if len(r.parts()) > 0 {
			names := r.parts()
			slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(t.Base.ROIs[b], t.Base.ROIs[a]) })
			v.Where = fmt.Sprintf("Highest in %s (%s), lowest in %s (%s).", names[0], plain(t.Base.ROIs[names[0]]),
				names[len(names)-1],
				plain(t.Base.ROIs[names[len(names)-1]]))
		}
		return v
	}
	d := t.Delta
	v := verdictText{Kind: kind(d.MeanR, d.CI95, d.P), Number: signed(d.MeanR), Interval: named95(d.CI95),
		P: pvalue(d.P)}
	what := map[string]string{"gain": "Tuning raised", "loss": "Tuning lowered",
		"open": "Tuning did not significantly change"}[v.Kind]
	v.Word = map[string]string{"gain": "significant gain", "loss": "significant loss",
		"open": "not significant"}[v.Kind]
	if r.Chosen == 0 && len(r.Epochs) > 0 {
		v.Kind, v.Word = "open", "no change"
		v.Sentence = fmt.Sprintf("No epoch was better than the untuned model on the validation rows, so the tuned "+
			"model is the untuned one: mean r %s on %s test rows of %s. %s",
			plain(t.Base.MeanR), count(t.Rows), tested, results.AfterNoEpoch)
		return v
	}
	v.Sentence = fmt.Sprintf("%s the prediction of the responses of %s: mean r %s before, %s after, on %s test rows.",
		what, tested,
		plain(t.Base.MeanR), plain(t.Tuned.MeanR), count(t.Rows))
	if d.CI95 == nil {
		v.Sentence += " No interval: " + cmp.Or(d.Reason, "the evaluation gave none") + "."
	}
	if text := d.Unmoved(); text != "" {
		v.Kind, v.Word = "open", "tuning hardly moved the model"
		v.Sentence = text + " " + v.Sentence
	}
	if ci := d.CI95Stories; ci != nil {
		v.Interval += ", over stories " + interval(ci)
	} else if t.OneStory() != "" && d.CI95 != nil {
		v.Interval += " (this story only)"
	}
	v.Where = r.where(d)
	if b := t.DeltaBest; b != nil && t.BaseBestLayer != nil && t.BaseBestLayer.Layer != nil {
		v.Layer = fmt.Sprintf("Compared with the untuned model at its best layer (%d): %s %s, %s.",
			*t.BaseBestLayer.Layer, signed(b.MeanR), interval(b.CI95),
			map[string]string{"gain": "still a significant gain", "loss": "a significant loss",
				"open": "not significant"}[kind(b.MeanR, b.CI95, b.P)])
	}
	if a := d.AuditoryNonInferiority; a != nil {
		v.Losses = append(v.Losses, loss("Auditory cortex", a, "5 % of the untuned r"))
	}
	v.Voxels = r.discoveries()
	for _, name := range slices.Sorted(maps.Keys(d.NonInferiority)) {
		v.Losses = append(v.Losses, loss("ROI "+name, d.NonInferiority[name], "locked before tuning"))
	}
	return v
}

// discoveries counts the voxels that changed; "" if the evaluation did not test them.
func (r *pageOfRun) discoveries() string {
	up, down, all := 0, 0, 0
	for _, p := range r.Subjects {
		if p.Q == nil || p.Delta == nil {
			return ""
		}
		for v, q := range p.Q {
			gain := p.Delta[v]
			switch {
			case gain != gain: // not scored
				continue
			case q <= level && gain > 0:
				up++
			case q <= level && gain < 0:
				down++
			}
			all++
		}
	}
	return fmt.Sprintf("Voxels: r is higher in %s and lower in %s of %s, at a false discovery rate of 5 %% in each "+
		"subject.", count(up), count(down), count(all))
}

// loss describes the outcome of a non-inferiority test of an ROI.
func loss(roi string, a *stats.NonInferiority, what string) string {
	verdict := "not shown"
	if a.NonInferior {
		verdict = "shown"
	}
	return fmt.Sprintf("%s: non-inferiority %s at a margin of %s (%s; p %s); the test rows exclude losses above %s.",
		roi, verdict, plain(a.Margin), what, pvalue(a.P), plain(a.Smallest))
}

// where names the ROIs that changed, and those that did not.
func (r *pageOfRun) where(d *results.Delta) string {
	groups := map[string][]string{}
	for _, name := range r.partsByDelta(d) {
		x := d.ROIs[name]
		k := kind(x.MeanR, x.CI95, cmp.Or(x.Q, x.P))
		text := fmt.Sprintf("%s (%s)", name, signed(x.MeanR))
		if len(groups[k]) == 4 {
			text = "…"
		}
		if len(groups[k]) < 5 {
			groups[k] = append(groups[k], text)
		}
	}
	var out []string
	for _, g := range []struct{ kind, text string }{{"gain", "Gains in "}, {"loss", "Losses in "},
		{"open", "No significant change in "}} {
		if list := groups[g.kind]; list != nil {
			out = append(out, g.text+strings.Join(list, ", ")+".")
		}
	}
	return strings.Join(out, " ")
}

// parts are the regions without the voxels tuned on.
func (r *pageOfRun) parts() []string {
	return slices.DeleteFunc(r.ROINames(), func(name string) bool { return name == roikeys.Tuned })
}

// textLine is a line of the table of ROIs.
type textLine struct {
	finished.Line
	Kind string // gain, loss or open; "" without a difference
}

// OverStories reports whether there are intervals over stories.
func (r *pageOfRun) OverStories() bool {
	return r.Scores.Delta != nil && r.Scores.Delta.CI95Stories != nil
}

// Lines returns the table of ROIs, all voxels first.
func (r *pageOfRun) Lines() (out []textLine) {
	for _, l := range r.Table() {
		line := textLine{Line: l}
		if l.Delta != nil {
			p := 0.
			if l.P != nil {
				p = cmp.Or(*l.Q, *l.P)
			}
			line.Kind = kind(*l.Delta, l.CI, p)
		}
		out = append(out, line)
	}
	return out
}

// plain is r as text, signed a difference; minus is a sign, not a hyphen.
func plain(v float64) string {
	if !finite(v) {
		return "–"
	}
	return strings.Replace(decimal.Text(v, 3), "-", "−", 1)
}

func signed(v float64) string {
	if !finite(v) {
		return "–"
	}
	return strings.Replace(decimal.Signed(v, 3), "-", "−", 1)
}

func interval(ci *stats.Interval) string {
	if ci == nil {
		return "no interval"
	}
	return fmt.Sprintf("[%s, %s]", signed(ci[0]), signed(ci[1]))
}

// named95 is an interval in words.
func named95(ci *stats.Interval) string {
	if ci == nil {
		return interval(ci)
	}
	return "95 % interval " + interval(ci)
}

func pvalue(p float64) string {
	switch {
	case p <= 0:
		return "–"
	case p < .001:
		return "< .001"
	}
	return strings.TrimPrefix(fmt.Sprintf("%.3f", p), "0")
}

func subjects(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return fmt.Sprintf("%d subjects", len(names))
}

// count groups digits by three.
func count(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return text
}
