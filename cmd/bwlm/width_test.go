package main

import (
	"io"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/plan"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/internal/roikeys"
	"github.com/brainwavlm/bwlm/torch"
)

const (
	longROI     = "left_superior_temporal_sulcus_posterior_bank_and_planum_temporale_of_the_atlas"
	longSubject = "sub-XNATS00123456789abcdef-with-a-name-that-a-database-made"
	longStory   = "the_longest_title_of_a_story_that_anybody_ever_told_in_a_scanner_run-01_part-2"
)

// summaryOf is an evaluation with every column and long names.
func summaryOf() *results.Summary {
	layer, r := 12, .123
	ci := &stats.Interval{-.123, .456}
	rois := map[string]float64{longROI: .1, "base": .2, "tuned": .3, roikeys.Tuned: .4}
	s := results.ModelScore{Layer: &layer, MeanR: r, ROIs: rois, CI95: ci}
	d := &results.Delta{MeanR: .01, CI95: ci, CI95Stories: ci, ROIs: map[string]results.DeltaROI{},
		Voxels:                 &results.MovedVoxels{Scored: 39, Unresolved: 30, Unmoved: 38},
		AuditoryNonInferiority: &stats.NonInferiority{}, NonInferiority: map[string]*stats.NonInferiority{longROI: {}}}
	for roi := range rois {
		d.ROIs[roi] = results.DeltaROI{MeanR: .01, CI95: ci, CI95Stories: ci}
	}
	return &results.Summary{Chosen: 1, Epochs: []results.Epoch{{ValR: .2}, {Epoch: 1, ValR: .25}}, Test: results.Scores{
		Rows: 123456, Subjects: []string{longSubject, "b"}, Stories: []string{longStory, "b", "c"}, Base: s,
		BaseBestLayer: &s, Tuned: &s, Delta: d, Ceiling: &s, SubjectScores: []results.SubjectScore{
			{Subject: longSubject, Rows: 123456, Base: r, Tuned: &r, Delta: &r, CI95: ci, Ceiling: &r},
			{Subject: "b", Rows: 1, Base: r, Tuned: &r, Delta: &r, Ceiling: &r}}}}
}

// wideAnswers are the tables of commands, with long names.
func wideAnswers() map[string]func(io.Writer) error {
	s := summaryOf()
	ci := &stats.Interval{-.123, .456}
	mean := &results.SubjectMean{Score: stats.Score{Mean: .1, CI95: ci}}
	delta := results.ComparedDelta{Score: stats.Score{Mean: .1, CI95: ci}}
	twice := []results.ComparedScore{{Delta: delta, DeltaFirst: &delta}, {Delta: delta}}
	x := []float64{.1, .2}
	return map[string]func(io.Writer) error{
		"eval": func(w io.Writer) error { return printSummary(w, s) },
		"eval --scale": func(w io.Writer) error {
			return printArithmetic(w, &results.AdapterScores{Formula: longROI, Base: s.Test.Base,
				Points: []results.ScaledScore{{Scale: .123456, Test: s.Test}}})
		},
		"plan": func(w io.Writer) error {
			return printPlan(w, &plan.Plan{Models: longSubject, Seconds: 1e5, Epochs: 1000, StepsPerEpoch: 123456,
				Steps: 123456000, WindowsPerStep: 1e6, WindowsPerEpoch: 123456789, WindowsRead: 123456789,
				Parameters: 123456789, ModelParameters: 123456789, Device: longROI, CachedShare: .5,
				Phases:      []plan.Phase{{Name: "evaluate " + longStory, Times: 1, Each: 1e-7}},
				Sensitivity: []plan.Sensitivity{{Voxels: 123456}, {ROI: longROI, Voxels: 5}}})
		},
		"compare": func(w io.Writer) error {
			return printComparison(w, &results.Comparison{Subjects: []string{longSubject},
				Runs: []results.ComparedRun{{Dir: "a/" + longROI}, {Dir: "b/" + longStory}},
				ROIs: []results.ComparedROI{{Scores: twice}, {Name: longROI, Scores: twice}}})
		},
		"sweep": func(w io.Writer) error {
			return printSweep(w, &results.Sweep{Axes: []results.SweepAxis{{Key: "train.readout_lr"}, {Key: "data.roi"}},
				Runs: []results.SweepRun{{Delta: map[string]float64{longROI: .1, "seeds": .2, roikeys.All: .1}}},
				Settings: []results.SweepSetting{{Values: map[string]string{"train.readout_lr": "0.001",
					"data.roi": "[" + longROI + "]"}, Rank: 1, Seeds: 3, ValR: &results.Spread{Mean: .1},
					Best: []int{1, 2, 3}}}}, "out/"+longROI)
		},
		"probe": func(w io.Writer) error {
			return printProbe(w, &results.Probes{Layers: []int{0, 12}, Stories: []string{longStory},
				ROIs: map[string]*results.LayerScores{longROI: {Base: x, Tuned: x}, roikeys.All: {Base: x}}})
		},
		"transfer": func(w io.Writer) error {
			return printTransfer(w, &results.Transfer{Subjects: []string{longSubject, "b"}, Minutes: x, Base: x,
				Matrix: [][]float64{x, x}, Within: mean, Between: mean, LeaveOneOut: &results.LeaveOneOut{
					Tuned: []*float64{&x[0], nil}, Chosen: []*int{&s.Chosen, nil}, Delta: mean,
					ROIs: map[string]*results.SubjectMean{longROI: mean}},
				Curve: &results.TransferCurve{Points: []results.CurvePoint{{Delta: *mean}}}}, "out")
		},
		"controls": func(w io.Writer) error {
			return printControls(w, &results.Controls{Subjects: []string{longSubject}, Base: s.Test.Base,
				Controls: map[string]*results.Control{"spectrum": {Delta: s.Test.Delta},
					"envelope": {Skipped: longROI}}})
		},
		"profile": func(w io.Writer) error {
			_, err := io.WriteString(w, profileText(&torch.ProfileReport{Phases: []torch.PhaseTime{{Name: "tune",
				Seconds: 1, Parts: []torch.PartTime{{Name: longROI + " " + longStory}}}}}, 80))
			return err
		},
		"variance-partition": func(w io.Writer) error {
			return printPartition(w, &results.VariancePartition{Runs: []string{"a"},
				Components: []results.PartitionComponent{{Name: longROI}}})
		},
	}
}

// tableWrites is a terminal that keeps the tables: what is written in one piece of several lines.
type tableWrites struct {
	columns int
	tables  []string
}

func (w *tableWrites) Columns() int { return w.columns }

func (w *tableWrites) Write(p []byte) (int, error) {
	if strings.Count(strings.TrimPrefix(string(p), "\n"), "\n") > 1 {
		w.tables = append(w.tables, string(p))
	}
	return len(p), nil
}

func TestTablesThemselvesFit(t *testing.T) {
	for name, print := range wideAnswers() {
		w := &tableWrites{columns: 80}
		require.NoError(t, print(w), name)
		assert.NotEmpty(t, w.tables, name)
		for _, table := range w.tables {
			for line := range strings.Lines(table) {
				assert.LessOrEqual(t, uniseg.StringWidth(strings.TrimSuffix(line, "\n")), 80, "%s: %s", name, line)
			}
		}
	}
}

func TestTablesFitATerminalOf80Columns(t *testing.T) {
	for name, print := range wideAnswers() {
		for _, columns := range []int{80, 60, 132} {
			if name == "profile" && columns < 80 {
				continue // made for 80
			}
			s := &ui.Text{Width: columns}
			require.NoError(t, print(ui.Wrap(s)), name)
			for line := range strings.Lines(s.String()) {
				line = strings.TrimSuffix(line, "\n")
				if strings.Contains(line, " ") { // a word of prose stays whole
					assert.LessOrEqual(t, uniseg.StringWidth(line), columns, "%s: %s", name, line)
				}
			}
		}
	}
}

func TestAFileHasEachLineOfATableWhole(t *testing.T) {
	var b strings.Builder
	require.NoError(t, printSummary(ui.Wrap(&b), summaryOf()))
	assert.Contains(t, b.String(), "\n"+longROI+"  0.100 ")
	assert.Contains(t, b.String(), "\n"+longSubject+"  123456  0.123  0.123  +0.123  [-0.123, +0.456]    0.123\n")
	assert.Regexp(t, `(?m)^base +0\.200 `, b.String())
	assert.Regexp(t, `(?m)^tuned +0\.300 `, b.String())
	assert.Regexp(t, `(?m)^tuned voxels +0\.400 `, b.String())
}
