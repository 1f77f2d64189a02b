package serve

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

// logged gives each request an id, and logs how it ended. Nothing that a client sends is logged, apart from the size of
// the body.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := newID()
		w.Header().Set("X-Request-Id", id)
		seen := &statusWriter{ResponseWriter: w, code: http.StatusOK}
		began := time.Now()
		next.ServeHTTP(seen, r)
		s.logRequest(id, r.Pattern, r.PathValue("model"), strconv.Itoa(seen.code), r.ContentLength, time.Since(began))
	})
}

// Log logs how a request of another front ended, and returns the id that it gets. The route and the status are words of
// the program; the model may be any, and is logged if the server has it.
func (s *Server) Log(route, model, status string, bytes int64, took time.Duration) (id string) {
	id = newID()
	s.logRequest(id, route, model, status, bytes, took)
	return id
}

func (s *Server) logRequest(id, route, model, status string, bytes int64, took time.Duration) {
	s.log.Info("request", "id", id, "route", route, "model", s.known(model), "status", status, "bytes", bytes, "ms",
		took.Milliseconds())
}

// newID returns 16 random hexadecimal digits.
func newID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	code int
}

func (w *statusWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController find the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
