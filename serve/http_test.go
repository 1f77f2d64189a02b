package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/brain/predict"
	"github.com/brainwavlm/bwlm/internal/openinference"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/speech"
)

// libraryFeatures reads features by package extract, with an adapter of the fixture or "".
func libraryFeatures(t *testing.T, adapter string, samples []float32) *extract.WindowVectors {
	t.Helper()
	dir := map[string]string{"": "", "one": filepath.Join(runDir(t), "adapter"), "two": filepath.Join(shelf,
		"other")}[adapter]
	m, err := extract.OpenModel(t.Context(), modelDir(t), dir, speech.Options{Device: torchtest.Device()})
	require.NoError(t, err)
	defer m.Close()
	found, err := extract.Features(t.Context(), m.Model, samples,
		extract.Options{Layers: []int{2, 3}, WindowSeconds: .2, StrideSeconds: .1})
	require.NoError(t, err)
	return found
}

func TestFeaturesAreTheLibrarys(t *testing.T) {
	h := start(t, testConfig(t), Options{})
	clip := noise(1.5, 3)
	var all [][]float32
	for _, adapter := range []string{"", "one", "two"} {
		want := libraryFeatures(t, adapter, clip)
		for _, binary := range []bool{false, true} {
			q := sound(clip, binary)
			q.ID = "mine"
			if adapter != "" {
				q.Parameters = map[string]any{openinference.ParamAdapter: adapter}
			}
			code, r, err := h.ask(t.Context(), "/v2/models/speech/infer", q)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, code)
			assert.Equal(t, "speech", r.Model)
			assert.Len(t, r.Version, 12)
			assert.Equal(t, "mine", r.ID)
			require.Len(t, r.Outputs, 3)
			assert.Equal(t, want.Times, r.Outputs[0].Data)
			assert.Equal(t, []int64{15, 16}, r.Outputs[1].Shape)
			closeTo(t, want.Vectors[0].Data, floats(t, r, "features.2"))
			closeTo(t, want.Vectors[1].Data, floats(t, r, "features.3"))
			if binary {
				all = append(all, floats(t, r, "features.3"))
			}
		}
	}
	assert.NotEqual(t, all[0], all[1], "the adapter changes something")
	assert.NotEqual(t, all[1], all[2], "the other adapter is another one")
}

// A recording comes as a file, as samples at any rate, and in JSON; chosen outputs come alone and in their order.
func TestFormsOfAudio(t *testing.T) {
	h := start(t, testConfig(t), Options{})
	clip := noise(1, 4)
	want := libraryFeatures(t, "", clip)
	file := openinference.NewTensor(openinference.InputAudio, []int64{1}, [][]byte{wavOf(t, clip)})
	for _, binary := range []bool{false, true} {
		file.Binary = binary
		code, r, err := h.ask(t.Context(), "/v2/models/speech/infer", &openinference.Request{
			Inputs:  []openinference.Tensor{file},
			Outputs: []openinference.Wanted{{Name: "features.3", Binary: true}, {Name: "times"}}})
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, code)
		require.Len(t, r.Outputs, 2)
		assert.Equal(t, "features.3", r.Outputs[0].Name)
		closeTo(t, want.Vectors[1].Data, floats(t, r, "features.3"))
	}
	// At another rate they are resampled as a file at that rate is.
	slow := sound(noise(1, 4)[:8000], true)
	slow.Inputs[0].Parameters = map[string]any{openinference.ParamRate: 8000}
	code, r, err := h.ask(t.Context(), "/v2/models/speech/infer", slow)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, code)
	assert.Len(t, r.Outputs[0].Data, 10)
	w := wave{noise(1, 4)[:8000], waveHeader(8000, 8000)}
	b := make([]byte, w.size())
	_, err = w.ReadAt(b, 0)
	require.NoError(t, err)
	again, err := h.Infer(t.Context(), &Request{Model: "speech", Audio: b})
	require.NoError(t, err)
	assert.Equal(t, again.Outputs[1].Values, r.Outputs[1].Data)
}

func TestResponsesAreTheLibrarys(t *testing.T) {
	h := start(t, testConfig(t), Options{})
	clip := noise(4, 5)
	p, err := predict.Open(t.Context(), runDir(t), predict.Options{Model: modelDir(t), Device: torchtest.Device()})
	require.NoError(t, err)
	want, err := p.Predict(t.Context(), clip)
	p.Close()
	require.NoError(t, err)
	code, r, err := h.ask(t.Context(), "/v2/models/responses/infer", sound(clip, true))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, code)
	assert.Equal(t, want.Times, r.Outputs[0].Data)
	assert.Len(t, r.Outputs[1].Data, 60)
	assert.Equal(t, []int64{10, 60}, r.Outputs[2].Shape)
	closeTo(t, want.Values, floats(t, r, openinference.OutputResponse))
}

func TestMetadataAndHealth(t *testing.T) {
	h := start(t, testConfig(t), Options{})
	get := func(path string, want int) map[string]any {
		t.Helper()
		code, _, body, err := h.do(t.Context(), http.MethodGet, path, nil, nil)
		require.NoError(t, err)
		require.Equal(t, want, code, string(body))
		var out map[string]any
		require.NoError(t, json.Unmarshal(body, &out))
		return out
	}
	assert.Equal(t, "bwlm", get("/v2", 200)["name"])
	assert.Equal(t, true, get("/v2/health/live", 200)["live"])
	assert.Equal(t, true, get("/v2/health/ready", 200)["ready"])
	meta := get("/v2/models/speech", 200)
	assert.Equal(t, "speech", meta["name"])
	assert.Equal(t, "one, two", meta["properties"].(map[string]any)["adapters"])
	version := meta["versions"].([]any)[0].(string)
	get("/v2/models/speech/versions/"+version, 200)
	get("/v2/models/speech/versions/"+version+"/ready", 200)
	get("/v2/models/responses/ready", 200)
	assert.Contains(t, get("/v2/models/nothing", 404)["error"], "there is no model of this name")
	assert.Contains(t, get("/v2/models/speech/versions/7/ready", 404)["error"], "there is no such version")
	get("/nowhere", 404)
	code, _, body, err := h.do(t.Context(), http.MethodPost, "/v2/repository/index", nil, nil)
	require.NoError(t, err)
	require.Equal(t, 200, code)
	var index []map[string]string
	require.NoError(t, json.Unmarshal(body, &index))
	assert.Equal(t, "responses", index[0]["name"])
	assert.Equal(t, "READY", index[1]["state"])

	require.NoError(t, h.Drain(t.Context()))
	assert.Equal(t, false, get("/v2/health/ready", 503)["ready"])
	get("/v2/models/speech/ready", 503)
	get("/v2/health/live", 200)
	code, header, body, err := h.do(t.Context(), http.MethodPost, "/v2/models/speech/infer", strings.NewReader("{}"),
		nil)
	require.NoError(t, err)
	assert.Equal(t, 503, code)
	assert.Equal(t, "1", header.Get("Retry-After"))
	assert.Contains(t, errorOf(t, body), "the server is ending")
}

func TestMistakesOfClients(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.Bytes, cfg.Limits.Seconds, cfg.Limits.Channels = 200_000, 2, 1
	h := start(t, cfg, Options{})
	with := func(change func(*openinference.Request)) *openinference.Request {
		q := sound(noise(.5, 1), false)
		change(q)
		return q
	}
	file := func(b []byte) *openinference.Request {
		return with(func(q *openinference.Request) {
			q.Inputs[0] = openinference.NewTensor(openinference.InputAudio, []int64{1}, [][]byte{b})
		})
	}
	stereo := wavOf(t, noise(.5, 1))
	stereo[22], stereo[32] = 2, 8 // channels, bytes of a frame
	for _, c := range []struct {
		about, path string
		q           *openinference.Request
		code        int
		want        string
	}{
		{"no model", "nothing", sound(noise(.5, 1), true), 404, "there is no model of this name"},
		{"no inputs", "speech", &openinference.Request{}, 400, "neither audio nor samples"},
		{"no adapter", "speech", with(func(q *openinference.Request) {
			q.Parameters = map[string]any{openinference.ParamAdapter: "canary"}
		}), 404, "the model has no such adapter; choose one of one, two"},
		{"no adapters", "responses", with(func(q *openinference.Request) {
			q.Parameters = map[string]any{openinference.ParamAdapter: "one"}
		}), 404, "it has none"},
		{"adapter is a number", "speech", with(func(q *openinference.Request) {
			q.Parameters = map[string]any{openinference.ParamAdapter: 1}
		}), 400, "adapter: it is no text"},
		{"another input", "speech", with(func(q *openinference.Request) { q.Inputs[0].Name = "x" }), 400,
			"an input is"},
		{"another output", "speech", with(func(q *openinference.Request) {
			q.Outputs = []openinference.Wanted{{Name: "x"}}
		}), 400, "no output of this name"},
		{"rate of 0", "speech", with(func(q *openinference.Request) {
			q.Parameters = map[string]any{openinference.ParamRate: 0}
		}), 400, "no whole number of Hz"},
		{"audio twice", "speech", with(func(q *openinference.Request) {
			q.Inputs = append(q.Inputs, q.Inputs[0])
		}), 400, "want FP32"},
		{"no audio file", "speech", file([]byte("canary")), 400, "neither WAV, FLAC nor MP3"},
		{"half a file", "speech", file(wavOf(t, noise(.5, 1))[:9000]), 400, "read audio"},
		{"channels", "speech", file(stereo), 400, "2 channels, more than the limit of 1"},
		{"too short", "speech", sound(noise(.05, 1), true), 400, "give no window"},
		{"too short for a row", "responses", sound(noise(1, 1), true), 400, "want at least 1.2 s"},
		{"too long", "speech", sound(noise(3, 1), true), 400, "more than the limit of 2 s"},
		{"too large", "speech", sound(noise(4, 1), true), 413, "too large"},
	} {
		body, length, err := c.q.Encode()
		require.NoError(t, err)
		code, _, answer, err := h.do(t.Context(), http.MethodPost, "/v2/models/"+c.path+"/infer", bytes.NewReader(body),
			map[string]string{openinference.HeaderLength: length})
		require.NoError(t, err, c.about)
		assert.Equal(t, c.code, code, "%s: %s", c.about, answer)
		assert.Contains(t, errorOf(t, answer), c.want, c.about)
	}
	post := func(body string, header map[string]string) int {
		code, _, answer, err := h.do(t.Context(), http.MethodPost, "/v2/models/speech/infer", strings.NewReader(body),
			header)
		require.NoError(t, err)
		errorOf(t, answer)
		return code
	}
	assert.Equal(t, 400, post("{", nil))
	assert.Equal(t, 400, post("{}", map[string]string{openinference.HeaderLength: "x"}))
	assert.Equal(t, 415, post("{}", map[string]string{"Content-Encoding": "gzip"}))
	assert.NotContains(t, h.logs.String(), "canary")
}

func TestTokensGuardEveryPath(t *testing.T) {
	cfg := testConfig(t)
	delete(cfg.Models, "responses")
	cfg.Tokens = filepath.Join(t.TempDir(), "tokens")
	token := strings.Repeat("t", 20)
	require.NoError(t, os.WriteFile(cfg.Tokens, []byte(token), 0o600))
	h := start(t, cfg, Options{})
	for _, path := range []string{"/v2", "/v2/health/ready", "/v2/models/speech", "/nowhere"} {
		code, header, body, err := h.do(t.Context(), http.MethodGet, path, nil, nil)
		require.NoError(t, err)
		assert.Equal(t, 401, code, path)
		assert.Equal(t, "Bearer", header.Get("WWW-Authenticate"))
		assert.Contains(t, errorOf(t, body), "token")
	}
	code, _, _, err := h.do(t.Context(), http.MethodGet, "/v2/models/speech", nil,
		map[string]string{"Authorization": "Bearer " + token})
	require.NoError(t, err)
	assert.Equal(t, 200, code)
	assert.NotContains(t, h.logs.String(), token)
}

// The logs have one line for each request, with the id that the client got, and nothing that it sent.
func TestLogsHaveNoContents(t *testing.T) {
	h := start(t, testConfig(t), Options{})
	body, length, err := (&openinference.Request{ID: "canary-id", Inputs: sound(noise(1, 1), true).Inputs,
		Parameters: map[string]any{"note": "canary-note"}}).Encode()
	require.NoError(t, err)
	code, header, _, err := h.do(context.Background(), http.MethodPost, "/v2/models/speech/infer?canary=1",
		bytes.NewReader(body), map[string]string{openinference.HeaderLength: length, "User-Agent": "canary-agent",
			"X-Request-Id": "canary-request"})
	require.NoError(t, err)
	require.Equal(t, 200, code)
	_, _, _, err = h.do(t.Context(), "CANARY", "/canary-path", nil, nil)
	require.NoError(t, err)
	logs := h.logs.String()
	assert.NotContains(t, strings.ToLower(logs), "canary")
	assert.NotContains(t, logs, shelf)
	var line map[string]any
	found := false
	for text := range strings.Lines(logs) {
		require.NoError(t, json.Unmarshal([]byte(text), &line))
		if line["id"] == header.Get("X-Request-Id") && line["id"] != nil {
			found = true
			assert.Equal(t, "speech", line["model"])
			assert.Equal(t, "200", line["status"])
		}
	}
	assert.True(t, found, logs)
}

// Bounds, ceilings and validation r come where they are asked for, as null in JSON where there are none.
func TestReliabilityComesOnRequest(t *testing.T) {
	cfg := testConfig(t)
	m := cfg.Models["responses"]
	m.Statistics = trainingStatistics
	cfg.Models["trained"] = m
	h := start(t, cfg, Options{})
	clip := noise(4, 5)
	for name, training := range map[string]bool{"responses": false, "trained": true} {
		p, err := predict.Open(t.Context(), runDir(t), predict.Options{Model: modelDir(t), Device: torchtest.Device(),
			TrainingStatistics: training})
		require.NoError(t, err)
		defer p.Close()
		want, err := p.Predict(t.Context(), clip)
		require.NoError(t, err)
		lower, upper, err := p.Interval(want, .5)
		require.NoError(t, err)
		q := sound(clip, true)
		q.Parameters = map[string]any{openinference.ParamLevel: .5}
		for _, o := range []string{"validation_r", "upper", "lower", "ceiling", "predictions"} {
			q.Outputs = append(q.Outputs, openinference.Wanted{Name: o, Binary: o != "ceiling"})
		}
		code, r, err := h.ask(t.Context(), "/v2/models/"+name+"/infer", q)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, code)
		require.Len(t, r.Outputs, 5)
		closeTo(t, want.Values, floats(t, r, "predictions"))
		closeTo(t, lower, floats(t, r, "lower"))
		closeTo(t, upper, floats(t, r, "upper"))
		assert.Equal(t, float32s(p.ValidationR), floats(t, r, "validation_r"))
		assert.Equal(t, []int64{60}, r.Outputs[3].Shape)
		for _, x := range floats(t, r, "ceiling") {
			assert.True(t, math.IsNaN(float64(x)), "the run was not evaluated: %g", x)
		}
		q.Parameters[openinference.ParamLevel] = .51
		code, _, err = h.ask(t.Context(), "/v2/models/"+name+"/infer", q)
		require.NoError(t, err)
		assert.Equal(t, http.StatusBadRequest, code)
		meta, err := h.Metadata(name, "")
		require.NoError(t, err)
		assert.Equal(t, "0.5 0.6 0.7 0.8 0.9 0.95 0.99", meta.Properties["levels"])
		assert.Len(t, meta.Outputs, 7)
	}
	trained, err := h.Metadata("trained", "")
	require.NoError(t, err)
	assert.Equal(t, "training", trained.Properties["statistics"])
	own, err := h.Metadata("responses", "")
	require.NoError(t, err)
	assert.NotEqual(t, own.Versions, trained.Versions)
}
