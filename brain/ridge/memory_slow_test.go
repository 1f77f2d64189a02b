//go:build slow

package ridge

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/brainwavlm/bwlm/torch"
)

// noise are responses that are made as they are read, so that none are kept.
type noise struct{ rows int }

func (n noise) Read(from, _ int, out []float32) error {
	state := uint32(from + 1)
	for i := range out {
		state = state*1664525 + 1013904223
		out[i] = float32(int32(state)) / (1 << 31)
	}
	return nil
}

const (
	sizeVariable = "RIDGE_TEST_SIZE"
	heldBytes    = 64 << 20 // of responses
)

// TestMemoryOfOneSize is run by TestMemoryGrowsWithTheWeightsAlone in a process of its own, since
// the most memory that a process had never sinks.
func TestMemoryOfOneSize(t *testing.T) {
	var size [3]int
	if json.Unmarshal([]byte(os.Getenv(sizeVariable)), &size) != nil {
		t.Skip("only for TestMemoryGrowsWithTheWeightsAlone")
	}
	rows, features, voxels := size[0], size[1], size[2]
	asBwlm(t)
	x := make([]float32, rows*features)
	require.NoError(t, noise{rows}.Read(0, features, x))
	folds, err := KFold(rows, 2)
	require.NoError(t, err)
	m, err := FitColumns(t.Context(), x, noise{rows}, rows, voxels,
		Options{Folds: folds, Lambdas: []float64{10, 1000}, Bytes: heldBytes})
	require.NoError(t, err)
	if m.Dual != nil { // predictions, scores and weights, too
		const testRows, some = 200, 1000
		_, err = m.Predict(t.Context(), x[:testRows*features], testRows)
		require.NoError(t, err)
		_, err = m.Evaluate(t.Context(), x[:testRows*features], noise{testRows}, testRows)
		require.NoError(t, err)
		require.NoError(t, m.ReadWeights(t.Context(), 0, some, make([]float32, some*voxels)))
	}
	tellPeak(t)
}

// asBwlm has memory kept as bwlm has it where that is bounded.
func asBwlm(t *testing.T) {
	t.Helper()
	debug.SetGCPercent(10)
	require.NoError(t, torch.Setup(torch.SetupOptions{KeepMemory: true}))
}

// tellPeak writes the most memory of this process, in bytes, to the file of peakOf.
func tellPeak(t *testing.T) {
	t.Helper()
	var used unix.Rusage
	require.NoError(t, unix.Getrusage(unix.RUSAGE_SELF, &used))
	require.NoError(t, os.WriteFile(os.Getenv("RIDGE_TEST_PEAK"), []byte(strconv.FormatInt(used.Maxrss<<10, 10)),
		0o600))
}

// bytesOf is a bound on what a fit holds, in bytes, beside libtorch:
//
//	64 MB                     responses, as the options say
//	12·F·V                    weights: 4 that stay, and as measured 7 of garbage and of what malloc keeps
//	(57 + 8·P)·V              choices, scores of P penalties, constants
//	12·N·F + 40·K² + 24·N·K   features twice, their Gram matrix and its decomposition, the projections
//	16 blocks of 8 MB
//
// with N rows, F features, V voxels and K the smaller of N and F.
func bytesOf(rows, features, voxels, penalties int) int {
	k := min(rows, features)
	return heldBytes + 12*features*voxels + (57+8*penalties)*voxels + 12*rows*features + 40*k*k + 24*rows*k + 16<<23
}

// peakOf returns the most memory of a process that runs a test with a size in a variable, in bytes.
func peakOf(t *testing.T, test, variable string, size any) int {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	text, err := json.Marshal(size)
	require.NoError(t, err)
	path := t.TempDir() + "/peak"
	cmd := exec.CommandContext(t.Context(), self, "-test.run", "^"+test+"$")
	cmd.Env = append(os.Environ(), variable+"="+string(text), "RIDGE_TEST_PEAK="+path)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	peak, err := strconv.Atoi(string(b))
	require.NoError(t, err)
	return peak
}

// Features that far outnumber rows, such as all layers of a large language model with delays, are held once, and their
// weights, 3 GB here, not at all.
func TestWideFeaturesAreHeldOnce(t *testing.T) {
	const rows, features, voxels = 2000, 148_000, 5000
	peak := peakOf(t, "TestMemoryOfOneSize", sizeVariable, [3]int{rows, features, voxels})
	t.Logf("%d rows, %d features, %d voxels: %d MB; the features are %d MB, the weights would be %d MB", rows, features,
		voxels, peak>>20, 4*rows*features>>20, 4*features*voxels>>20)
	assert.Less(t, peak, 4<<30)
}

// The memory of a fit grows with the weights and with the decomposition of the features, not with
// rows times voxels. So a brain of 100,000 voxels and 10,000 TRs, whose responses alone take 4 GB,
// is fitted in less than 8 GB.
func TestMemoryGrowsWithTheWeightsAlone(t *testing.T) {
	const library = 400 << 20 // libtorch and the test itself
	for _, size := range [][3]int{{600, 64, 500}, {600, 64, 200_000}, {1200, 64, 200_000},
		{1500, 1024, 2000}, {1500, 1024, 60_000}, {900, 2000, 20_000}} {
		peak := peakOf(t, "TestMemoryOfOneSize", sizeVariable, size)
		want := bytesOf(size[0], size[1], size[2], 2) + library
		t.Logf("%d rows, %d features, %d voxels: %d MB, formula %d MB; the responses would take %d MB in f32",
			size[0], size[1], size[2], peak>>20, want>>20, 4*size[0]*size[2]>>20)
		assert.Less(t, peak, want)
	}
	for _, features := range []int{768, 3072, 6144} {
		t.Logf("10000 rows, %d features, 100000 voxels, 10 penalties: formula %d MB",
			features, (bytesOf(10_000, features, 100_000, 10)+library)>>20)
	}
	assert.Less(t, bytesOf(10_000, 3072, 100_000, 10)+library, 8<<30)
}
