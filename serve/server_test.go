package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/openinference"
	"github.com/brainwavlm/bwlm/torch"
)

// counting is an observer that counts.
type counting struct {
	answered, refused, failed atomic.Int64
	phases                    atomic.Int64
}

func (c *counting) Phase(ctx context.Context, _, _ string) (context.Context, func()) {
	return ctx, func() { c.phases.Add(1) }
}
func (c *counting) Answered(string, time.Duration, float64, int) { c.answered.Add(1) }
func (c *counting) Refused(string)                               { c.refused.Add(1) }
func (c *counting) Failed(string, fault.Kind)                    { c.failed.Add(1) }

// A full queue refuses at once, before it reads the body, and says when to come again.
func TestAFullQueueRefuses(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.Requests = 1
	seen := &counting{}
	h := start(t, cfg, Options{Observer: seen})
	reader, writer := io.Pipe()
	first := make(chan int, 1)
	body, length, err := sound(noise(.5, 1), true).Encode()
	require.NoError(t, err)
	go func() {
		code, _, _, err := h.do(context.Background(), http.MethodPost, "/v2/models/speech/infer", reader,
			map[string]string{openinference.HeaderLength: length})
		assert.NoError(t, err)
		first <- code
	}()
	_, err = writer.Write(body[:100])
	require.NoError(t, err)
	require.Eventually(t, func() bool { return h.Pending().Requests == 1 }, waitFor, tick)
	code, header, answer, err := h.do(t.Context(), http.MethodPost, "/v2/models/speech/infer", bytes.NewReader(body),
		nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusTooManyRequests, code)
	assert.Equal(t, "1", header.Get("Retry-After"))
	assert.Contains(t, errorOf(t, answer), "too many requests; try again later")
	_, err = h.Infer(t.Context(), &Request{Model: "speech", Samples: noise(.5, 1)})
	var overload *Overload
	require.ErrorAs(t, err, &overload)
	assert.Equal(t, fault.Temporary, fault.KindOf(err))
	assert.EqualValues(t, 2, seen.refused.Load())

	_, err = writer.Write(body[100:])
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	assert.Equal(t, http.StatusOK, <-first)
	assert.EqualValues(t, 1, seen.answered.Load())
	assert.EqualValues(t, 2, seen.phases.Load())
	assert.Zero(t, h.Pending().Requests)
}

func TestMemoryIsBounded(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.Memory = 100_000
	h := start(t, cfg, Options{})
	_, err := h.Infer(t.Context(), &Request{Model: "speech", Samples: noise(2, 1)})
	assert.ErrorContains(t, err, "more than the limit of 0 MB; send shorter audio")
	_, err = h.Infer(t.Context(), &Request{Model: "speech", Samples: noise(.5, 1)})
	assert.NoError(t, err)
	assert.True(t, h.memory.TryAcquire(cfg.Limits.Memory), "all memory was given back")
}

func TestDeadlineEndsARequest(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.Deadline = time.Millisecond
	seen := &counting{}
	h := start(t, cfg, Options{Observer: seen})
	code, _, answer, err := h.do(t.Context(), http.MethodPost, "/v2/models/speech/infer", jsonSound(t, 20), nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusGatewayTimeout, code)
	assert.Contains(t, errorOf(t, answer), "the deadline has passed")
	assert.EqualValues(t, 1, seen.failed.Load())
	assert.Zero(t, h.Pending().Windows)
}

func jsonSound(t *testing.T, seconds float64) io.Reader {
	t.Helper()
	body, _, err := sound(noise(seconds, 1), false).Encode()
	require.NoError(t, err)
	return bytes.NewReader(body)
}

// A client that leaves ends its request.
func TestLeavingEndsTheRequest(t *testing.T) {
	h := start(t, testConfig(t), Options{})
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := h.Infer(ctx, &Request{Model: "speech", Samples: noise(300, 1)})
		gone <- err
	}()
	require.Eventually(t, func() bool { return h.Pending().Windows > 0 }, waitFor, tick)
	leave()
	assert.ErrorIs(t, <-gone, context.Canceled)
	assert.Zero(t, h.Pending())
}

// A pass that does not end makes the server not live.
func TestAStuckPassIsSeen(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.Stuck = 1
	h := start(t, cfg, Options{})
	assert.True(t, h.Live())
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := h.Infer(ctx, &Request{Model: "speech", Samples: noise(300, 1)})
		gone <- err
	}()
	require.Eventually(t, func() bool { return !h.Live() }, waitFor, tick)
	leave()
	<-gone
	assert.True(t, h.Live())
}

// Answers of many clients at once are those of one, bit by bit in an exact server.
func TestManyClientsGetTheAnswersOfOne(t *testing.T) {
	for _, exact := range []bool{false, true} {
		cfg := testConfig(t)
		cfg.Batching = Batching{Windows: 8, Exact: exact}
		h := start(t, cfg, Options{})
		ask := func(c int) []float32 {
			r, err := h.Infer(context.Background(), &Request{Model: "speech", Samples: noise(.5+.1*float64(c%4),
				uint64(c%4)),
				Adapter: []string{"", "one", "two"}[c%3]})
			if !assert.NoError(t, err) {
				return nil
			}
			return r.Outputs[2].Values.([]float32)
		}
		var want [][]float32
		for c := range 12 {
			want = append(want, ask(c))
		}
		var all sync.WaitGroup
		for c := range 48 {
			all.Go(func() {
				if got := ask(c); exact {
					assert.Equal(t, want[c%12], got)
				} else {
					closeTo(t, want[c%12], got)
				}
			})
		}
		all.Wait()
	}
}

// A reload under load: every answer is that of the old or the new adapter, as its version says.
func TestReloadUnderLoad(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.Requests = 64
	next := testConfig(t)
	speechModel := next.Models["speech"]
	speechModel.Adapters["one"] = speechModel.Adapters["two"]
	h := start(t, cfg, Options{})
	clip := noise(1, 9)
	first, err := h.Infer(t.Context(), &Request{Model: "speech", Adapter: "one", Samples: clip})
	require.NoError(t, err)
	other, err := h.Infer(t.Context(), &Request{Model: "speech", Adapter: "two", Samples: clip})
	require.NoError(t, err)
	before, after := first.Outputs[2].Values.([]float32), other.Outputs[2].Values.([]float32)
	require.NotEqual(t, before, after)

	var old, fresh atomic.Int64
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r, err := h.Infer(context.Background(), &Request{Model: "speech", Adapter: "one", Samples: clip})
				if !assert.NoError(t, err) {
					return
				}
				if r.Version == first.Version {
					closeTo(t, before, r.Outputs[2].Values.([]float32))
					old.Add(1)
				} else {
					closeTo(t, after, r.Outputs[2].Values.([]float32))
					fresh.Add(1)
				}
			}
		})
	}
	require.Eventually(t, func() bool { return old.Load() > 8 }, waitFor, tick)
	wrong := testConfig(t)
	wrong.Models["speech"].Adapters["one"] = Adapter{wrong.Models["speech"].Adapters["one"].Path, hash}
	assert.ErrorContains(t, h.Reload(t.Context(), wrong), "and the configuration has "+hash)
	assert.Zero(t, fresh.Load(), "a reload that fails changes nothing")
	require.NoError(t, h.Reload(t.Context(), next))
	require.Eventually(t, func() bool { return fresh.Load() > 8 }, waitFor, tick)
	close(stop)
	all.Wait()
	last, err := h.Infer(t.Context(), &Request{Model: "speech", Adapter: "one", Samples: clip})
	require.NoError(t, err)
	assert.NotEqual(t, first.Version, last.Version)
}

// The end of a server under load: readiness goes first, and every request that was accepted is answered.
func TestTheEndLosesNoAcceptedRequest(t *testing.T) {
	cfg := testConfig(t)
	delete(cfg.Models, "responses")
	live, before := torch.Live(), goleak.IgnoreCurrent()
	seen := &counting{}
	s, err := Open(t.Context(), cfg, Options{Observer: seen, Again: func() (*Config, error) { return cfg, nil }})
	require.NoError(t, err)
	ctx, end := context.WithCancel(t.Context())
	bound, ended := make(chan Addresses, 1), make(chan error, 1)
	go func() { ended <- s.Serve(ctx, nil, func(a Addresses) { bound <- a }) }()
	at := <-bound
	client := &http.Client{}
	get := func(path string) int {
		answer, err := client.Get("http://" + at.Admin + path)
		require.NoError(t, err)
		defer answer.Body.Close()
		_, _ = io.Copy(io.Discard, answer.Body)
		return answer.StatusCode
	}
	assert.Equal(t, 200, get("/v2/health/ready"))
	assert.Equal(t, 200, get("/debug/pprof/goroutine"))
	assert.Equal(t, 404, get("/v2/models/speech"), "the admin listener answers operators only")
	answer, err := client.Post("http://"+at.Admin+"/reload", "", nil)
	require.NoError(t, err)
	answer.Body.Close()
	assert.Equal(t, 200, answer.StatusCode)

	body, length, err := sound(noise(1, 1), true).Encode()
	require.NoError(t, err)
	var good, refused atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for {
				r, err := http.NewRequest(http.MethodPost,
					"http://"+at.HTTP+"/v2/models/speech/infer", bytes.NewReader(body))
				if !assert.NoError(t, err) {
					return
				}
				r.Header.Set(openinference.HeaderLength, length)
				answer, err := client.Do(r)
				if err != nil {
					return // it is gone
				}
				_, err = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				if answer.StatusCode == http.StatusOK {
					assert.NoError(t, err)
					good.Add(1)
				} else {
					refused.Add(1)
					assert.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
				}
			}
		})
	}
	require.Eventually(t, func() bool { return good.Load() > 16 }, waitFor, tick)
	end()
	require.NoError(t, <-ended)
	all.Wait()
	assert.Equal(t, seen.answered.Load(), good.Load(), "an answer was lost")
	assert.Zero(t, seen.failed.Load(), "an accepted request was ended")
	assert.False(t, s.Ready())
	client.CloseIdleConnections()
	goleak.VerifyNone(t, before)
	assert.Equal(t, live, torch.Live())
	assert.ErrorContains(t, s.Reload(t.Context(), cfg), "the server is ending")
	_, err = s.Infer(t.Context(), &Request{Model: "speech", Samples: noise(1, 1)})
	assert.ErrorContains(t, err, "the server is ending")
}

func TestModelsThatAreRefused(t *testing.T) {
	prepare(t)
	live := torch.Live()
	for want, change := range map[string]func(*Config){
		"nowhere": func(c *Config) { c.Models["speech"] = Model{Path: "/nowhere"} },
		"sha256 is ": func(c *Config) {
			c.Models["speech"] = Model{Path: modelDir(t), SHA256: hash}
		},
		"there is no hidden state 9": func(c *Config) {
			c.Models["speech"] = Model{Path: modelDir(t), Features: &Features{Layers: []int{9}}}
		},
		"there is no subject": func(c *Config) {
			m := c.Models["responses"]
			m.Subject = "bob"
			c.Models["responses"] = m
		},
		"and the configuration has " + hash: func(c *Config) {
			m := c.Models["responses"]
			m.SHA256 = hash
			c.Models["responses"] = m
		},
		"models: there is none": func(c *Config) { c.Models = nil },
		"tokens":                func(c *Config) { c.Tokens = filepath.Join(t.TempDir(), "tokens") },
	} {
		cfg := testConfig(t)
		change(cfg)
		_, err := Open(t.Context(), cfg, Options{})
		require.ErrorContains(t, err, want)
		assert.Equal(t, live, torch.Live(), want)
	}
}

// Programs that embed this package do not get gRPC and Prometheus with it.
func TestImportsStayLight(t *testing.T) {
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
		for _, heavy := range []string{"google.golang.org/grpc", "google.golang.org/protobuf",
			"github.com/prometheus/", "go.opentelemetry.io/"} {
			assert.False(t, strings.HasPrefix(p.ImportPath, heavy), p.ImportPath)
		}
	}
	assert.Greater(t, seen, 50, fmt.Sprint("the test saw too few packages: ", seen))
}
