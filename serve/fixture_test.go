package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/openinference"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/torch"
)

// shelf is the folder of what the tests of this package share: a model and a run that is tuned once.
var shelf string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "serve")
	if err != nil {
		panic(err)
	}
	shelf = dir
	torchtest.Load()
	torchtest.Start()
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil && code == 0 {
		code = 1
	}
	os.Exit(code)
}

var tuneOnce sync.Once

// modelDir is the folder of the tiny speech model, and runDir that of a run of which it was tuned, for subject ada.
func modelDir(t *testing.T) string { prepare(t); return filepath.Join(shelf, "model") }
func runDir(t *testing.T) string   { prepare(t); return filepath.Join(shelf, "run") }

func prepare(t *testing.T) {
	t.Helper()
	tuneOnce.Do(func() {
		st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) { e.Train.Epochs = 1 })
		r, err := st.Begin(t.Context())
		require.NoError(t, err)
		defer r.Close()
		_, err = tune.Fit(t.Context(), st, r)
		require.NoError(t, err)
		require.NoError(t, os.CopyFS(filepath.Join(shelf, "model"), os.DirFS(st.Experiment.Model.Path)))
		require.NoError(t, os.CopyFS(filepath.Join(shelf, "run"), os.DirFS(r.Dir)))
		scaled(t, filepath.Join(r.Dir, "adapter"), filepath.Join(shelf, "other"), 3)
	})
	require.DirExists(t, filepath.Join(shelf, "other"), "the fixture could not be made")
}

// scaled copies an adapter with all numbers multiplied.
func scaled(t *testing.T, from, to string, by float32) {
	t.Helper()
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
	path := filepath.Join(to, "adapter_model.safetensors")
	f, err := ckpt.Open(path)
	require.NoError(t, err)
	var tensors []ckpt.Tensor
	for info := range f.Tensors() {
		x, err := f.Float32(info.Name)
		require.NoError(t, err)
		for i := range x {
			x[i] *= by
		}
		tensors = append(tensors, ckpt.NewTensor(info.Name, info.Shape, x))
	}
	meta := f.Metadata()
	require.NoError(t, f.Close())
	require.NoError(t, os.Remove(path))
	require.NoError(t, ckpt.Write(path, tensors, meta))
}

// digestOf is Digest of a folder of the tests.
func digestOf(t *testing.T, dir string) string {
	t.Helper()
	d, err := Digest(dir)
	require.NoError(t, err)
	return d
}

// testConfig has the models speech (with adapters one and two) and responses.
func testConfig(t *testing.T) *Config {
	t.Helper()
	adapter, other := filepath.Join(runDir(t), "adapter"), filepath.Join(shelf, "other")
	c := Default()
	c.Device = torchtest.Name()
	c.Listen, c.Admin = "127.0.0.1:0", "127.0.0.1:0"
	c.Models = map[string]Model{
		"speech": {Path: modelDir(t), Features: &Features{Layers: []int{2, 3}, WindowSeconds: .2, StrideSeconds: .1},
			Adapters: map[string]Adapter{"one": {adapter, digestOf(t, adapter)}, "two": {other, digestOf(t, other)}}},
		"responses": {Run: runDir(t), Path: modelDir(t), SHA256: digestOf(t, runDir(t))},
	}
	return c
}

// hearing is a server behind HTTP. When its test ends, neither a tensor nor a goroutine may be left.
type hearing struct {
	*Server
	http *httptest.Server
	logs *lockedBuffer
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	lock sync.Mutex
	b    bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.b.String()
}

func start(t *testing.T, cfg *Config, opt Options) *hearing {
	t.Helper()
	torch.Threads() // the workers, which stay
	before, live := goleak.IgnoreCurrent(), torch.Live()
	h := &hearing{logs: &lockedBuffer{}}
	opt.Log = slog.New(slog.NewJSONHandler(h.logs, nil))
	s, err := Open(t.Context(), cfg, opt)
	require.NoError(t, err)
	h.Server, h.http = s, httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		h.http.Client().CloseIdleConnections()
		h.http.Close()
		s.Close()
		goleak.VerifyNone(t, before)
		assert.Equal(t, live, torch.Live(), "tensors left behind")
	})
	return h
}

// noise is a recording of some seconds.
func noise(seconds float64, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, int(seconds*audio.Rate))
	for i := range x {
		x[i] = float32(r.Float64()*2-1) / 2
	}
	return x
}

// wavOf returns samples as a WAV file of floats, which holds them exactly.
func wavOf(t *testing.T, samples []float32) []byte {
	t.Helper()
	w := wave{samples, waveHeader(len(samples), audio.Rate)}
	b := make([]byte, w.size())
	_, err := w.ReadAt(b, 0)
	require.NoError(t, err)
	return b
}

// do sends a request and returns status, header and body.
func (h *hearing) do(ctx context.Context, method, path string, body io.Reader, header map[string]string) (int,
	http.Header,
	[]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, h.http.URL+path, body)
	if err != nil {
		return 0, nil, nil, err
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	answer, err := h.http.Client().Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header, b, err
}

// ask sends a request of the protocol.
func (h *hearing) ask(ctx context.Context, path string, q *openinference.Request) (int, *openinference.Response,
	error) {
	body, length, err := q.Encode()
	if err != nil {
		return 0, nil, err
	}
	header := map[string]string{}
	if length != "" {
		header[openinference.HeaderLength] = length
	}
	code, answered, b, err := h.do(ctx, http.MethodPost, path, bytes.NewReader(body), header)
	if err != nil || code != http.StatusOK {
		return code, nil, err
	}
	r, err := openinference.DecodeResponse(b, answered.Get(openinference.HeaderLength))
	return code, r, err
}

// sound is a request with samples.
func sound(samples []float32, binary bool) *openinference.Request {
	in := openinference.NewTensor(openinference.InputSamples, []int64{int64(len(samples))}, samples)
	in.Binary = binary
	return &openinference.Request{Inputs: []openinference.Tensor{in}, Binary: binary}
}

// errorOf is the text of an error's body.
func errorOf(t *testing.T, body []byte) string {
	t.Helper()
	var e map[string]string
	require.NoError(t, json.Unmarshal(body, &e), string(body))
	require.Len(t, e, 1)
	return e["error"]
}

// floats are the elements of an output of an answer.
func floats(t *testing.T, r *openinference.Response, name string) []float32 {
	t.Helper()
	for _, o := range r.Outputs {
		if o.Name == name {
			x, ok := o.Data.([]float32)
			require.True(t, ok)
			return x
		}
	}
	require.Fail(t, "no such output", name)
	return nil
}

// closeTo fails unless two arrays agree to 1e-5 of the largest.
func closeTo(t *testing.T, want, got []float32, about ...any) {
	t.Helper()
	largest := 0.
	for _, v := range want {
		largest = max(largest, float64(v), -float64(v))
	}
	assert.Positive(t, largest)
	studytest.CloseTo(t, want, got, 1e-5*largest, about...)
}

// How long a test waits for a condition, and how often it looks.
const (
	waitFor = time.Minute
	tick    = time.Millisecond
)
