package predict

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/basemodel"
	"github.com/brainwavlm/bwlm/internal/torchtest"
)

// A run whose readouts alone were trained has no adapter that knows the base.
func TestOpenRefusesABaseModelThatChanged(t *testing.T) {
	st, run := tinyRun(t, func(e *experiment.Experiment, _ *dataset.Spec) { e.Train.Mode = experiment.TrainReadout })
	weights := filepath.Join(st.Experiment.Model.Path, "model.safetensors")
	data, err := os.ReadFile(weights)
	require.NoError(t, err)
	data[len(data)-4] ^= 1
	require.NoError(t, os.WriteFile(weights, data, 0o600))
	opt := Options{Device: torchtest.Device(), Subject: "ada"}
	_, err = Open(t.Context(), run, opt)
	require.ErrorIs(t, err, basemodel.ErrChanged)
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	opt.AllowChangedBase = true
	p, err := Open(t.Context(), run, opt)
	require.NoError(t, err)
	p.Close()
}
