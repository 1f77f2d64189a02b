package torch_test

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/torch"
)

// Two hundred steps of training keep the process as large as it was, and the number of tensors as
// it was.
func TestMemoryOfTraining(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	noLeak(t)
	m := newModel(t, 64)
	arena := torch.NewArena()
	defer arena.Close()
	var st torch.AdamState
	require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
		st = adamFor(s, arena,
			m.params...)
		return nil
	}))
	var first, last float64
	resident, live := 0, 0
	for step := range 200 {
		require.NoError(t, torch.Train(t.Context(), uint64(step), func(s *torch.Scope) error {
			x := s.Normal(0, 1, 4, frames, m.width)
			loss := m.forward(x).Sub(x.MulScalar(2)).Square().Mean() // to learn to double
			loss.Backward()
			torch.AdamStep(st, 3e-3, .9, .999, 1e-8, 0, false)
			torch.ClearGrad(m.params...)
			last = loss.Item()
			return nil
		}))
		if step == 20 { // pools and caches have been filled
			debug.FreeOSMemory()
			first, resident, live = last, procStatus(t, "VmRSS"), torch.Live()
		}
	}
	debug.FreeOSMemory()
	now := procStatus(t, "VmRSS")
	assert.InEpsilon(t, resident, now, .05)
	assert.Equal(t, live, torch.Live())
	assert.Less(t, last, .5*first, "and something was learnt")
}
