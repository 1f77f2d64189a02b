//go:build slow

package dist

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// standIn builds the library that stands in for NCCL.
func standIn(t *testing.T) string {
	t.Helper()
	include, err := filepath.Abs("../../third_party/libtorch/include")
	require.NoError(t, err)
	if _, err := os.Stat(include); err != nil {
		t.Skip("no third_party/libtorch to compile the stand-in against: ", err)
	}
	path := filepath.Join(t.TempDir(), deviceLibrary)
	compiler := "g++"
	if named := os.Getenv("CXX"); named != "" {
		compiler = named
	}
	out, err := exec.CommandContext(t.Context(), compiler, "-std=c++20", "-O1", "-fPIC", "-shared", "-w",
		"-isystem", include, "-isystem", filepath.Join(include, "torch/csrc/api/include"), "-Istub",
		"testdata/standin.cc", "-o", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// Large exchanges go by the devices once all ranks have theirs, small ones and agreements do not.
func TestLargeExchangesGoByTheDevices(t *testing.T) {
	library := standIn(t)
	const n = deviceBytes
	none(t, together(t, 3, options{}, func(g *Group) error {
		by, why, err := g.onDevice(library, 0, "", true)
		require.NoError(t, err)
		assert.Equal(t, "nccl", by)
		assert.Empty(t, why)

		few, err := Sum(g, "few", []float32{float32(g.Rank())})
		require.NoError(t, err)
		assert.Equal(t, []float32{3}, few)
		many, err := Sum(g, "many", make([]float32, n))
		require.NoError(t, err)
		assert.Equal(t, float32(3), many[n-1], "one by each rank of the stand-in")

		mine := make([]uint8, n)
		for i := range mine {
			mine[i] = uint8(g.Rank())
		}
		all, err := Gather(g, "all", mine, nil)
		require.NoError(t, err)
		counts := [][]int{{n, n, 0}, {0, 0, 0}, {n, 0, 0}}
		parts, err := Exchange(g, "parts", append(mine, mine...)[:2*n-n*min(g.Rank(), 1)-n*(g.Rank()%2)], counts)
		require.NoError(t, err)
		for rank := range all {
			assert.Len(t, all[rank], n)
			assert.Equal(t, ^uint8(rank), all[rank][n-1])
			if counts[rank][g.Rank()] > 0 {
				assert.Len(t, parts[rank], n)
				assert.Equal(t, ^uint8(rank), parts[rank][n-1])
			}
		}
		return g.Barrier("end")
	}))
}

// Where one rank has no device, or cannot connect it, all exchange by Gloo and say why. Where devices are asked for,
// that is an error on all.
func TestOneRankWithoutADevice(t *testing.T) {
	library := standIn(t)
	missing := filepath.Join(t.TempDir(), "none.so")
	for name, c := range map[string]struct{ library, why, said string }{
		"none":    {library, "computes on the CPU", "rank 1: computes on the CPU"},
		"library": {missing, "", missing},
	} {
		t.Run(name, func(t *testing.T) {
			for _, must := range []bool{false, true} {
				none(t, together(t, 2, options{join: 5 * time.Second}, func(g *Group) error {
					why, lib := "", library
					if g.Rank() == 1 || name == "library" {
						why, lib = c.why, c.library
					}
					by, reason, err := g.onDevice(lib, 0, why, must)
					if must {
						assert.Equal(t, fault.Unavailable, fault.KindOf(err))
						assert.ErrorContains(t, err, c.said)
					} else {
						require.NoError(t, err)
						assert.Equal(t, "gloo", by)
						assert.Contains(t, reason, c.said)
					}
					sum, err := Sum(g, "many", make([]float32, deviceBytes))
					require.NoError(t, err)
					assert.Zero(t, sum[0])
					return g.Barrier("end")
				}))
			}
		})
	}
}

// A device that cannot be opened is told by all ranks alike.
func TestADeviceThatIsNotThere(t *testing.T) {
	library := standIn(t)
	none(t, together(t, 2, options{}, func(g *Group) error {
		by, reason, err := g.onDevice(library, 7, "", false)
		require.NoError(t, err)
		assert.Equal(t, "gloo", by)
		assert.Equal(t, "rank 0: there is no GPU of number 7", reason)
		return g.Barrier("end")
	}))
}

// NCCL itself says in one line what it lacks, on a machine without a GPU.
func TestNCCLWithoutAGPU(t *testing.T) {
	library := os.Getenv(libraryVariable)
	if library == "" {
		t.Skip(libraryVariable, " names no libbwlm_nccl.so (scripts/build_nccl.sh)")
	}
	if torch.CUDADevices() > 0 {
		t.Skip("there is a GPU")
	}
	none(t, together(t, 2, options{}, func(g *Group) error {
		_, reason, err := g.onDevice(library, 0, "", false)
		require.NoError(t, err)
		assert.Regexp(t, "^rank 0: .*no GPUs found", reason)
		return g.Barrier("end")
	}))
}
