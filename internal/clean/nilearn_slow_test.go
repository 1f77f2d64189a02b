//go:build slow

package clean

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// Runs of real length, with 24 parameters of motion, components and censored rows, are cleaned as nilearn does.
func TestRunsAreCleanedAsNilearnDoes(t *testing.T) {
	python := os.Getenv("BWLM_PEER_PYTHON")
	if python == "" {
		t.Skip("BWLM_PEER_PYTHON names no Python with nilearn")
	}
	r := rand.New(rand.NewPCG(1, 2))
	var cases []golden
	for i := range 24 {
		c := golden{Name: fmt.Sprint("case ", i), HighPass: []float64{0, 1. / 128, .02}[i%3], Detrend: i%2 == 0,
			TR: .5 + 2*r.Float64()}
		rows := 150 + r.IntN(300)
		drift := make([]float64, 5)
		for range rows {
			row := make([]float32, 5)
			for v := range row {
				drift[v] += r.NormFloat64()
				row[v] = float32(900 + 3*drift[v] + 5*r.NormFloat64())
			}
			c.Signals = append(c.Signals, row)
		}
		for range r.IntN(30) {
			column := make([]float64, rows)
			size := math.Pow(10, 4*r.Float64()-2)
			for t := range column {
				column[t] = size * r.NormFloat64()
			}
			c.Confounds = append(c.Confounds, column)
		}
		if i%4 == 3 {
			for range rows {
				c.Keep = append(c.Keep, r.Float64() > .1)
			}
		}
		cases = append(cases, c)
	}
	text, err := json.Marshal(cases)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), python, "testdata/clean.py", "-")
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1")
	cmd.Stdin = bytes.NewReader(text)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	require.NoError(t, json.Unmarshal(out, &cases))
	for _, c := range cases {
		require.NotEmpty(t, c.Want, c.Name)
		compare(t, c)
	}
}
