package evaluate_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/internal/testnum"
	"github.com/brainwavlm/bwlm/npy"
)

// written leaves an evaluation of 240 rows in two stories without a training: responses, and predictions that are the
// responses and noise with a given SD.
func written(t *testing.T, base, tuned float32, change func(*results.Layout, [][]float32)) string {
	t.Helper()
	const voxels, rows = 6, 240
	dir := t.TempDir()
	l := results.Layout{Schema: results.RunSchema, Subjects: []results.LayoutSubject{{Name: "ada", Voxels: voxels,
		Rows: []design.Rows{{Story: "a", From: 4, To: 124}, {Story: "b", From: 0, To: 120}},
		ROIs: []results.LayoutROI{{Name: "front", Columns: []int{0, 1}}, {Name: "back", Columns: []int{2, 3, 4, 5}}}}}}
	want := testnum.Values(rows*voxels, 1)
	add := func(noise float32, seed uint64) []float32 {
		out := testnum.Values(rows*voxels, seed)
		for i := range out {
			out[i] = want[i] + noise*out[i]
		}
		return out
	}
	x := [][]float32{want, add(base, 2), add(tuned, 3)}
	if change != nil {
		change(&l, x)
	}
	p := l.Subjects[0]
	for i, name := range []string{"responses", "base_pred", "tuned_pred"} {
		path, err := (&rundir.Run{Dir: dir}).Path("eval", "test", "ada", name+".npy")
		require.NoError(t, err)
		require.NoError(t, npy.Write(path, []int{len(x[i]) / p.Voxels, p.Voxels}, x[i]))
	}
	require.NoError(t, jsonfile.Write(filepath.Join(dir, "eval", "test", results.LayoutFile), l))
	require.NoError(t, jsonfile.Write(filepath.Join(dir, "eval", "summary.json"),
		results.Summary{Schema: results.RunSchema, Chosen: 3, Test: results.Scores{Tuned: &results.ModelScore{}}}))
	return dir
}

func TestCompareScoresPairs(t *testing.T) {
	a, b := written(t, 2, 1.5, nil), written(t, 2, 1, func(_ *results.Layout, x [][]float32) {
		for k := range x[2] { // the second run is better in front only
			if k%6 >= 2 {
				x[2][k] = x[1][k]
			}
		}
	})
	c, err := evaluate.Compare(t.Context(), []string{a, b}, results.CompareOptions{Seed: 1, Resamples: 400})
	require.NoError(t, err)
	assert.Equal(t, []string{"ada"}, c.Subjects)
	assert.Equal(t, 240, c.Rows)
	assert.Equal(t, []results.ComparedRun{{Dir: a, Chosen: 3}, {Dir: b, Chosen: 3}}, c.Runs)
	require.Len(t, c.ROIs, 3)
	assert.Empty(t, c.Notes, "the untuned predictions agree")
	read := func(dir, name string) []float32 {
		array, err := npy.Read(filepath.Join(dir, "eval", "test", "ada", name+".npy"))
		require.NoError(t, err)
		x, err := array.Float32()
		require.NoError(t, err)
		return x
	}
	r := func(dir, name string, columns []int) float64 {
		r, constant := stats.Correlation(read(dir, name), read(dir, "responses"), 240, 6)
		mean, _ := stats.Mean(r, constant, columns)
		return mean
	}
	for i, columns := range [][]int{nil, {0, 1}, {2, 3, 4, 5}} {
		region := c.ROIs[i]
		assert.Equal(t, []string{"", "front", "back"}[i], region.Name)
		base, first, second := r(a, "base_pred", columns), r(a, "tuned_pred", columns), r(b, "tuned_pred", columns)
		assert.InDelta(t, base, region.Base.Mean, 1e-9)
		assert.InDelta(t, first, region.Scores[0].Tuned.Mean, 1e-9)
		assert.InDelta(t, second, region.Scores[1].Tuned.Mean, 1e-9)
		assert.InDelta(t, second-base, region.Scores[1].Delta.Mean, 1e-9)
		assert.InDelta(t, second-first, region.Scores[1].DeltaFirst.Mean, 1e-9)
		assert.Nil(t, region.Scores[0].DeltaFirst)
	}
	assert.Positive(t, c.ROIs[1].Scores[1].DeltaFirst.CI95[0], "planted")
	assert.Negative(t, c.ROIs[2].Scores[1].DeltaFirst.CI95[1], "planted")
	assert.Equal(t, stats.Interval{0, 0}, *c.ROIs[2].Scores[1].Delta.CI95, "the same predictions")
	assert.Equal(t, 1., c.ROIs[2].Scores[1].Delta.P)
	assert.Equal(t, 24, c.Units, "blocks of 10 rows")
	for _, region := range c.ROIs {
		for _, s := range region.Scores {
			assert.GreaterOrEqual(t, s.Delta.Q, s.Delta.P)
		}
	}
	assert.Less(t, c.ROIs[1].Scores[1].DeltaFirst.Q, .01, "planted")
	one, err := evaluate.Compare(t.Context(), []string{a, b},
		results.CompareOptions{Seed: 1, Resamples: 400, Unit: stats.Subjects})
	require.NoError(t, err)
	assert.Equal(t, 1, one.Units)
	assert.Equal(t, 1., one.ROIs[1].Scores[1].DeltaFirst.P, "of one subject nothing follows about subjects")
	again, err := evaluate.Compare(t.Context(), []string{a, b}, results.CompareOptions{Seed: 1, Resamples: 400})
	require.NoError(t, err)
	assert.Equal(t, c, again)
}

func TestCompareRefusesOtherTests(t *testing.T) {
	first := written(t, 2, 1, nil)
	cases := []struct {
		change func(*results.Layout, [][]float32)
		want   string
	}{
		{func(l *results.Layout, _ [][]float32) {
			l.Subjects[0].Rows[0] = design.Rows{Story: "a", From: 5, To: 125}
		}, "test rows of ada: [a[5:125] b[0:120]], "},
		{func(l *results.Layout, _ [][]float32) { l.Subjects[0].ROIs[0].Columns = []int{0, 5} },
			"ROI front of ada: 2 voxels, not the same"},
		{func(_ *results.Layout, x [][]float32) { x[0][6*10+2]++ }, "responses of ada: row 10, voxel 2 is "},
		{func(l *results.Layout, x [][]float32) {
			l.Subjects[0].Voxels = 5
			for i := range x {
				x[i] = x[i][:240*5]
			}
		}, "voxels of ada: 5, "},
		{func(l *results.Layout, _ [][]float32) { l.Schema = 1 }, "an earlier version of bwlm wrote this run"},
		{func(_ *results.Layout, x [][]float32) { x[2] = x[2][:6*100] },
			"tuned_pred.npy: shape [100 6], the layout says [240 6]"},
	}
	for _, c := range cases {
		_, err := evaluate.Compare(t.Context(), []string{first, written(t, 2, 1, c.change)}, results.CompareOptions{})
		require.ErrorContains(t, err, c.want)
		assert.Equal(t, fault.BadData, fault.KindOf(err))
	}
	other := written(t, 2, 1, nil)
	rename := func(from, to string) {
		path := filepath.Join(other, "eval", "test", results.LayoutFile)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), from, to, 1)), 0o644))
	}
	rename(`"front"`, `"frontal"`)
	c, err := evaluate.Compare(t.Context(), []string{first, other}, results.CompareOptions{})
	require.NoError(t, err)
	assert.Len(t, c.ROIs, 2, "regions that not all runs have are left out")
	rename(`"ada"`, `"bob"`)
	require.NoError(t, os.Rename(filepath.Join(other, "eval", "test", "ada"),
		filepath.Join(other, "eval", "test", "bob")))
	_, err = evaluate.Compare(t.Context(), []string{first, other}, results.CompareOptions{})
	require.ErrorContains(t, err, "subjects: [bob], ")
	_, err = evaluate.Compare(t.Context(), []string{first}, results.CompareOptions{})
	require.ErrorContains(t, err, "want at least 2")
	_, err = evaluate.Compare(t.Context(), []string{first, t.TempDir()}, results.CompareOptions{})
	require.ErrorContains(t, err, "evaluate ")
	assert.Equal(t, fault.Missing, fault.KindOf(err))
}

// What a training's evaluation leaves is what compare reads.
func TestCompareReadsRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st := studytest.Tiny(t, study.Options{}, nil)
	run, _ := studytest.MustFit(t, st)
	s, err := evaluate.EvaluateRun(t.Context(), st, run)
	require.NoError(t, err)
	c, err := evaluate.Compare(t.Context(), []string{run.Dir, run.Dir}, results.CompareOptions{})
	require.NoError(t, err)
	assert.InDelta(t, s.Test.Base.MeanR, c.ROIs[0].Base.Mean, 1e-9)
	assert.InDelta(t, s.Test.Tuned.MeanR, c.ROIs[0].Scores[1].Tuned.Mean, 1e-9)
	assert.InDelta(t, s.Test.Delta.ROIs["front"].MeanR, c.ROIs[1].Scores[0].Delta.Mean, 1e-9)
	assert.Zero(t, c.ROIs[0].Scores[1].DeltaFirst.Mean)
	assert.Contains(t, c.ROIs[0].Reason, "an interval needs")
	text, err := json.Marshal(c)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"schema":1`)
}
