package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/serve"
)

func TestMain(m *testing.M) {
	torchtest.Load()
	torchtest.Main(m)
}

func TestClientOfAServer(t *testing.T) {
	dir, err := filepath.Abs("../../testdata/golden/base")
	require.NoError(t, err)
	cfg := serve.Default()
	cfg.Device = torchtest.Name()
	cfg.Models = map[string]serve.Model{"speech": {Path: dir,
		Features: &serve.Features{Layers: []int{2}, WindowSeconds: .2, StrideSeconds: .1}}}
	s, err := serve.Open(t.Context(), cfg, serve.Options{})
	require.NoError(t, err)
	defer s.Close()
	h := httptest.NewServer(s.Handler())
	defer h.Close()
	c := &Client{URL: h.URL, HTTP: h.Client()}

	assert.True(t, c.Ready(t.Context()))
	names, err := c.Models(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"speech"}, names)
	meta, err := c.Metadata(t.Context(), "speech")
	require.NoError(t, err)
	assert.Equal(t, "features.2", meta.Outputs[1].Name)
	clip := make([]float32, 16000)
	for i := range clip {
		clip[i] = float32(i%7) / 10
	}
	q := &Request{Model: "speech", Version: meta.Versions[0], ID: "mine", Samples: clip,
		Outputs: []string{"features.2"}}
	want, err := s.Infer(t.Context(), q)
	require.NoError(t, err)
	got, err := c.Infer(t.Context(), q)
	require.NoError(t, err)
	assert.Equal(t, want, got)

	var e *Error
	_, err = c.Infer(t.Context(), &Request{Model: "nothing", Samples: clip})
	require.ErrorAs(t, err, &e)
	assert.Equal(t, http.StatusNotFound, e.Status)
	assert.Contains(t, e.Text, "no model of this name")
	require.NoError(t, s.Drain(t.Context()))
	assert.False(t, c.Ready(t.Context()))
	_, err = c.Infer(t.Context(), q)
	require.ErrorAs(t, err, &e)
	assert.Equal(t, time.Second, e.After)

	h.Close()
	_, err = c.Infer(t.Context(), q)
	assert.Equal(t, fault.Unavailable, fault.KindOf(err))
	assert.False(t, c.Ready(t.Context()))
}

// What is not the protocol is an error, and the token is sent.
func TestOtherServers(t *testing.T) {
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, "<html>")
	}))
	defer h.Close()
	c := &Client{URL: h.URL, Token: "secret", HTTP: h.Client()}
	_, err := c.Infer(t.Context(), &Request{Model: "a", Samples: []float32{1}})
	require.Error(t, err)
	_, err = c.Models(t.Context())
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	c.Token = ""
	var e *Error
	_, err = c.Models(t.Context())
	require.ErrorAs(t, err, &e)
	assert.Equal(t, http.StatusUnauthorized, e.Status)
}

// A client runs where there is no libtorch.
func TestClientsNeedNoLibtorch(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath", ".").Output()
	require.NoError(t, err)
	seen := 0
	for d := json.NewDecoder(bytes.NewReader(out)); ; seen++ {
		var p struct{ ImportPath string }
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		assert.False(t, strings.HasPrefix(p.ImportPath, "github.com/brainwavlm/bwlm/torch"), p.ImportPath)
	}
	assert.Greater(t, seen, 50)
}
