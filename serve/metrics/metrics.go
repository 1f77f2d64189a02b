package metrics

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/serve"
)

// Metrics is an observer of one server.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	phases   *prometheus.HistogramVec
	audio    *prometheus.CounterVec
	windows  *prometheus.CounterVec
}

var _ serve.Observer = (*Metrics)(nil)

// New returns metrics without a server.
func New() *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help,
			Buckets: prometheus.ExponentialBuckets(.001, 2, 18)}, labels)
	}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: counter("bwlm_requests_total", "Requests by how they ended: answered, refused or failed.", "model",
			"end",
			"kind"),
		seconds: histogram("bwlm_request_seconds", "Time of requests that were answered.", "model"),
		phases: histogram("bwlm_phase_seconds", "Time of the phases of requests: decode and compute.", "model",
			"phase"),
		audio:   counter("bwlm_audio_seconds_total", "Seconds of audio that were answered.", "model"),
		windows: counter("bwlm_windows_total", "Windows of requests that were answered.", "model"),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.phases, m.audio, m.windows, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers GET /metrics of a server's admin listener. It is called once.
func (m *Metrics) Handler(s *serve.Server) http.Handler {
	gauge := func(name, help string, value func(serve.Pending) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return value(s.Pending()) }))
	}
	gauge("bwlm_pending_requests", "Requests that are accepted and not answered.",
		func(p serve.Pending) float64 { return float64(p.Requests) })
	gauge("bwlm_pending_windows", "Windows that wait or are computed.",
		func(p serve.Pending) float64 { return float64(p.Windows) })
	gauge("bwlm_longest_pass_seconds", "How long the longest pass that runs has been running.",
		func(p serve.Pending) float64 { return p.Longest.Seconds() })
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}

// Phase measures a phase.
func (m *Metrics) Phase(ctx context.Context, model, phase string) (context.Context, func()) {
	began := time.Now()
	return ctx, func() { m.phases.WithLabelValues(model, phase).Observe(time.Since(began).Seconds()) }
}

// Answered counts a request.
func (m *Metrics) Answered(model string, took time.Duration, seconds float64, windows int) {
	m.requests.WithLabelValues(model, "answered", "").Inc()
	m.seconds.WithLabelValues(model).Observe(took.Seconds())
	m.audio.WithLabelValues(model).Add(seconds)
	m.windows.WithLabelValues(model).Add(float64(windows))
}

// Refused counts a request.
func (m *Metrics) Refused(model string) { m.requests.WithLabelValues(model, "refused", "").Inc() }

// Failed counts a request. The kind is the number of package fault.
func (m *Metrics) Failed(model string, kind fault.Kind) {
	m.requests.WithLabelValues(model, "failed", strconv.Itoa(int(kind))).Inc()
}
