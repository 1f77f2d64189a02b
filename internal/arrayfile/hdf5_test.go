package arrayfile

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/stored"
)

// Integers that are to be shifted are no array that is read, whatever their factor.
func TestShiftedIntegersAreNotRead(t *testing.T) {
	f, err := Open("../hdf5/testdata/small/scaled_earliest.h5")
	require.NoError(t, err)
	defer f.Close()
	assert.Empty(t, f.Arrays())
	assert.Equal(t, []stored.Other{{Name: "data", Data: true,
		What: "an array of integers with an attribute add_offset, which is not read"}}, f.Others())
}
