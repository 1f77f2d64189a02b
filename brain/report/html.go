package report

import (
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/brainwavlm/bwlm/internal/brain/finished"
)

//go:embed page.html
var pageText string

//go:embed style.css
var styleText string

//go:embed sort.js
var scriptText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"plain": plain, "ci": interval, "short": finished.ShortPath,
	"plainp":  func(v *float64) string { return plain(*v) },
	"signed":  func(v *float64) string { return signed(*v) },
	"pvalue":  func(v *float64) string { return pvalue(*v) },
	"percent": func(v *float64) string { return strings.Replace(fmt.Sprintf("%.0f %%", *v), "-", "−", 1) },
	"ptr":     func(v float64) *float64 { return &v },
	"word": func(kind string) string {
		return map[string]string{"gain": "gain", "loss": "loss", "open": "not shown"}[kind]
	},
	"count64": func(n int64) string { return count(int(n)) },
}).Parse(pageText))

// page is what the template reads.
type page struct {
	Report          *Report
	Title, Subtitle string
	Style           template.CSS
	Script          template.JS
	ScriptHash      string
	Several         bool
	Pages           []runPage
	Folds           *foldsPart // nil: the page is not about folds
	Together        []sideBySide
	Joint           []figureHTML // of all runs
	DemoROIs        []string
	DemoControls    []valuesOf
	DemoProbes      []valuesOf
	Data            []dataPart
	Configured      []string // names of the runs with settings
	Settings        []settingLine
	Provenance      []provenance
	Steps           []step // that were not done
	Commands        []string
	Citations       []string
}

// runPage is the part of one run.
type runPage struct {
	ID           string
	Run          *pageOfRun
	Verdict      verdictText
	BestLayer    string
	Lines        []textLine
	Maps, Charts []figureHTML
	Probes       []figureHTML
	Subjects     []subjectMaps
	MoreSubjects int // that have no pictures here
}

// HTML writes the page.
func (rep *Report) HTML(w io.Writer) error {
	p, err := rep.page()
	if err != nil {
		return err
	}
	return pageTemplate.Execute(w, p)
}

func (rep *Report) page() (*page, error) {
	sum := sha256.Sum256([]byte(scriptText))
	p := &page{Report: rep, Style: template.CSS(styleText), Script: template.JS(scriptText),
		ScriptHash: "sha256-" + base64.StdEncoding.EncodeToString(sum[:]), Several: len(rep.Runs) > 1}
	p.Title, p.Subtitle = rep.title()
	for i, r := range rep.Runs {
		part, err := r.page(fmt.Sprintf("run-%d", i+1), max(1, maxSubjects/len(rep.Runs)))
		if err != nil {
			return nil, err
		}
		p.Pages = append(p.Pages, part)
	}
	p.Folds = rep.foldTables()
	p.together()
	if rep.Demo != nil {
		p.demo()
	}
	p.data()
	p.settings()
	p.provenance()
	p.Steps = rep.steps()
	p.Commands = rep.commands()
	p.Citations = rep.citations()
	return p, nil
}

// title returns the title of the page.
func (rep *Report) title() (title, subtitle string) {
	first := rep.Runs[0]
	switch {
	case rep.Demo != nil:
		return "bwlm demo: tuning on simulated subjects",
			fmt.Sprintf("Simulated listener, seed %d, %s test rows in a voice not used in tuning. Not a measurement.",
				rep.Demo.Seed, count(first.Scores.Rows))
	case rep.folds != nil:
		return fmt.Sprintf("%d folds over stories", len(rep.Runs)),
			"Encoding of brain responses to stories by a speech model, before and after tuning: each story is tested " +
				"once, by a model whose tuning did not hear it."
	case len(rep.Runs) > 1:
		return fmt.Sprintf("%d runs side by side", len(rep.Runs)),
			"Encoding of brain responses to stories by a speech model, before and after tuning."
	}
	what := "What tuning changed"
	if first.Scores.Tuned == nil {
		what = "How well the untuned model predicts"
	}
	name := first.Name
	if first.Data != nil {
		name += " (data set " + first.Data.Name + ")"
	}
	return what + ": " + name,
		fmt.Sprintf("Encoding of brain responses to stories by a speech model: %s, %s test rows.",
			subjects(first.Scores.Subjects), count(first.Scores.Rows))
}

// maxSubjects have pictures of their own on a page: more would make it too heavy for a mail.
const maxSubjects = 12

// page returns the section of a run, with pictures of at most the given number of subjects.
func (r *pageOfRun) page(id string, subjects int) (runPage, error) {
	p := runPage{ID: id, Run: r, Verdict: r.Verdict(), Lines: r.Lines(), Probes: r.ProbeMaps()}
	if b := r.Scores.BaseBestLayer; b != nil && b.Layer != nil {
		p.BestLayer = fmt.Sprint(*b.Layer)
	}
	var err error
	if p.Maps, err = r.Maps(); err != nil {
		return p, err
	}
	if p.Subjects, err = r.mapsOfSubjects(subjects); err != nil {
		return p, err
	}
	if p.Subjects != nil {
		p.MoreSubjects = len(r.Subjects) - len(p.Subjects)
	}
	if p.Maps == nil && p.Subjects == nil && r.Placed() {
		r.Absent = append(r.Absent,
			finished.NoMaps+"voxels and the places that the data set names are not equally many")
	} else if p.Maps == nil && p.Subjects == nil {
		r.Absent = append(r.Absent,
			finished.NoMaps+"nobody says where the voxels are (surface or mask in dataset.yaml)")
	}
	for _, chart := range []struct {
		of     func() (figureHTML, bool)
		absent string
	}{
		{r.Deltas, ""}, {r.Levels, ""}, {r.LearningCurve, ""}, {r.Voxels, ""}, {r.Histogram, ""},
		{r.AgainstCeiling,
			"score against ceiling: test rows were not repeated, or the scores are older than their ceilings"},
		{r.ControlChart, ""},
		{r.TransferMatrix, ""}, {r.Minutes, ""},
	} {
		if f, ok := chart.of(); ok {
			p.Charts = append(p.Charts, f)
		} else if chart.absent != "" {
			r.Absent = append(r.Absent, chart.absent)
		}
	}
	return p, nil
}
