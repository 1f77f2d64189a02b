//go:build slow

package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/wavlm"
)

// The commands of docs/datasets/ds003020.md, word for word but for fewer epochs, on the small data set and with a small
// model of random weights under the name of the real one.
func TestTheCommandsOfTheDataSetsPage(t *testing.T) {
	t.Chdir(t.TempDir())
	smallSource(t)
	c := wavlm.Default(wavlm.WavLM)
	c.Hidden, c.Layers, c.Heads, c.Inner, c.PosKernel, c.PosGroups = 16, 10, 2, 32, 8, 2
	c.ConvWidth = []int{8, 8, 8, 8, 8, 8, 8}
	m, err := wavlm.Fresh(t.Context(), c, speech.Options{Seed: 7})
	require.NoError(t, err)
	require.NoError(t, m.Save(t.Context(), "wavlm-base-plus"))
	m.Close()
	for _, args := range [][]string{
		{"import", "lebel", "ds003020", "--subjects", "UTS03", "--out", "uts03"},
		{"train", "uts03/experiment.yaml", "--set", "model.path=wavlm-base-plus", "--set", "train.epochs=1"},
		{"export", "uts03/runs/uts03", "--out", "maps"},
	} {
		code, stdout, stderr := call(t, args...)
		require.Zero(t, code, "%v: %s%s", args, stdout, stderr)
	}
}
