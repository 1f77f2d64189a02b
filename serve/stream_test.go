package serve

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/predict"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/serve/client"
)

// streamConfig has the model stream, whose features are standardised by the training stories.
func streamConfig(t *testing.T) *Config {
	t.Helper()
	c := testConfig(t)
	m := c.Models["responses"]
	m.Statistics = trainingStatistics
	c.Models["stream"] = m
	return c
}

// offline predicts a recording with the statistics of the training stories.
func offline(t *testing.T, samples []float32) *predict.Prediction {
	t.Helper()
	p, err := predict.Open(t.Context(), runDir(t), predict.Options{Model: modelDir(t), Device: torchtest.Device(),
		TrainingStatistics: true})
	require.NoError(t, err)
	defer p.Close()
	out, err := p.Predict(t.Context(), samples)
	require.NoError(t, err)
	return out
}

// pieces returns samples n by n.
func pieces(samples []float32, n int) func() ([]float32, error) {
	return func() ([]float32, error) {
		if len(samples) == 0 {
			return nil, io.EOF
		}
		some := samples[:min(n, len(samples))]
		samples = samples[len(some):]
		return some, nil
	}
}

// rows collects responses of times and predictions.
func rows(times *[]float64, values *[]float32) func(*Response) error {
	return func(r *Response) error {
		*times = append(*times, r.Outputs[0].Values.([]float64)...)
		*values = append(*values, r.Outputs[1].Values.([]float32)...)
		return nil
	}
}

// Rows of a stream are bit-identical to those of the whole recording, whatever else the server does.
func TestStreamsAreTheLibrarys(t *testing.T) {
	clip := noise(6.1, 5)
	want := offline(t, clip)
	for _, exact := range []bool{false, true} {
		cfg := streamConfig(t)
		cfg.Batching.Exact = exact
		h := start(t, cfg, Options{})
		busy, stop := make(chan error), make(chan struct{})
		go func() {
			for {
				select {
				case <-stop:
					busy <- nil
					return
				default:
				}
				if _, err := h.Infer(t.Context(), &Request{Model: "responses", Samples: clip[:40_000]}); err != nil {
					busy <- err
					return
				}
			}
		}()
		c := &client.Client{URL: h.http.URL, HTTP: h.http.Client()}
		for _, n := range []int{777, 16_000, len(clip)} {
			var times []float64
			var values []float32
			require.NoError(t, h.Stream(t.Context(), &Request{Model: "stream"}, pieces(clip, n), rows(&times, &values)))
			assert.Equal(t, want.Times, times)
			assert.Equal(t, want.Values, values)
			times, values = nil, nil
			require.NoError(t, c.Stream(t.Context(), &client.Request{Model: "stream"}, pieces(clip, n),
				rows(&times, &values)))
			assert.Equal(t, want.Times, times)
			assert.Equal(t, want.Values, values)
		}
		close(stop)
		require.NoError(t, <-busy)
		if exact {
			r, err := h.Infer(t.Context(), &Request{Model: "stream", Samples: clip, Outputs: []string{"predictions"}})
			require.NoError(t, err)
			assert.Equal(t, want.Values, r.Outputs[0].Values)
		}
		assert.Zero(t, h.streams.Load())
	}
}

// A response comes when its audio has come, while the stream goes on; outputs are those that are named.
func TestRowsLeaveWhileAudioComes(t *testing.T) {
	h := start(t, streamConfig(t), Options{})
	meta, err := h.Metadata("stream", "")
	require.NoError(t, err)
	assert.Equal(t, "0.6", meta.Properties["stream_latency"], "1.5 TRs")
	c := &client.Client{URL: h.http.URL, HTTP: h.http.Client()}
	clip, came := noise(6, 5), make(chan int, 64)
	sent, given := 0, 0
	next := func() ([]float32, error) {
		if sent == len(clip) {
			return nil, io.EOF
		}
		if sent >= 32_000 { // row 2 ends at 1.2 s and leaves at 1.8 s
			given += <-came
			assert.Positive(t, given)
		}
		sent += 16_000
		return clip[sent-16_000 : sent], nil
	}
	err = c.Stream(t.Context(), &client.Request{Model: "stream", Outputs: []string{"upper", "times"}, Level: .5}, next,
		func(r *client.Response) error {
			assert.Len(t, r.Outputs, 2)
			assert.Equal(t, "upper", r.Outputs[0].Name)
			came <- r.Outputs[0].Shape[0]
			return nil
		})
	require.NoError(t, err)
	assert.NotContains(t, h.logs.String(), "upper")
}

func TestStreamsOfIntegers(t *testing.T) {
	h := start(t, streamConfig(t), Options{})
	clip, body := noise(3, 2), []byte(nil)
	for i, x := range clip {
		whole := int16(x * 20_000)
		clip[i] = float32(whole) / (1 << 15)
		body = binary.LittleEndian.AppendUint16(body, uint16(whole))
	}
	want := offline(t, clip)
	code, _, text, err := h.do(t.Context(), http.MethodPost, "/v2/models/stream/stream?encoding=s16le&outputs=columns",
		bytes.NewReader(body), nil)
	require.NoError(t, err)
	assert.Equal(t, 200, code)
	assert.Positive(t, want.Rows)
	assert.Contains(t, string(text), `"columns"`)
	for about, path := range map[string]string{
		"400 whole recordings":     "speech/stream",
		"400 training stories":     "responses/stream",
		"404 no model":             "x/stream",
		"400 f32le or s16le":       "stream/stream?encoding=x",
		"400 want encoding":        "stream/stream?x=1",
		"400 no output":            "stream/stream?outputs=x",
		"400 between 0 and 1":      "stream/stream?level=2",
		"400 no intervals":         "stream/stream?level=.123",
		"400 within a sample":      "stream/stream?encoding=s16le&odd",
		"400 of audio, want at le": "stream/stream",
	} {
		short := make([]byte, 8000)
		if strings.HasSuffix(path, "&odd") {
			path, short = strings.TrimSuffix(path, "&odd"), short[:7999]
		}
		code, _, text, err := h.do(t.Context(), http.MethodPost, "/v2/models/"+path, bytes.NewReader(short), nil)
		require.NoError(t, err)
		want, says, _ := strings.Cut(about, " ")
		assert.Equal(t, want, strconv.Itoa(code), about)
		assert.Contains(t, string(text), says)
	}
}

// Streams are bounded in number, audio and idle time.
func TestStreamsHaveLimits(t *testing.T) {
	cfg := streamConfig(t)
	cfg.Limits.Streams = Streams{Number: 1, Seconds: 3, Idle: 200 * time.Millisecond}
	h := start(t, cfg, Options{})
	c := &client.Client{URL: h.http.URL, HTTP: h.http.Client()}
	q := &client.Request{Model: "stream"}
	clip := noise(4, 1)
	got := 0
	give := func(r *client.Response) error { got += r.Outputs[0].Shape[0]; return nil }
	err := c.Stream(t.Context(), q, pieces(clip, 4000), give)
	var said *client.Error
	require.ErrorAs(t, err, &said)
	assert.Equal(t, 200, said.Status, "rows came before")
	assert.Contains(t, said.Text, "more audio than the limit of 3 s")
	assert.Positive(t, got)

	waits, leave := make(chan struct{}), make(chan struct{})
	next := func() ([]float32, error) { close(waits); <-leave; return nil, io.EOF }
	ended := make(chan error)
	go func() { ended <- c.Stream(t.Context(), q, next, give) }()
	<-waits
	require.Eventually(t, func() bool { return h.streams.Load() == 1 }, time.Minute, time.Millisecond)
	err = h.Stream(t.Context(), &Request{Model: "stream"}, pieces(clip, 4000), func(*Response) error { return nil })
	var full *Overload
	require.ErrorAs(t, err, &full)
	assert.False(t, full.Ending)
	require.ErrorAs(t, <-ended, &said)
	assert.Equal(t, http.StatusRequestTimeout, said.Status)
	close(leave)
	assert.Zero(t, h.streams.Load())
}

// A drain and a reload end streams after the rows that are complete, and say so.
func TestTheServerEndsStreams(t *testing.T) {
	for _, how := range []string{"drain", "reload"} {
		cfg := streamConfig(t)
		h := start(t, cfg, Options{})
		c := &client.Client{URL: h.http.URL, HTTP: h.http.Client()}
		clip, leave := noise(4, 1), make(chan struct{})
		first, got := pieces(clip, len(clip)), 0
		next := func() ([]float32, error) {
			x, err := first()
			if errors.Is(err, io.EOF) {
				<-leave
			}
			return x, err
		}
		began := make(chan struct{})
		ended := make(chan error)
		go func() {
			q := &client.Request{Model: "stream"}
			ended <- c.Stream(context.Background(), q, next, func(r *client.Response) error {
				got += r.Outputs[0].Shape[0]
				if got == 8 { // of 10 rows, the others wait for audio
					close(began)
				}
				return nil
			})
		}()
		<-began
		if how == "drain" {
			require.NoError(t, h.Drain(t.Context()))
		} else {
			require.NoError(t, h.Reload(t.Context(), cfg))
		}
		var said *client.Error
		require.ErrorAs(t, <-ended, &said, how)
		assert.Contains(t, said.Text, "the server ends or reloads its models")
		assert.Equal(t, 8, got)
		assert.Zero(t, h.streams.Load())
		close(leave)
	}
}
