package tune_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/internal/slowtest"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/torch"
)

// metrics reads the lines of metrics.jsonl that have a key.
func metrics(t *testing.T, run *rundir.Run, key string) (out []map[string]any) {
	t.Helper()
	f, err := os.Open(run.File("metrics.jsonl"))
	require.NoError(t, err)
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var line map[string]any
		require.NoError(t, json.Unmarshal(s.Bytes(), &line))
		if _, ok := line[key]; ok {
			out = append(out, line)
		}
	}
	return out
}

func TestFit(t *testing.T) {
	cases := []struct {
		name     string
		change   func(*experiment.Experiment)
		steps    int // of an epoch
		subjects []string
	}{
		{"lora", func(*experiment.Experiment) {}, 6, []string{"ada"}},
		{"lora on a region", func(e *experiment.Experiment) { e.Data.ROI = []string{"front"} }, 6, []string{"ada"}},
		{"full", func(e *experiment.Experiment) { e.Train.Mode, e.Train.LR = "full", 1e-3 }, 6, []string{"ada"}},
		{"readout", func(e *experiment.Experiment) { e.Train.Mode = "readout" }, 6, []string{"ada"}},
		{"direct readout, mse", func(e *experiment.Experiment) {
			e.Readout.Bottleneck, e.Train.Loss = 0, "mse"
		}, 6, []string{"ada"}},
		{"three subjects share", func(e *experiment.Experiment) {
			e.Data.Subjects, e.Train.Loss = []string{"all"}, "temporal"
		}, 6, []string{"ada", "bob", "cleo"}},
		{"three subjects in turn", func(e *experiment.Experiment) {
			e.Data.Subjects, e.Train.Loss, e.Train.Joint = []string{"all"}, "temporal", "sequential"
		}, 15, []string{"ada", "bob", "cleo"}},
		{"an average of subjects", func(e *experiment.Experiment) { e.Data.Subjects = []string{"both"} }, 6,
			[]string{"both"}},
		{"all linear layers, rank-stabilised", func(e *experiment.Experiment) {
			e.Adapter.Targets, e.Adapter.Type = []string{"all-linear"}, "rslora"
		}, 6, []string{"ada"}},
		{"as the release", func(e *experiment.Experiment) { release(t, e) }, 6, []string{"ada"}},
		{"average of windows", func(e *experiment.Experiment) { e.Model.Downsample = "average" }, 6, []string{"ada"}},
	}
	quick := []string{"lora", "full", "readout", "three subjects in turn", "as the release"}
	for _, c := range cases {
		if !slices.Contains(quick, c.name) && !slowtest.Thorough {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
				e.Train.Epochs = 3
				c.change(e)
			})
			run, p := studytest.MustFit(t, st)
			require.Len(t, p.Epochs, 4)
			assert.Equal(t, 3*c.steps, p.Step)
			assert.Nil(t, p.Epochs[0].Loss, "epoch 0 is before training")
			assert.Less(t, *p.Epochs[3].Loss, *p.Epochs[1].Loss, "training lowers the loss")
			for i, e := range p.Epochs {
				assert.Equal(t, i, e.Epoch)
				assert.Equal(t, i*c.steps, e.Step)
				assert.LessOrEqual(t, e.ValR, p.Epochs[p.Best].ValR, "the best epoch on validation is chosen")
			}
			assert.Len(t, metrics(t, run, "val_r"), 4)
			steps := metrics(t, run, "story")
			require.Len(t, steps, 3*c.steps)
			for i, s := range steps {
				assert.EqualValues(t, i+1, s["step"])
			}

			switch st.Experiment.Train.Mode {
			case "lora":
				assert.FileExists(t, run.File("adapter/adapter_model.safetensors"))
			case "full":
				assert.FileExists(t, run.File("model/model.safetensors"))
			default:
				assert.Positive(t, p.Best, "a trained readout beats a random one")
			}
			for i, name := range c.subjects {
				f, err := ckpt.Open(run.File("readout/" + name + ".safetensors"))
				require.NoError(t, err)
				columns, err := f.Int64("columns")
				require.NoError(t, err)
				assert.Len(t, columns, len(st.Subjects[i].Tuned))
				require.NoError(t, f.Close())
			}

			s, err := evaluate.EvaluateRun(t.Context(), st, run)
			require.NoError(t, err)
			assert.Equal(t, c.subjects, s.Test.Subjects)
			assert.Equal(t, st.Experiment.Train.Mode != "readout", s.Test.Tuned != nil)
			assert.Greater(t, s.Test.Base.MeanR, .2, "loudness is planted, and any speech model hears it")
			assert.Equal(t, p.Epochs[p.Best].Epoch, s.Chosen)
			assert.FileExists(t, run.File("eval/summary.json"))
			assert.FileExists(t, run.File("eval/test/"+c.subjects[0]+"/base_r.npy"))
		})
	}
}

// release turns on all switches of compat, as a file would.
func release(t *testing.T, e *experiment.Experiment) {
	t.Helper()
	var text strings.Builder
	require.NoError(t, e.Write(&text))
	kept := ""
	for line := range strings.Lines(text.String()) {
		key := strings.TrimSpace(strings.SplitN(line, ":", 2)[0])
		switch key { // what compat decides is not given
		case "compat", "pooling", "normalise", "context_rows", "layerdrop", "spec_augment":
		case "dropout":
		default:
			kept += line
		}
	}
	read, err := experiment.ReadBytes(filepath.Join(t.TempDir(), "release.yaml"), []byte(kept+"compat: release\n"))
	require.NoError(t, err)
	*e = *read
	require.Equal(t, experiment.Release(), e.Compat)
	require.Equal(t, experiment.PoolFirst, e.Model.Pooling)
	require.Equal(t, .1, e.Train.Dropout)
	require.Zero(t, e.Train.ContextRows)
}

// A training that only does harm leaves the model as it was.
func TestEpochZeroIsACandidate(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st := studytest.TinyGettingWorse(t, func(*experiment.Experiment, *dataset.Spec) {})
	run, p := studytest.MustFit(t, st)
	require.Zero(t, p.Best, "epochs: %v", p.Epochs)
	s, err := evaluate.EvaluateRun(t.Context(), st, run)
	require.NoError(t, err)
	assert.InDelta(t, s.Test.Base.MeanR, s.Test.Tuned.MeanR, 1e-6)
	assert.Zero(t, s.Chosen)
	f, err := ckpt.Open(run.File("adapter/adapter_model.safetensors"))
	require.NoError(t, err)
	defer f.Close()
	for tensor := range f.Tensors() {
		if strings.Contains(tensor.Name, "lora_B") {
			b, err := f.Float32(tensor.Name)
			require.NoError(t, err)
			assert.Equal(t, make([]float32, len(b)), b, tensor.Name)
		}
	}
}

// An epoch that is only as good as the untuned model does not replace it.
func TestTieOnValidationKeepsTheUntunedModel(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Train.LR = 1e-60 // less than the smallest float32: no weight moves
	})
	_, p := studytest.MustFit(t, st)
	require.Len(t, p.Epochs, 3)
	for _, e := range p.Epochs {
		require.Equal(t, p.Epochs[0].ValR, e.ValR, "every epoch ties")
	}
	assert.Zero(t, p.Best)
	assert.Zero(t, p.BestStep)
}

// The chosen epoch's weights are those that are left behind, not the last ones.
func TestTheBestEpochIsKept(t *testing.T) {
	var st *study.Study
	last := func(e progress.Event) {
		if e.Phase == progress.Tune && e.Done == 4*perEpoch+1 {
			studytest.Upend(st, "val")
		}
	}
	st = studytest.Tiny(t, study.Options{Progress: last},
		func(e *experiment.Experiment, _ *dataset.Spec) { e.Train.Epochs = 5 })
	run, p := studytest.MustFit(t, st)
	require.Less(t, p.Best, 5, "epochs: %v", p.Epochs)
	_, best, err := run.Open(p.BestStep)
	require.NoError(t, err)
	defer best.Close()
	saved, err := ckpt.Open(run.File("adapter/adapter_model.safetensors"))
	require.NoError(t, err)
	defer saved.Close()
	n := 0
	for tensor := range saved.Tensors() {
		got, err := saved.Float32(tensor.Name)
		require.NoError(t, err)
		name := strings.TrimPrefix(tensor.Name, "base_model.model.")
		want, err := best.Float32("weights.adapter." + name)
		require.NoError(t, err)
		assert.Equal(t, want, got, name)
		n++
	}
	assert.Equal(t, 2*3*2, n, "A and B of q, k and v in two layers")
	readout, err := ckpt.Open(run.File("readout/ada.safetensors"))
	require.NoError(t, err)
	defer readout.Close()
	got, err := readout.Float32("linear.weight")
	require.NoError(t, err)
	voxels, err := run.OpenVoxels(p.BestStep, "ada", 0)
	require.NoError(t, err)
	defer voxels.Close()
	want, err := voxels.Float32("linear.weight")
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestUnitsGiveTheGradientOfAll(t *testing.T) {
	if testing.Short() {
		t.Skip("many gradients")
	}
	for _, change := range []func(*experiment.Experiment){
		func(e *experiment.Experiment) {},
		func(e *experiment.Experiment) { e.Compat.BlockZScore = true },
		func(e *experiment.Experiment) { e.Model.Extraction, e.Model.ChunkSeconds = "chunks", .6 },
		func(e *experiment.Experiment) {
			e.Model.Extraction, e.Model.ChunkSeconds, e.Model.Pooling = "chunks", .6, "last"
		},
	} {
		st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Data.Subjects = []string{"ada", "bob"}
			change(e)
		})
		tr := studytest.TrainerOf(t, st)
		for _, b := range []tune.Block{{Story: "one", From: 4, To: 14, Subjects: []int{0, 1}},
			{Story: "two", From: 14, To: 24, Subjects: []int{1}}} {
			loss, want := studytest.Gradients(tr, t, b, 1000, 1, 1)
			for _, unit := range []int{1, 7, 30} {
				got, grads := studytest.Gradients(tr, t, b, unit, 1, 1)
				for _, held := range []int{2, 100} {
					again, held := studytest.Gradients(tr, t, b, unit, held, 1)
					assert.Equal(t, got, again)
					assert.Equal(t, grads, held, "recomputed or held, the bits are the same")
				}
				assert.InDelta(t, loss, got, torchtest.Rounding())
				assert.Len(t, grads, len(want))
				assert.Equal(t, len(b.Subjects) == 2, want["readout.ada.linear.weight"] != nil,
					"a subject outside the block gets no gradient")
				for name, g := range want {
					require.NotZero(t, studytest.Norm(g), name)
					assert.InDeltaSlice(t, g, grads[name], torchtest.Rounding(), "%s, units of %d", name, unit)
				}
			}
		}
	}
}

// From the loss back through bottleneck, delays, z-score, Lanczos and the transformer, to single
// numbers of A and B; also where the block is read in runs and dropout must fall on the same units
// each time.
func TestGradientReachesTheAdapterUnbent(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	cases := []struct {
		name    string
		unit    int
		held    int
		dropout float64
		block   bool // statistics of the block, which carry gradient themselves
	}{
		{"one unit", 1000, 1, 0, false}, {"one unit, block statistics", 1000, 1, 0, true},
		{"dropout", 1000, 1, .2, false},
		{"recomputed units with dropout", 20, 1, .2, false}, {"held units with dropout", 20, 100, .2, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
				e.Train.Dropout, e.Adapter.Dropout, e.Compat.BlockZScore = c.dropout, c.dropout, c.block
			})
			tr := studytest.TrainerOf(t, st)
			b := tune.Block{Story: "one", From: 4, To: 14, Subjects: []int{0}}
			_, grads := studytest.Gradients(tr, t, b, c.unit, c.held, 5)
			for _, part := range []string{"layers.0.attention.q_proj.lora_A", "layers.0.attention.v_proj.lora_B",
				"layers.1.attention.k_proj.lora_B", "layers.1.attention.v_proj.lora_A"} {
				for name, p := range tr.Params() {
					if !strings.Contains(name, part) {
						continue
					}
					at := 0
					for i, g := range grads[name] {
						if math.Abs(float64(g)) > math.Abs(float64(grads[name][at])) {
							at = i
						}
					}
					start := p.Float32s()
					const h = 2e-2
					move := func(by float32) float64 {
						x := append([]float32(nil), start...)
						x[at] += by
						require.NoError(t, tr.Session.Train(t.Context(), 0, func(s *torch.Scope) error {
							p.CopyFrom(s.FromFloat32(x, p.Shape()...))
							return nil
						}))
						loss, _ := studytest.Gradients(tr, t, b, c.unit, c.held, 5)
						return loss
					}
					slope := (move(h) - move(-h)) / (2 * h)
					move(0)
					g := float64(grads[name][at])
					assert.InDelta(t, slope, g, .02*math.Abs(slope)+2e-5, "%s[%d]", name, at)
					assert.Greater(t, math.Abs(g), 1e-4)
				}
			}
		})
	}
}

func TestDeadAdaptersAreRefused(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, nil)
	require.NoError(t, torch.Train(t.Context(), 0, func(s *torch.Scope) error {
		p := st.Model.Store().Param("encoder.layers.1.attention.out_proj.weight")
		require.NotNil(t, p)
		p.CopyFrom(s.Zeros(p.Shape()...)) // nothing of layer 1's attention reaches the output now
		return nil
	}))
	run, err := st.Begin(t.Context())
	require.NoError(t, err)
	defer run.Close()
	_, err = tune.Fit(t.Context(), st, run)
	require.ErrorContains(t, err, "layers.1")
	assert.NotContains(t, err.Error(), "layers.0")
	assert.NoDirExists(t, run.File("ckpt"), "nothing is trained")
}

func TestLossThatIsNoNumberStopsTheRun(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Train.LR,
			e.Train.Loss = 1e30, "mse"
	})
	run, err := st.Begin(t.Context())
	require.NoError(t, err)
	defer run.Close()
	_, err = tune.Fit(t.Context(), st, run)
	require.Error(t, err)
	assert.Equal(t, fault.BadData, fault.KindOf(err), err)
	assert.Contains(t, err.Error(), "lower train.lr")
	assert.Contains(t, fmt.Sprint(err), "the loss is")
}

func TestSpanWithoutAudioStillTrains(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		sound, err := s.Stories[1].Audio.Load(t.Context())
		require.NoError(t, err)
		s.Stories[1].Audio = dataset.Value(sound[:len(sound)/4]) // no audio behind the last rows of story two
		s.Stories[1].Rows = &dataset.RowSpan{Last: studytest.TinyRows * studytest.TinyTR}
	})
	_, p := studytest.MustFit(t, st)
	assert.Len(t, p.Epochs, 3)
}
