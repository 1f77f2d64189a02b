package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m) }

func TestMergedModelComputesTheSame(t *testing.T) {
	const model = "../../testdata/golden/base"
	out := filepath.Join(t.TempDir(), "merged")
	args := []string{"-model", model, "-adapter", filepath.Join(model, "peft", "lora_qkv"), "-out", out}
	var printed strings.Builder
	require.NoError(t, run(t.Context(), args, &printed))
	assert.FileExists(t, filepath.Join(out, "model.safetensors"))
	lines := strings.Split(printed.String(), "\n")
	assert.Contains(t, lines[0], " layers changed, rounded by at most ")
	var adapter, merging float64
	_, err := fmt.Sscanf(lines[1], "last hidden state: the adapter changes it by %g, merging by %g", &adapter, &merging)
	require.NoError(t, err, lines[1])
	assert.Greater(t, adapter, 1e-3)
	assert.Less(t, merging, 1e-4)

	assert.Equal(t, fault.Exists, fault.KindOf(run(t.Context(), args, &printed)), "nothing is replaced")
}
