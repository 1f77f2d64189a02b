package grpcapi

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/predict"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	pb "github.com/brainwavlm/bwlm/internal/inferencepb"
	"github.com/brainwavlm/bwlm/internal/openinference"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/serve"
)

// withRun adds the model stream, of a run that is tuned now.
func withRun(t *testing.T, cfg *serve.Config) string {
	t.Helper()
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Train.Epochs, e.Data.Subjects = 3, []string{"ada"}
	})
	r, err := st.Begin(t.Context())
	require.NoError(t, err)
	defer r.Close()
	_, err = tune.Fit(t.Context(), st, r)
	require.NoError(t, err)
	digest, err := serve.Digest(r.Dir)
	require.NoError(t, err)
	cfg.Models["stream"] = serve.Model{Run: r.Dir, SHA256: digest, Statistics: "training"}
	return r.Dir
}

// piece is a request with some samples of a stream.
func piece(x []float32) *pb.ModelInferRequest {
	q := ask(x, true)
	q.ModelName = "stream"
	return q
}

// received collects the rows of a stream until it ends.
func received(link pb.GRPCInferenceService_ModelStreamInferClient) (times []float64, values []float32, err error) {
	for {
		r, err := link.Recv()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return times, values, err
		}
		for i, o := range r.GetInferResponse().GetOutputs() {
			t := openinference.Tensor{Datatype: o.GetDatatype(), Shape: o.GetShape()}
			if err := t.SetBytes(r.GetInferResponse().GetRawOutputContents()[i]); err != nil {
				return nil, nil, err
			}
			switch x := t.Data.(type) {
			case []float64:
				times = append(times, x...)
			case []float32:
				values = append(values, x...)
			}
		}
	}
}

func TestStreamsAreTheLibrarys(t *testing.T) {
	cfg := config(t)
	cfg.Limits.Streams.Idle = time.Second
	run := withRun(t, cfg)
	p, err := predict.Open(t.Context(), run, predict.Options{Device: torchtest.Device(), TrainingStatistics: true})
	require.NoError(t, err)
	clip := noise(6.1)
	want, err := p.Predict(t.Context(), clip)
	p.Close()
	require.NoError(t, err)
	c := start(t, cfg)
	for _, n := range []int{1000, 40_000, len(clip)} {
		for _, marked := range []bool{false, true} {
			link, err := c.ModelStreamInfer(t.Context())
			require.NoError(t, err)
			for at := 0; at < len(clip); at += n {
				q := piece(clip[at:min(at+n, len(clip))])
				if marked && at+n >= len(clip) {
					q.Parameters = map[string]*pb.InferParameter{paramEnd: {
						ParameterChoice: &pb.InferParameter_BoolParam{BoolParam: true}}}
				}
				require.NoError(t, link.Send(q))
			}
			if !marked {
				require.NoError(t, link.CloseSend())
			}
			times, values, err := received(link)
			require.NoError(t, err)
			assert.Equal(t, want.Times, times)
			assert.Equal(t, want.Values, values)
			assert.Len(t, link.Trailer().Get("x-request-id"), 1)
		}
	}
	for about, qs := range map[string][]*pb.ModelInferRequest{
		"InvalidArgument there is no request":     {},
		"InvalidArgument of whole recordings":     {ask(clip[:100], true)},
		"InvalidArgument another model":           {piece(clip[:100]), ask(clip[:100], true)},
		"InvalidArgument of audio, want at least": {piece(clip[:100])},
		"NotFound no model of this name":          {{ModelName: "x"}},
		"DeadlineExceeded no audio came":          {piece(clip[:100]), nil},
		"Canceled context canceled":               {piece(clip[:100]), nil},
	} {
		code, text, _ := strings.Cut(about, " ")
		ctx, cancel := context.WithCancel(t.Context())
		link, err := c.ModelStreamInfer(ctx)
		require.NoError(t, err)
		for _, q := range qs {
			if q != nil {
				require.NoError(t, link.Send(q))
			}
		}
		if len(qs) == 0 || qs[len(qs)-1] != nil {
			require.NoError(t, link.CloseSend())
		}
		if code == "Canceled" {
			cancel()
		}
		_, _, err = received(link)
		cancel()
		assert.Equal(t, code, status.Code(err).String(), about)
		assert.ErrorContains(t, err, text)
	}
}

// The end of a server ends streams with a status, after the rows that are complete.
func TestTheEndOfAServerEndsStreams(t *testing.T) {
	cfg := config(t)
	withRun(t, cfg)
	c := start(t, cfg)
	link, err := c.ModelStreamInfer(t.Context())
	require.NoError(t, err)
	require.NoError(t, link.Send(piece(noise(4))))
	r, err := link.Recv()
	require.NoError(t, err)
	assert.Equal(t, []int64{8}, r.GetInferResponse().GetOutputs()[0].GetShape())
	require.NoError(t, c.end())
	_, _, err = received(link)
	assert.Equal(t, codes.Unavailable, status.Code(err), "%v", err)
	assert.ErrorContains(t, err, "the server ends or reloads its models")
}
