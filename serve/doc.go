// Package serve answers audio with features of speech models and with predicted fMRI responses, for many clients at
// once, by the Open Inference Protocol v2 that KServe, Triton and Seldon clients speak. The command bwlm serve runs it,
// and Go services embed it:
//
//	cfg, err := serve.Load("serve.yaml", false)
//	server, err := serve.Open(ctx, cfg, serve.Options{})
//	defer server.Close()
//	mux.Handle("/v2/", server.Handler())              // in a program's own HTTP server, or
//	err = server.Serve(ctx, nil, nil)                      // on the addresses of the configuration
//	answer, err := server.Infer(ctx, &serve.Request{Model: "alice", Audio: wav})
//
// A request waits in a bounded queue, is decoded, and is cut into windows; windows of equal length from all requests go
// through a model together (see extract.Batcher). What does not fit into the queue, or would not be done before its
// deadline, is refused at once with an error of kind Temporary.
//
// Package serve/client calls such a server. This package imports neither gRPC nor Prometheus, so that a program that
// embeds it does not, either.
//
// # Caveats
//
// The safety of a listener is that of its configuration: Serve binds loopback addresses unless TLS and tokens are
// configured, or Insecure is set. Handler alone checks the tokens and nothing else.
package serve
