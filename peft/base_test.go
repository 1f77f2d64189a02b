package peft_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/basemodel"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/wavlm"
)

// otherBit is the golden model base in which one bit of one weight differs.
func otherBit(t *testing.T) speech.Encoder {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"config.json", "model.safetensors"} {
		data, err := os.ReadFile(filepath.Join(goldens, "base", name))
		require.NoError(t, err)
		if name == "model.safetensors" {
			data[len(data)-4] ^= 1
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	m, err := wavlm.Load(t.Context(), dir, speech.Options{})
	require.NoError(t, err)
	t.Cleanup(m.Close)
	return m
}

func TestAnAdapterIsRefusedByABaseModelThatChanged(t *testing.T) {
	a, err := peft.New(peft.Config{Method: &peft.LoRA{R: 2, Alpha: 2}, TargetModules: peft.Targets("q_proj")})
	require.NoError(t, err)
	m := load(t, "base")
	adapt(t, m, a)
	dir := filepath.Join(t.TempDir(), "a")
	require.NoError(t, a.Save(dir))
	assert.FileExists(t, filepath.Join(dir, basemodel.File))

	loaded := func(dir string) *peft.Adapter {
		a, err := peft.Load(dir)
		require.NoError(t, err)
		t.Cleanup(a.Close)
		return a
	}
	_, err = m.WithAdapter(t.Context(), loaded(dir))
	require.NoError(t, err, "the base that it was trained on")
	other := otherBit(t)
	_, err = other.WithAdapter(t.Context(), loaded(dir))
	require.ErrorIs(t, err, basemodel.ErrChanged)
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	assert.ErrorContains(t, err, dir+": was trained on another base model")

	allowed := loaded(dir)
	allowed.AllowChangedBase = true
	_, err = other.WithAdapter(t.Context(), allowed)
	require.NoError(t, err)
	assert.Contains(t, strings.Join(allowed.Warnings(), "\n"), "another base model, which was allowed")
	moved := filepath.Join(t.TempDir(), "moved")
	require.NoError(t, allowed.Save(moved))
	_, err = m.WithAdapter(t.Context(), loaded(moved))
	assert.ErrorIs(t, err, basemodel.ErrChanged, "it is saved with the base that it is in")

	one, err := peft.Open(dir)
	require.NoError(t, err)
	two, err := peft.Open(moved)
	require.NoError(t, err)
	for _, how := range []peft.Combination{{Kind: peft.Cat}, {Kind: peft.Cat, AllowChangedBase: true}} {
		_, err = peft.Combine(t.Context(), how, []float64{1, 1}, one, two)
		assert.Equal(t, !how.AllowChangedBase, err != nil, "adapters of two bases")
	}
	half, err := one.Scale(.5)
	require.NoError(t, err)
	scaled := filepath.Join(t.TempDir(), "scaled")
	require.NoError(t, half.Save(scaled))
	_, err = other.WithAdapter(t.Context(), loaded(scaled))
	assert.ErrorIs(t, err, basemodel.ErrChanged, "a scaled one is of the same base")

	require.NoError(t, os.WriteFile(filepath.Join(dir, basemodel.File), []byte(`{"schema": 1}`), 0o600))
	_, err = peft.Load(dir)
	assert.Equal(t, fault.BadData, fault.KindOf(err), "a damaged record is not taken for none")
	require.NoError(t, os.Remove(filepath.Join(dir, basemodel.File)))
	_, err = other.WithAdapter(t.Context(), loaded(dir))
	assert.NoError(t, err, "as the adapters of other programs, which do not record it")
}
