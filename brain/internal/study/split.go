package study

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/fault"
)

// Split is one of the three uses of rows.
type Split int

// Train is fitted, Val chooses (epoch, layer), Test is scored once.
const (
	Train Split = iota
	Val
	Test
)

// Splits are all three, in the order in which they may be looked at.
var Splits = []Split{Train, Val, Test}

func (s Split) String() string { return [...]string{"train", "val", "test"}[s] }

// parts resolves the experiment's splits for one subject, whose stories have so many rows.
func parts(exp *experiment.Experiment, data *dataset.Dataset, rows map[string]int) (out [3][]design.Rows, err error) {
	for i, entries := range [][]string{exp.Data.Train, exp.Data.Val, exp.Data.Test} {
		parsed, err := dataset.ParseSplit(entries)
		if err != nil {
			return out, err
		}
		if out[i], err = data.Resolve(parsed, rows, exp.Data.Trim); err != nil {
			return out, err
		}
	}
	return out, nil
}

// Audit finds stimulus that two splits of any subjects share.
func Audit(window design.StimulusWindow, data *dataset.Dataset, people []*Subject) (*design.Report, error) {
	var used []design.Use
	for _, p := range people {
		for _, split := range Splits {
			for _, r := range p.Parts[split] {
				used = append(used, design.Use{Split: split.String(), Subject: p.Name, Rows: r})
			}
		}
	}
	return design.Audit(window, data.AuditStories(), used)
}

// person is one subject with responses ready to be compared.
type Subject struct {
	Name      string
	Voxels    int
	Parts     [3][]design.Rows
	Responses map[string]*Response
	Tuned     []int     // columns that the loss looks at: of the tuned regions, varying in the training rows
	Weights   []float32 // how much each of these counts, of mean 1; nil: all alike
}

// Response is what one person answered to one story: the mean over repeats, standardised, and the repeats.
type Response struct {
	Rows    int
	Data    []float32 // (rows, voxels)
	Repeats *dataset.Matrix
	zscore  *design.ZScore // that made data from the mean of the repeats; nil for data.zscore: none
}

// Repeat is a repeat on the scale of data: (rows, voxels).
func (r *Response) Repeat(k int) []float32 {
	if r.zscore == nil {
		return r.Repeats.Repeat(k)
	}
	return r.zscore.Apply(r.Repeats.Repeat(k))
}

// loadPerson loads and standardises the responses of a subject to the stories of the splits.
func loadPerson(ctx context.Context, exp *experiment.Experiment, data *dataset.Dataset, name string) (*Subject, error) {
	p := &Subject{Name: name, Responses: map[string]*Response{}}
	rows := map[string]int{}
	for _, story := range data.StoriesOf(name) {
		if used, err := Mentioned(exp, story); err != nil || !used {
			if err != nil {
				return nil, err
			}
			continue
		}
		m, err := data.ReadResponses(ctx, name, story)
		if err != nil {
			return nil, err
		}
		if p.Voxels != 0 && p.Voxels != m.Voxels {
			return nil, fault.New(fault.BadData, "load responses", name+"/"+story,
				"%d voxels, other stories have %d", m.Voxels, p.Voxels)
		}
		p.Voxels, rows[story] = m.Voxels, m.Rows
		if degree := exp.Data.LegendreDegree(); degree >= m.Rows {
			return nil, fault.New(fault.BadData, "load responses", name+"/"+story, "%d rows cannot carry drift of degree %d", m.Rows, degree).
				WithHint("lower data.detrend")
		} else if degree >= 0 {
			m = Detrend(m, degree)
		}
		p.Responses[story] = &Response{Rows: m.Rows, Repeats: m}
	}
	var err error
	if p.Parts, err = parts(exp, data, rows); err != nil {
		return nil, err
	}
	for _, split := range Splits {
		if len(p.Parts[split]) == 0 {
			return nil, fault.New(fault.BadData, "load responses", name, "no rows for data.%s", split).
				WithHint("name a story that this subject heard: %s", strings.Join(data.StoriesOf(name), ", "))
		}
	}
	p.standardise(exp.Data.ZScore)
	if p.Tuned, err = tunedColumns(ctx, exp, data, p); err != nil {
		return nil, err
	}
	return p, nil
}

// Mentioned says whether a split uses the story, so that others need not be loaded.
func Mentioned(exp *experiment.Experiment, story string) (bool, error) {
	entries, err := dataset.ParseSplit(slices.Concat(exp.Data.Train, exp.Data.Val, exp.Data.Test))
	return slices.ContainsFunc(entries, func(e dataset.SplitEntry) bool {
		fits, _ := path.Match(e.Story, story) // a malformed glob is reported where the split is resolved
		return fits || e.Story == story
	}), err
}

// Detrend removes drift of the given Legendre degree from each repeat. A constant column becomes exactly 0: the rounding
// that its fit leaves would otherwise be standardised into noise.
func Detrend(m *dataset.Matrix, degree int) *dataset.Matrix {
	out := *m
	out.Data = nil
	for k := range m.Repeats {
		raw := m.Repeat(k)
		rest := design.Detrend(raw, m.Rows, m.Voxels, degree)
		for c, varying := range Varies(raw, m.Rows, m.Voxels) {
			for r := 0; r < m.Rows && !varying; r++ {
				rest[r*m.Voxels+c] = 0
			}
		}
		out.Data = append(out.Data, rest...)
	}
	return &out
}

// standardise fills in the responses by the rule of data.zscore.
func (p *Subject) standardise(rule experiment.ZScore) {
	var train design.ZScore
	if rule == experiment.ZScoreTrain {
		train = p.trainStatistics()
	}
	for story, r := range p.Responses {
		r.Data = r.Repeats.Mean()
		switch rule {
		case experiment.ZScoreStory:
			own := design.FitZScore(r.Data, r.Rows, p.Voxels, p.statisticsRows(story)...)
			r.zscore = &own
		case experiment.ZScoreTrain:
			r.zscore = &train
		default:
			continue
		}
		r.Data = r.zscore.Apply(r.Data)
	}
}

// statisticsRows are the rows of a story that its mean and SD come from: those of the first split that has the
// story, so that no later split is looked at.
func (p *Subject) statisticsRows(story string) (rows []design.Rows) {
	for _, split := range Splits {
		for _, r := range p.Parts[split] {
			if r.Story == story {
				rows = append(rows, design.Rows{From: r.From, To: r.To})
			}
		}
		if rows != nil {
			return rows
		}
	}
	return nil
}

// trainStatistics are the mean and SD over all training rows of all stories.
func (p *Subject) trainStatistics() design.ZScore {
	x, n := p.stack(Train, func(r *Response) []float32 { return r.Repeats.Mean() })
	return design.FitZScore(x, n, p.Voxels)
}

// stack joins the rows of a split, story by story.
func (p *Subject) stack(split Split, of func(*Response) []float32) (x []float32, rows int) {
	for _, r := range p.Parts[split] {
		x = append(x, of(p.Responses[r.Story])[r.From*p.Voxels:r.To*p.Voxels]...)
		rows += r.To - r.From
	}
	return x, rows
}

// Want are the standardised responses of a split: (rows, voxels).
func (p *Subject) Want(split Split) (x []float32, rows int) {
	return p.stack(split, func(r *Response) []float32 { return r.Data })
}

// RowsOf is how many rows a split has.
func (p *Subject) RowsOf(split Split) (rows int) {
	for _, r := range p.Parts[split] {
		rows += r.To - r.From
	}
	return rows
}

// Measured are the standardised responses of a split as they are, not copied.
func (p *Subject) Measured(split Split) ridge.VStack {
	m := ridge.VStack{Cols: p.Voxels}
	for _, r := range p.Parts[split] {
		m.Parts = append(m.Parts, p.Responses[r.Story].Data[r.From*p.Voxels:r.To*p.Voxels])
	}
	return m
}

// Varies says of each voxel whether its responses in a split are not constant.
func (p *Subject) Varies(split Split) []bool {
	out := make([]bool, p.Voxels)
	parts := p.Measured(split).Parts
	for _, part := range parts {
		for at := 0; at < len(part); at += p.Voxels {
			for v, y := range part[at : at+p.Voxels] {
				if y != parts[0][v] {
					out[v] = true
				}
			}
		}
	}
	return out
}

// tunedColumns are the voxels of the tuned and of the balanced regions that vary in the training rows.
func tunedColumns(ctx context.Context, exp *experiment.Experiment, data *dataset.Dataset, p *Subject) ([]int, error) {
	in := p.Varies(Train)
	for _, names := range [][]string{exp.Data.ROI, exp.Data.ROIBalance} {
		if len(names) == 0 {
			continue
		}
		union := make([]bool, p.Voxels)
		for _, name := range names {
			columns, err := Region(ctx, data, name, p.Name, p.Voxels)
			if err != nil {
				return nil, err
			}
			for _, c := range columns {
				union[c] = true
			}
		}
		for c := range in {
			in[c] = in[c] && union[c]
		}
	}
	var columns []int
	for c := range in {
		if in[c] {
			columns = append(columns, c)
		}
	}
	if len(columns) == 0 {
		return nil, fault.New(fault.BadData, "load responses", p.Name, "no voxel of the tuned region varies in the training rows").
			WithHint("check data.roi, data.roi_balance and data.train")
	}
	return columns, nil
}

// Varies says of each column of x (rows, cols) whether it is not constant.
func Varies(x []float32, rows, cols int) []bool {
	out := make([]bool, cols)
	for k := 1; k < rows; k++ {
		for c := range cols {
			if x[k*cols+c] != x[c] {
				out[c] = true
			}
		}
	}
	return out
}
