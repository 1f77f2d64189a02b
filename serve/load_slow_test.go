//go:build slow

package serve

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/proc"
	"github.com/brainwavlm/bwlm/internal/sim"
	"github.com/brainwavlm/bwlm/internal/torchtest"
)

// offered is what became of requests that arrive at a rate.
type offered struct {
	good, refused, other atomic.Int64
	took                 []time.Duration // of good ones
	lock                 sync.Mutex
	seconds              float64
}

// offer sends n requests, rate of them a second, whatever becomes of those before; a rate of 0 has clients send one
// after
// the other.
func (h *hearing) offer(t *testing.T, body []byte, length string, n, clients int, rate float64) *offered {
	t.Helper()
	o := &offered{}
	jobs := make(chan struct{}, n)
	began := time.Now()
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for range jobs {
				sent := time.Now()
				code, header, _, err := h.do(context.Background(), http.MethodPost, "/v2/models/nano/infer",
					bytes.NewReader(body), map[string]string{"Inference-Header-Content-Length": length})
				switch {
				case err == nil && code == http.StatusOK:
					o.good.Add(1)
					o.lock.Lock()
					o.took = append(o.took, time.Since(sent))
					o.lock.Unlock()
				case err == nil && code == http.StatusTooManyRequests && header.Get("Retry-After") != "":
					o.refused.Add(1)
				default:
					o.other.Add(1)
				}
			}
		})
	}
	for i := range n {
		if rate > 0 {
			time.Sleep(time.Until(began.Add(time.Duration(float64(i) / rate * float64(time.Second)))))
		}
		jobs <- struct{}{}
	}
	close(jobs)
	all.Wait()
	o.seconds = time.Since(began).Seconds()
	slices.Sort(o.took)
	return o
}

func (o *offered) goodput() float64 { return float64(o.good.Load()) / o.seconds }

// p99 is the time that 99 of 100 good requests stay below.
func (o *offered) p99() time.Duration { return o.took[len(o.took)*99/100] }

// TestLoad is the behaviour of a server of the nano model under load, with 64 clients: none refused at 80 % of its
// capacity; at 200 %, goodput near the capacity and accepted requests in time; memory and goroutines that stay.
func TestLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nano")
	require.NoError(t, sim.WriteNano(dir))
	cfg := Default()
	cfg.Device = torchtest.Name()
	cfg.Limits.Requests, cfg.Limits.Deadline = 64, 2*time.Second
	cfg.Models = map[string]Model{"nano": {Path: dir, Features: &Features{WindowSeconds: 1, StrideSeconds: .5}}}
	h := start(t, cfg, Options{})
	h.http.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = 256
	body, length, err := sound(noise(2, 1), true).Encode()
	require.NoError(t, err)
	code, _, answer, err := h.do(t.Context(), http.MethodPost, "/v2/models/nano/infer", bytes.NewReader(body),
		map[string]string{"Inference-Header-Content-Length": length})
	require.NoError(t, err)
	require.Equal(t, 200, code, string(answer))

	first := h.offer(t, body, length, 500, 64, 0)
	require.Zero(t, first.other.Load())
	memory, goroutines, files := memoryNow(t), runtime.NumGoroutine(), openFiles(t)
	capacity := h.offer(t, body, length, 4000, 64, 0)
	t.Logf("capacity: %.0f requests/s of 2 s, p99 %v", capacity.goodput(), capacity.p99())
	assert.Zero(t, capacity.refused.Load()+capacity.other.Load())

	calm := h.offer(t, body, length, 2500, 64, .8*capacity.goodput())
	t.Logf("at 80 %%: %.0f requests/s, p99 %v, %d refused", calm.goodput(), calm.p99(), calm.refused.Load())
	assert.Zero(t, calm.refused.Load()+calm.other.Load())

	rush := h.offer(t, body, length, 3000, 256, 2*capacity.goodput())
	t.Logf("at 200 %%: %.0f requests/s, p99 %v, %d refused", rush.goodput(), rush.p99(), rush.refused.Load())
	assert.Zero(t, rush.other.Load())
	assert.Positive(t, rush.refused.Load())
	assert.GreaterOrEqual(t, rush.goodput(), .9*capacity.goodput())
	assert.LessOrEqual(t, rush.p99(), cfg.Limits.Deadline)

	h.http.Client().CloseIdleConnections()
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines && openFiles(t) <= files }, waitFor,
		10*time.Millisecond, "goroutines or files are left: %d, %d", runtime.NumGoroutine(), openFiles(t))
	now := memoryNow(t)
	t.Logf("memory: %d MB after 500 requests, %d MB after 10,000", memory>>20, now>>20)
	assert.LessOrEqual(t, float64(now), 1.05*float64(memory))
	assert.Zero(t, h.Pending())
}

// memoryNow is the resident memory without garbage.
func memoryNow(t *testing.T) int64 {
	t.Helper()
	runtime.GC()
	n, err := proc.ResidentMemory()
	require.NoError(t, err)
	return n
}

func openFiles(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(names)
}
