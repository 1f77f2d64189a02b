package grpcapi

import (
	"context"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"github.com/brainwavlm/bwlm/internal/inferencepb"
	"github.com/brainwavlm/bwlm/serve"
)

// slack is what a message has besides the audio, in bytes.
const slack = 1 << 16

// Front returns what answers gRPC for a server that was opened with a configuration.
func Front(s *serve.Server, cfg *serve.Config) serve.Front {
	return func(ctx context.Context, l net.Listener) error {
		server := grpc.NewServer(
			grpc.MaxRecvMsgSize(int(cfg.Limits.Bytes)+slack),
			grpc.MaxConcurrentStreams(uint32(cfg.Limits.Requests+cfg.Limits.Streams.Number)),
			grpc.ConnectionTimeout(10*time.Second),
			grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: 5 * time.Minute}),
			grpc.InTapHandle(func(ctx context.Context, info *tap.Info) (context.Context, error) {
				return ctx, admit(s, info.Header, info.FullMethodName)
			}),
			grpc.UnaryInterceptor(logged(s)),
			grpc.StreamInterceptor(loggedStream(s)),
		)
		inferencepb.RegisterGRPCInferenceServiceServer(server, &service{server: s, idle: cfg.Limits.Streams.Idle})
		grpc_health_v1.RegisterHealthServer(server, &health{server: s, end: ctx.Done()})
		reflection.Register(server)
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(l) }()
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
		}
		stop := time.AfterFunc(time.Second, server.Stop)
		defer stop.Stop()
		server.GracefulStop()
		<-ended
		return nil
	}
}

// admit refuses calls without a valid token, and inference where there is no room, before their messages are read.
func admit(s *serve.Server, header metadata.MD, method string) error {
	authorization := ""
	if given := header.Get("authorization"); len(given) > 0 {
		authorization = given[0]
	}
	if !s.Authorised(authorization) {
		return status.Error(codes.Unauthenticated, "a valid bearer token is needed")
	}
	if method == inferencepb.GRPCInferenceService_ModelInfer_FullMethodName && s.Full() {
		return status.Error(codes.ResourceExhausted, "too many requests; try again later")
	}
	return nil
}

// logged logs how calls ended, and gives them ids.
func logged(s *serve.Server) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, q any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		began := time.Now()
		r, err := handler(ctx, q)
		model, size := "", 0
		if infer, ok := q.(*inferencepb.ModelInferRequest); ok {
			model = infer.GetModelName()
			for _, b := range infer.GetRawInputContents() {
				size += len(b)
			}
		}
		id := s.Log(info.FullMethod, model, status.Code(err).String(), int64(size), time.Since(began))
		_ = grpc.SetTrailer(ctx, metadata.Pairs("x-request-id", id)) // of calls that are not over
		return r, err
	}
}

// health is grpc.health.v1 of a server. Every service has its health.
type health struct {
	grpc_health_v1.UnimplementedHealthServer
	server *serve.Server
	end    <-chan struct{}
}

// now returns the health.
func (h *health) now() *grpc_health_v1.HealthCheckResponse {
	if h.server.Ready() && h.server.Live() {
		return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}
	}
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_NOT_SERVING}
}

// Check returns whether the server is ready and live.
func (h *health) Check(_ context.Context, q *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse,
	error) {
	if name := q.GetService(); name != "" && name != inferencepb.GRPCInferenceService_ServiceDesc.ServiceName {
		return nil, status.Error(codes.NotFound, "there is no such service")
	}
	return h.now(), nil
}

// Watch sends the health, and again when it changes.
func (h *health) Watch(_ *grpc_health_v1.HealthCheckRequest,
	to grpc.ServerStreamingServer[grpc_health_v1.HealthCheckResponse]) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var sent *grpc_health_v1.HealthCheckResponse
	for {
		if now := h.now(); sent == nil || now.GetStatus() != sent.GetStatus() {
			if err := to.Send(now); err != nil {
				return err
			}
			sent = now
		}
		select {
		case <-tick.C:
		case <-to.Context().Done():
			return status.FromContextError(to.Context().Err()).Err()
		case <-h.end:
			return status.Error(codes.Unavailable, "the server is ending")
		}
	}
}
