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
	good, refused, late, other atomic.Int64
	took                       []time.Duration // of good ones
	lock                       sync.Mutex
	seconds                    float64
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
				case err == nil && code == http.StatusGatewayTimeout:
					o.late.Add(1)
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
func (o *offered) p99() time.Duration { return append(o.took, 0)[len(o.took)*99/100] }

// TestLoad is a server of the nano model under load: at its capacity, below it, and at twice of it. How much it answers
// is logged, since it depends on what else the machine does, and so are memory, goroutines and files. Whatever comes,
// every answer is one of those that are documented, and what start looks for, tensors and goroutines, is gone with it.
func TestLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nano")
	require.NoError(t, sim.WriteNano(dir))
	cfg := Default()
	cfg.Device = torchtest.Name()
	cfg.Limits.Requests, cfg.Limits.Deadline = 64, 4*time.Second
	cfg.Models = map[string]Model{"nano": {Path: dir, Features: &Features{WindowSeconds: 1, StrideSeconds: .5}}}
	h := start(t, cfg, Options{})
	h.http.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = 256
	body, length, err := sound(noise(2, 1), true).Encode()
	require.NoError(t, err)
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	for _, clients := range []int{8, 256} { // 500 answers, and as many connections as there will be
		assert.Zero(t, h.offer(t, body, length, 500, clients, 0).other.Load())
	}
	memory := memoryNow(t)

	capacity := h.offer(t, body, length, 1000, 8, 0)
	capacity.log(t, "8 clients, one request after the other")
	calm := h.offer(t, body, length, 500, 64, .8*capacity.goodput())
	calm.log(t, "80 % of that rate")
	rush := h.offer(t, body, length, 1000, 256, 2*capacity.goodput())
	rush.log(t, "200 % of that rate")
	for _, o := range []*offered{capacity, calm, rush} {
		assert.Zero(t, o.other.Load(), "an answer is neither 200, 429 with Retry-After, nor 504")
	}
	assert.Positive(t, rush.good.Load())

	h.http.Client().CloseIdleConnections()
	now := memoryNow(t)
	t.Logf("before connections: %d goroutines, %d files; after them: %d, %d", goroutines, files, runtime.NumGoroutine(),
		openFiles(t))
	t.Logf("memory: %d MB after 1,000 requests, %d MB after 3,500", memory>>20, now>>20)
	assert.Zero(t, h.Pending())
}

// log prints what became of the requests.
func (o *offered) log(t *testing.T, about string) {
	t.Helper()
	t.Logf("%s: %.0f good a second, p99 %v, %d refused, %d too late", about, o.goodput(), o.p99(), o.refused.Load(),
		o.late.Load())
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
