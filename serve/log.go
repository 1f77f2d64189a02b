package serve

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
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
		s.log.Info("request", "id", id, "method", method(r.Method), "route", r.Pattern, "model",
			s.known(r.PathValue("model")), "status", seen.code, "bytes", r.ContentLength, "ms",
			time.Since(began).Milliseconds())
	})
}

// newID returns 16 random hexadecimal digits.
func newID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// method returns a method, unless it is a word of the client's.
func method(m string) string {
	if m == http.MethodGet || m == http.MethodPost {
		return m
	}
	return "other"
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
