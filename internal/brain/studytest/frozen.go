package studytest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/activations"
)

func OpenStore(t *testing.T, dir string, limit int64) *activations.Store {
	t.Helper()
	s, err := activations.Open(dir, limit)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}
