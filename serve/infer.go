package serve

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/openinference"
	"github.com/brainwavlm/bwlm/speech"
)

var (
	errEnding = fault.New(fault.Temporary, inferring, "", "the server is ending").WithHint("try another one")
	errFull   = fault.New(fault.Temporary, inferring, "", "too many requests").WithHint("try again later")

	// errLate is the cause of contexts that end at the deadline.
	errLate = errors.New("the deadline has passed")
)

// Overload is the error of a request that was refused for lack of room or time. It has kind Temporary.
type Overload struct {
	Err    error
	After  time.Duration // when to try again
	Ending bool          // there is no room because the server ends
}

func (o *Overload) Error() string { return o.Err.Error() }

// Unwrap returns what there was no room for.
func (o *Overload) Unwrap() error { return o.Err }

// ticket is the place of an accepted request.
type ticket struct {
	s      *Server
	began  time.Time
	memory int64
}

// enter accepts a request, or refuses it if the queue is full or it would not be done in time. The request needs some
// memory from the start.
func (s *Server) enter(memory int64) (*ticket, error) {
	t := &ticket{s: s, began: time.Now()}
	if n := s.waiting.Add(1); n > int64(s.cfg.Limits.Requests) {
		s.waiting.Add(-1)
		return nil, s.overload()
	}
	if s.phase.Load() != ready { // looked at after waiting was raised, so that Drain misses none
		s.waiting.Add(-1)
		return nil, &Overload{errEnding, time.Second, true}
	}
	err := t.needs(memory)
	if err == nil && s.batcher.Load().Windows > 0 && s.delay(int(s.mean.Load())) > s.cfg.Limits.Deadline {
		err = s.overload()
	}
	if err != nil {
		t.leave()
		return nil, err
	}
	return t, nil
}

// Full reports whether a request would be refused now for lack of room in the queue.
func (s *Server) Full() bool { return s.waiting.Load() >= int64(s.cfg.Limits.Requests) }

// needs takes memory, which leave gives back.
func (t *ticket) needs(memory int64) error {
	if memory > t.s.cfg.Limits.Memory {
		return fault.New(fault.BadData, inferring, "",
			"the request and its answer take %d MB, more than the limit of %d MB",
			memory>>20, t.s.cfg.Limits.Memory>>20).WithHint("send shorter audio")
	}
	if !t.s.memory.TryAcquire(memory) {
		return t.s.overload()
	}
	t.memory += memory
	return nil
}

func (t *ticket) leave() {
	t.s.memory.Release(t.memory)
	t.s.waiting.Add(-1)
}

// overload is the error of a server that has enough to do.
func (s *Server) overload() error { return &Overload{errFull, max(s.delay(0), time.Second), false} }

// margin is how many times longer than the latest ones the next passes may take.
const margin = 2

// delay returns how long it takes at most to compute what waits and some windows more.
func (s *Server) delay(windows int) time.Duration {
	l := s.batcher.Load()
	return margin * time.Duration(l.Windows+windows) * l.PerWindow
}

// Infer answers one request. Errors have kind Usage or BadData for requests that cannot be answered, Missing for models
// that are not there, Temporary with an *Overload for those that were refused, and Interrupted if ctx or the deadline
// ended.
func (s *Server) Infer(ctx context.Context, q *Request) (*Response, error) {
	t, err := s.enter(int64(len(q.Audio) + 4*len(q.Samples)))
	if err != nil {
		s.report(q.Model, err)
		return nil, err
	}
	defer t.leave()
	ctx, cancel := s.deadline(ctx, t)
	defer cancel()
	r, err := s.infer(ctx, t, q)
	s.report(q.Model, err)
	return r, err
}

// report tells the observer of an error, if it is one.
func (s *Server) report(model string, err error) {
	model = s.known(model)
	if _, refused := errors.AsType[*Overload](err); refused {
		s.observer.Refused(model)
	} else if err != nil {
		s.observer.Failed(model, fault.KindOf(err))
	}
}

// deadline returns the context of an accepted request.
func (s *Server) deadline(ctx context.Context, t *ticket) (context.Context, context.CancelFunc) {
	return context.WithDeadlineCause(ctx, t.began.Add(s.cfg.Limits.Deadline), errDeadline)
}

var errDeadline = &fault.Error{Kind: fault.Interrupted, Op: inferring, Reason: errLate.Error(),
	Hint: "send shorter audio, or try again later", Err: errors.Join(errLate, context.DeadlineExceeded)}

// infer answers an accepted request.
func (s *Server) infer(ctx context.Context, t *ticket, q *Request) (*Response, error) {
	m, err := s.hold(q.Model, q.Version)
	if err != nil {
		return nil, err
	}
	defer m.use.Done()
	if err := m.check(q); err != nil {
		return nil, err
	}
	ctx, decoded := s.observer.Phase(ctx, q.Model, "decode")
	samples, err := samplesOf(ctx, q, s.cfg.Limits)
	decoded()
	if err != nil {
		return nil, err
	}
	if err := t.needs(4*int64(len(samples)) + 4*m.bytes(q, len(samples))); err != nil { // the answer, and its encoding
		return nil, err
	}
	windows := m.windows(len(samples))
	end, _ := ctx.Deadline()
	if s.batcher.Load().Windows > 0 && s.delay(windows) > time.Until(end) { // one that is alone is tried
		return nil, s.overload()
	}
	s.mean.Store((7*s.mean.Load() + int64(windows)) / 8)
	ctx, computed := s.observer.Phase(ctx, q.Model, "compute")
	outputs, err := m.answer(ctx, q, samples)
	computed()
	if err != nil {
		if s.phase.Load() == ended {
			err = &Overload{errEnding, time.Second, true}
		}
		return nil, err
	}
	s.observer.Answered(q.Model, time.Since(t.began), float64(len(samples))/speech.SampleRate, windows)
	return m.response(q, outputs), nil
}

// response returns the outputs that a request wants.
func (m *model) response(q *Request, outputs []Tensor) *Response {
	if len(q.Outputs) > 0 {
		outputs = slices.DeleteFunc(outputs, func(x Tensor) bool { return !slices.Contains(q.Outputs, x.Name) })
	}
	return &Response{Model: q.Model, Version: m.meta.Versions[0], ID: q.ID, Outputs: outputs}
}

// choices are the adapters of a model as a hint.
func (m *model) choices() string {
	if len(m.adapters) == 0 {
		return "it has none"
	}
	return "choose one of " + joined(m.adapters)
}

func joined(names []string) string { return strings.Join(names, ", ") }

// check refuses adapters and outputs that the model does not have.
func (m *model) check(q *Request) error {
	if q.Adapter != "" && !slices.Contains(m.adapters, q.Adapter) {
		return fault.New(fault.Missing, inferring, openinference.ParamAdapter, "the model has no such adapter").
			WithHint("%s", m.choices())
	}
	for _, name := range q.Outputs {
		if !slices.ContainsFunc(m.meta.Outputs, func(o TensorSpec) bool { return o.Name == name }) {
			return fault.New(fault.Usage, inferring, "outputs", "the model has no output of this name")
		}
	}
	return nil
}
