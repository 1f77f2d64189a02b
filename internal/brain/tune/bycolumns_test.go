package tune_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/columns"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/slowtest"
	"github.com/brainwavlm/bwlm/torch/dist"
)

// columnCases are trainings whose readouts are shared by columns: every loss, one subject and several, and all that
// meets a readout.
var columnCases = map[string]change{
	"spatial":                 plain(func(e *experiment.Experiment) {}),
	"spatial, two subjects":   plain(func(e *experiment.Experiment) { two(e) }),
	"temporal":                plain(func(e *experiment.Experiment) { e.Train.Loss = "temporal" }),
	"temporal, three":         plain(func(e *experiment.Experiment) { three(e); e.Train.Loss = "temporal" }),
	"mse":                     plain(func(e *experiment.Experiment) { e.Train.Loss = "mse" }),
	"mse, three":              plain(func(e *experiment.Experiment) { three(e); e.Train.Loss = "mse" }),
	"cosine_l2, three":        plain(func(e *experiment.Experiment) { three(e); e.Train.Loss = "cosine_l2" }),
	"nt_xent":                 plain(func(e *experiment.Experiment) { e.Train.Loss = "nt_xent" }),
	"nt_xent, two":            plain(func(e *experiment.Experiment) { two(e); e.Train.Loss = "nt_xent" }),
	"three, no bottleneck":    plain(func(e *experiment.Experiment) { three(e); e.Readout.Bottleneck = 0 }),
	"released code":           plain(released),
	"shrunken r":              plain(func(e *experiment.Experiment) { e.Compat.ShrunkenLossR = true }),
	"full":                    plain(func(e *experiment.Experiment) { two(e); e.Train.Mode = "full" }),
	"readout":                 plain(func(e *experiment.Experiment) { two(e); e.Train.Mode = "readout" }),
	"readout, no bottleneck":  readoutAlone,
	"ridge readout":           plain(func(e *experiment.Experiment) { two(e); e.Readout.Mode = "ridge" }),
	"layer weights":           plain(func(e *experiment.Experiment) { two(e); e.Readout.LayerWeights = "voxel" }),
	"more ranks than blocks":  plain(func(e *experiment.Experiment) { e.Data.Subjects = []string{"cleo"} }),
	"retention":               func(e *experiment.Experiment, s *dataset.Spec) { guardedTiny(e, s) },
	"retention, two, weights": guardedAndWeighted,
}

// casesNow are the names of the cases that this run of the tests takes.
func casesNow() []string {
	if slowtest.Thorough {
		return slices.Sorted(maps.Keys(columnCases))
	}
	return []string{"full", "more ranks than blocks", "mse, three", "nt_xent, two", "retention, two, weights",
		"spatial"}
}

type change = func(e *experiment.Experiment, s *dataset.Spec)

// plain is a change of an experiment alone.
func plain(do func(e *experiment.Experiment)) change {
	return func(e *experiment.Experiment, _ *dataset.Spec) { do(e) }
}

func two(e *experiment.Experiment)   { e.Data.Subjects = []string{"ada", "bob"} }
func three(e *experiment.Experiment) { e.Data.Subjects = []string{"ada", "bob", "cleo"} }

func released(e *experiment.Experiment) {
	e.Compat.ShrunkenLossR, e.Compat.ConstantRowGradient = true, true
}

func readoutAlone(e *experiment.Experiment, _ *dataset.Spec) {
	e.Train.Mode, e.Readout.Bottleneck = "readout", 0
}

func guardedAndWeighted(e *experiment.Experiment, s *dataset.Spec) {
	two(e)
	studytest.WithRegion(s, "rear", studytest.FromTo(4, 53)...)
	studytest.WithRegion(s, "low", studytest.FromTo(4, 30)...)
	studytest.WithRegion(s, "high", studytest.FromTo(25, 53)...)
	e.Data.ROI, e.Data.ROIBalance = []string{"rear"}, []string{"low", "high"}
	e.Train.RetainROI, e.Train.RetainWeight, e.Readout.Bottleneck = []string{"front"}, 3, 0
}

// gradientsOf returns loss and gradients of a block of rows of all subjects in a case.
func gradientsOf(t *testing.T, g *dist.Group, change func(e *experiment.Experiment, s *dataset.Spec)) (float64,
	map[string][]float32) {
	t.Helper()
	return gradientsWith(t, study.Options{Ranks: g}, change)
}

func gradientsWith(t *testing.T, opt study.Options, change func(e *experiment.Experiment, s *dataset.Spec)) (float64,
	map[string][]float32) {
	t.Helper()
	st := studytest.Tiny(t, opt, change)
	tr := studytest.TrainerOf(t, st)
	f, err := tr.ReadForEpoch(t.Context())
	require.NoError(t, err)
	if tr.Retention != nil {
		require.NoError(t, tr.FitRetention(t.Context(), &f[len(f)-1]))
		for i := range tr.Retention.Before {
			for k := range tr.Retention.Before[i] {
				tr.Retention.Before[i][k] += .5 // so that there is a penalty
			}
		}
	}
	if st.Experiment.Readout.Mode == "ridge" {
		require.NoError(t, tr.RefitReadouts(t.Context(), tr.TunedOn(f)))
	}
	b := tr.Order[0]
	require.Len(t, b.Subjects, len(st.Subjects))
	return studytest.Gradients(tr, t, b, 5, 1, 1)
}

// Loss and gradients have the same bytes with any number of ranks, also where some have no voxels.
func TestGradientsByRanks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	sameForAll(t, func(t *testing.T, g *dist.Group, d digests) {
		narrow(t)
		for _, name := range casesNow() {
			loss, grads := gradientsOf(t, g, columnCases[name])
			d.add(name+": loss", loss)
			for param, grad := range grads {
				d.add(name+": "+param, grad)
			}
		}
	})
}

// Sums in any order are those in order but for rounding, on all ranks the same.
// Ranks tell each other what a float64 is too short for.
func TestExactSumsOfRanks(t *testing.T) {
	sameForAll(t, func(t *testing.T, g *dist.Group, d digests) {
		const units, n = 12, 1003
		r := rand.New(rand.NewPCG(5, 6))
		var mine [][]float32
		for u := range units {
			values := make([]float32, n)
			for i := range values {
				values[i] = float32(r.NormFloat64() * math.Exp2(float64(r.IntN(80)-40)))
			}
			if u*g.World()/units == g.Rank() {
				mine = append(mine, values)
			}
		}
		sum, rests, err := tune.ExactSum(g, mine, 100)
		require.NoError(t, err)
		require.Positive(t, rests)
		d.add("sum", sum)
	})
}

func TestFastSums(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	ranks(t, func(t *testing.T, g *dist.Group, d digests) {
		narrow(t)
		for _, name := range []string{"full", "mse, three", "retention, two, weights"} {
			change := columnCases[name]
			wantLoss, want := gradientsOf(t, g, change)
			loss, grads := gradientsWith(t, study.Options{Ranks: g, FastSums: true}, change)
			assert.InDelta(t, wantLoss, loss, 1e-7, name)
			require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(grads)), name)
			largest := 0.
			for _, w := range want {
				for _, x := range w {
					largest = max(largest, math.Abs(float64(x)))
				}
			}
			for param, w := range want {
				assert.InDeltaSlice(t, w, grads[param], 2e-6*largest, "%s: %s", name, param)
				if !strings.HasPrefix(param, "readout") {
					d.add(name+": "+param, grads[param])
				}
			}
		}
	}, 2, 3)
}

// A rank sends at most three times the vectors and the gradient of the model, however many units it has.
func TestTrafficOfAStep(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	ranks(t, func(t *testing.T, g *dist.Group, _ digests) {
		st := studytest.Tiny(t, study.Options{Ranks: g}, func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Train.Mode = "full"
		})
		tr := studytest.TrainerOf(t, st)
		b := tr.Order[0]
		windows := st.Stimuli[b.Story].Windows
		require.Greater(t, len(windows), 8*g.World(), "each rank has several units")
		before := g.Traffic().Sent
		_, grads := studytest.Gradients(tr, t, b, 2, 1, 1)
		elements := len(windows) * st.Model.Architecture().Width
		for param, grad := range grads {
			if !strings.HasPrefix(param, "readout") {
				elements += len(grad)
			}
		}
		sent := g.Traffic().Sent - before
		assert.LessOrEqual(t, sent, int64(3*4*elements), "of %d elements", elements)
		assert.GreaterOrEqual(t, sent, int64(elements))
	}, 2, 4)
}

// Blocks of voxels give the loss and the gradients of all voxels at once.
func TestGradientsByBlocksOfVoxels(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	for _, name := range casesNow() {
		change := columnCases[name]
		wantLoss, want := gradientsOf(t, nil, change)
		narrow(t)
		loss, grads := gradientsOf(t, nil, change)
		columns.Width = 4096
		assert.InDelta(t, wantLoss, loss, 1e-5*max(1, math.Abs(wantLoss)), name)
		all := 0. // the largest of all gradients
		for _, w := range want {
			for _, x := range w {
				all = max(all, math.Abs(float64(x)))
			}
		}
		for param, w := range want {
			got, blocks := grads[param], 1
			if got == nil {
				got, blocks = nil, 0
				for from := 0; len(got) < len(w); from += 16 {
					for part, g := range grads {
						if strings.HasPrefix(part, fmt.Sprintf("%s[%d:", param, from)) {
							got, blocks = append(got, g...), blocks+1
						}
					}
					require.Less(t, from, 100, "%s: %s", name, param)
				}
			}
			largest := 0.
			for _, x := range w {
				largest = max(largest, math.Abs(float64(x)))
			}
			assert.InDeltaSlice(t, w, got, 1e-5*largest+1e-7*all, "%s: %s in %d blocks", name, param, blocks)
		}
	}
}
