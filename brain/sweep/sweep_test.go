package sweep

import (
	"context"
	"fmt"
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
	"github.com/brainwavlm/bwlm/internal/rundir"
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

func TestOutcomesAreRead(t *testing.T) {
	var run results.SweepRun
	epochs := []results.Epoch{{ValR: .1}, {Epoch: 1, ValR: .05}, {Epoch: 2, ValR: .25}, {Epoch: 3, ValR: .1}}
	readTuning(&run, &rundir.Tuning{Chosen: 2, Epochs: epochs})
	assert.InDelta(t, .15, *run.ValDelta, 1e-12)
	assert.Equal(t, .25, *run.ValR)
	assert.Equal(t, [3]int{2, 3, 1}, [3]int{run.Best, run.Epochs, run.Below})
	assert.Nil(t, run.Delta)
	readScores(&run, &results.Summary{Test: results.Scores{Base: results.ModelScore{MeanR: .3},
		Delta: &results.Delta{MeanR: .02, ROIs: map[string]results.DeltaROI{"AC": {MeanR: -.01}}}}})
	assert.Equal(t, .3, *run.BaseR)
	assert.Equal(t, map[string]float64{roikeys.All: .02, "AC": -.01}, run.Delta)
}

// ran is a run with validation scores.
func ran(r, delta float64, best, epochs, below int, values ...string) results.SweepRun {
	return results.SweepRun{Values: values, ValR: &r, ValDelta: &delta, Best: best, Epochs: epochs, Below: below}
}

func TestSettingsAreAveragedOverSeeds(t *testing.T) {
	r := results.Sweep{Axes: []results.SweepAxis{axis("train.seed"), axis("train.lr")}, Runs: []results.SweepRun{
		ran(.1, .01, 1, 4, 1, "1", "a"),
		{Values: []string{"1", "b"}, Error: "no number", Diverged: true},
		ran(.3, .03, 3, 4, 2, "2", "a"),
		{Values: []string{"2", "b"}, Error: "no disk"},
	}}
	r.Runs[0].Delta, r.Runs[2].Delta = map[string]float64{roikeys.All: .1}, map[string]float64{roikeys.All: .3}
	assert.Equal(t, []bool{true, false, true, false}, tabulate(&r))
	require.Len(t, r.Settings, 2)
	a, b := r.Settings[0], r.Settings[1]
	assert.Equal(t, map[string]string{"train.lr": "a"}, a.Values)
	assert.InDelta(t, .2, a.ValR.Mean, 1e-12)
	assert.InDelta(t, .1414213562, *a.ValR.SD, 1e-9)
	assert.InDelta(t, .02, a.ValDelta.Mean, 1e-12)
	assert.InDelta(t, .2, a.Delta[roikeys.All].Mean, 1e-12)
	assert.Equal(t, []int{1, 3}, a.Best)
	assert.InDelta(t, 3./8, a.Below, 1e-12)
	assert.Equal(t, [4]int{0, 1, 1, 0}, [4]int{b.Seeds, b.Diverged, b.Failed, b.Rank})
	assert.Nil(t, b.ValR)
	assert.Equal(t, 2, r.Configurations)
}

func TestRanksAreThoseOfTheValidationRows(t *testing.T) {
	r := results.Sweep{Axes: []results.SweepAxis{axis("data.subjects"), axis("train.lr"), axis("train.seed")},
		Runs: []results.SweepRun{
			ran(.2, 0, 1, 1, 0, "ada", "1", "0"), ran(.2, 0, 1, 1, 0, "ada", "1", "1"),
			ran(.4, 0, 1, 1, 0, "ada", "2", "0"), ran(.1, 0, 1, 1, 0, "ada", "2", "1"),
			ran(.9, 0, 1, 1, 0, "ada", "3", "0"), {Values: []string{"ada", "3", "1"}, Error: "no disk"},
			ran(.01, 0, 1, 1, 0, "bob", "1", "0"), ran(.01, 0, 1, 1, 0, "bob", "2", "0"),
		}}
	best := tabulate(&r)
	assert.Equal(t, []bool{false, false, true, true, false, false, true, false}, best)
	var order []string
	for _, s := range r.Settings {
		order = append(order, fmt.Sprintf("%s %s %d", s.Values["data.subjects"], s.Values["train.lr"], s.Rank))
	}
	assert.Equal(t, []string{"ada 2 1", "ada 1 2", "ada 3 0", "bob 1 1", "bob 2 2"}, order,
		"by the mean over seeds; no rank without all seeds; by subject; equal scores in the order of the axes")
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
	assert.Equal(t, "train.lr,train.seed,rank,val_r,val_delta,best_epoch,epochs,epochs_below_base,base_r,diverged,"+
		"error", lines[0])
	assert.Equal(t, "1e-3,2,,,,,,,,false,load model: nowhere: no such file", lines[2])
	assert.FileExists(t, filepath.Join(out, "sweep.json"))
	assert.Equal(t, int(fault.Missing), r.Runs[0].Code)

	// The next call tries failed runs again, but for those that diverged.
	diverged := rundir.FailureOf(fault.New(fault.BadData, "tune", "s[0:9]", "the loss is NaN"), 1)
	require.NoError(t, (&rundir.Run{Dir: filepath.Join(out, r.Runs[3].Name)}).WriteFailure(diverged))
	r, err = Run(t.Context(), opt)
	require.NoError(t, err)
	assert.Equal(t, 7, opened)
	assert.Equal(t, [2]bool{false, true}, [2]bool{r.Runs[2].Diverged, r.Runs[3].Diverged})

	// Another experiment and other axes are not taken for the same sweep. Values may be added.
	opt.Experiment = func(sets ...string) (*experiment.Experiment, error) {
		return load(append(sets, "train.epochs=3")...)
	}
	_, err = Run(t.Context(), opt)
	assert.Equal(t, fault.Exists, fault.KindOf(err))
	assert.ErrorContains(t, err, "the sweep was begun with train.epochs: 20, not 3")
	opt.Experiment = load
	opt.Axes[0].Values = append(opt.Axes[0].Values, "1")
	_, err = Run(t.Context(), opt)
	require.NoError(t, err)
	_, err = Run(t.Context(), Options{Experiment: load, Axes: opt.Axes[:1], Out: out, Open: opt.Open})
	assert.ErrorContains(t, err, "the sweep was begun over train.lr, train.seed, not over train.lr")

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
