package main

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/npy"
)

// ridgeData writes x.npy and y.npy of 40 training rows and x2.npy and y2.npy of 20 test rows: 6
// features, of which voxels 0 to 3 follow the first three, voxel 4 is noise and voxel 5 is
// constant.
func ridgeData(t *testing.T) (dir string, write func(name string, shape []int, x []float32) string) {
	t.Helper()
	dir = t.TempDir()
	write = func(name string, shape []int, x []float32) string {
		path := filepath.Join(dir, name)
		require.NoError(t, npy.Write(path, shape, x))
		return path
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for _, part := range []struct {
		name string
		rows int
	}{{"", 40}, {"2", 20}} {
		var x, y []float32
		for range part.rows {
			row := make([]float32, 6)
			for i := range row {
				row[i] = float32(rng.NormFloat64())
			}
			x = append(x, row...)
			for v := range 4 {
				y = append(y, row[v%3]+.3*float32(rng.NormFloat64()))
			}
			y = append(y, float32(rng.NormFloat64()), 7)
		}
		write("x"+part.name+".npy", []int{part.rows, 6}, x)
		write("y"+part.name+".npy", []int{part.rows, 6}, y)
	}
	return dir, write
}

// ridge runs the command in a folder, on its files.
func ridgeIn(t *testing.T, dir, flags string) (code int, answer ridgeAnswer, stderr string) {
	t.Helper()
	args := []string{"ridge", "--json"}
	for _, arg := range strings.Fields(flags) {
		if strings.HasSuffix(arg, ".npy") || arg == "out" {
			arg = filepath.Join(dir, arg)
		}
		args = append(args, arg)
	}
	code, stdout, stderr := call(t, args...)
	require.NoError(t, json.Unmarshal([]byte(stdout), &answer), stdout)
	return code, answer, stderr
}

const trainAndTest = "--x x.npy --y y.npy --test-x x2.npy --test-y y2.npy --out out "

func readArray(t *testing.T, shape []int, dir, name string) []float64 {
	t.Helper()
	a, err := npy.Read(filepath.Join(dir, "out", name))
	require.NoError(t, err)
	require.Equal(t, shape, a.Shape, name)
	x, err := a.Float64()
	require.NoError(t, err)
	return x
}

// What is written is what predicts the test rows with the score that is written.
func TestRidgeWritesWhatItSays(t *testing.T) {
	dir, _ := ridgeData(t)
	code, answer, stderr := ridgeIn(t, dir, trainAndTest+"--lambdas 1e-1,1e1,1e3,1e1")
	require.Zero(t, code, stderr)
	assert.Equal(t, []string{"lambda.npy", "cv.npy", "r.npy", "r2.npy", "coef.npy", "constant.npy"}, answer.Files)
	assert.Equal(t, []int{1, 40, 20, 6, 6, 5, 1}, []int{answer.Schema, answer.Rows, answer.TestRows, answer.Features,
		answer.Voxels, answer.Folds, answer.Constant})
	coef := readArray(t, []int{6, 6}, dir, "coef.npy")
	r, r2 := readArray(t, []int{6}, dir, "r.npy"), readArray(t, []int{6}, dir, "r2.npy")
	x, err := npy.Read(filepath.Join(dir, "x2.npy"))
	require.NoError(t, err)
	features, err := x.Float32()
	require.NoError(t, err)
	y, err := npy.Read(filepath.Join(dir, "y2.npy"))
	require.NoError(t, err)
	want, err := y.Float32()
	require.NoError(t, err)
	pred := make([]float32, 20*6)
	for row := range 20 {
		for v := range 6 {
			for i := range 6 {
				pred[row*6+v] += features[row*6+i] * float32(coef[i*6+v])
			}
		}
	}
	expected, _ := stats.Correlation(pred, want, 20, 6)
	for v := range 5 {
		assert.InDelta(t, expected[v], r[v], 1e-5)
	}
	assert.Greater(t, r[3], .9)
	assert.Equal(t, []float64{0, 0}, []float64{r[5], r2[5]}, "a constant voxel")
	assert.InDelta(t, (r[0]+r[1]+r[2]+r[3]+r[4])/5, *answer.R, 1e-12, "the mean leaves it out")
	lambda := readArray(t, []int{6}, dir, "lambda.npy")
	assert.Contains(t, []float64{.1, 10}, lambda[0],
		"a voxel with little noise wants little of it; between the two it is a matter of last bits")
	assert.Equal(t, 1e3, lambda[5], "of equal scores the larger lambda")
	a, err := npy.Read(filepath.Join(dir, "out", "constant.npy"))
	require.NoError(t, err)
	constant, err := a.Bool()
	require.NoError(t, err)
	assert.Equal(t, []bool{false, false, false, false, false, true}, constant)
}

// squares are the sums of squares of a voxel's test responses, about the mean of its training rows and about their own.
func squares(t *testing.T, dir string, voxel int) (about, own float64) {
	t.Helper()
	column := func(name string) (out []float64, mean float64) {
		a, err := npy.Read(filepath.Join(dir, name))
		require.NoError(t, err)
		x, err := a.Float64()
		require.NoError(t, err)
		for k := voxel; k < len(x); k += 6 {
			out = append(out, x[k])
			mean += x[k] / float64(len(x)/6)
		}
		return out, mean
	}
	_, before := column("y.npy")
	y, mean := column("y2.npy")
	for _, v := range y {
		about += (v - before) * (v - before)
		own += (v - mean) * (v - mean)
	}
	return about, own
}

func TestRidgeBands(t *testing.T) {
	dir, _ := ridgeData(t)
	code, answer, stderr := ridgeIn(t, dir,
		trainAndTest+"--lambdas 1,10,100 --bands 0:3,3:6 --tries 6 --intercept --select r2")
	require.Zero(t, code, stderr)
	lambda, split := readArray(t, []int{2, 6}, dir, "lambda.npy"), readArray(t, []int{2, 6}, dir, "split_r2.npy")
	r2 := readArray(t, []int{6}, dir, "r2.npy")
	for v := range 4 {
		assert.Less(t, lambda[v], lambda[6+v], "the band of noise has the larger penalty")
		// What is left is seen against the spread about the training rows' mean in the one, about
		// their own in the other.
		about, own := squares(t, dir, v)
		assert.InDelta(t, (1-r2[v])*own, (1-split[v]-split[6+v])*about, 1e-4*own)
		assert.InDelta(t, 0, split[6+v], .1)
	}
	assert.Len(t, answer.Split, 2)
	assert.Contains(t, answer.Files, "intercept.npy")
	readArray(t, []int{6}, dir, "intercept.npy")

	// a plain ridge into the same folder leaves nothing of the one before
	code, answer, stderr = ridgeIn(t, dir, "--x x.npy --y y.npy --out out --lambdas 10")
	require.Zero(t, code, stderr)
	assert.Contains(t, stderr, "without --test-x and --test-y there is no r.npy")
	assert.Nil(t, answer.R)
	assert.Nil(t, answer.CV)
	entries, err := os.ReadDir(filepath.Join(dir, "out"))
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	assert.Equal(t, []string{"coef.npy", "constant.npy", "lambda.npy"}, names)
}

func TestRidgeTakesOneVoxelAndColumns(t *testing.T) {
	dir, write := ridgeData(t)
	y, y2 := make([]float32, 40), make([]float32, 20)
	for i := range y {
		y[i] = float32(i % 7)
	}
	copy(y2, y)
	write("one.npy", []int{40}, y)
	write("one2.npy", []int{20}, y2)
	code, answer, stderr := ridgeIn(t, dir, "--x x.npy --y one.npy --test-x x2.npy --test-y one2.npy --out out")
	require.Zero(t, code, stderr)
	assert.Equal(t, 1, answer.Voxels)
	readArray(t, []int{6, 1}, dir, "coef.npy")
	readArray(t, []int{1}, dir, "r.npy")
}

func TestRidgeExtremes(t *testing.T) {
	dir, write := ridgeData(t)
	rng := rand.New(rand.NewPCG(2, 1))
	x, y := make([]float32, 40*8), make([]float32, 40*3) // rank 2: column i is a multiple of i%2
	for row := range 40 {
		a, b := float32(rng.NormFloat64()), float32(rng.NormFloat64())
		for i := range 8 {
			x[row*8+i] = float32(i+1) * []float32{a, b}[i%2]
		}
		y[row*3], y[row*3+1], y[row*3+2] = a, a-b, 1e-42
	}
	write("x.npy", []int{40, 8}, x)
	write("y.npy", []int{40, 3}, y)
	for _, lambdas := range []string{"0", "1e12", "1e12,0", "100,1,1,10,0,1e300"} {
		code, _, stderr := ridgeIn(t, dir,
			"--x x.npy --y y.npy --test-x x.npy --test-y y.npy --out out --lambdas "+lambdas)
		require.Zero(t, code, stderr)
		for name, shape := range map[string][]int{"coef.npy": {8, 3}, "lambda.npy": {3}, "r.npy": {3}, "r2.npy": {3}} {
			for _, value := range readArray(t, shape, dir, name) {
				require.False(t, math.IsNaN(value) || math.IsInf(value, 0), "%s with %s", name, lambdas)
			}
		}
	}
	r := readArray(t, []int{3}, dir, "r.npy")
	assert.InDelta(t, 1, r[0], 1e-5)
	assert.InDelta(t, 1, r[1], 1e-5)
}

func TestRidgeRefuses(t *testing.T) {
	dir, write := ridgeData(t)
	fill := func(n int, at int, value float64) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(i*i%11 + i%3)
		}
		if at >= 0 {
			x[at] = float32(value)
		}
		return x
	}
	write("wide.npy", []int{6, 40}, fill(240, -1, 0))
	write("nan.npy", []int{40, 6}, fill(240, 27, math.NaN()))
	write("inf.npy", []int{40, 6}, fill(240, 13, math.Inf(-1)))
	write("short.npy", []int{39, 6}, fill(234, -1, 0))
	write("narrow2.npy", []int{20, 5}, fill(100, -1, 0))
	write("wide2.npy", []int{6, 20}, fill(120, -1, 0))
	write("three.npy", []int{40, 3}, fill(120, -1, 0))
	write("three2.npy", []int{20, 3}, fill(60, -1, 0))
	write("wide3.npy", []int{3, 40}, fill(120, -1, 0))
	write("cube.npy", []int{40, 3, 2}, fill(240, -1, 0))
	write("four.npy", []int{4, 6}, fill(24, -1, 0))
	write("none.npy", []int{0, 6}, nil)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "text.npy"), []byte("no"), 0o600))
	for _, c := range []struct {
		flags string
		code  int
		want  string
	}{
		{"--x x.npy --y short.npy --out out", 65,
			"short.npy: 39 rows, DIR/x.npy has 40; both must have a row for each TR"},
		{"--x x.npy --y wide3.npy --out out", 65,
			"wide3.npy: 3 rows, DIR/x.npy has 40; it looks transposed: want rows x voxels"},
		{"--x wide.npy --y y.npy --out out", 65,
			"one of them looks transposed: want rows x features and rows x voxels"},
		{"--x wide.npy --y three.npy --out out", 65,
			"three.npy: 40 rows, DIR/wide.npy has 6; DIR/wide.npy looks transposed: want rows x features"},
		{"--x x.npy --y y.npy --test-x narrow2.npy --test-y y2.npy --out out", 65,
			"narrow2.npy: 5 features, DIR/x.npy has 6; training"},
		{"--x x.npy --y three.npy --test-x wide2.npy --test-y three2.npy --out out", 65, "wide2.npy looks transposed"},
		{"--x x.npy --y y.npy --test-x x2.npy --test-y narrow2.npy --out out", 65,
			"narrow2.npy: 5 voxels, DIR/y.npy has 6; training"},
		{"--x x.npy --y nan.npy --out out", 65, "ridge: DIR/nan.npy: row 4, voxel 3 is NaN; remove or repair it"},
		{"--x inf.npy --y y.npy --out out", 65, "ridge: DIR/inf.npy: row 2, feature 1 is -Inf; remove or repair it"},
		{"--x x.npy --y y.npy --test-x nan.npy --test-y y.npy --out out", 65,
			"ridge: DIR/nan.npy: row 4, feature 3 is NaN"},
		{"--x x.npy --y y.npy --test-x x.npy --test-y inf.npy --out out", 65,
			"ridge: DIR/inf.npy: row 2, voxel 1 is -Inf"},
		{"--x x.npy --y cube.npy --out out", 65, "cube.npy: shape [40 3 2] is not that of a matrix"},
		{"--x four.npy --y four.npy --out out", 65, "ridge: --folds: 4 rows do not make 5 folds"},
		{"--x none.npy --y none.npy --out out", 65, "nothing to fit"},
		{"--x text.npy --y y.npy --out out", 65, "text.npy: is text, want a .npy file of numbers"},
		{"--x nowhere.npy --y y.npy --out out", 66, "nowhere.npy"},
		{"--x x.npy --y y.npy --out x.npy", 73, "x.npy: is a file, not a folder"},
		{"--y y.npy --out out", 2, "--x is missing"},
		{"--x x.npy --y y.npy --test-x x2.npy --out out", 2, "--test-x and --test-y go together"},
		{trainAndTest + "--lambdas 1,-1", 2, `--lambdas: "-1" is not a number from 0 up`},
		{trainAndTest + "--lambdas 1,,2", 2, `--lambdas: "" is not`},
		{trainAndTest + "--lambdas NaN", 2, `--lambdas: "NaN" is not`},
		{trainAndTest + "--folds 1", 2, "--folds: 1, want at least 2"},
		{trainAndTest + "--select z", 2, `--select: "z" is neither`},
		{trainAndTest + "--seed 3", 2, "about --bands"},
		{trainAndTest + "--bands 0:3,3", 2, `--bands: "3" is not first:end`},
		{trainAndTest + "--bands 0:3,2:6", 2,
			"ridge: --bands: feature 2 is in two bands; each feature must be in exactly one band"},
		{trainAndTest + "--bands 0:3,4:6", 2, "--bands: feature 3 is in no band"},
		{trainAndTest + "--bands 0:3,3:7", 2, "--bands: 3:7 is not a range of 6 features"},
	} {
		t.Run(c.flags, func(t *testing.T) {
			code, _, stderr := ridgeIn(t, dir, c.flags)
			assert.Equal(t, c.code, code)
			assert.Contains(t, strings.ReplaceAll(stderr, dir, "DIR"), strings.TrimPrefix(c.want, "DIR/"))
			assert.Equal(t, 1, strings.Count(stderr, "\n"))
		})
	}
}

// NumPy's own files of other orders and widths give what the same numbers by rows in 32 bits give.
func TestRidgeReadsOtherOrders(t *testing.T) {
	dir, _ := ridgeData(t)
	code, _, stderr := ridgeIn(t, dir, trainAndTest)
	require.Zero(t, code, stderr)
	want := readArray(t, []int{6, 6}, dir, "coef.npy")
	for _, name := range []string{"x.npy", "y.npy"} {
		a, err := npy.Read(filepath.Join(dir, name))
		require.NoError(t, err)
		x, err := a.Float64()
		require.NoError(t, err)
		flipped := make([]float64, len(x))
		for i, value := range x {
			flipped[i%6*40+i/6] = value
		}
		path := filepath.Join(dir, name)
		require.NoError(t, npy.Write(path, []int{6, 40}, flipped))
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		b = []byte(strings.Replace(string(b), "'fortran_order': False, 'shape': (6, 40)",
			"'fortran_order': True , 'shape': (40, 6)", 1))
		require.NoError(t, os.WriteFile(path, b, 0o600))
	}
	code, _, stderr = ridgeIn(t, dir, trainAndTest)
	require.Zero(t, code, stderr)
	assert.Equal(t, want, readArray(t, []int{6, 6}, dir, "coef.npy"))
}

func TestRidgeInWords(t *testing.T) {
	dir, _ := ridgeData(t)
	code, stdout, stderr := call(t, "ridge", "--x", filepath.Join(dir, "x.npy"), "--y", filepath.Join(dir, "y.npy"),
		"--test-x", filepath.Join(dir, "x2.npy"), "--test-y", filepath.Join(dir, "y2.npy"),
		"--out", filepath.Join(dir, "out"), "--bands", "0:3,3:6", "--tries", "3")
	require.Zero(t, code)
	assert.Contains(t, stdout, "out: 40 rows, 6 features, 6 voxels, 5 folds, lambda by r\n")
	assert.Contains(t, stdout, "test r        +0.")
	assert.Contains(t, stdout, "  band 1      ")
	assert.Contains(t, stdout, "constant      1 voxels, which score 0 and are not in the means\n")
	assert.Contains(t, stderr, "cross-validate")
}

// Where features far outnumber rows dual coefficients are kept, from which the weights follow.
func TestRidgeOfManyFeaturesKeepsDualCoefficients(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	const rows, features, voxels = 20, 3000, 5600
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(2, 3))
	file := func(name string, cols int) (string, []float32) {
		x := make([]float32, rows*cols)
		for i := range x {
			x[i] = float32(random.NormFloat64()) + 1
		}
		path := filepath.Join(dir, name)
		require.NoError(t, npy.Write(path, []int{rows, cols}, x))
		return path, x
	}
	xFile, x := file("x.npy", features)
	yFile, _ := file("y.npy", voxels)
	out := filepath.Join(dir, "out")
	args := []string{"ridge", "--x", xFile, "--y", yFile, "--out", out, "--folds", "2", "--intercept",
		"--lambdas", "10,1e4"}
	code, stdout, stderr := call(t, append(args, "--json")...)
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, `"form":"kernel"`)
	assert.Contains(t, stdout, `"dual_coef.npy","constant.npy"]`)
	assert.Contains(t, stderr,
		"dual coefficients are kept, since features far outnumber rows; --coef writes coef.npy, 67.2 MB")
	assert.NoFileExists(t, filepath.Join(out, "coef.npy"))

	code, _, stderr = call(t, append(args, "--coef", "--test-x", xFile, "--test-y", yFile)...)
	require.Zero(t, code, stderr)
	coef, err := npy.ReadMatrix(filepath.Join(out, "coef.npy"))
	require.NoError(t, err)
	assert.Equal(t, [2]int{features, voxels}, [2]int{coef.Rows, coef.Cols})
	dual, err := npy.ReadMatrix(filepath.Join(out, "dual_coef.npy"))
	require.NoError(t, err)
	assert.Equal(t, [2]int{rows, voxels}, [2]int{dual.Rows, dual.Cols})
	for _, at := range [][2]int{{0, 0}, {1234, 4321}, {features - 1, voxels - 1}} {
		mean, want := 0., 0.
		for row := range rows {
			mean += float64(x[row*features+at[0]]) / rows
		}
		for row := range rows {
			want += (float64(x[row*features+at[0]]) - mean) * float64(dual.Row(row)[at[1]])
		}
		assert.InDelta(t, want, coef.Row(at[0])[at[1]], 1e-6)
	}

	// A folder holds one ridge.
	small, _ := file("small.npy", 3)
	code, _, stderr = call(t, "ridge", "--x", small, "--y", small, "--out", out, "--folds", "2")
	require.Zero(t, code, stderr)
	assert.NoFileExists(t, filepath.Join(out, "dual_coef.npy"))
	assert.FileExists(t, filepath.Join(out, "coef.npy"))
}
