package grpcapi

import (
	"context"
	"errors"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/brainwavlm/bwlm/fault"
	pb "github.com/brainwavlm/bwlm/internal/inferencepb"
	"github.com/brainwavlm/bwlm/internal/openinference"
	"github.com/brainwavlm/bwlm/internal/version"
	"github.com/brainwavlm/bwlm/serve"
)

// service is the service of the protocol.
type service struct {
	pb.UnimplementedGRPCInferenceServiceServer
	server *serve.Server
	idle   time.Duration // how long a stream may take no answer
}

// ServerLive reports whether the passes of libtorch end.
func (s *service) ServerLive(context.Context, *pb.ServerLiveRequest) (*pb.ServerLiveResponse, error) {
	return &pb.ServerLiveResponse{Live: s.server.Live()}, nil
}

// ServerReady reports whether requests are accepted.
func (s *service) ServerReady(context.Context, *pb.ServerReadyRequest) (*pb.ServerReadyResponse, error) {
	return &pb.ServerReadyResponse{Ready: s.server.Ready()}, nil
}

// ModelReady reports whether there is a model, and requests are accepted.
func (s *service) ModelReady(_ context.Context, q *pb.ModelReadyRequest) (*pb.ModelReadyResponse, error) {
	_, err := s.server.Metadata(q.GetName(), q.GetVersion())
	if err != nil && fault.KindOf(err) != fault.Missing {
		return nil, errorOf(context.Background(), err)
	}
	return &pb.ModelReadyResponse{Ready: err == nil && s.server.Ready()}, nil
}

// ServerMetadata describes the server.
func (s *service) ServerMetadata(context.Context, *pb.ServerMetadataRequest) (*pb.ServerMetadataResponse, error) {
	return &pb.ServerMetadataResponse{Name: "bwlm", Version: version.String(),
		Extensions: []string{"model_repository"}}, nil
}

// ModelMetadata describes a model.
func (s *service) ModelMetadata(ctx context.Context, q *pb.ModelMetadataRequest) (*pb.ModelMetadataResponse, error) {
	meta, err := s.server.Metadata(q.GetName(), q.GetVersion())
	if err != nil {
		return nil, errorOf(ctx, err)
	}
	specs := func(list []serve.TensorSpec) (out []*pb.ModelMetadataResponse_TensorMetadata) {
		for _, x := range list {
			out = append(out, &pb.ModelMetadataResponse_TensorMetadata{Name: x.Name, Datatype: x.Datatype,
				Shape: x.Shape})
		}
		return out
	}
	return &pb.ModelMetadataResponse{Name: meta.Name, Versions: meta.Versions, Platform: meta.Platform,
		Inputs: specs(meta.Inputs), Outputs: specs(meta.Outputs), Properties: meta.Properties}, nil
}

// RepositoryIndex lists the models.
func (s *service) RepositoryIndex(context.Context, *pb.RepositoryIndexRequest) (*pb.RepositoryIndexResponse, error) {
	out := &pb.RepositoryIndexResponse{}
	for _, name := range s.server.Models() {
		if meta, err := s.server.Metadata(name, ""); err == nil {
			out.Models = append(out.Models,
				&pb.RepositoryIndexResponse_ModelIndex{Name: name, Version: meta.Versions[0], State: "READY"})
		}
	}
	return out, nil
}

// ModelInfer answers a request.
func (s *service) ModelInfer(ctx context.Context, in *pb.ModelInferRequest) (*pb.ModelInferResponse, error) {
	wire, err := requestOf(in)
	if err != nil {
		return nil, errorOf(ctx, err)
	}
	q, err := openinference.CallOf(wire, in.GetModelName(), in.GetModelVersion())
	if err != nil {
		return nil, errorOf(ctx, err)
	}
	r, err := s.server.Infer(ctx, q)
	if err != nil {
		return nil, errorOf(ctx, err)
	}
	answer := openinference.ResponseOf(r, wire)
	return messageOf(answer), nil
}

// messageOf returns a response with raw tensors.
func messageOf(answer *openinference.Response) *pb.ModelInferResponse {
	out := &pb.ModelInferResponse{ModelName: answer.Model, ModelVersion: answer.Version, Id: answer.ID}
	for i := range answer.Outputs {
		t := &answer.Outputs[i]
		out.Outputs = append(out.Outputs,
			&pb.ModelInferResponse_InferOutputTensor{Name: t.Name, Datatype: t.Datatype, Shape: t.Shape})
		out.RawOutputContents = append(out.RawOutputContents, t.Bytes())
	}
	return out
}

// requestOf reads a message. Its tensors are raw, all of them, or typed.
func requestOf(in *pb.ModelInferRequest) (*openinference.Request, error) {
	out := &openinference.Request{ID: in.GetId(), Parameters: parameters(in.GetParameters())}
	raw := in.GetRawInputContents()
	if len(raw) > 0 && len(raw) != len(in.GetInputs()) {
		return nil, fault.New(fault.Usage, "infer", "raw_input_contents", "%d for %d inputs", len(raw),
			len(in.GetInputs()))
	}
	for i, x := range in.GetInputs() {
		t := openinference.Tensor{Name: x.GetName(), Datatype: x.GetDatatype(), Shape: x.GetShape(),
			Parameters: parameters(x.GetParameters())}
		var err error
		if len(raw) > 0 {
			err = t.SetBytes(raw[i])
		} else {
			c := x.GetContents()
			err = t.SetTyped(c.GetFp32Contents(), c.GetFp64Contents(), c.GetInt64Contents(), c.GetBytesContents())
		}
		if err != nil {
			return nil, err
		}
		out.Inputs = append(out.Inputs, t)
	}
	for _, o := range in.GetOutputs() {
		out.Outputs = append(out.Outputs, openinference.Wanted{Name: o.GetName(), Binary: true})
	}
	return out, nil
}

// parameters returns parameters as in JSON, where numbers are float64.
func parameters(in map[string]*pb.InferParameter) map[string]any {
	out := map[string]any{}
	for name, p := range in {
		switch x := p.GetParameterChoice().(type) {
		case *pb.InferParameter_BoolParam:
			out[name] = x.BoolParam
		case *pb.InferParameter_Int64Param:
			out[name] = float64(x.Int64Param)
		case *pb.InferParameter_Uint64Param:
			out[name] = float64(x.Uint64Param)
		case *pb.InferParameter_DoubleParam:
			out[name] = x.DoubleParam
		case *pb.InferParameter_StringParam:
			out[name] = x.StringParam
		}
	}
	return out
}

// errorOf returns an error of a call. What the server alone is to blame for is not described: it may name files.
func errorOf(ctx context.Context, err error) error {
	if o, ok := errors.AsType[*serve.Overload](err); ok {
		seconds := int((o.After + time.Second - 1) / time.Second)
		_ = grpc.SetTrailer(ctx, metadata.Pairs("retry-after", strconv.Itoa(seconds))) // of calls that are not over
		if o.Ending {
			return status.Error(codes.Unavailable, err.Error())
		}
		return status.Error(codes.ResourceExhausted, err.Error())
	}
	if known, ok := status.FromError(err); ok { // of reading a stream
		return known.Err()
	}
	code := codes.Internal
	switch fault.KindOf(err) {
	case fault.Usage, fault.BadData:
		code = codes.InvalidArgument
	case fault.Missing:
		code = codes.NotFound
	case fault.Temporary, fault.Memory:
		code = codes.Unavailable
	case fault.Interrupted:
		code = codes.Canceled
		if errors.Is(err, context.DeadlineExceeded) {
			code = codes.DeadlineExceeded
		}
	}
	if code == codes.Internal {
		return status.Error(code, "an internal error; the log of the server has its kind under this request id")
	}
	return status.Error(code, err.Error())
}
