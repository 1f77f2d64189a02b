package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/exampletest"
	"github.com/brainwavlm/bwlm/torch"
)

func TestMain(m *testing.M) { exampletest.Main(m) }

func TestAdapterTeachesAnotherFunction(t *testing.T) {
	out := filepath.Join(t.TempDir(), "adapter")
	var printed strings.Builder
	require.NoError(t, run(t.Context(), []string{"-out", out}, &printed))
	var all, inAdapter int
	var first, before, tuned, again float64
	_, err := fmt.Sscanf(printed.String(),
		"%d parameters, %d in the adapter\nfirst function:  base %g\nsecond function: base %g, tuned %g, read back "+
			"%g\n",
		&all, &inAdapter, &first, &before, &tuned, &again)
	require.NoError(t, err, printed.String())
	assert.Equal(t, 2*32+32*32+32+32+1, all)
	assert.Equal(t, 4*(1+32+32+32+32+1), inAdapter)
	assert.Less(t, first, .01)
	assert.Greater(t, before, .1)
	assert.Less(t, tuned, .01)
	assert.Equal(t, tuned, again)
	assert.FileExists(t, filepath.Join(out, "adapter_config.json"))
	assert.Zero(t, torch.Live(), "tensors are left")
}
