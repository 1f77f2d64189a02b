//go:build slow

package peft_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/wavlm"
)

// resident is the memory of this process that is in use, in MB.
func resident(t *testing.T) int {
	t.Helper()
	data, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	pages := 0
	for _, c := range strings.Fields(string(data))[1] {
		pages = 10*pages + int(c-'0')
	}
	return pages * os.Getpagesize() >> 20
}

// The table of docs/adapters.md: parameters of each method in WavLM Base, and what a view with it
// takes of memory, which is the adapter's own parameters and nothing of the model's 94 million.
// DoRA computes norms while it is built, of which the allocator keeps some 40 MB.
func TestMethodsAtBaseSize(t *testing.T) {
	m, err := wavlm.Fresh(t.Context(), wavlm.Default(wavlm.WavLM), speech.Options{Seed: 1})
	require.NoError(t, err)
	defer m.Close()
	qkv := peft.Targets("q_proj", "k_proj", "v_proj")
	for _, c := range []struct {
		name   string
		cfg    peft.Config
		params int
	}{
		{"lora", peft.Config{Method: &peft.LoRA{R: 8, Alpha: 16}, TargetModules: qkv}, 442_368},
		{"dora", peft.Config{Method: &peft.LoRA{R: 8, Alpha: 16, DoRA: true}, TargetModules: qkv}, 470_016},
		{"vera", peft.Config{Method: &peft.VeRA{R: 256}, TargetModules: qkv}, 36_864},
		{"ia3", peft.Config{Method: &peft.IA3{FeedForward: peft.Targets("output_dense")},
			TargetModules: peft.Targets("k_proj", "v_proj", "output_dense")}, 55_296},
		{"norms", peft.Config{Method: &peft.NormTuning{},
			TargetModules: peft.Modules{Pattern: `encoder\.layers\.\d+\.(final_)?layer_norm`}}, 36_864},
		{"bitfit", peft.Config{Method: &peft.BitFit{}}, 104_800},
		{"all linear layers", peft.Config{Method: &peft.LoRA{R: 8, Alpha: 16},
			TargetModules: peft.Targets("all-linear")}, 1_344_256},
	} {
		inject := func() *peft.Adapter {
			a, err := peft.New(c.cfg)
			require.NoError(t, err)
			_, err = m.WithAdapter(t.Context(), a)
			require.NoError(t, err)
			return a
		}
		// what the allocator keeps of temporaries is there for the second; a copy of weights would not be
		first := inject()
		defer first.Close()
		before := resident(t)
		a := inject()
		assert.Equal(t, c.params, a.Store().Numel(), c.name)
		t.Logf("%s: %d parameters, %d MB more resident", c.name, a.Store().Numel(), resident(t)-before)
		assert.Less(t, resident(t)-before, 80, "the model's weights alone are 378 MB")
		a.Close()
	}
}
