package grpcapi

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	pb "github.com/brainwavlm/bwlm/internal/inferencepb"
	"github.com/brainwavlm/bwlm/internal/openinference"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/serve"
	"github.com/brainwavlm/bwlm/torch"
)

func TestMain(m *testing.M) {
	torchtest.Load()
	torchtest.Main(m)
}

const golden = "../../testdata/golden/base"

// config has the model speech with the adapter lora.
func config(t *testing.T) *serve.Config {
	t.Helper()
	dir, err := filepath.Abs(golden)
	require.NoError(t, err)
	adapter := filepath.Join(dir, "peft", "lora_qkv")
	digest, err := serve.Digest(adapter)
	require.NoError(t, err)
	c := serve.Default()
	c.Listen, c.Admin, c.GRPC, c.Device = "", "127.0.0.1:0", "127.0.0.1:0", torchtest.Name()
	c.Models = map[string]serve.Model{"speech": {Path: dir,
		Features: &serve.Features{Layers: []int{2}, WindowSeconds: .2, StrideSeconds: .1},
		Adapters: map[string]serve.Adapter{"lora": {Path: adapter, SHA256: digest}}}}
	return c
}

// connected is a server over gRPC.
type connected struct {
	*serve.Server
	pb.GRPCInferenceServiceClient
	link *grpc.ClientConn
	end  func() error // ends the server
}

func start(t *testing.T, cfg *serve.Config) *connected {
	t.Helper()
	torch.Threads() // the workers, which stay
	before, live := goleak.IgnoreCurrent(), torch.Live()
	s, err := serve.Open(t.Context(), cfg, serve.Options{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	bound, ended := make(chan serve.Addresses, 1), make(chan error, 1)
	go func() { ended <- s.Serve(ctx, Front(s, cfg), func(a serve.Addresses) { bound <- a }) }()
	at := <-bound
	assert.Empty(t, at.HTTP)
	link, err := grpc.NewClient(at.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	c := &connected{s, pb.NewGRPCInferenceServiceClient(link), link, func() error { cancel(); return <-ended }}
	t.Cleanup(func() {
		_ = link.Close()
		cancel()
		s.Close()
		goleak.VerifyNone(t, before)
		assert.Equal(t, live, torch.Live(), "tensors left behind")
	})
	return c
}

func noise(seconds float64) []float32 {
	r := rand.New(rand.NewPCG(3, 1))
	x := make([]float32, int(seconds*16000))
	for i := range x {
		x[i] = float32(r.Float64() - .5)
	}
	return x
}

// ask is a request with samples, in raw form or typed.
func ask(x []float32, raw bool) *pb.ModelInferRequest {
	q := &pb.ModelInferRequest{ModelName: "speech", Id: "mine", Inputs: []*pb.ModelInferRequest_InferInputTensor{
		{Name: "samples", Datatype: "FP32", Shape: []int64{1, int64(len(x))}}}}
	if raw {
		t := openinference.NewTensor("", nil, x)
		q.RawInputContents = [][]byte{t.Bytes()}
	} else {
		q.Inputs[0].Contents = &pb.InferTensorContents{Fp32Contents: x}
	}
	return q
}

func TestAnswersAreTheServers(t *testing.T) {
	c := start(t, config(t))
	clip := noise(1)
	for _, adapter := range []string{"", "lora"} {
		want, err := c.Infer(t.Context(), &serve.Request{Model: "speech", Adapter: adapter, Samples: clip})
		require.NoError(t, err)
		for _, raw := range []bool{false, true} {
			q := ask(clip, raw)
			if adapter != "" {
				q.Parameters = map[string]*pb.InferParameter{"adapter": {
					ParameterChoice: &pb.InferParameter_StringParam{StringParam: adapter}}}
			}
			var trailer metadata.MD
			r, err := c.ModelInfer(t.Context(), q, grpc.Trailer(&trailer))
			require.NoError(t, err)
			assert.Equal(t, "mine", r.GetId())
			assert.Equal(t, want.Version, r.GetModelVersion())
			require.Len(t, r.GetOutputs(), 2)
			assert.Equal(t, "features.2", r.GetOutputs()[1].GetName())
			assert.Equal(t, []int64{10, 48}, r.GetOutputs()[1].GetShape())
			got := openinference.Tensor{Datatype: "FP32", Shape: []int64{10, 48}}
			require.NoError(t, got.SetBytes(r.GetRawOutputContents()[1]))
			assert.Equal(t, want.Outputs[1].Values, got.Data)
			assert.Len(t, trailer.Get("x-request-id"), 1)
		}
	}
	q := ask(clip[:8000], true)
	q.Outputs = []*pb.ModelInferRequest_InferRequestedOutputTensor{{Name: "times"}}
	q.Parameters = map[string]*pb.InferParameter{"sample_rate": {
		ParameterChoice: &pb.InferParameter_Int64Param{Int64Param: 8000}}}
	r, err := c.ModelInfer(t.Context(), q)
	require.NoError(t, err)
	require.Len(t, r.GetOutputs(), 1)
	assert.Equal(t, []int64{10}, r.GetOutputs()[0].GetShape(), "half the samples at half the rate")
}

func TestHealthMetadataAndReflection(t *testing.T) {
	c := start(t, config(t))
	ctx := t.Context()
	live, err := c.ServerLive(ctx, &pb.ServerLiveRequest{})
	require.NoError(t, err)
	assert.True(t, live.GetLive())
	ready, err := c.ServerReady(ctx, &pb.ServerReadyRequest{})
	require.NoError(t, err)
	assert.True(t, ready.GetReady())
	about, err := c.ServerMetadata(ctx, &pb.ServerMetadataRequest{})
	require.NoError(t, err)
	assert.Equal(t, "bwlm", about.GetName())
	meta, err := c.ModelMetadata(ctx, &pb.ModelMetadataRequest{Name: "speech"})
	require.NoError(t, err)
	assert.Equal(t, "lora", meta.GetProperties()["adapters"])
	assert.Equal(t, "BYTES", meta.GetInputs()[0].GetDatatype())
	model, err := c.ModelReady(ctx, &pb.ModelReadyRequest{Name: "speech", Version: meta.GetVersions()[0]})
	require.NoError(t, err)
	assert.True(t, model.GetReady())
	model, err = c.ModelReady(ctx, &pb.ModelReadyRequest{Name: "nothing"})
	require.NoError(t, err)
	assert.False(t, model.GetReady())
	index, err := c.RepositoryIndex(ctx, &pb.RepositoryIndexRequest{})
	require.NoError(t, err)
	require.Len(t, index.GetModels(), 1)
	assert.Equal(t, "READY", index.GetModels()[0].GetState())

	health := grpc_health_v1.NewHealthClient(c.link)
	for _, name := range []string{"", "inference.GRPCInferenceService"} {
		now, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: name})
		require.NoError(t, err)
		assert.Equal(t, grpc_health_v1.HealthCheckResponse_SERVING, now.GetStatus())
	}
	_, err = health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "x"})
	assert.Equal(t, codes.NotFound, status.Code(err))

	reflection, err := reflectionpb.NewServerReflectionClient(c.link).ServerReflectionInfo(ctx)
	require.NoError(t, err)
	require.NoError(t, reflection.Send(&reflectionpb.ServerReflectionRequest{
		MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}}))
	list, err := reflection.Recv()
	require.NoError(t, err)
	require.NoError(t, reflection.CloseSend())
	var names []string
	for _, s := range list.GetListServicesResponse().GetService() {
		names = append(names, s.GetName())
	}
	assert.True(t, slices.Contains(names, "inference.GRPCInferenceService"), names)

	// The end of the server is seen by who watches.
	watch, err := health.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
	require.NoError(t, err)
	now, err := watch.Recv()
	require.NoError(t, err)
	assert.Equal(t, grpc_health_v1.HealthCheckResponse_SERVING, now.GetStatus())
	require.NoError(t, c.end())
	for err == nil {
		now, err = watch.Recv()
		if err == nil {
			assert.Equal(t, grpc_health_v1.HealthCheckResponse_NOT_SERVING, now.GetStatus())
		}
	}
	assert.Equal(t, codes.Unavailable, status.Code(err))
}

func TestMistakesHaveACode(t *testing.T) {
	cfg := config(t)
	cfg.Limits.Bytes = 200_000
	c := start(t, cfg)
	for about, q := range map[string]*pb.ModelInferRequest{
		"InvalidArgument neither audio nor samples": {ModelName: "speech"},
		"NotFound there is no model": func() *pb.ModelInferRequest {
			q := ask(noise(1), true)
			q.ModelName = "x"
			return q
		}(),
		"NotFound there is no such version": func() *pb.ModelInferRequest {
			q := ask(noise(1), true)
			q.ModelVersion = "7"
			return q
		}(),
		"InvalidArgument 2 for 1 inputs": func() *pb.ModelInferRequest {
			q := ask(noise(1), true)
			q.RawInputContents = append(q.RawInputContents, nil)
			return q
		}(),
		"InvalidArgument 4 elements": func() *pb.ModelInferRequest {
			q := ask(noise(1)[:4], false)
			q.Inputs[0].Shape = []int64{5}
			return q
		}(),
		"InvalidArgument give no window":    ask(noise(.03), true),
		"ResourceExhausted larger than max": ask(noise(10), true),
	} {
		code, text, _ := strings.Cut(about, " ")
		_, err := c.ModelInfer(t.Context(), q)
		require.Error(t, err, about)
		assert.Equal(t, code, status.Code(err).String(), "%v", err)
		assert.ErrorContains(t, err, text)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	_, err := c.ModelInfer(ctx, ask(noise(1), true))
	assert.Equal(t, codes.DeadlineExceeded, status.Code(err))
}

func TestAFullServerRefuses(t *testing.T) {
	cfg := config(t)
	cfg.Limits.Requests = 1
	c := start(t, cfg)
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := c.Infer(ctx, &serve.Request{Model: "speech", Samples: noise(300)})
		gone <- err
	}()
	require.Eventually(t, func() bool { return c.Pending().Requests == 1 }, time.Minute, time.Millisecond)
	_, err := c.ModelInfer(t.Context(), ask(noise(1), true))
	assert.Equal(t, codes.ResourceExhausted, status.Code(err))
	leave()
	assert.ErrorIs(t, <-gone, context.Canceled)
	_, err = c.ModelInfer(t.Context(), ask(noise(1), true))
	assert.NoError(t, err)
}

func TestTokensGuardEveryCall(t *testing.T) {
	cfg := config(t)
	cfg.Tokens = filepath.Join(t.TempDir(), "tokens")
	token := strings.Repeat("t", 20)
	require.NoError(t, os.WriteFile(cfg.Tokens, []byte(token), 0o600))
	c := start(t, cfg)
	_, err := c.ServerLive(t.Context(), &pb.ServerLiveRequest{})
	assert.Equal(t, codes.Unauthenticated, status.Code(err))
	_, err = grpc_health_v1.NewHealthClient(c.link).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	assert.Equal(t, codes.Unauthenticated, status.Code(err))
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token)
	_, err = c.ModelInfer(ctx, ask(noise(1), true))
	assert.NoError(t, err)
}
