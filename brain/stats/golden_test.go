package stats

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// golden is what NumPy and SciPy say, from tools/stats/make_golden.py. Of the voxels of Ceilings, values that exist for
// four or three stand for the first four or three.
type golden struct {
	Ceilings struct {
		N, Rows, Voxels int
		Repeats, Pred   []float32
		TP, SP, Raw, EV []float64
		CCMax           []float64 `json:"cc_max"`
		R               []float64
		CCNorm          []float64 `json:"cc_norm"`
		SPE             []float64
		LeaveOneOut     [][]float64 `json:"leave_one_out"`
		Upper, Halves   []float64
	}
	Discovery struct{ P, BH, BY []float64 }
	Orders    struct {
		Block, Voxels int
		Pred, Want    []float32
		R, Greater    []float64
		TwoSided      []float64 `json:"two_sided"`
		Max           []float64
	}
	Swaps struct {
		Block, Voxels     int
		Want, Base, Tuned []float32
		Delta, Greater    []float64
		TwoSided          []float64 `json:"two_sided"`
		Max               []float64
	}
}

func readGolden(t *testing.T) (g golden) {
	t.Helper()
	text, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &g))
	return g
}
