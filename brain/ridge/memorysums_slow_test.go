//go:build slow

package ridge

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// noiseRows are responses that are made as they are read, by rows.
type noiseRows struct{ noise }

func (n noiseRows) EachRows(_ context.Context, from, to int, visit func(row int, x []float32) error) error {
	const step = 128
	x := make([]float32, step*(to-from))
	for row := 0; row < n.rows; row += step {
		some := x[:min(step, n.rows-row)*(to-from)]
		if err := n.Read(row, 0, some); err != nil {
			return err
		}
		if err := visit(row, some); err != nil {
			return err
		}
	}
	return nil
}

const sumsVariable = "RIDGE_TEST_SUMS"

// TestMemoryOfSumsOfOneSize is run by TestMemoryOfSums.
func TestMemoryOfSumsOfOneSize(t *testing.T) {
	var size [4]int
	if json.Unmarshal([]byte(os.Getenv(sumsVariable)), &size) != nil {
		t.Skip("only for TestMemoryOfSums")
	}
	rows, features, voxels := size[0], size[1], size[2]
	asBwlm(t)
	onlyForm = Sums
	x := make([]float32, rows*features)
	require.NoError(t, noise{rows}.Read(0, features, x))
	cost, err := FitBlocks(t.Context(), x, rows, []Responses{{noiseRows{noise{rows}}, voxels}},
		Options{Alphas: []float64{10, 100, 1000}, Bytes: size[3]},
		func(context.Context, int, int, *Model) error { return nil })
	require.NoError(t, err)
	require.Equal(t, Sums, cost.Form)
	tellPeak(t)
}

// A fit from sums takes what Expect says, which plans and bounds of memory rely on.
func TestMemoryOfSums(t *testing.T) {
	const library = 400 << 20 // libtorch and the test itself
	for _, size := range [][4]int{{8192, 512, 4096, 1 << 30}, {8192, 1024, 60_000, 1 << 30},
		{12_288, 1024, 60_000, 500 << 20}, {8192, 2048, 20_000, 1 << 30}} {
		peak := peakOf(t, "TestMemoryOfSumsOfOneSize", sumsVariable, size)
		onlyForm = Sums
		e, err := Expect(size[0], size[1], size[2], Options{Alphas: []float64{10, 100, 1000}, Bytes: size[3]})
		onlyForm = ""
		require.NoError(t, err)
		want := int(e.Memory) + 4*size[0]*size[1] + library
		t.Logf("%d rows, %d features, %d voxels, %d MB of sums: %d MB, expected %d MB", size[0], size[1], size[2],
			size[3]>>20, peak>>20, want>>20)
		assert.Less(t, peak, want)
	}
}
