package windows_test

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/proc"
	"github.com/brainwavlm/bwlm/wavlm"
)

// A bound on memory is shared by a step and the cache, and refused where it does not hold a unit of windows.
func TestMaxMemoryIsShared(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	used, err := proc.ResidentMemory()
	require.NoError(t, err)
	open := func(bound int64) (*study.Study, error) {
		return studytest.TryTiny(t, study.Options{}, func(e *experiment.Experiment,
			_ *dataset.Spec) {
			e.MaxMemory = fmt.Sprintf("%dB", bound)
		})
	}
	_, err = open(used / 2)
	assert.Equal(t, fault.Memory, fault.KindOf(err))
	assert.ErrorContains(t, err, "share memory: max_memory: ")
	assert.ErrorContains(t, err, "allow at least ")
	for _, more := range []int64{300 << 20, 3 << 30, 30 << 30} {
		st, err := open(used + more)
		require.NoError(t, err)
		later, err := st.EvaluationBytes()
		require.NoError(t, err)
		assert.LessOrEqual(t, st.Options.StepBytes+st.Options.CacheBytes+later, more+64<<20)
		assert.LessOrEqual(t, st.Options.StepBytes, int64(windows.DefaultStepBytes))
		if st.Options.StepBytes < windows.DefaultStepBytes {
			assert.InDelta(t, 2, float64(st.Options.StepBytes)/float64(st.Options.CacheBytes), .001,
				"two thirds are computed with")
		}
		assert.Equal(t, 16, st.Reader(st.Model).Unit, "memory changes no unit")
		st.Close()
	}
	m, clip := studytest.GoldenModel(t, ""), studytest.GoldenClip(t)
	_, err = extract.Features(t.Context(), m.Model, clip, extract.Options{WindowSeconds: .2, MaxBytes: 1 << 20})
	assert.Equal(t, fault.Memory, fault.KindOf(err))
}

// What was asked for by name does not go by the bound.
func TestMaxMemoryLeavesWhatIsGiven(t *testing.T) {
	st := studytest.Tiny(t, study.Options{MaxBytes: 30 << 30, StepBytes: 1 << 20, CacheBytes: 2 << 20}, nil)
	assert.EqualValues(t, 1<<20, st.Options.StepBytes)
	assert.EqualValues(t, 2<<20, st.Options.CacheBytes)
}

// By hand: 160 rows of 16 channels, at the layers that are read; 34 test rows of 60 and of 8 voxels, four times; a
// quarter for garbage. Sound of four stories; mean, SD and whether it varies of each voxel and story. The largest fit
// is ada's: 68 rows at 2 delays, 60 voxels, folds that hold out 16 rows.
func TestMemoryOfAnEvaluation(t *testing.T) {
	const channels, width = 16, 16 * 2
	features := func(layers int) int { return (160*channels*4*layers + 4*34*(60+8)*4) * 5 / 4 }
	sound, kept := 4*40*6400*4, 17*(4*60+3*8)
	fold := 16 * (32*16 + (24+8*10)*width)
	fit := (57+8*10)*60 + 4*60*68 + 8*68*width + 40*width*width + 24*68*width + fold + 128<<20 + 4*68*width
	for mode, want := range map[experiment.TrainMode]int{"readout": features(1), "lora": features(4)} {
		st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Data.Subjects, e.Train.Mode = []string{"ada", "cleo"}, mode
		})
		got, err := st.EvaluationBytes()
		require.NoError(t, err)
		assert.EqualValues(t, sound+kept+want+fit, got, mode)
	}
}

// By hand, for WavLM Base and windows of 4 s: the front end's first layer gives a frame for 5
// samples, of which there are three results of two clips; 199 frames in 9 layers.
func TestMemoryOfAClip(t *testing.T) {
	config, m := wavlm.Default(wavlm.WavLM), experiment.Default().Model
	base := config.Geometry()
	assert.EqualValues(t, 3*4*2*512*12800, windows.FrontBytes(base, m))
	assert.EqualValues(t, 4*199*(9*(14*768+2*3072)+4*512), windows.GraphBytes(base, m, 1))
	assert.EqualValues(t, 16*4*199*(9*(14*768+2*3072)+4*512), windows.GraphBytes(base, m, 16))
	assert.EqualValues(t, 16*4*199*((9+10)*768+2*3072+512), windows.ForwardBytes(base, m, 16))
	narrowed := config
	narrowed.ConvWidth = []int{8, 8, 8, 8, 8, 8, 8}
	narrow := narrowed.Geometry()
	wide, err := windows.MemoryLeft(base, m, 30<<30, 0, 1)
	require.NoError(t, err)
	left, err := windows.MemoryLeft(narrow, m, 30<<30, 0, 1)
	require.NoError(t, err)
	assert.InDelta(t, windows.FrontBytes(base, m)-windows.FrontBytes(narrow, m), left-wide, 64<<20,
		"the front end's is not to be had")
}

// What is in use now is what the system says, and less than what was once.
func TestMeasuredMemory(t *testing.T) {
	const size = 256 << 20
	block, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	before, err := proc.ResidentMemory()
	require.NoError(t, err)
	for i := 0; i < size; i += 4096 {
		block[i] = 1
	}
	with, err := proc.ResidentMemory()
	require.NoError(t, err)
	assert.InDelta(t, size, with-before, 64<<20)
	require.NoError(t, syscall.Munmap(block))
	after, err := proc.ResidentMemory()
	require.NoError(t, err)
	peak, err := proc.PeakMemory()
	require.NoError(t, err)
	assert.Greater(t, peak, after+size/2)
}
