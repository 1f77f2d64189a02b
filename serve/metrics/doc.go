// Package metrics has the figures of a server of package serve for Prometheus: an observer that counts, and a handler
// that shows. It is a package of its own, so that programs that embed a server without Prometheus do not get its
// modules:
//
//	m := metrics.New()
//	server, err := serve.Open(ctx, cfg, serve.Options{Observer: m, Admin: m.Handler})
//
// Labels are names of models in the configuration and kinds of errors, never what clients send.
package metrics
