package grpcapi

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/brainwavlm/bwlm/fault"
	pb "github.com/brainwavlm/bwlm/internal/inferencepb"
	"github.com/brainwavlm/bwlm/internal/openinference"
	"github.com/brainwavlm/bwlm/serve"
)

// paramEnd is Triton's parameter of the last request of a sequence.
const paramEnd = "sequence_end"

// ModelStreamInfer predicts a recording while it comes in. Each request has its next samples; the first says which
// model, which outputs and which level. A response comes for requests that complete rows. The recording ends with the
// client's side of the stream, or with a request whose parameter sequence_end is true.
func (s *service) ModelStreamInfer(
	link grpc.BidiStreamingServer[pb.ModelInferRequest, pb.ModelStreamInferResponse]) error {
	ctx := link.Context()
	in := &incoming{link: link}
	wire, q, err := in.read()
	if errors.Is(err, io.EOF) {
		err = fault.New(fault.Usage, "infer", "stream", "there is no request").
			WithHint("name the model in the first one")
	}
	if err != nil {
		return errorOf(ctx, err)
	}
	in.model, in.first = q.Model, q.Samples
	begin := *q
	begin.Samples = nil
	err = s.server.Stream(ctx, &begin, in.next, func(r *serve.Response) error {
		return s.send(link, &pb.ModelStreamInferResponse{InferResponse: messageOf(openinference.ResponseOf(r, wire))})
	})
	if err != nil {
		return errorOf(ctx, err)
	}
	return nil
}

// send sends a response, if the client takes it in time.
func (s *service) send(link grpc.ServerStream, r *pb.ModelStreamInferResponse) error {
	sent := make(chan error, 1)
	go func() { sent <- link.SendMsg(r) }() // ends with the call
	timer := time.NewTimer(s.idle)
	defer timer.Stop()
	select {
	case err := <-sent:
		if err != nil {
			return fault.Wrap(fault.Interrupted, "infer", "stream", err)
		}
		return nil
	case <-timer.C:
		return &fault.Error{Kind: fault.Interrupted, Op: "infer", Path: "stream", Err: context.DeadlineExceeded,
			Reason: "a response was not taken for too long", Hint: "read responses while audio is sent"}
	}
}

// incoming reads the requests of a stream.
type incoming struct {
	link  grpc.BidiStreamingServer[pb.ModelInferRequest, pb.ModelStreamInferResponse]
	model string
	first []float32 // samples of the first request
	ended bool
}

// read reads a request.
func (in *incoming) read() (*openinference.Request, *openinference.Call, error) {
	m, err := in.link.Recv()
	switch {
	case errors.Is(err, io.EOF):
		return nil, nil, err
	case err != nil:
		return nil, nil, fault.Wrap(fault.Interrupted, "infer", "stream", err)
	}
	wire, err := requestOf(m)
	if err != nil {
		return nil, nil, err
	}
	in.ended, _ = wire.Parameters[paramEnd].(bool)
	q, err := openinference.CallOf(wire, m.GetModelName(), m.GetModelVersion())
	return wire, q, err
}

// next returns the next samples.
func (in *incoming) next() ([]float32, error) {
	if x := in.first; x != nil {
		in.first = nil
		return x, nil
	}
	if in.ended {
		return nil, io.EOF
	}
	_, q, err := in.read()
	switch {
	case err != nil:
		return nil, err
	case q.Model != in.model && q.Model != "", len(q.Audio) > 0:
		return nil, fault.New(fault.Usage, "infer", "stream", "a request has another model, or no samples").
			WithHint("begin a stream for each model, and send samples")
	}
	return q.Samples, nil
}

// loggedStream logs how streams ended, and gives them ids.
func loggedStream(s *serve.Server) grpc.StreamServerInterceptor {
	return func(service any, link grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		began := time.Now()
		count := &counted{ServerStream: link}
		err := handler(service, count)
		id := s.Log(info.FullMethod, count.model, status.Code(err).String(), count.bytes.Load(), time.Since(began))
		link.SetTrailer(metadata.Pairs("x-request-id", id))
		return err
	}
}

// counted is a stream that knows its model and what has come.
type counted struct {
	grpc.ServerStream
	model string
	bytes atomic.Int64 // a read may still run when the call has ended
}

// RecvMsg reads a message.
func (c *counted) RecvMsg(m any) error {
	err := c.ServerStream.RecvMsg(m)
	if q, ok := m.(*pb.ModelInferRequest); ok && err == nil {
		if c.model == "" {
			c.model = q.GetModelName()
		}
		for _, b := range q.GetRawInputContents() {
			c.bytes.Add(int64(len(b)))
		}
	}
	return err
}
