//go:build cuda

package dist

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/torch"
)

// needsNCCL returns the library by which n GPUs exchange.
func needsNCCL(t *testing.T, n int) string {
	t.Helper()
	if torch.CUDADevices() < n {
		t.Skipf("%d GPUs are needed, and %s=cuda", n, torchtest.Variable)
	}
	library := findLibrary()
	if library == "" {
		t.Skip(libraryVariable, " names no libbwlm_nccl.so (scripts/build_nccl.sh)")
	}
	return library
}

// One GPU gets back what it has.
func TestNCCLOfOneRank(t *testing.T) {
	library := needsNCCL(t, 1)
	h, err := openStore("127.0.0.1", freePort(t), true, 1, "test", time.Minute)
	require.NoError(t, err)
	defer h.close()
	require.NoError(t, h.connect(0, 1, "", "127.0.0.1", time.Minute))
	require.NoError(t, h.connectDevices(library, 0, time.Minute))
	x := []float32{1, 2, 3}
	for _, what := range []exchange{{what: gather}, {what: sum}} {
		what.byDevice, what.in, what.send, what.most = true, pointer(bytesOf(x)), []int64{12}, time.Minute
		require.NoError(t, h.start(what))
		for err = errPending; err == errPending; {
			err = h.wait(waitEvery)
		}
		require.NoError(t, err)
		out := make([]float32, len(x))
		require.NoError(t, h.take(pointer(bytesOf(out)), 12))
		assert.Equal(t, x, out)
	}
}

// Two GPUs exchange what two processors do.
func TestNCCLOfTwoRanks(t *testing.T) {
	library := needsNCCL(t, 2)
	none(t, together(t, 2, options{}, func(g *Group) error {
		by, why, err := g.onDevice(library, g.Rank(), "", true)
		require.NoError(t, err)
		require.Equal(t, "nccl", by, why)
		mine := make([]float32, deviceBytes)
		for i := range mine {
			mine[i] = float32(g.Rank()*i) + 1
		}
		all, err := Gather(g, "all", mine, nil)
		require.NoError(t, err)
		assert.Equal(t, mine, all[g.Rank()])
		assert.Equal(t, float32(8), all[1][7])
		sum, err := Sum(g, "sum", mine)
		require.NoError(t, err)
		assert.Equal(t, float32(9), sum[7])
		parts, err := Exchange(g, "parts", mine, [][]int{{0, len(mine)}, {len(mine), 0}})
		require.NoError(t, err)
		assert.Equal(t, all[1-g.Rank()], parts[1-g.Rank()])
		return g.Barrier("end")
	}))
}
