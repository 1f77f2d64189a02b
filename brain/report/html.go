package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain"
)

//go:embed page.html
var pageText string

//go:embed style.css
var styleText string

//go:embed sort.js
var scriptText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"plain": plain, "ci": interval, "short": shortPath,
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
	Together        []sideBySide
	Joint           []Figure // of all runs
	DemoRegions     []string
	DemoControls    []valuesOf
	DemoProbes      []valuesOf
	Data            []dataPart
	Configured      []string // names of the runs with settings
	Settings        []settingLine
	Provenance      []provenance
	Commands        []string
	Citations       []string
}

// runPage is the part of one run.
type runPage struct {
	ID           string
	Run          *Run
	Verdict      Verdict
	BestLayer    string
	Lines        []Line
	Maps, Charts []Figure
	Probes       []Figure
}

// sideBySide is a region's line in all runs.
type sideBySide struct {
	Name  string
	Cells []Line
}

type valuesOf struct {
	Name   string
	Values []float64
}

type dataPart struct {
	Heading, About string
	Splits         []splitLine
	People         []personLine
	Notes          []string
}

type splitLine struct {
	Name          string
	Stories, Rows int
	Which         string
}

type personLine struct{ Name, Voxels, Tuned, Constant string }

type settingLine struct {
	Key     string
	Values  []string
	Origin  string
	Differs bool
}

type provenance struct {
	Heading string
	Facts   []fact
	Inputs  []brain.ManifestInput
}

type fact struct{ Name, Value string }

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
		part, err := r.page(fmt.Sprintf("run-%d", i+1))
		if err != nil {
			return nil, err
		}
		p.Pages = append(p.Pages, part)
	}
	p.together()
	if rep.Demo != nil {
		p.demo()
	}
	p.data()
	p.settings()
	p.provenance()
	p.Commands = rep.commands()
	p.Citations = rep.citations()
	return p, nil
}

// title says what the page is about.
func (rep *Report) title() (title, subtitle string) {
	first := rep.Runs[0]
	switch {
	case rep.Demo != nil:
		return "bwlm demo: tuning on simulated people", fmt.Sprintf("Simulated listener, seed %d, %s test rows in a voice that was never tuned on. Not a measurement.",
			rep.Demo.Seed, count(first.Scores.Rows))
	case len(rep.Runs) > 1:
		return fmt.Sprintf("%d runs side by side", len(rep.Runs)), "Encoding of brain responses to stories by a speech model, before and after tuning."
	}
	what := "What tuning changed"
	if first.Scores.Tuned == nil {
		what = "How well the untuned model predicts"
	}
	name := first.Name
	if first.Data != nil {
		name += " (data set " + first.Data.Name + ")"
	}
	return what + ": " + name, fmt.Sprintf("Encoding of brain responses to stories by a speech model: %s, %s test rows.", people(first.Scores.Subjects), count(first.Scores.Rows))
}

func (r *Run) page(id string) (runPage, error) {
	p := runPage{ID: id, Run: r, Verdict: r.Verdict(), Lines: r.Regions(), Probes: r.ProbeMaps()}
	if b := r.Scores.BaseBestLayer; b != nil && b.Layer != nil {
		p.BestLayer = fmt.Sprint(*b.Layer)
	}
	var err error
	if p.Maps, err = r.Maps(); err != nil {
		return p, err
	}
	if p.Maps == nil && r.Places != nil {
		r.Absent = append(r.Absent, NoMaps+"voxels and the places that the data set names are not equally many")
	} else if p.Maps == nil {
		r.Absent = append(r.Absent, NoMaps+"nobody says where the voxels are (surface or mask in dataset.yaml)")
	}
	for _, chart := range []struct {
		of     func() (Figure, bool)
		absent string
	}{
		{r.Gains, ""}, {r.Levels, ""}, {r.LearningCurve, ""}, {r.Voxels, ""}, {r.Histogram, ""},
		{r.AgainstCeiling, "score against ceiling: test rows were not repeated, or the scores are older than their ceilings"}, {r.ControlChart, ""},
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

// together sets the regions of all runs side by side.
func (p *page) together() {
	if !p.Several {
		return
	}
	var names []string
	for _, run := range p.Pages {
		for _, l := range run.Lines {
			if !slices.Contains(names, l.Name) && l.Name != "voxels tuned on" { // which are each run's own
				names = append(names, l.Name)
			}
		}
	}
	for _, name := range names {
		line := sideBySide{Name: name}
		for _, run := range p.Pages {
			var cell Line
			if i := slices.IndexFunc(run.Lines, func(l Line) bool { return l.Name == name }); i >= 0 {
				cell = run.Lines[i]
			}
			line.Cells = append(line.Cells, cell)
		}
		p.Together = append(p.Together, line)
	}
	var list []whisker
	for _, run := range p.Pages {
		if d := run.Run.Scores.Delta; d != nil {
			list = append(list, whisker{run.Run.Name, d.MeanR, d.CI95})
		}
	}
	if len(list) > 1 {
		p.Joint = append(p.Joint, whiskers(list, "r, tuned less untuned", "What each run changed", "All voxels; points are means, bars 95 % intervals."))
	}
}

// demo reads what only a demo has.
func (p *page) demo() {
	d := p.Report.Demo
	p.DemoRegions = p.Report.Runs[0].parts()
	for _, c := range []struct {
		name string
		s    *brain.System
	}{{"spectrum", d.Controls.Spectrum}, {"word rate", d.Controls.WordRate}, {"word identity (an oracle)", d.Controls.WordIdentity}} {
		if c.s == nil {
			continue
		}
		line := valuesOf{Name: c.name}
		for _, region := range p.DemoRegions {
			line.Values = append(line.Values, c.s.ROIs[region])
		}
		p.DemoControls = append(p.DemoControls, line)
	}
	for _, name := range []string{"base", "whole_cortex", "auditory_cortex", "shuffled"} {
		p.DemoProbes = append(p.DemoProbes, valuesOf{name, []float64{d.Probes.Lexical[name], d.Probes.LexicalControl[name], d.Probes.Acoustic[name]}})
	}
}

// grouped joins runs whose part is the same under one heading.
func grouped[T any](runs []*Run, several bool, of func(*Run) T, put func(heading string, part T)) {
	var parts []T
	var names [][]string
	for _, r := range runs {
		part := of(r)
		i := slices.IndexFunc(parts, func(other T) bool { return reflect.DeepEqual(other, part) })
		if i < 0 {
			i = len(parts)
			parts, names = append(parts, part), append(names, nil)
		}
		names[i] = append(names[i], r.Name)
	}
	for i, part := range parts {
		heading := strings.Join(names[i], ", ")
		if len(parts) == 1 && several {
			heading = "All runs"
		}
		put(heading, part)
	}
}

func (p *page) data() {
	grouped(p.Report.Runs, p.Several, (*Run).data, func(heading string, d dataPart) {
		d.Heading = heading
		p.Data = append(p.Data, d)
	})
}

// data describes what a run was made from.
func (r *Run) data() (d dataPart) {
	if r.Data != nil {
		d.About = "Data set " + r.Data.Name + "."
		if r.Data.Licence != "" {
			d.About += " Licence: " + r.Data.Licence + "."
		}
	}
	if m := r.Manifest; m != nil {
		at := map[string]int{}
		for _, text := range m.Splits {
			split, rows, _ := strings.Cut(text, " ")
			i, known := at[split]
			if !known {
				i = len(d.Splits)
				at[split] = i
				d.Splits = append(d.Splits, splitLine{Name: split})
			}
			s := &d.Splits[i]
			s.Stories++
			var from, to int
			if k := strings.LastIndex(rows, "["); k >= 0 {
				if _, err := fmt.Sscanf(rows[k:], "[%d:%d]", &from, &to); err == nil {
					s.Rows += to - from
				}
			}
			switch {
			case s.Stories <= 6:
				s.Which += strings.TrimPrefix(", "+rows, map[bool]string{true: ", "}[s.Which == ""])
			case s.Stories == 7:
				s.Which += ", …"
			}
		}
		d.Notes = append(d.Notes, m.Notes...)
	} else {
		d.Notes = append(d.Notes, r.Summary.Notes...)
	}
	for _, p := range r.People {
		line := personLine{p.Name, fmt.Sprint(p.Voxels), "–", fmt.Sprint(p.Constant())}
		if r.Manifest != nil && r.Scores.Tuned != nil {
			for _, m := range r.Manifest.Subjects {
				if m.Name == p.Name {
					line.Tuned = fmt.Sprint(m.Tuned)
				}
			}
		}
		d.People = append(d.People, line)
	}
	return d
}

func (p *page) settings() {
	var with []*Run
	for _, r := range p.Report.Runs {
		if r.Experiment != nil {
			with = append(with, r)
			p.Configured = append(p.Configured, r.Name)
		}
	}
	if len(with) == 0 {
		return
	}
	var lines []settingLine
	for k, r := range with {
		i := 0
		for s := range r.Experiment.Settings() {
			if k == 0 {
				lines = append(lines, settingLine{Key: s.Key, Origin: string(s.Origin)})
			}
			lines[i].Values = append(lines[i].Values, shortPath(s.Value))
			lines[i].Differs = lines[i].Differs || lines[i].Values[0] != lines[i].Values[k]
			i++
		}
	}
	p.Settings = lines
}

func (p *page) provenance() {
	grouped(p.Report.Runs, p.Several, (*Run).provenance, func(heading string, v provenance) {
		v.Heading = heading
		p.Provenance = append(p.Provenance, v)
	})
}

// provenance lists versions, hashes, the seal and the looks at test rows.
func (r *Run) provenance() (v provenance) {
	add := func(name, value string) {
		if value != "" {
			v.Facts = append(v.Facts, fact{name, value})
		}
	}
	if m := r.Manifest; m != nil {
		for _, name := range slices.Sorted(maps.Keys(m.Versions)) {
			add(name, m.Versions[name])
		}
		add("platform", fmt.Sprintf("%s, %d threads, %s", m.Platform, m.Threads, m.Device))
		add("seed", fmt.Sprint(m.Seed))
		add("loss", m.Loss)
		add("delays (TRs)", strings.Trim(fmt.Sprint(m.Delays), "[]"))
		v.Inputs = m.Inputs
	}
	s := r.Summary.Seal
	if s == nil {
		add("seal", "none: splits and endpoints were not sealed before the training")
		return v
	}
	add("seal", fmt.Sprintf("%s, SHA-256 %s", s.Time.UTC().Format("2006-01-02 15:04 UTC"), s.SHA256))
	add("endpoints", fmt.Sprintf("%s; %s", cmp.Or(strings.Join(s.Endpoints.Regions, ", "), "all voxels"), s.Endpoints.Test))
	add("looks at test rows", fmt.Sprintf("%d, this evaluation included", s.Looks))
	if s.Refused > 0 {
		add("refused looks", fmt.Sprintf("%d: splits or masks were not those that were sealed", s.Refused))
	}
	return v
}

// commands repeat what was done.
func (rep *Report) commands() (out []string) {
	if d := rep.Demo; d != nil {
		null := ""
		if d.Null {
			null = " --null"
		}
		return []string{fmt.Sprintf("bwlm demo --out demo --seed %d%s", d.Seed, null), "bwlm report demo --out report.html"}
	}
	var dirs []string
	for _, r := range rep.Runs {
		name := shellWord(r.Name)
		dirs = append(dirs, name)
		if r.Experiment == nil {
			out = append(out, "bwlm eval EXPERIMENT.yaml        # the one whose out is "+name)
			continue
		}
		out = append(out, fmt.Sprintf("bwlm train %s/config.yaml --set out=%s-again", name, name), fmt.Sprintf("bwlm eval %s-again", name))
	}
	return append(out, "bwlm report "+strings.Join(dirs, " ")+" --out report.html")
}

// shellWord quotes what a shell would take apart.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// citations are data, method, model and program.
func (rep *Report) citations() (out []string) {
	for _, r := range rep.Runs {
		if r.Data != nil && r.Data.Citation != "" && !slices.Contains(out, "Data: "+r.Data.Citation) {
			out = append(out, "Data: "+r.Data.Citation)
		}
	}
	if rep.Demo != nil {
		out = append(out, "Data: simulated by bwlm (package brain/sim), not a measurement.")
	}
	version := ""
	for _, r := range rep.Runs {
		if r.Manifest != nil {
			version = r.Manifest.Versions["bwlm"]
		}
	}
	return append(out,
		"Method: Vattikonda, Vaidya, Antonello & Huth (2025). BrainWavLM: Fine-tuning Speech Representations with Brain Responses to Language. arXiv 2502.08866.",
		"Speech model: Chen et al. (2022). WavLM: Large-Scale Self-Supervised Pre-Training for Full Stack Speech Processing. IEEE J-STSP 16(6). arXiv 2110.13900.",
		"Adapters: Hu et al. (2021). LoRA: Low-Rank Adaptation of Large Language Models. arXiv 2106.09685.",
		strings.TrimSpace("Program: bwlm, BrainWavLM in Go "+version)+".")
}
