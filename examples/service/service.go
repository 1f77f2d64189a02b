package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/fault"
)

// Source answers a clip. It is used by several goroutines at once.
type Source interface {
	Path() string // under which it is served: /responses or /features
	Answer(ctx context.Context, clip *audio.Clip) (*Answer, error)
	Close()
}

// Limits bound what requests may take. The zero value is useful.
type Limits struct {
	Slots   int     // requests whose audio is in memory at the same time; 0: 4
	Bytes   int64   // of a body; 0: 64 MiB
	Seconds float64 // of a clip; 0: 600

	Upload time.Duration // how long a body may take once its turn has come; 0: a minute
}

// Service is the handler. The others wait their turn, which costs little: their bodies are not read yet.
type Service struct {
	source Source
	limits Limits
	mux    *http.ServeMux
	slots  *semaphore.Weighted

	use  sync.RWMutex // held for reading by requests
	life context.Context
	end  context.CancelFunc
}

// NewService serves a source, which Close frees.
func NewService(source Source, limits Limits) *Service {
	if limits.Slots == 0 {
		limits.Slots = 4
	}
	if limits.Bytes == 0 {
		limits.Bytes = 64 << 20
	}
	if limits.Seconds == 0 {
		limits.Seconds = 600
	}
	if limits.Upload == 0 {
		limits.Upload = time.Minute
	}
	s := &Service{source: source, limits: limits, mux: http.NewServeMux(),
		slots: semaphore.NewWeighted(int64(limits.Slots))}
	s.life, s.end = context.WithCancel(context.Background())
	s.mux.HandleFunc("POST "+source.Path(), s.post)
	s.mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		if s.life.Err() != nil {
			fail(w, errClosing)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	return s
}

// ServeHTTP answers one request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close ends the requests that run, waits for them, and frees the source. Later requests are told
// to come back; a second Close does nothing.
func (s *Service) Close() {
	s.end()
	s.use.Lock()
	defer s.use.Unlock()
	if s.source != nil {
		s.source.Close()
		s.source = nil
	}
}

var errClosing = fault.New(fault.Temporary, "serve", "", "the service is closing").WithHint("try again later")

// post answers audio.
func (s *Service) post(w http.ResponseWriter, r *http.Request) {
	s.use.RLock()
	defer s.use.RUnlock()
	if s.life.Err() != nil {
		fail(w, errClosing)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()

	answer, err := s.answer(ctx, http.NewResponseController(w), http.MaxBytesReader(w, r.Body, s.limits.Bytes))
	if err != nil && s.life.Err() != nil {
		err = errClosing
	}
	if err != nil {
		fail(w, err)
		return
	}
	answer.write(w, r.Header.Get("Accept"))
}

// answer waits for a slot and keeps it while the audio is in memory.
func (s *Service) answer(ctx context.Context, connection *http.ResponseController, body io.Reader) (*Answer, error) {
	if err := s.slots.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer s.slots.Release(1)
	// Where the connection knows no deadlines there are none. Once the body is read, the server forgets this one.
	_ = connection.SetReadDeadline(time.Now().Add(s.limits.Upload))
	encoded, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	clip, err := audio.Decode(ctx, "body", bytes.NewReader(encoded), int64(len(encoded)),
		audio.Options{MaxSeconds: s.limits.Seconds})
	if err != nil {
		return nil, err
	}
	return s.source.Answer(ctx, clip)
}
