// Package releasetest reads testdata/release, the golden of the BrainWavLM authors' released code, whose README.md
// defines every number.
package releasetest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/npy"
)

// The sizes of the golden.
const (
	Width  = 64  // of the speech model
	Voxels = 120 // of its one subject
	Layer  = 3   // that is read
)

// Train are the training stories in the order of training; Held the others in that of their scores, the first two of
// which choose the epoch.
var (
	Train = []string{"charlie", "bravo", "delta", "alpha"}
	Held  = []string{"fromboyhoodtofatherhood", "onapproachtopluto", "wheretheressmoke"}
)

// Path returns the name of a file of the golden.
func Path(elem ...string) string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(append([]string{filepath.Dir(here), "..", "..", "testdata", "release"}, elem...)...)
}

// Tensor reads an array of a safetensors file below want/.
func Tensor(t *testing.T, file, name string) []float32 {
	t.Helper()
	return TensorOf(t, Path("want", file), name)
}

// TensorOf reads an array of a safetensors file.
func TensorOf(t *testing.T, path, name string) []float32 {
	t.Helper()
	f, err := ckpt.Open(path)
	require.NoError(t, err)
	defer f.Close()
	info, ok := f.Info(name)
	require.True(t, ok, "%s has no %s", path, name)
	if info.DType != ckpt.F64 {
		x, err := f.Float32(name)
		require.NoError(t, err)
		return x
	}
	x, err := f.Float64(name)
	require.NoError(t, err)
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

// Ints reads whole numbers of a safetensors file below want/.
func Ints(t *testing.T, file, name string) []int64 {
	t.Helper()
	f, err := ckpt.Open(Path("want", file))
	require.NoError(t, err)
	defer f.Close()
	x, err := f.Int64(name)
	require.NoError(t, err)
	return x
}

// Array reads a .npy file.
func Array(t *testing.T, elem ...string) []float64 {
	t.Helper()
	a, err := npy.Read(Path(elem...))
	require.NoError(t, err)
	x, err := a.Float64()
	require.NoError(t, err)
	return x
}

// ArrayOf reads any .npy file as float32.
func ArrayOf(t *testing.T, path string) []float32 {
	t.Helper()
	a, err := npy.Read(path)
	require.NoError(t, err)
	x, err := a.Float32()
	require.NoError(t, err)
	return x
}

// Features reads the features at rows that a run has of an epoch and hidden state, by story.
func Features(t *testing.T, run string, epoch, layer int) map[string]npy.Matrix {
	t.Helper()
	f, err := ckpt.Open(filepath.Join(run, fmt.Sprintf("features/epoch-%d/layer-%d.safetensors", epoch, layer)))
	require.NoError(t, err)
	defer f.Close()
	out := map[string]npy.Matrix{}
	for info := range f.Tensors() {
		require.Len(t, info.Shape, 2)
		x, err := f.Float32(info.Name)
		require.NoError(t, err)
		out[info.Name] = npy.Matrix{Rows: info.Shape[0], Cols: info.Shape[1], Data: x}
	}
	return out
}

// JSON reads a JSON file into v.
func JSON(t *testing.T, v any, elem ...string) {
	t.Helper()
	text, err := os.ReadFile(Path(elem...))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, v))
}

// Tolerances are those of tolerances.json.
func Tolerances(t *testing.T) (tol map[string]float64) {
	t.Helper()
	JSON(t, &tol, "tolerances.json")
	return tol
}

// Farthest returns the largest difference of two arrays of one length.
func Farthest(t *testing.T, want, got []float32) (most float64) {
	t.Helper()
	require.Len(t, got, len(want))
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		if d != d {
			t.Fatalf("element %d is %g", i, got[i])
		}
		most = max(most, d, -d)
	}
	return most
}

// Within fails a test where two arrays differ by more than a tolerance, and logs the largest difference.
func Within(t *testing.T, want, got []float32, tolerance float64, what string) {
	t.Helper()
	most := Farthest(t, want, got)
	t.Logf("%s: largest difference %.1e, tolerance %.0e", what, most, tolerance)
	if !(most <= tolerance) {
		t.Errorf("%s: largest difference %.1e, tolerance %.0e", what, most, tolerance)
	}
}
