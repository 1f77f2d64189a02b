package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/brainwavlm/bwlm/fault"
)

const serving = "serve"

// Front is a way to reach a server other than HTTP. It answers on a listener until ctx ends, and then ends the requests
// that it has accepted.
type Front func(ctx context.Context, l net.Listener) error

// Addresses are those that a server listens on.
type Addresses struct{ HTTP, GRPC, Admin string }

// Serve answers on the addresses of the configuration until ctx ends. It then stops being ready, lets accepted requests
// end for at most Limits.Drain, and closes the server. grpc answers on the address of gRPC and may be nil if there is
// none. listening may be nil; it is called when all addresses are bound.
func (s *Server) Serve(ctx context.Context, grpc Front, listening func(Addresses)) error {
	defer s.Close()
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var at Addresses
	fronts := []struct {
		address string
		bound   *string
		tls     bool
		front   Front
	}{
		{s.cfg.Listen, &at.HTTP, true, s.overHTTP(s.Handler())},
		{s.cfg.GRPC, &at.GRPC, true, grpc},
		{s.cfg.Admin, &at.Admin, false, s.overHTTP(s.admin())},
	}
	failed := make(chan error, len(fronts))
	running := 0
	for _, f := range fronts {
		if f.address == "" {
			continue
		}
		if f.front == nil {
			return fault.New(fault.Usage, serving, "grpc", "this program does not answer gRPC")
		}
		l, err := s.listen(f.address, f.tls)
		if err != nil {
			end()
			for range running {
				<-failed
			}
			return err
		}
		*f.bound = l.Addr().String()
		running++
		go func() { failed <- f.front(life, l) }()
	}
	s.log.Info("listening", "http", at.HTTP, "grpc", at.GRPC, "admin", at.Admin)
	if listening != nil {
		listening(at)
	}
	var err error
	select {
	case err = <-failed:
		running--
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(life, s.cfg.Limits.Drain)
	defer cancel()
	if s.Drain(patience) != nil {
		s.log.Warn("requests are ended", "requests", s.waiting.Load())
	}
	end()
	for range running {
		err = errors.Join(err, <-failed)
	}
	return err
}

// listen binds an address, with TLS if it is configured.
func (s *Server) listen(address string, secure bool) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, serving, address, err)
	}
	if !secure || s.cfg.TLS.Cert == "" {
		return l, nil
	}
	pair, err := tls.LoadX509KeyPair(s.cfg.TLS.Cert, s.cfg.TLS.Key)
	if err != nil {
		l.Close()
		return nil, fault.Wrap(fault.Usage, serving, s.cfg.TLS.Cert, err)
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"}}), nil
}

// overHTTP answers a handler's requests. At the end of ctx those that run have a second, since Drain comes before.
func (s *Server) overHTTP(h http.Handler) Front {
	return func(ctx context.Context, l net.Listener) error {
		server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
			MaxHeaderBytes: 1 << 16, ErrorLog: nil}
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(l) }()
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
		}
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if server.Shutdown(patience) != nil {
			s.batcher.Close()
			_ = server.Close()
		}
		<-ended
		return nil
	}
}

// admin answers on the listener for operators.
func (s *Server) admin() http.Handler {
	mux := http.NewServeMux()
	s.health(mux)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("POST /reload", s.reloadHTTP)
	if s.opt.Admin != nil {
		mux.Handle("/", s.opt.Admin(s))
	}
	return mux
}

// reloadHTTP reads the configuration again and replaces the models.
func (s *Server) reloadHTTP(w http.ResponseWriter, r *http.Request) {
	if s.opt.Again == nil {
		fail(w, &status{http.StatusNotImplemented, "the configuration is not from a file"})
		return
	}
	cfg, err := s.opt.Again()
	if err == nil {
		err = s.Reload(r.Context(), cfg)
	}
	if err != nil { // an operator may see its reason
		reply(w, http.StatusConflict, map[string]string{"error": err.Error()})
		return
	}
	reply(w, http.StatusOK, map[string]any{"models": s.Models()})
}
