package serve

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

const (
	opening  = "open model"
	platform = "bwlm"
)

// Options are what a configuration file does not hold. The zero value is useful.
type Options struct {
	Log      *slog.Logger // nil: nothing is logged
	Observer Observer     // nil: nothing is observed
	// Again reads the configuration again, for a reload from the admin listener; nil: there is none.
	Again func() (*Config, error)
	// Admin answers paths of the admin listener that the server does not know, such as /metrics; nil: none.
	Admin AdminHandler
}

// Server answers requests with the models of a configuration. Its methods may be called by any number of goroutines.
type Server struct {
	cfg      *Config
	opt      Options
	log      *slog.Logger
	observer Observer
	device   torch.Device
	batcher  *extract.Batcher
	bases    bases
	tokens   tokens

	lock    sync.RWMutex // held for reading while a request takes hold of a model
	models  map[string]*model
	reload  sync.Mutex // one at a time
	memory  *semaphore.Weighted
	streams atomic.Int64 // that are open
	waiting atomic.Int64 // requests that are accepted and not answered
	phase   atomic.Int32
	mean    atomic.Int64 // windows of a request, the mean over the latest
	closed  sync.Once
}

// The phases of a server.
const (
	starting int32 = iota
	ready
	draining
	ended
)

// Open loads the models of a configuration, has each answer once, and then is ready. torch.Setup comes before it. Close
// frees the models.
func Open(ctx context.Context, cfg *Config, opt Options) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, opt: opt, log: opt.Log, observer: opt.Observer,
		memory: semaphore.NewWeighted(cfg.Limits.Memory)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.observer == nil {
		s.observer = silent{}
	}
	var err error
	if s.device, err = torch.OpenDevice(cfg.Device); err != nil {
		return nil, err
	}
	if cfg.Tokens != "" {
		if err := s.tokens.open(cfg.Tokens); err != nil {
			return nil, err
		}
	}
	s.batcher = extract.NewBatcher(extract.BatchOptions{Windows: cfg.Batching.Windows, Exact: cfg.Batching.Exact,
		Workers: cfg.Workers})
	models, err := s.openModels(ctx, cfg)
	if err != nil {
		s.batcher.Close()
		return nil, err
	}
	s.models = models
	s.phase.Store(ready)
	s.log.Info("ready", "models", len(models))
	return s, nil
}

// openModels opens and warms up the models of a configuration; all or none.
func (s *Server) openModels(ctx context.Context, cfg *Config) (map[string]*model, error) {
	out := map[string]*model{}
	for _, name := range slices.Sorted(maps.Keys(cfg.Models)) {
		m := cfg.Models[name]
		open := s.openFeatures
		if m.Run != "" {
			open = s.openResponses
		}
		opened, err := open(ctx, name, m)
		if err == nil {
			if out[name] = opened; len(opened.adapters) > 0 {
				opened.meta.Properties = map[string]string{"adapters": joined(opened.adapters)}
			}
			err = s.warm(ctx, opened)
		}
		if err != nil {
			for _, m := range out {
				m.close()
			}
			return nil, err
		}
	}
	return out, nil
}

// warm has a model answer once with each adapter, so that no request meets a first pass.
func (s *Server) warm(ctx context.Context, m *model) error {
	samples := make([]float32, int((m.shortest+.1)*speech.SampleRate))
	for i := range samples {
		samples[i] = float32(i%7) * 1e-3 // no silence, which has no SD
	}
	for _, adapter := range append([]string{""}, m.adapters...) {
		if _, err := m.answer(ctx, &Request{Adapter: adapter}, samples); err != nil {
			return err
		}
	}
	return nil
}

// Reload replaces the models by those of another configuration, of which nothing else is used. The new ones are opened
// and have answered once before the old ones go; requests that run end with the old ones. An error changes nothing.
func (s *Server) Reload(ctx context.Context, cfg *Config) error {
	s.reload.Lock()
	defer s.reload.Unlock()
	if s.phase.Load() != ready {
		return errEnding
	}
	if err := cfg.check(); err != nil {
		return err
	}
	models, err := s.openModels(ctx, cfg)
	if err != nil {
		s.log.Error("reload failed", "op", opOf(err), "kind", int(fault.KindOf(err)))
		return err
	}
	old := s.exchange(models)
	s.log.Info("reloaded", "models", len(models))
	for _, m := range old {
		m.close()
	}
	return nil
}

// exchange replaces the models.
func (s *Server) exchange(models map[string]*model) (old map[string]*model) {
	s.lock.Lock()
	defer s.lock.Unlock()
	old, s.models = s.models, models
	return old
}

// Models returns the names of the models in order.
func (s *Server) Models() []string {
	s.lock.RLock()
	defer s.lock.RUnlock()
	return slices.Sorted(maps.Keys(s.models))
}

// Metadata returns the description of a model. An error of kind Missing says that there is no such model or version.
func (s *Server) Metadata(name, version string) (*Metadata, error) {
	m, err := s.hold(name, version)
	if err != nil {
		return nil, err
	}
	defer m.use.Done()
	meta := m.meta
	return &meta, nil
}

// hold returns a model, which is not closed before its use is done.
func (s *Server) hold(name, version string) (*model, error) {
	s.lock.RLock()
	defer s.lock.RUnlock()
	m := s.models[name]
	switch {
	case s.models == nil:
		return nil, &Overload{errEnding, time.Second, true}
	case m == nil:
		return nil, fault.New(fault.Missing, inferring, "", "there is no model of this name")
	case version != "" && version != m.meta.Versions[0]:
		return nil, fault.New(fault.Missing, inferring, "", "there is no such version, it is %s", m.meta.Versions[0])
	}
	m.use.Add(1)
	return m, nil
}

// known returns the name of a model, and "" for a name that only a client knows.
func (s *Server) known(name string) string {
	s.lock.RLock()
	defer s.lock.RUnlock()
	if s.models[name] == nil {
		return ""
	}
	return name
}

// Ready reports whether requests are accepted.
func (s *Server) Ready() bool { return s.phase.Load() == ready }

// Live reports whether the passes of libtorch end: false means that the process should be started again.
func (s *Server) Live() bool { return s.batcher.Load().Longest < s.cfg.Limits.Stuck }

// Drain refuses new requests and waits for those that were accepted, or for ctx. Streams end when they have answered
// the audio that they have.
func (s *Server) Drain(ctx context.Context) error {
	s.phase.CompareAndSwap(ready, draining)
	s.log.Info("draining", "requests", s.waiting.Load(), "streams", s.streams.Load())
	s.endStreams()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for s.waiting.Load()+s.streams.Load() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// endStreams asks the streams of all models to end.
func (s *Server) endStreams() {
	s.lock.RLock()
	defer s.lock.RUnlock()
	for _, m := range s.models {
		m.end()
	}
}

// Close ends requests and frees the models. A second Close does nothing.
func (s *Server) Close() {
	s.closed.Do(func() {
		s.phase.Store(ended)
		s.batcher.Close()
		for _, m := range s.exchange(nil) {
			m.close()
		}
	})
}
