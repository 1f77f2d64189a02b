package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/serve"
	"github.com/brainwavlm/bwlm/serve/grpcapi"
	"github.com/brainwavlm/bwlm/serve/metrics"
	"github.com/brainwavlm/bwlm/torch"
)

const serveHelp = `Answers audio with features of speech models and with predicted responses of finished runs,
over HTTP and gRPC, by the Open Inference Protocol v2 that clients of KServe, Triton and Seldon speak. CONFIG is a
YAML file:

  models:
    base:                                   # features of a speech model
      model: models/wavlm-base-plus
      features: {layers: [9], window_seconds: 4, stride_seconds: 0.25}
      adapters:                             # one of which a request may name
        ada: {path: runs/ada/adapter, sha256: 0123...}
    ada: {run: runs/ada, sha256: 4567...}   # responses, predicted by the readout of a run

Runs and adapters load only if their SHA-256 is in the file; --digest prints it. The server listens on
127.0.0.1:8080, and on 127.0.0.1:8081 for operators: health, metrics,
profiles, reload (POST /reload). Addresses that other
machines reach are refused without TLS and tokens, unless --insecure is given.

SIGTERM and SIGINT end it: it is no longer ready, answers what it has accepted, and exits with 0. Logs go to standard
error, one JSON object a line, and hold nothing that clients send. docs/serve.md has all keys.

--json goes with --print-config and --digest: {"schema", "config"} with the file as a text, or {"schema", "digests"},
by folder.`

func serveCommand(a *app) *cobra.Command {
	var insecure, show, digest bool
	c := &cobra.Command{
		Use:   "serve CONFIG",
		Short: "Serve features and predicted responses over HTTP and gRPC",
		Long:  serveHelp,
		Example: `  bwlm serve --digest runs/ada runs/ada/adapter    # what goes into the configuration
  bwlm serve serve.yaml
  curl localhost:8080/v2/models/ada`,
		Args: func(c *cobra.Command, args []string) error {
			if digest && len(args) > 0 {
				return nil
			}
			return wantArgs("CONFIG")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if digest {
				return a.printDigests(args)
			}
			load := func() (*serve.Config, error) { return serve.Load(args[0], insecure) }
			if show {
				return a.printServeConfig(load)
			}
			var level slog.LevelVar
			log := slog.New(slog.NewJSONHandler(c.ErrOrStderr(), &slog.HandlerOptions{Level: &level}))
			a.ui.LogTo(log) // a mistake in the configuration and the note on a signal are lines of the log, too
			cfg, err := load()
			if err != nil {
				return err
			}
			level.Set(cfg.Level())
			return a.serve(c.Context(), cfg, load, log)
		},
	}
	flags := c.Flags()
	flags.BoolVar(&insecure, "insecure", false, "allow addresses that other machines reach without TLS and tokens")
	flags.BoolVar(&show, "print-config", false, "print the configuration with all defaults, and end")
	flags.BoolVar(&digest, "digest", false, "print the SHA-256 of runs and adapters, by their folders, and end")
	return c
}

// serve answers until the context ends.
func (a *app) serve(ctx context.Context, cfg *serve.Config, again func() (*serve.Config, error),
	log *slog.Logger) error {
	err := torch.Setup(torch.SetupOptions{Workers: cfg.Workers, Threads: cfg.Threads, KeepMemory: true})
	if err != nil {
		return err
	}
	figures := metrics.New()
	server, err := serve.Open(ctx, cfg, serve.Options{Log: log, Again: again, Observer: figures,
		Admin: figures.Handler})
	if err != nil {
		return err
	}
	return server.Serve(ctx, grpcapi.Front(server, cfg), nil)
}

func (a *app) printServeConfig(load func() (*serve.Config, error)) error {
	cfg, err := load()
	if err != nil {
		return err
	}
	text, err := cfg.YAML()
	if err != nil {
		return err
	}
	return a.answer(struct {
		Schema int    `json:"schema"`
		Config string `json:"config"`
	}{1, string(text)}, func(w io.Writer) error { _, err := w.Write(text); return err })
}

func (a *app) printDigests(dirs []string) error {
	digests := map[string]string{}
	var rows [][]string
	for _, dir := range dirs {
		d, err := serve.Digest(dir)
		if err != nil {
			return err
		}
		digests[dir] = d
		rows = append(rows, []string{d, dir})
	}
	return a.answer(struct {
		Schema  int               `json:"schema"`
		Digests map[string]string `json:"digests"`
	}{1, digests}, func(w io.Writer) error {
		for _, row := range rows {
			if _, err := fmt.Fprintf(w, "%s  %s\n", row[0], row[1]); err != nil {
				return err
			}
		}
		return nil
	})
}
