package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/wavlm"
)

// clients is how many ask at the same time.
const clients = 64

func TestMain(m *testing.M) {
	if err := torch.Setup(torch.SetupOptions{Workers: 2, Threads: 1}); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// tinyModel writes a WavLM with random weights and three layers.
func tinyModel(t *testing.T) (dir string) {
	t.Helper()
	c := wavlm.Default(wavlm.WavLM)
	c.Hidden, c.Layers, c.Heads, c.Inner, c.PosKernel, c.PosGroups = 16, 3, 2, 32, 8, 2
	c.ConvWidth = []int{8, 8, 8, 8, 8, 8, 8}
	m, err := wavlm.Fresh(t.Context(), c, speech.Options{Seed: 7})
	require.NoError(t, err)
	defer m.Close()
	dir = filepath.Join(t.TempDir(), "model")
	require.NoError(t, m.Save(t.Context(), dir))
	return dir
}

// featuresOf is a source of features of windows of .2 s every .1 s.
func featuresOf(t *testing.T) Source {
	t.Helper()
	m, err := extract.OpenModel(t.Context(), tinyModel(t), "", speech.Options{})
	require.NoError(t, err)
	return features{m, extract.Options{Layers: []int{2}, WindowSeconds: .2, StrideSeconds: .1}}
}

// noise returns a WAV of noise of a number of seconds.
func noise(t *testing.T, seconds float64, seed uint64) []byte {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, int(seconds*audio.Rate))
	for i := range x {
		x[i] = float32(r.Float64()*2 - 1)
	}
	path := filepath.Join(t.TempDir(), "x.wav")
	require.NoError(t, audio.WriteWAV(path, x, audio.Rate, audio.PCM16))
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// server is a service behind HTTP. When the test ends, neither a tensor nor a goroutine may be left.
type server struct {
	*Service
	http *httptest.Server
}

func start(t *testing.T, source Source, limits Limits) *server {
	t.Helper()
	torch.Threads() // the workers, which stay
	before := goleak.IgnoreCurrent()
	s := &server{Service: NewService(source, limits)}
	s.http = httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		s.http.Close()
		s.http.Client().CloseIdleConnections()
		goleak.VerifyNone(t, before)
		assert.Zero(t, torch.Live(), "tensors left behind")
	})
	return s
}

// post sends audio and gives status and body.
func (s *server) post(ctx context.Context, path string, body []byte, accept string) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.http.URL+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Accept", accept)
	answer, err := s.http.Client().Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	return answer.StatusCode, b, err
}

// everybody sends requests from all clients at once, each a number of times.
func everybody(times int, ask func(client int)) {
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			for range times {
				ask(c)
			}
		})
	}
	all.Wait()
}

func TestManyClientsGetTheBitsOfOne(t *testing.T) {
	if testing.Short() {
		t.Skip("many clients")
	}
	s := start(t, featuresOf(t), Limits{})
	clips, want := make([][]byte, 8), make([][]byte, 8)
	for i := range clips {
		clips[i] = noise(t, 1+.3*float64(i), uint64(i))
		status, body, err := s.post(t.Context(), "/features", clips[i], "")
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status, string(body))
		want[i] = body
	}
	ask := func(c int) {
		status, body, err := s.post(context.Background(), "/features", clips[c%8], "")
		assert.NoError(t, err)
		assert.Equal(t, http.StatusOK, status)
		assert.True(t, bytes.Equal(want[c%8], body), "not the bits that one client alone gets")
	}
	everybody(1, ask)
	threads, memory := status(t, "Threads"), status(t, "VmRSS")
	everybody(4, ask)
	assert.LessOrEqual(t, status(t, "Threads"), threads+8, "threads after %d requests more", 4*clients)
	assert.LessOrEqual(t, status(t, "VmRSS"), memory+memory/10, "kB after %d requests more", 4*clients)
	assert.Less(t, threads, clients/2+2*runtime.GOMAXPROCS(0), "a thread for each client would be more")
}

// status reads a number from /proc/self/status.
func status(t *testing.T, key string) int {
	t.Helper()
	runtime.GC()
	b, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, key+":"); ok {
			n, err := strconv.Atoi(strings.Fields(value)[0])
			require.NoError(t, err)
			return n
		}
	}
	t.Fatalf("/proc/self/status has no %s", key)
	return 0
}

func TestAnswerIsTheLibrarys(t *testing.T) {
	source := featuresOf(t)
	s := start(t, source, Limits{})
	wav := noise(t, 1, 3)
	clip, err := audio.Decode(t.Context(), "x", bytes.NewReader(wav), int64(len(wav)), audio.Options{})
	require.NoError(t, err)
	f := source.(features)
	want, err := extract.Features(t.Context(), f.Model, clip.Samples, f.window)
	require.NoError(t, err)

	code, body, err := s.post(t.Context(), "/features", wav, "")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, code)
	var answer struct {
		Seconds []float64
		Columns []int
		Values  [][]float32
	}
	require.NoError(t, json.Unmarshal(body, &answer))
	assert.Equal(t, want.Times, answer.Seconds)
	assert.Len(t, answer.Columns, 16)
	require.Len(t, answer.Values, len(want.Times))
	var values []float32
	for _, row := range answer.Values {
		values = append(values, row...)
	}
	assert.Equal(t, want.Vectors[0].Data, values)

	code, body, err = s.post(t.Context(), "/features", wav, octets)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, code)
	file, err := ckpt.Read(bytes.NewReader(body), int64(len(body)), "answer")
	require.NoError(t, err)
	got, err := file.Float32("values")
	require.NoError(t, err)
	assert.Equal(t, want.Vectors[0].Data, got)
	info, _ := file.Info("values")
	assert.Equal(t, []int{len(want.Times), 16}, info.Shape)
}

func TestMistakesHaveAStatus(t *testing.T) {
	s := start(t, featuresOf(t), Limits{Bytes: 100_000, Seconds: 2, Slots: 1})
	for _, c := range []struct {
		about string
		body  []byte
		code  int
		want  string
	}{
		{"no body", nil, 422, "read audio: body: it is empty"},
		{"no audio", []byte("hello"), 422, "read audio: body: neither WAV, FLAC nor MP3"},
		{"half a file", noise(t, 1, 1)[:9000], 422, "read audio: body: "},
		{"too short", noise(t, .03, 1), 422, "give no window of 0.2 s every 0.1 s"},
		{"too long", noise(t, 2.5, 1), 422, "more than the limit of 2 s"},
		{"too large", noise(t, 4, 1), 413, "too large"},
	} {
		code, body, err := s.post(t.Context(), "/features", c.body, "")
		require.NoError(t, err, c.about)
		assert.Equal(t, c.code, code, c.about)
		var answer map[string]string
		require.NoError(t, json.Unmarshal(body, &answer), c.about)
		assert.Contains(t, answer["error"], c.want, c.about)
	}
	code, _, err := s.post(t.Context(), "/responses", nil, "")
	require.NoError(t, err)
	assert.Equal(t, http.StatusNotFound, code, "a speech model alone knows no responses")
	answer, err := s.http.Client().Get(s.http.URL + "/features")
	require.NoError(t, err)
	answer.Body.Close()
	assert.Equal(t, http.StatusMethodNotAllowed, answer.StatusCode)
	code, _, err = s.post(t.Context(), "/features", noise(t, 1, 1), "")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, code, "the one slot is free again")
}

func TestSlowUploadLosesItsSlot(t *testing.T) {
	s := start(t, featuresOf(t), Limits{Slots: 1, Upload: 50 * time.Millisecond})
	reader, writer := io.Pipe()
	defer writer.Close()
	go func() { _, _ = writer.Write([]byte("RIFF")) }() // and nothing more
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http.URL+"/features", reader)
	require.NoError(t, err)
	answer, err := s.http.Client().Do(r)
	require.NoError(t, err)
	answer.Body.Close()
	assert.Equal(t, http.StatusRequestTimeout, answer.StatusCode)
	code, _, err := s.post(t.Context(), "/features", noise(t, 1, 1), "")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, code)
}

// slow is a source that takes its time.
type slow struct{ takes time.Duration }

func (slow) Path() string { return "/features" }
func (slow) Close()       {}
func (s slow) Answer(ctx context.Context, _ *audio.Clip) (*Answer, error) {
	select {
	case <-time.After(s.takes):
		return &Answer{}, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// TestComputingMayTakeLongerThanAnUpload: the deadline is for the body alone.
func TestComputingMayTakeLongerThanAnUpload(t *testing.T) {
	s := start(t, slow{800 * time.Millisecond}, Limits{Upload: 400 * time.Millisecond})
	code, body, err := s.post(t.Context(), "/features", noise(t, 1, 1), "")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, code, string(body))
}

// stuck is a source that answers when its context ends.
type stuck struct{ busy, left chan struct{} }

func (stuck) Path() string { return "/features" }
func (stuck) Close()       {}
func (s stuck) Answer(ctx context.Context, _ *audio.Clip) (*Answer, error) {
	s.busy <- struct{}{}
	<-ctx.Done()
	s.left <- struct{}{}
	return nil, context.Cause(ctx)
}

// TestLeavingEndsTheRequest, be it computed or waiting, and frees its slot.
func TestLeavingEndsTheRequest(t *testing.T) {
	source := stuck{make(chan struct{}), make(chan struct{})}
	s := start(t, source, Limits{Slots: 1})
	wav := noise(t, 1, 1)
	for range 2 {
		ctx, leave := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() {
			_, _, err := s.post(ctx, "/features", wav, "")
			gone <- err
		}()
		<-source.busy
		leave()
		assert.ErrorIs(t, <-gone, context.Canceled)
		<-source.left
	}
}

func TestLeavingInTheMiddleOfAForwardPass(t *testing.T) {
	s := start(t, featuresOf(t), Limits{})
	long := noise(t, 300, 1)
	var left sync.WaitGroup
	for range 8 {
		left.Go(func() {
			ctx, leave := context.WithTimeout(context.Background(), 150*time.Millisecond)
			defer leave()
			_, _, err := s.post(ctx, "/features", long, "")
			assert.ErrorIs(t, err, context.DeadlineExceeded)
		})
	}
	left.Wait()
	code, _, err := s.post(t.Context(), "/features", noise(t, 1, 1), "")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, code)
}

// TestCloseWhileInUse: whoever asks gets the right answer or is told to come back; nobody waits for ever.
func TestCloseWhileInUse(t *testing.T) {
	s := start(t, featuresOf(t), Limits{})
	wav := noise(t, 20, 1)
	code, want, err := s.post(t.Context(), "/features", wav, "")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, code)
	counts, lock := map[int]int{}, sync.Mutex{}
	first := make(chan struct{}, clients)
	go func() {
		<-first
		s.Close()
		assert.Zero(t, torch.Live(), "freed although many are waiting")
	}()
	everybody(2, func(int) {
		code, body, err := s.post(context.Background(), "/features", wav, "")
		assert.NoError(t, err)
		if code == http.StatusOK {
			assert.True(t, bytes.Equal(want, body))
			first <- struct{}{}
		} else {
			assert.Contains(t, string(body), "the service is closing")
		}
		lock.Lock()
		counts[code]++
		lock.Unlock()
	})
	assert.Len(t, counts, 2, "%v", counts)
	assert.Positive(t, counts[http.StatusServiceUnavailable])
	assert.Positive(t, counts[http.StatusOK])

	answer, err := s.http.Client().Get(s.http.URL + "/health")
	require.NoError(t, err)
	answer.Body.Close()
	assert.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
	assert.Equal(t, "1", answer.Header.Get("Retry-After"))
	s.Close()
}

// TestCloseEndsRequests that would go on for ever, and those that wait for their slot.
func TestCloseEndsRequests(t *testing.T) {
	source := stuck{make(chan struct{}), make(chan struct{}, 1)}
	s := start(t, source, Limits{Slots: 1})
	wav := noise(t, 1, 1)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			code, body, err := s.post(context.Background(), "/features", wav, "")
			assert.NoError(t, err)
			assert.Equal(t, http.StatusServiceUnavailable, code)
			assert.JSONEq(t, `{"error": "serve: the service is closing; try again later"}`, string(body))
		})
	}
	<-source.busy
	s.Close()
	both.Wait()
}

// TestServe runs the program from flags to a signal's end.
func TestServe(t *testing.T) {
	settings, err := parse([]string{"--model", tinyModel(t), "--layer", "2", "--listen", "localhost:0"})
	require.NoError(t, err)
	ctx, end := context.WithCancel(t.Context())
	address, ended := make(chan string), make(chan error)
	go func() { ended <- serve(ctx, settings, func(a string) { address <- a }) }()
	url := "http://" + <-address
	answer, err := http.Get(url + "/health")
	require.NoError(t, err)
	answer.Body.Close()
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	answer, err = http.Post(url+"/features", "audio/wav", bytes.NewReader(noise(t, 1, 1)))
	require.NoError(t, err)
	answer.Body.Close()
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	end()
	require.NoError(t, <-ended)
	_, err = http.Get(url + "/health")
	assert.Error(t, err)
	http.DefaultClient.CloseIdleConnections()
	assert.Zero(t, torch.Live())

	_, err = parse(nil)
	assert.ErrorContains(t, err, "neither --run nor --model")
	for _, wrong := range [][]string{{"--model", "nowhere"}, {"--run", "nowhere"},
		{"--model", tinyModel(t), "--layer", "9"}} {
		settings, err := parse(wrong)
		require.NoError(t, err)
		assert.Error(t, serve(t.Context(), settings, func(string) { t.Error("it serves") }), fmt.Sprint(wrong))
	}
	assert.Zero(t, torch.Live())
}

// A client that leaves is not an error of the service.
func TestStatusOfALeavingClient(t *testing.T) {
	for err, want := range map[error]int{
		context.Canceled: statusClientClosed,
		fmt.Errorf("features: %w", context.Canceled): statusClientClosed,
		errors.New("a bug"):                          http.StatusInternalServerError,
	} {
		assert.Equal(t, want, statusOf(err), "%v", err)
	}
}
