package serve

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/brainwavlm/bwlm/fault"
)

// Observer sees what a server does, for metrics and traces. Its methods are called by many goroutines and must not
// wait.
// None of them is told what a request contains.
type Observer interface {
	// Phase is called where a phase of a request begins: decode or compute. The function is called at its end, and the
	// context goes on to what the phase calls.
	Phase(ctx context.Context, model, phase string) (context.Context, func())
	// Answered is called with the time, the seconds of audio and the windows of each request that was answered.
	Answered(model string, took time.Duration, seconds float64, windows int)
	// Refused is called for each request that found no room. The model may be none that the server has.
	Refused(model string)
	// Failed is called with the kind of every other error.
	Failed(model string, kind fault.Kind)
}

// AdminHandler answers paths of the admin listener: it is made with the server whose figures it shows.
type AdminHandler func(*Server) http.Handler

// silent is an observer that does nothing.
type silent struct{}

func (silent) Phase(ctx context.Context, _, _ string) (context.Context, func()) {
	return ctx, func() {}
}
func (silent) Answered(string, time.Duration, float64, int) {}
func (silent) Refused(string)                               {}
func (silent) Failed(string, fault.Kind)                    {}

// Pending is what a server has to do now.
type Pending struct {
	Requests int           // accepted and not answered
	Windows  int           // of them
	Longest  time.Duration // of a pass that runs
}

// Pending returns what there is to do.
func (s *Server) Pending() Pending {
	l := s.batcher.Load()
	return Pending{int(s.waiting.Load()), l.Windows, l.Longest}
}

// opOf returns the operation of an error, which logs may hold; paths and reasons may have names in them.
func opOf(err error) string {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e.Op
	}
	return "unknown"
}
