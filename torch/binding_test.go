package torch

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

func TestALibtorchOfAnotherVersionIsRefused(t *testing.T) {
	assert.Equal(t, "2.11.1", versionOf(2<<56|11<<48|1<<40|7))
	require.NoError(t, sameVersion("2.15.0", "2.15.0", "lib"))
	err := sameVersion("2.15.0", "2.11.0", "/opt/torch/lib/libtorch_cpu.so")
	assert.Equal(t, fault.Unavailable, fault.KindOf(err))
	assert.EqualError(t, err,
		"load libtorch: /opt/torch/lib/libtorch_cpu.so: libtorch 2.11.0, this program was built for 2.15.0; "+
			"set LIBTORCH to libtorch 2.15.0, or build the program for this one: LIBTORCH=... make build")
}

func TestTheLoadedLibtorchIsTheOneOfTheHeaders(t *testing.T) {
	require.NoError(t, Available())
	assert.Equal(t, Version(), loadedVersion())
}
