package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/npy"
)

// statsGolden is what tools/stats/make_golden.py computed with NumPy.
type statsGolden struct {
	Ceilings struct {
		N, Rows, Voxels int
		Repeats, Pred   []float32
		SP, Raw, EV     []float64
		CCMax           []float64   `json:"cc_max"`
		LeaveOneOut     [][]float64 `json:"leave_one_out"`
		Upper           []float64
	}
	Orders struct {
		Block, Voxels   int
		Pred, Want      []float32
		R, Greater, Max []float64
	}
}

func readStatsGolden(t *testing.T) (g statsGolden) {
	t.Helper()
	text, err := os.ReadFile("../../brain/stats/testdata/golden.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &g))
	return g
}

func writeNPY(t *testing.T, dir, name string, values []float32, shape ...int) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, npy.Write(path, shape, values))
	return path
}

func readVector(t *testing.T, dir, name string) []float64 {
	t.Helper()
	a, err := npy.Read(filepath.Join(dir, name+".npy"))
	require.NoError(t, err)
	require.Len(t, a.Shape, 1)
	x, err := a.Float64()
	require.NoError(t, err)
	return x
}

// TestStatsScripts are the scripts about plain arrays: responses to four repeats of 30 rows in five voxels, and so on.
func TestStatsScripts(t *testing.T) {
	g := readStatsGolden(t).Ceilings
	testscript.Run(t, testscript.Params{Dir: "testdata/stats", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			size := g.Rows * g.Voxels
			put := func(name string, values []float32, shape ...int) { writeNPY(t, e.WorkDir, name, values, shape...) }
			put("repeats.npy", g.Repeats, g.N, g.Rows, g.Voxels)
			put("once.npy", g.Repeats[:size], 1, g.Rows, g.Voxels)
			put("flat.npy", make([]float32, 2*size), 2, g.Rows, g.Voxels)
			broken := slices.Clone(g.Repeats)
			broken[size+2*g.Voxels+3] = float32(math.NaN())
			put("broken.npy", broken, g.N, g.Rows, g.Voxels)
			responses := slices.Clone(g.Repeats[:size])
			for at := 4; at < size; at += g.Voxels {
				responses[at] = 7
			}
			put("responses.npy", responses, g.Rows, g.Voxels)
			put("pred.npy", g.Pred, g.Rows, g.Voxels)
			put("turned.npy", g.Pred, g.Voxels, g.Rows)
			put("constant.npy", make([]float32, size), g.Rows, g.Voxels)
			wild := slices.Clone(g.Pred)
			wild[4] = float32(math.Inf(-1))
			put("wild.npy", wild, g.Rows, g.Voxels)
			return nil
		}})
}

func TestStatsCeilingWritesWhatNumPyFinds(t *testing.T) {
	g := readStatsGolden(t).Ceilings
	dir := t.TempDir()
	code, _, stderr := call(t, "stats", "ceiling", "--y", writeNPY(t, dir, "y.npy", g.Repeats, g.N, g.Rows, g.Voxels),
		"--out", dir)
	require.Zero(t, code, stderr)
	for name, want := range map[string][]float64{"sp": g.SP, "ev": g.EV, "ev_raw": g.Raw, "cc_max": g.CCMax} {
		got := readVector(t, dir, name)
		require.Len(t, got, g.Voxels)
		assert.InDeltaSlice(t, want, got[:len(want)], 1e-9, name)
	}
	assert.True(t, math.IsNaN(readVector(t, dir, "cc_max")[3]),
		"repeats that oppose each other have no ceiling, which is not a ceiling of 0")
	assert.Negative(t, readVector(t, dir, "sp")[3])
	assert.True(t, math.IsNaN(readVector(t, dir, "ev")[4]), "nor does a constant voxel have a share of its variance")
	defined, err := npy.Read(filepath.Join(dir, "defined.npy"))
	require.NoError(t, err)
	is, err := defined.Bool()
	require.NoError(t, err)
	assert.Equal(t, []bool{true, true, true, false, false}, is)
}

func TestStatsIntersubjectWritesWhatNumPyFinds(t *testing.T) {
	g := readStatsGolden(t).Ceilings
	dir := t.TempDir()
	y := writeNPY(t, dir, "y.npy", g.Repeats, g.N, g.Rows, g.Voxels)
	code, stdout, stderr := call(t, "stats", "intersubject", "--y", y, "--out", dir, "--json")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, `{"schema":1,`)
	a, err := npy.Read(filepath.Join(dir, "isc_subjects.npy"))
	require.NoError(t, err)
	assert.Equal(t, []int{g.N, g.Voxels}, a.Shape)
	subjects, err := a.Float64()
	require.NoError(t, err)
	isc, upper := readVector(t, dir, "isc"), readVector(t, dir, "upper")
	for v, want := range g.Upper {
		assert.InDelta(t, want, upper[v], 1e-9)
		mean := 0.
		for i, r := range g.LeaveOneOut {
			assert.InDelta(t, r[v], subjects[i*g.Voxels+v], 1e-9)
			mean += r[v] / float64(g.N)
		}
		assert.InDelta(t, mean, isc[v], 1e-9)
	}
	assert.True(t, math.IsNaN(readVector(t, dir, "cc_max")[3]), "halves that disagree have no ceiling")
}

func TestStatsTestWritesWhatNumPyFinds(t *testing.T) {
	g := readStatsGolden(t).Orders
	dir := t.TempDir()
	rows := len(g.Want) / g.Voxels
	run := func(seed string) {
		code, stdout, stderr := call(t, "stats", "test", "--pred", writeNPY(t, dir, "pred.npy", g.Pred, rows, g.Voxels),
			"--y", writeNPY(t, dir, "y.npy", g.Want, rows, g.Voxels), "--block", "4", "--permutations", "20000",
			"--seed", seed, "--out", dir, "--json")
		require.Zero(t, code, stderr)
		var answer testAnswer
		require.NoError(t, json.Unmarshal([]byte(stdout), &answer))
		assert.Equal(t, []int{1, 7, 4, 3, 0}, []int{answer.Schema, answer.Blocks, answer.BlockRows, answer.Scored,
			answer.Constant})
	}
	run("1")
	assert.InDeltaSlice(t, g.R, readVector(t, dir, "r"), 1e-9)
	p, largest := readVector(t, dir, "p"), readVector(t, dir, "p_max")
	for v := range g.R { // the exact p, up to four standard errors of 20,000 shuffles
		assert.InDelta(t, g.Greater[v], p[v], 4*math.Sqrt(g.Greater[v]*(1-g.Greater[v])/20000))
		assert.InDelta(t, g.Max[v], largest[v], 4*math.Sqrt(g.Max[v]*(1-g.Max[v])/20000))
	}
	assert.GreaterOrEqual(t, slices.Min(readVector(t, dir, "q")), slices.Min(p))
	run("1")
	assert.Equal(t, p, readVector(t, dir, "p"), "the same seed")
	run("2")
	assert.NotEqual(t, p, readVector(t, dir, "p"), "another")
}
