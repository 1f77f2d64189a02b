package serve

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/brainwavlm/bwlm/brain/predict"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/openinference"
	"github.com/brainwavlm/bwlm/speech"
)

// streaming is what errors of streams are about.
const streaming = "stream"

var (
	errStreams = fault.New(fault.Temporary, inferring, streaming, "too many streams").WithHint("try again later")
	errEnds    = fault.New(fault.Temporary, inferring, streaming, "the server ends or reloads its models").
			WithHint("begin another stream, on another server if there is one")
	errIdle = &fault.Error{Kind: fault.Interrupted, Op: inferring, Path: streaming,
		Reason: "no audio came for too long", Hint: "end a stream that has no more audio",
		Err: errors.Join(os.ErrDeadlineExceeded, context.DeadlineExceeded)}
)

// Stream predicts a recording while it comes in. The request names the model, and outputs and their level as for Infer;
// without outputs they are times and predictions. next returns the next samples, any number of them at 16 kHz, and
// io.EOF at the end of the recording; it is called from another goroutine, one call at a time. give is called with the
// rows that audio completes. All of them together are bit-identical to predict.Predictor.Predict of the whole recording
// without a batcher, and to Infer with Batching.Exact.
//
// Stream returns when the recording has ended, with an error of next or give, or with one of those of Infer: of kind
// Usage where the model does not predict while audio comes in, BadData for more audio than Limits.Streams.Seconds,
// Interrupted for a stream that is idle, and Temporary with an *Overload where there are too many streams, or where the
// server ends or reloads its models. Rows that are complete were given before. A call of next may be left, which is to
// be ended then; its result is not used.
func (s *Server) Stream(ctx context.Context, q *Request, next func() ([]float32, error),
	give func(*Response) error) error {
	x, err := s.begin(q)
	if err == nil {
		defer x.close()
		err = x.run(ctx, next, give)
	}
	if err != nil && s.phase.Load() == ended {
		err = &Overload{errEnding, time.Second, true}
	}
	s.report(q.Model, err)
	return err
}

// stream is one recording.
type stream struct {
	s      *Server
	m      *model
	q      *Request
	of     responses
	in     *predict.Stream
	audio  int           // samples that have come
	took   time.Duration // to compute
	memory int64
}

// begin accepts a stream.
func (s *Server) begin(q *Request) (x *stream, err error) {
	x = &stream{s: s}
	defer func() {
		if err != nil {
			x.close()
		}
	}()
	if n := s.streams.Add(1); n > int64(s.cfg.Limits.Streams.Number) {
		return x, &Overload{errStreams, time.Second, false}
	}
	if s.phase.Load() != ready { // looked at after streams was raised, so that Drain misses none
		return x, &Overload{errEnding, time.Second, true}
	}
	if x.m, err = s.hold(q.Model, q.Version); err != nil {
		return x, err
	}
	own := *q
	if x.q = &own; len(own.Outputs) == 0 {
		own.Outputs = []string{openinference.OutputTimes, openinference.OutputResponse}
	}
	var ok bool
	switch x.of, ok = x.m.answerer.(responses); {
	case !ok:
		return x, fault.New(fault.Usage, inferring, streaming, "the model gives features of whole recordings").
			WithHint("choose a model of a run")
	case len(q.Audio) > 0 || q.SampleRate != 0 && q.SampleRate != speech.SampleRate:
		return x, fault.New(fault.Usage, inferring, streaming, "want samples at %d Hz", speech.SampleRate)
	}
	if err := x.m.check(q); err != nil {
		return x, err
	}
	if err := checkLevel(q); err != nil {
		return x, err
	}
	if x.in, err = x.of.Stream(); err != nil {
		return x, err
	}
	return x, x.hold(streamMemory)
}

// streamMemory bounds the audio, vectors and rows that a stream keeps, in bytes.
const streamMemory = 4 << 20

// hold takes memory in place of what the stream has.
func (x *stream) hold(memory int64) error {
	x.s.memory.Release(x.memory)
	x.memory = 0
	if limit := x.s.cfg.Limits.Memory; memory > limit {
		return fault.New(fault.BadData, inferring, streaming,
			"%d MB for a piece of audio and its rows, want at most %d MB", memory>>20, limit>>20).
			WithHint("send shorter pieces")
	}
	if !x.s.memory.TryAcquire(memory) {
		return x.s.overload()
	}
	x.memory = memory
	return nil
}

func (x *stream) close() {
	x.s.memory.Release(x.memory)
	if x.m != nil {
		x.m.use.Done()
	}
	x.s.streams.Add(-1)
}

// piece is what one call of next returns.
type piece struct {
	samples []float32
	err     error
}

// run predicts until the recording ends.
func (x *stream) run(ctx context.Context, next func() ([]float32, error), give func(*Response) error) error {
	pieces, left := make(chan piece), make(chan struct{})
	defer close(left)
	go func() {
		for {
			var p piece
			p.samples, p.err = next()
			select {
			case pieces <- p:
			case <-left:
				return
			}
			if p.err != nil {
				return
			}
		}
	}()
	idle := time.NewTimer(x.s.cfg.Limits.Streams.Idle)
	defer idle.Stop()
	for {
		idle.Reset(x.s.cfg.Limits.Streams.Idle)
		var p piece
		select {
		case p = <-pieces:
		case <-idle.C:
			return errIdle
		case <-x.m.ending:
			return &Overload{errEnds, time.Second, true}
		case <-ctx.Done():
			return fault.Wrap(fault.Interrupted, inferring, streaming, context.Cause(ctx))
		}
		final := errors.Is(p.err, io.EOF)
		if p.err != nil && !final {
			return p.err
		}
		if len(p.samples) > 0 {
			if err := x.answer(ctx, p.samples, give, x.in.Write); err != nil {
				return err
			}
		}
		if final {
			last := func(ctx context.Context, _ []float32) (*predict.Prediction, error) { return x.in.Finish(ctx) }
			err := x.answer(ctx, nil, give, last)
			if err == nil {
				x.s.observer.Answered(x.q.Model, x.took, float64(x.audio)/speech.SampleRate, x.of.windows(x.audio))
			}
			return err
		}
	}
}

// answer gives the rows that samples complete.
func (x *stream) answer(ctx context.Context, samples []float32, give func(*Response) error,
	add func(context.Context, []float32) (*predict.Prediction, error)) error {
	limit := x.s.cfg.Limits.Streams.Seconds
	if x.audio += len(samples); float64(x.audio) > limit*speech.SampleRate {
		return fault.New(fault.BadData, inferring, streaming, "more audio than the limit of %g s", limit).
			WithHint("begin another stream")
	}
	due := len(samples) + int(speech.SampleRate*(x.in.Latency()+x.of.MinSeconds()+x.of.TR)) // whose rows may leave
	if err := x.hold(streamMemory + 8*int64(len(samples)) + 4*x.of.bytes(x.q, due)); err != nil {
		return err
	}
	began := time.Now()
	p, err := add(ctx, samples)
	x.took += time.Since(began)
	if err != nil || p.Rows == 0 {
		return err
	}
	outputs, err := x.of.tensors(x.q, p)
	if err != nil {
		return err
	}
	return give(x.m.response(x.q, outputs))
}
