package sweep

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/roikeys"
)

// axis makes an axis of a key and its values.
func axis(key string, values ...string) results.SweepAxis {
	return results.SweepAxis{Key: key, Values: values}
}

func TestParseAxis(t *testing.T) {
	for text, want := range map[string]results.SweepAxis{
		"train.lr=1e-4,3e-4":               axis("train.lr", "1e-4", "3e-4"),
		"adapter.r= 2 , 4 ":                axis("adapter.r", "2", "4"),
		"data.roi=[],[a, b]":               axis("data.roi", "[]", "[a, b]"),
		`data.train="s[1:9]",["a,b", c]`:   axis("data.train", `"s[1:9]"`, `["a,b", c]`),
		"eval.alphas=logspace(0, 3, 10),1": axis("eval.alphas", "logspace(0, 3, 10)", "1"),
	} {
		got, err := ParseAxis(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got)
	}
	for _, text := range []string{"train.lr", "=1", "a=", "a=1,,2", "a=[1,2", `a="1`} {
		_, err := ParseAxis(text)
		assert.Equal(t, fault.Usage, fault.KindOf(err), text)
	}
}

func TestCombinationsAndNames(t *testing.T) {
	axes := []results.SweepAxis{axis("a", "1", "2"), axis("b", "x", "y", "[z w]")}
	all := combinations(axes)
	assert.Equal(t, [][]string{{"1", "x"}, {"1", "y"}, {"1", "[z w]"}, {"2", "x"}, {"2", "y"}, {"2", "[z w]"}}, all)
	assert.Equal(t, "a=2__b=_z_w_", nameOf(axes, all[5]))
	assert.NoError(t, checkAxes(axes))
	for _, bad := range [][]results.SweepAxis{nil, {axes[0], axes[0]}, {axis("out", "x")}, {axis("a")},
		{axis("a", "[1]", "(1)")}, {axis("a", "1", "1")}} {
		assert.Equal(t, fault.Usage, fault.KindOf(checkAxes(bad)), "%v", bad)
	}
}

func TestSpread(t *testing.T) {
	s := spread([]float64{1, 2, 6})
	assert.InDelta(t, 3, s.Mean, 1e-12)
	assert.InDelta(t, 2.6457513110645907, *s.SD, 1e-12) // √7
	assert.Nil(t, spread([]float64{1}).SD)
}

func TestReadSummary(t *testing.T) {
	var trial results.SweepRun
	readSummary(&trial, &results.Summary{Chosen: 2, Epochs: []results.Epoch{{ValR: .1}, {Epoch: 1, ValR: .05},
		{Epoch: 2, ValR: .25}, {Epoch: 3, ValR: .1}},
		Test: results.Scores{Base: results.ModelScore{MeanR: .3},
			Delta: &results.Delta{MeanR: .02, ROIs: map[string]results.DeltaROI{"AC": {MeanR: -.01}}}}})
	base := .3
	assert.InDelta(t, .15, trial.ValDelta, 1e-12)
	trial.ValDelta = 0
	assert.Equal(t, results.SweepRun{BaseR: &base, Delta: map[string]float64{roikeys.All: .02, "AC": -.01},
		Best: 2, Epochs: 3, Below: 1}, trial)
	var failed results.SweepRun
	setError(&failed, fault.New(fault.BadData, "tune", "s[0:9]", "the loss is NaN"))
	assert.True(t, failed.Diverged)
	failed = results.SweepRun{}
	setError(&failed, fault.New(fault.BadData, "read audio", "a.wav", "no samples"))
	assert.False(t, failed.Diverged)
}

func TestSettingsAreAveragedOverSeeds(t *testing.T) {
	zero := 0.
	r := results.Sweep{Axes: []results.SweepAxis{axis("train.seed"), axis("train.lr")}, Runs: []results.SweepRun{
		{Values: []string{"1", "a"}, BaseR: &zero, Delta: map[string]float64{roikeys.All: .1}, Best: 1, Epochs: 4,
			Below: 1},
		{Values: []string{"1", "b"}, Error: "no number", Diverged: true},
		{Values: []string{"2", "a"}, BaseR: &zero, Delta: map[string]float64{roikeys.All: .3}, Best: 3, Epochs: 4,
			Below: 2},
		{Values: []string{"2", "b"}, Error: "no disk"},
	}}
	tabulate(&r)
	require.Len(t, r.Settings, 2)
	a, b := r.Settings[0], r.Settings[1]
	assert.Equal(t, map[string]string{"train.lr": "a"}, a.Values)
	assert.InDelta(t, .2, a.Delta[roikeys.All].Mean, 1e-12)
	assert.InDelta(t, .1414213562, *a.Delta[roikeys.All].SD, 1e-9)
	assert.Equal(t, []int{1, 3}, a.Best)
	assert.InDelta(t, 3./8, a.Below, 1e-12)
	assert.Equal(t, [3]int{0, 1, 1}, [3]int{b.Seeds, b.Diverged, b.Failed})
}

func TestARunThatFailsDoesNotStopTheSweep(t *testing.T) {
	out := filepath.Join(t.TempDir(), "sweep")
	load := func(sets ...string) (*experiment.Experiment, error) {
		e := experiment.Default()
		for _, s := range sets {
			if err := e.Set(s); err != nil {
				return nil, err
			}
		}
		return e, nil
	}
	opened := 0
	opt := Options{Experiment: load, Axes: []results.SweepAxis{axis("train.lr", "1e-3", "1e-4"),
		axis("train.seed", "1", "2")}, Out: out,
		Open: func(context.Context, *experiment.Experiment, brain.Options) (*brain.Study, error) {
			opened++
			return nil, fault.New(fault.Missing, "load model", "nowhere", "no such file")
		}}
	r, err := Run(t.Context(), opt)
	require.NoError(t, err)
	assert.Equal(t, 4, opened)
	assert.Len(t, r.Runs, 4)
	assert.Equal(t, 2, r.Settings[1].Failed)
	text, err := os.ReadFile(filepath.Join(out, "sweep.csv"))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	assert.Equal(t, "train.lr,train.seed,base_r,val_delta,best_epoch,epochs,epochs_below_base,diverged,error", lines[0])
	assert.Equal(t, "1e-3,2,,,,,,false,load model: nowhere: no such file", lines[2])
	assert.FileExists(t, filepath.Join(out, "sweep.json"))

	_, err = Run(t.Context(), Options{})
	assert.Equal(t, fault.Usage, fault.KindOf(err), "the zero options")

	opt.Axes = []results.SweepAxis{axis("train.lrr", "1")}
	opt.Out = filepath.Join(t.TempDir(), "typo")
	_, err = Run(t.Context(), opt)
	assert.Equal(t, fault.Usage, fault.KindOf(err), "a typing error costs nothing")
	assert.NoDirExists(t, opt.Out)

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(fault.New(fault.Terminated, "stopped", "", "SIGTERM"))
	opt.Axes = []results.SweepAxis{axis("train.seed", "1")}
	_, err = Run(ctx, opt)
	assert.Equal(t, fault.Terminated, fault.KindOf(err))
}

func TestWhatRunsShare(t *testing.T) {
	a, b := experiment.Default(), experiment.Default()
	b.Train.LR, b.Adapter.R, b.Data.ROI, b.Out = 1, 2, []string{"AC"}, "elsewhere"
	assert.Equal(t, sharedPart(a), sharedPart(b))
	for _, change := range []func(*experiment.Experiment){
		func(e *experiment.Experiment) { e.Model.Layer = 3 },
		func(e *experiment.Experiment) { e.Data.Train = []string{"x"} },
		func(e *experiment.Experiment) { e.DType = "bf16" },
		func(e *experiment.Experiment) { e.Compat = experiment.Release() },
	} {
		b := experiment.Default()
		change(b)
		assert.NotEqual(t, sharedPart(a), sharedPart(b))
	}
}
