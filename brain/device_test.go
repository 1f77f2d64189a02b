package brain

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/torch"
)

func TestDTypeAutoIsSettledAndSaid(t *testing.T) {
	e := experiment.Default()
	e.Device, e.DType = "cpu", "auto"
	got, note, err := settled(e)
	require.NoError(t, err)
	assert.Equal(t, "auto", e.DType, "the caller's is left alone")
	want := map[bool]string{true: "bf16", false: "f32"}[torch.FastBFloat16(torch.CPU)]
	assert.Equal(t, want, got.DType)
	assert.Contains(t, note, "dtype auto: "+want)

	for _, dtype := range []string{"f32", "bf16"} {
		e.DType = dtype
		got, note, err := settled(e)
		require.NoError(t, err)
		assert.Equal(t, dtype, got.DType)
		assert.Empty(t, note)
	}
}
