package study

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/responses"
)

// Subject is one subject of a study. Responses are standardised when they are read; none is held.
type Subject struct {
	Name      string
	Voxels    int
	Parts     [3][]design.Rows // rows of each split
	Responses *responses.SubjectResponses
	// columns of the loss: those of the tuned ROIs and, once [Study.Measure] has read them, of these those that vary
	// in the training rows
	Tuned   []int
	Weights []float32 // of each of these in the loss, of mean 1; nil: all are 1

	odd *responses.SubjectResponses // of the test rows, for weights and ceilings; nil: Responses

	empty        []int                // columns that hold no values
	zscoreScored bool                 // scores standardise the responses of each story once more
	copied       []*dataset.Responses // those that are read from copies in the cache
	measured     bool
}

// openSubject opens the responses of a subject to the stories of the splits by the headers of their files.
func openSubject(ctx context.Context, exp *experiment.Experiment, data *dataset.Dataset, name string) (*Subject,
	error) {
	p := &Subject{Name: name, zscoreScored: exp.Eval.ZScore == "story"}
	rows := map[string]int{}
	var opened []*dataset.Responses
	for _, story := range data.StoriesOf(name) {
		if used, err := Mentioned(exp, data, story); err != nil || !used {
			if err != nil {
				return nil, err
			}
			continue
		}
		r, err := data.OpenResponses(ctx, name, story)
		if err != nil {
			return nil, err
		}
		opened, rows[story], p.empty = append(opened, r), r.Rows, r.Empty
		if r.Copied != "" {
			p.copied = append(p.copied, r)
		}
	}
	var err error
	if p.Parts, err = parts(exp, data, rows); err != nil {
		return nil, err
	}
	how := responses.Standardisation{Polynomials: exp.Data.LegendreDegree() + 1,
		ZScore: responses.ZScoreRule(exp.Data.ZScore)}
	if usesTestRepeats(exp) {
		if odd, even := p.halves(opened); odd != nil {
			opened = even
			if p.odd, err = responses.Standardise(odd, p.Parts[:], how); err != nil {
				return nil, err
			}
		}
	}
	if p.Responses, err = responses.Standardise(opened, p.Parts[:], how); err != nil {
		return nil, err
	}
	p.Voxels = p.Responses.Columns
	for _, split := range Splits {
		if len(p.Parts[split]) == 0 {
			return nil, fault.New(fault.BadData, "load responses", name, "no rows for data.%s", split).
				WithHint("name a story of this subject: %s", strings.Join(data.StoriesOf(name), ", "))
		}
	}
	p.Tuned, err = tunedColumns(ctx, exp, data, p)
	return p, err
}

// measure reads all responses of a subject, for what standardises them and for which columns vary.
func (p *Subject) measure(ctx context.Context, exp *experiment.Experiment, data *dataset.Dataset) (err error) {
	if p.odd != nil {
		if err := p.odd.Measure(ctx); err != nil {
			return err
		}
	}
	if err := p.Responses.Measure(ctx); err != nil {
		return err
	}
	p.measured = true
	p.Tuned, err = tunedColumns(ctx, exp, data, p)
	return err
}

// Mentioned reports whether a split uses the story, so that others need not be opened.
func Mentioned(exp *experiment.Experiment, data *dataset.Dataset, story string) (bool, error) {
	entries, err := dataset.ParseSplit(slices.Concat(exp.Data.Train, exp.Data.Val, exp.Data.Test))
	if data.IsEvents() {
		return len(entries) > 0, err
	}
	names := []string{story}
	if s, unknown := data.Story(story); unknown == nil {
		names = append(names, s.Recording())
	}
	return slices.ContainsFunc(entries, func(e dataset.SplitEntry) bool {
		return slices.ContainsFunc(names, func(name string) bool {
			fits, _ := path.Match(e.Story, name) // a malformed glob is reported where the split is resolved
			return fits || e.Story == name
		})
	}), err
}

// statisticsRows returns the rows of a story that its mean and SD come from: those of the first
// split that has the story, so that no statistic uses a later split.
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

// Read returns the standardised responses of some rows in memory, (rows, len(columns)). Columns ascend; nil means all.
func (p *Subject) Read(ctx context.Context, columns []int, rows ...design.Rows) ([]float32, error) {
	x := p.Responses.Select(rows...)
	if columns != nil {
		x = x.Of(columns)
	}
	return x.ReadAll(ctx)
}

// Scored returns the responses of a split as ridges are fitted to them and scores compare them: standardised as always,
// and with eval.zscore: story by the statistics of each story's rows in the split.
func (p *Subject) Scored(split Split) *responses.Selection {
	if p.zscoreScored {
		return p.Responses.Scored(int(split))
	}
	return p.Responses.Select(p.Parts[split]...)
}

// ReadSplit returns all responses of a split in memory, (rows, voxels), as Scored has them.
func (p *Subject) ReadSplit(ctx context.Context, split Split) (x []float32, rows int, err error) {
	x, err = p.Scored(split).ReadAll(ctx)
	return x, p.RowsOf(split), err
}

// StoryRows returns, for each story of some parts in their order, where its rows are in the matrix of all parts.
func StoryRows(parts []design.Rows) (out [][]design.Rows) {
	at, from := map[string]int{}, 0
	for _, r := range parts {
		k, ok := at[r.Story]
		if !ok {
			k, at[r.Story], out = len(out), len(out), append(out, nil)
		}
		out[k] = append(out[k], design.Rows{Story: r.Story, From: from, To: from + r.Len()})
		from += r.Len()
	}
	return out
}

// Columns returns the numbers of all voxels.
func (p *Subject) Columns() []int {
	out := make([]int, p.Voxels)
	for c := range out {
		out[c] = c
	}
	return out
}

// RowsOf returns the number of rows of a split.
func (p *Subject) RowsOf(split Split) (rows int) {
	for _, r := range p.Parts[split] {
		rows += r.To - r.From
	}
	return rows
}

// Varies reports for each voxel whether its responses in a split are not constant, or, before [Study.Measure] has read
// them, whether it holds values.
func (p *Subject) Varies(split Split) []bool {
	if p.measured {
		return p.Responses.Varies(int(split))
	}
	in := make([]bool, p.Voxels)
	for c := range in {
		in[c] = true
	}
	for _, c := range p.empty {
		in[c] = false
	}
	return in
}

// tunedColumns returns the voxels of the tuned and of the balanced ROIs that vary in the training rows.
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
		return nil, fault.New(fault.BadData, "load responses", p.Name, "no tuned voxel varies in the training rows").
			WithHint("check data.roi, data.roi_balance and data.train")
	}
	return columns, nil
}

// Varies reports for each column of x (rows, cols) whether it is not constant.
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
