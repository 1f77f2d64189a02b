package serve

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/openinference"
	"github.com/brainwavlm/bwlm/internal/version"
)

// Handler returns the handler of the Open Inference Protocol v2, under /v2. It checks the tokens of the configuration.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	s.health(mux)
	mux.HandleFunc("GET /v2", s.about)
	mux.HandleFunc("GET /v2/{$}", s.about)
	mux.HandleFunc("POST /v2/repository/index", s.index)
	for _, of := range []string{"/v2/models/{model}", "/v2/models/{model}/versions/{version}"} {
		mux.HandleFunc("GET "+of, s.metadata)
		mux.HandleFunc("GET "+of+"/ready", s.modelReady)
		mux.HandleFunc("POST "+of+"/infer", s.post)
		mux.HandleFunc("POST "+of+"/stream", s.streamHTTP)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusNotFound, map[string]string{"error": "there is nothing here; the protocol is under /v2"})
	})
	return s.logged(s.authorised(mux))
}

// health adds what orchestrators ask for.
func (s *Server) health(mux *http.ServeMux) {
	answer := func(key string, yes func() bool) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			status := http.StatusOK
			if !yes() {
				status = http.StatusServiceUnavailable
			}
			reply(w, status, map[string]bool{key: status == http.StatusOK})
		}
	}
	mux.HandleFunc("GET /v2/health/live", answer("live", s.Live))
	mux.HandleFunc("GET /v2/health/ready", answer("ready", s.Ready))
}

// Authorised reports whether the value of an Authorization header has a valid token, or none is needed.
func (s *Server) Authorised(authorization string) bool { return s.tokens.allows(authorization) }

// authorised refuses requests without a valid token.
func (s *Server) authorised(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.Authorised(r.Header.Get("Authorization")) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			reply(w, http.StatusUnauthorized, map[string]string{"error": "a valid bearer token is needed"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) about(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"name": platform, "version": version.String(),
		"extensions": []string{"binary_tensor_data", "model_repository"}})
}

// index lists the models, as Triton's extension for repositories does.
func (s *Server) index(w http.ResponseWriter, _ *http.Request) {
	type entry struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		State   string `json:"state"`
		Reason  string `json:"reason"`
	}
	out := []entry{}
	for _, name := range s.Models() {
		if meta, err := s.Metadata(name, ""); err == nil {
			out = append(out, entry{name, meta.Versions[0], "READY", ""})
		}
	}
	reply(w, http.StatusOK, out)
}

func (s *Server) metadata(w http.ResponseWriter, r *http.Request) {
	meta, err := s.Metadata(r.PathValue("model"), r.PathValue("version"))
	if err != nil {
		fail(w, err)
		return
	}
	reply(w, http.StatusOK, meta)
}

func (s *Server) modelReady(w http.ResponseWriter, r *http.Request) {
	meta, err := s.Metadata(r.PathValue("model"), r.PathValue("version"))
	switch {
	case err != nil:
		fail(w, err)
	case !s.Ready():
		fail(w, &Overload{errEnding, time.Second, true})
	default:
		reply(w, http.StatusOK, map[string]any{"name": meta.Name, "ready": true})
	}
}

// post answers a request for inference.
func (s *Server) post(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("model")
	err := s.inferHTTP(w, r, name)
	s.report(name, err)
	if err != nil {
		fail(w, err)
	}
}

// jsonMemory is the memory of a body in JSON with its decoded numbers, in bytes for each byte: the shortest are a digit
// and a comma.
const jsonMemory = 4

// inferHTTP reads a request, whose place in the queue comes before its body, and writes the answer.
func (s *Server) inferHTTP(w http.ResponseWriter, r *http.Request, name string) error {
	l := s.cfg.Limits
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return &status{http.StatusUnsupportedMediaType, "compressed bodies are not read"}
	}
	size := r.ContentLength
	if size < 0 {
		size = l.Bytes
	}
	if size > l.Bytes {
		return &http.MaxBytesError{Limit: l.Bytes}
	}
	if s.known(name) == "" {
		return fault.New(fault.Missing, inferring, "", "there is no model of this name")
	}
	if r.Header.Get(openinference.HeaderLength) == "" {
		size *= jsonMemory
	}
	t, err := s.enter(size)
	if err != nil {
		return err
	}
	defer t.leave()
	ctx, cancel := s.deadline(r.Context(), t)
	defer cancel()
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(l.Upload)) // of connections that have deadlines
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, l.Bytes))
	if err != nil {
		return err
	}
	_ = connection.SetReadDeadline(time.Time{})
	wire, err := openinference.DecodeRequest(body, r.Header.Get(openinference.HeaderLength))
	if err != nil {
		return err
	}
	q, err := openinference.CallOf(wire, name, r.PathValue("version"))
	if err != nil {
		return err
	}
	answer, err := s.infer(ctx, t, q)
	if err != nil {
		return err
	}
	encoded, err := openinference.ResponseOf(answer, wire).Encode()
	if err != nil {
		return err
	}
	_ = connection.SetWriteDeadline(time.Now().Add(l.Upload))
	w.Header().Set("Content-Type", "application/json")
	if encoded.Length != "" {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set(openinference.HeaderLength, encoded.Length)
	}
	w.Header().Set("Content-Length", strconv.Itoa(encoded.Size))
	out := bufio.NewWriterSize(w, 1<<16)
	_ = encoded.Write(out) // a client that is gone cannot be told
	_ = out.Flush()
	return nil
}

// status is an error with an HTTP status of its own.
type status struct {
	code int
	text string
}

func (s *status) Error() string { return s.text }

// statusClientClosed is nginx's status of a request whose client left before the answer.
const statusClientClosed = 499

// statusOf returns the HTTP status of an error: 4xx for the client's, 5xx for the server's.
func statusOf(err error) int {
	if s, ok := errors.AsType[*status](err); ok {
		return s.code
	}
	if o, ok := errors.AsType[*Overload](err); ok {
		if o.Ending {
			return http.StatusServiceUnavailable
		}
		return http.StatusTooManyRequests
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	switch {
	case errors.Is(err, errLate):
		return http.StatusGatewayTimeout
	case errors.Is(err, os.ErrDeadlineExceeded): // of reading the body
		return http.StatusRequestTimeout
	case errors.Is(err, io.ErrUnexpectedEOF):
		return http.StatusBadRequest
	}
	switch fault.KindOf(err) {
	case fault.Usage, fault.BadData:
		return http.StatusBadRequest
	case fault.Missing:
		return http.StatusNotFound
	case fault.Interrupted:
		return statusClientClosed
	case fault.Temporary, fault.Memory:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// fail answers with an error. What the server alone is to blame for is not described: it may name files.
func fail(w http.ResponseWriter, err error) {
	code, text := statusOf(err), textOf(err)
	after := time.Second
	if o, ok := errors.AsType[*Overload](err); ok {
		after = o.After
	}
	switch code {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", strconv.Itoa(int((after+time.Second-1)/time.Second)))
	}
	reply(w, code, map[string]string{"error": text})
}

// textOf returns what a client is told of an error.
func textOf(err error) string {
	if statusOf(err) == http.StatusInternalServerError {
		return "an internal error; the log of the server has its kind under this request id"
	}
	return err.Error()
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
