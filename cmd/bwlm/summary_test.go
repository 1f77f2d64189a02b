package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
)

func TestSummaryNamesTheChosenEpochAndWhatHardlyMoved(t *testing.T) {
	layer := 2
	score := func(r float64) results.ModelScore {
		return results.ModelScore{Layer: &layer, MeanR: r, ROIs: map[string]float64{"AC": r}}
	}
	base, best, tuned := score(.3), score(.3), score(.3)
	s := &results.Summary{Chosen: 1, Epochs: []results.Epoch{{ValR: .2}, {Epoch: 1, ValR: .25}, {Epoch: 2, ValR: .1}},
		Test: results.Scores{Rows: 100, Subjects: []string{"ann"}, Base: base, BaseBestLayer: &best, Tuned: &tuned,
			Delta: &results.Delta{MeanR: -1e-8, CI95: &stats.Interval{-2e-8, math.Copysign(0, -1)},
				ROIs:   map[string]results.DeltaROI{"AC": {MeanR: -1e-8}},
				Voxels: &results.MovedVoxels{Scored: 39, Unresolved: 30, Unmoved: 38}}}}
	print := func() string {
		var b strings.Builder
		require.NoError(t, printSummary(&b, s))
		assert.NotContains(t, b.String(), "-0.000")
		return b.String()
	}
	text := print()
	assert.Contains(t, text, "Chosen: epoch 1 of 2, with r 0.250 on the validation rows; untuned 0.200.\n")
	assert.Contains(t, text, "Tuning hardly moved the model: Δr rounds to 0.000 in 38 of 39 voxels, and in 30 of them")
	s.Test.Delta.Voxels.Unmoved = 3
	assert.NotContains(t, print(), "hardly moved")
	s.Chosen = 0
	text = print()
	assert.Contains(t, text, "Chosen: epoch 0. No epoch was better than the untuned model")
	assert.Contains(t, text, results.AfterNoEpoch)
}

func TestSummarySaysWhatIntervalsAreAbout(t *testing.T) {
	layer := 2
	score := results.ModelScore{Layer: &layer, MeanR: .3, ROIs: map[string]float64{"AC": .3}}
	s := &results.Summary{Test: results.Scores{Rows: 100, Subjects: []string{"ann"}, Base: score, BaseBestLayer: &score,
		Tuned: &score, Stories: []string{"alice"}, Delta: &results.Delta{CI95: &stats.Interval{-.1, .1},
			ROIs: map[string]results.DeltaROI{"AC": {}}}}}
	print := func() string {
		var b strings.Builder
		require.NoError(t, printSummary(&b, s))
		return b.String()
	}
	text := print()
	assert.Contains(t, text, "Test rows are of one story, alice: intervals and p are about this story only.\n")
	assert.NotContains(t, text, "over stories")
	s.Test.Stories, s.Test.Delta.CI95Stories = []string{"a", "b", "c"}, &stats.Interval{-.2, .3}
	text = print()
	assert.NotContains(t, text, "this story only")
	assert.Regexp(t, `ROI .* 95 % interval +over stories +p +q\n`, text)
	assert.Regexp(t, `all voxels .*\[-0.100, \+0.100\] +\[-0.200, \+0.300\]`, text)
	assert.Regexp(t, `AC .* - +- +0.000`, text)
	assert.Contains(t, text, "over stories (a jackknife of 3), about other stories.\n")
}

func TestTheCaveatStandsBelowEveryTable(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer f.Close()
	a := &app{ui: ui.New(os.Stderr), out: &output{w: f}, caveat: results.TestRepeatsSplit}
	require.NoError(t, a.answer(nil, func(w io.Writer) error { _, err := fmt.Fprintln(w, "a table"); return err }))
	text, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	assert.Equal(t, "a table\n"+results.TestRepeatsSplit+"\n", string(text))
}

func TestStandardOutputHoldsNothingThatATerminalObeys(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer f.Close()
	for _, json := range []bool{false, true} {
		a := &app{ui: ui.New(os.Stderr), out: &output{w: f}, json: json}
		require.NoError(t, a.answer("a\x1b[2J\u009b2J", func(w io.Writer) error {
			_, err := fmt.Fprintln(w, "a\x1b[2J\u009b2J")
			return err
		}))
	}
	text, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	assert.Equal(t, "a\\u001b[2J\\u009b2J\n\"a\\u001b[2J\\u009b2J\"\n", string(text))
}
