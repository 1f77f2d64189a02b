package metrics

import (
	"io"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/serve"
)

func TestMain(m *testing.M) {
	torchtest.Load()
	torchtest.Main(m)
}

func TestFiguresOfAServer(t *testing.T) {
	dir, err := filepath.Abs("../../testdata/golden/base")
	require.NoError(t, err)
	cfg := serve.Default()
	cfg.Device = torchtest.Name()
	cfg.Models = map[string]serve.Model{"speech": {Path: dir,
		Features: &serve.Features{Layers: []int{2}, WindowSeconds: .2, StrideSeconds: .1}}}
	m := New()
	s, err := serve.Open(t.Context(), cfg, serve.Options{Observer: m, Admin: m.Handler})
	require.NoError(t, err)
	defer s.Close()
	h := m.Handler(s)
	clip := make([]float32, 16000)
	for i := range clip {
		clip[i] = float32(i%7) / 10
	}
	for range 2 {
		_, err = s.Infer(t.Context(), &serve.Request{Model: "speech", Samples: clip})
		require.NoError(t, err)
	}
	_, err = s.Infer(t.Context(), &serve.Request{Model: "canary", Samples: clip})
	require.Error(t, err)
	require.NoError(t, s.Drain(t.Context()))
	_, err = s.Infer(t.Context(), &serve.Request{Model: "speech", Samples: clip})
	require.Error(t, err)

	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(t, 200, w.Code)
	body, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	text := string(body)
	for _, line := range []string{
		`bwlm_requests_total{end="answered",kind="",model="speech"} 2`,
		`bwlm_requests_total{end="failed",kind="66",model=""} 1`,
		`bwlm_requests_total{end="refused",kind="",model="speech"} 1`,
		`bwlm_request_seconds_count{model="speech"} 2`,
		`bwlm_phase_seconds_count{model="speech",phase="compute"} 2`,
		`bwlm_audio_seconds_total{model="speech"} 2`,
		`bwlm_windows_total{model="speech"} 20`,
		`bwlm_pending_requests 0`,
		`bwlm_longest_pass_seconds 0`,
		`go_goroutines `,
	} {
		assert.Contains(t, text, line)
	}
	assert.NotContains(t, text, "canary")
}
