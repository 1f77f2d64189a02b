package serve

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// certificate writes a certificate for 127.0.0.1 that signs itself.
func certificate(t *testing.T) (files TLS, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	files = TLS{filepath.Join(dir, "cert"), filepath.Join(dir, "key")}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	require.NoError(t, os.WriteFile(files.Cert, text, 0o600))
	require.NoError(t, os.WriteFile(files.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
		0o600))
	pool = x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(text))
	return files, pool
}

// With TLS, the protocol's listener answers over HTTP/2, and refuses what is not encrypted; the other one is for this
// machine.
func TestTLS(t *testing.T) {
	cfg := testConfig(t)
	delete(cfg.Models, "responses")
	var pool *x509.CertPool
	cfg.TLS, pool = certificate(t)
	cfg.Tokens = filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(cfg.Tokens, []byte(strings.Repeat("t", 20)), 0o600))
	s, err := Open(t.Context(), cfg, Options{})
	require.NoError(t, err)
	ctx, end := context.WithCancel(t.Context())
	bound, ended := make(chan Addresses, 1), make(chan error, 1)
	go func() { ended <- s.Serve(ctx, nil, func(a Addresses) { bound <- a }) }()
	at := <-bound
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool},
		ForceAttemptHTTP2: true}}
	r, err := http.NewRequest(http.MethodGet, "https://"+at.HTTP+"/v2/health/ready", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+strings.Repeat("t", 20))
	answer, err := client.Do(r)
	require.NoError(t, err)
	answer.Body.Close()
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	assert.Equal(t, 2, answer.ProtoMajor)
	plain, err := http.Get("http://" + at.HTTP + "/v2/health/ready")
	if err == nil {
		plain.Body.Close()
		assert.Equal(t, http.StatusBadRequest, plain.StatusCode, "a client without TLS")
	}
	client.CloseIdleConnections()
	end()
	require.NoError(t, <-ended)

	cfg.TLS.Key = cfg.TLS.Cert
	s, err = Open(t.Context(), cfg, Options{})
	require.NoError(t, err)
	assert.ErrorContains(t, s.Serve(t.Context(), nil, nil), cfg.TLS.Cert)
}

// An upload that stops loses its place.
func TestASlowUploadLosesItsPlace(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.Upload, cfg.Limits.Requests = 50*time.Millisecond, 1
	h := start(t, cfg, Options{})
	reader, writer := io.Pipe()
	defer writer.Close()
	go func() { _, _ = writer.Write([]byte("{")) }() // and nothing more
	code, _, _, err := h.do(t.Context(), http.MethodPost, "/v2/models/speech/infer", reader, nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusRequestTimeout, code)
	assert.Zero(t, h.Pending().Requests)
}
