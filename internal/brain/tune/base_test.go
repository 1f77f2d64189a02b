package tune_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/basemodel"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// Every way to train: the untuned model that a run is compared with must be the one that it began with.
func TestRunsAreRefusedByABaseModelThatChanged(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	for _, mode := range []experiment.TrainMode{experiment.TrainLoRA, experiment.TrainFull, experiment.TrainReadout} {
		t.Run(string(mode), func(t *testing.T) {
			st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
				e.Train.Mode, e.Train.Epochs = mode, 1
			})
			run, _ := studytest.MustFit(t, st)
			load := func() error {
				tuned, err := st.LoadTuned(t.Context(), run)
				if tuned != nil {
					tuned.Close()
				}
				return err
			}
			require.NoError(t, load())
			var m map[string]any
			path := run.File(rundir.ManifestOfRun)
			require.NoError(t, jsonfile.Read("test", path, &m))
			now, err := st.Model.Identity()
			require.NoError(t, err)
			require.Equal(t, now, m["base_sha256"])
			m["base_sha256"] = "0" + now[1:]
			if now[0] == '0' {
				m["base_sha256"] = "1" + now[1:]
			}
			require.NoError(t, jsonfile.Write(path, m))
			err = load()
			require.ErrorIs(t, err, basemodel.ErrChanged)
			assert.Equal(t, fault.BadData, fault.KindOf(err))
			st.Options.AllowChangedBase = true
			assert.NoError(t, load())
		})
	}
}
