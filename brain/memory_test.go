package brain

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
)

// A bound on memory becomes a batch and a cache, and is refused where it does not suffice. What is computed stays the same.
func TestMaxMemoryIsShared(t *testing.T) {
	used, err := residentMemory()
	require.NoError(t, err)
	open := func(bound int64) (*Study, error) {
		return tryTiny(t, Options{}, func(e *experiment.Experiment, _ *dataset.Spec) { e.MaxMemory = fmt.Sprintf("%dB", bound) })
	}
	_, err = open(used / 2)
	assert.Equal(t, fault.Memory, fault.KindOf(err))
	assert.ErrorContains(t, err, "share memory: max_memory: ")
	assert.ErrorContains(t, err, "allow at least ")
	var batches []int
	for _, more := range []int64{300 << 20, 3 << 30, 30 << 30} {
		st, err := open(used + more)
		require.NoError(t, err)
		assert.LessOrEqual(t, st.opt.BatchBytes+st.opt.CacheBytes+st.evaluationBytes(), more+64<<20)
		assert.LessOrEqual(t, st.opt.BatchBytes, int64(defaultBatchBytes))
		batches = append(batches, st.reader(st.Model).batch)
		st.Close()
	}
	assert.IsNonDecreasing(t, batches)
	m, clip := goldenModel(t, ""), goldenClip(t)
	_, err = Features(t.Context(), m.Model, clip, WindowOptions{WindowSeconds: .2, MaxBytes: 1 << 20})
	assert.Equal(t, fault.Memory, fault.KindOf(err))
}
