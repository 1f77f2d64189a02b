package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/wavlm"
)

// finishedRun tunes a tiny model on a simulated subject whose 60 voxels follow the loudness of a
// tone, one TR of .4 s later.
func finishedRun(t *testing.T) (dir string) {
	t.Helper()
	const rows, voxels, tr = 40, 60, .4
	spec := dataset.Spec{Name: "tiny", TR: tr, RowTime: .5, Subjects: []dataset.Subject{{Name: "ada"}}}
	for i, name := range []string{"train", "val", "test"} {
		r := rand.New(rand.NewPCG(uint64(i), 4))
		loud := make([]float64, rows)
		var sound, answer []float32
		for k := range loud {
			loud[k] = r.Float64()
			for n := range int(tr * audio.Rate) {
				sound = append(sound, float32(loud[k]*math.Sin(float64(n)/3)+.02*r.NormFloat64()))
			}
			for v := range voxels {
				answer = append(answer, float32(float64(v%5-2)*loud[max(k-1, 0)]+.2*r.NormFloat64()))
			}
		}
		spec.Stories = append(spec.Stories, dataset.Story{Name: name, Audio: dataset.Value(sound)})
		subject := &spec.Subjects[0]
		subject.Responses = append(subject.Responses, dataset.Response{Story: name,
			Matrix: dataset.Value(dataset.NewMatrix(rows, voxels, answer))})
	}
	data, err := dataset.New(spec)
	require.NoError(t, err)

	e := experiment.Default()
	e.Model.Path, e.Model.Layer, e.Model.WindowSeconds, e.Model.StrideSeconds, e.Model.Pooling = tinyModel(t), 2, .2,
		.1, "mean"
	e.Data.Path, e.Data.Subjects, e.Data.Trim = filepath.Join(t.TempDir(), "in memory"), []string{"ada"}, [2]int{4, 2}
	e.Data.Train, e.Data.Val, e.Data.Test = []string{"train"}, []string{"val"}, []string{"test"}
	e.Readout.Bottleneck, e.Readout.DelaysSeconds = 6, []float64{.4, .8}
	e.Train.Mode, e.Train.Epochs, e.Train.ReadoutLR = "readout", 4, 1e-2
	e.Eval.ChunkRows, e.Eval.Boots = 8, 2
	e.Out, e.Device = filepath.Join(t.TempDir(), "run"), "cpu"
	require.NoError(t, e.Validate())
	model, err := wavlm.Load(t.Context(), e.Model.Path, speech.Options{})
	require.NoError(t, err)
	defer model.Close()
	study, err := brain.New(t.Context(), e, data, model, brain.Options{})
	require.NoError(t, err)
	defer study.Close()
	run, err := study.Begin(t.Context())
	require.NoError(t, err)
	defer run.Close()
	_, err = study.Fit(t.Context(), run)
	require.NoError(t, err)
	return run.Dir
}

func TestResponsesOfAFinishedRun(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	source, err := settings{run: finishedRun(t)}.open(t.Context())
	require.NoError(t, err)
	s := start(t, source, Limits{})
	wav := noise(t, 8, 2)
	clip, err := audio.Decode(t.Context(), "x", bytes.NewReader(wav), int64(len(wav)), audio.Options{})
	require.NoError(t, err)
	want, err := source.(responses).Predict(t.Context(), clip.Samples)
	require.NoError(t, err)

	code, alone, err := s.post(t.Context(), "/responses", wav, "")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, code, string(alone))
	var answer struct {
		Seconds []float64
		Columns []int
		Values  [][]float32
	}
	require.NoError(t, json.Unmarshal(alone, &answer))
	assert.Equal(t, want.Times, answer.Seconds)
	assert.Len(t, answer.Seconds, 20)
	assert.Len(t, answer.Columns, 60)
	assert.Equal(t, want.Values[19*60:], answer.Values[19])

	everybody(2, func(int) {
		code, body, err := s.post(context.Background(), "/responses", wav, "")
		assert.NoError(t, err)
		assert.Equal(t, http.StatusOK, code)
		assert.True(t, bytes.Equal(alone, body), "not the bits that one client alone gets")
	})
	code, body, err := s.post(t.Context(), "/responses", noise(t, 1, 2), "")
	require.NoError(t, err)
	assert.Equal(t, http.StatusUnprocessableEntity, code)
	assert.Contains(t, string(body), "predict: 1 s of audio, want at least 1.2 s")
}
