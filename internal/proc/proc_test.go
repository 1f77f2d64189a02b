package proc

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

func TestMemory(t *testing.T) {
	now, err := ResidentMemory()
	require.NoError(t, err)
	held := make([]byte, 64<<20)
	for i := 0; i < len(held); i += os.Getpagesize() {
		held[i] = 1
	}
	more, err := ResidentMemory()
	require.NoError(t, err)
	peak, err := PeakMemory()
	require.NoError(t, err)
	assert.Greater(t, now, int64(1<<20))
	assert.Greater(t, more, now+int64(len(held))/2)
	assert.GreaterOrEqual(t, peak, more)
	assert.EqualValues(t, 1, held[0])

	_, err = status("VmNone")
	faulttest.Require(t, fault.Unavailable, err, "VmNone")

	total, available := Memory()
	assert.Greater(t, total, peak)
	assert.Greater(t, available, int64(0))
	assert.LessOrEqual(t, available, total)
}

func TestCPU(t *testing.T) {
	assert.NotEmpty(t, CPUModel())
	seen := 0
	for key := range CPU() {
		if key == "processor" {
			seen++
		}
	}
	assert.LessOrEqual(t, seen, 1, "the first processor only")
}

func TestFields(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	require.NoError(t, os.WriteFile(path, []byte("VmRSS:\t  512 kB\nno pair\n\nflags\t: a b: c\n"), 0o600))
	assert.Equal(t, map[string]string{"VmRSS": "512 kB", "flags": "a b: c"}, maps.Collect(fields(path)))
	assert.Empty(t, maps.Collect(fields(path+"x")))
	n, err := kibibytes("512 kB")
	require.NoError(t, err)
	assert.EqualValues(t, 512<<10, n)
	_, err = kibibytes("many")
	assert.Error(t, err)
}
