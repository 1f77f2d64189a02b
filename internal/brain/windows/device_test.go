package windows_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/torch"
)

func TestDTypeAutoIsSettledAndSaid(t *testing.T) {
	e := experiment.Default()
	e.Device, e.DType = "cpu", "auto"
	got, note, err := windows.Settled(e)
	require.NoError(t, err)
	assert.Equal(t, "auto", e.DType, "the caller's is left alone")
	want := map[bool]string{true: "bf16", false: "f32"}[torch.FastBFloat16(torch.CPU)]
	assert.Equal(t, want, got.DType)
	assert.Contains(t, note, "dtype auto: "+want)

	for _, dtype := range []string{"f32", "bf16"} {
		e.DType = dtype
		got, note, err := windows.Settled(e)
		require.NoError(t, err)
		assert.Equal(t, dtype, got.DType)
		assert.Empty(t, note)
	}
}

// A device computes what the CPU does, with the same dropout: the loss of a block and its
// gradients, at once and in runs, the losses of a training, its scores on validation rows and the
// scores at its end. In f32 they are apart by rounding, which Adam's first steps, all of one size
// whatever the gradient's, make larger; in bf16, whose roundings are those of 8 bits, by more.
func TestADeviceAgreesWithTheCPU(t *testing.T) {
	if torchtest.Name() == "cpu" {
		t.Skipf("%s names no other device", torchtest.Variable)
	}
	for _, c := range []struct {
		dtype                  string
		loss, gradient, scores float64 // how far they may be apart; gradients as part of the largest element
	}{{"f32", 1e-5, 1e-4, 5e-3}, {"bf16", 2e-2, 5e-2, 5e-2}} {
		t.Run(c.dtype, func(t *testing.T) {
			open := func(device string) *study.Study {
				return studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
					e.Device, e.DType = device, c.dtype
					e.Train.Dropout, e.Adapter.Dropout, e.Train.LR, e.Train.ReadoutLR = .1, .1, 1e-3, 1e-3
				})
			}
			cpu, device := studytest.TrainerOf(t, open("cpu")), studytest.TrainerOf(t, open(torchtest.Name()))
			for _, batch := range []int{1000, 20} {
				b := tune.Block{Story: "one", From: 4, To: 14, Subjects: []int{0}}
				wantLoss, want := studytest.Gradients(cpu, t, b, batch, 1, 5)
				loss, got := studytest.Gradients(device, t, b, batch, 1, 5)
				t.Logf("batch %d: loss %.7g on the CPU, %.7g on the device", batch, wantLoss, loss)
				assert.InDelta(t, wantLoss, loss, c.loss)
				assert.ElementsMatch(t, slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(got)))
				worst := 0.
				for name, g := range want {
					largest, apart := 0., 0.
					for i, v := range g {
						largest, apart = max(largest, float64(v), -float64(v)),
							max(apart, float64(v-got[name][i]), float64(got[name][i]-v))
					}
					assert.LessOrEqual(t, apart, c.gradient*largest, name)
					worst = max(worst, apart/largest)
				}
				t.Logf("batch %d: gradients are apart by %.2g of the largest element", batch, worst)
			}
			outcome := func(st *study.Study) (out []float64) {
				run, p := studytest.MustFit(t, st)
				for _, e := range p.Epochs {
					if out = append(out, e.ValR); e.Loss != nil {
						out = append(out, *e.Loss)
					}
				}
				s, err := evaluate.EvaluateRun(t.Context(), st, run)
				require.NoError(t, err)
				return append(out, s.Test.Base.MeanR)
			}
			want, got := outcome(open("cpu")), outcome(open(torchtest.Name()))
			t.Logf("CPU    %.6f\ndevice %.6f", want, got)
			assert.InDeltaSlice(t, want, got, c.scores)
		})
	}
}
