package nn

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/torch"
)

// Several workers, so that it is the leases that keep closures apart, and one thread each, since
// all is tiny.
func TestMain(m *testing.M) {
	if err := torch.Setup(torch.SetupOptions{Workers: 4, Threads: 1}); err != nil {
		panic(err)
	}
	torchtest.Load()
	m.Run()
}

// noLeak fails the test if it leaves tensors behind.
func noLeak(t *testing.T) {
	t.Helper()
	before := torch.Live()
	t.Cleanup(func() { assert.Equal(t, before, torch.Live(), "tensors left behind") })
}

// newStore is a store that is closed after the test.
func newStore(t *testing.T) *Store {
	t.Helper()
	noLeak(t)
	st := NewStore()
	t.Cleanup(st.Close)
	return st
}

// do runs fn in a scope with gradients but without dropout, on the device of the tests.
func do(t *testing.T, seed uint64, fn func(s *torch.Scope)) {
	t.Helper()
	require.NoError(t, torch.Do(t.Context(), torch.Mode{Grad: true, Seed: seed, Device: torchtest.Device()},
		func(s *torch.Scope) error { fn(s); return nil }))
}
