package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/brain/predict"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// settings are the flags.
type settings struct {
	listen, run, subject, model, adapter, device string
	layer                                        int
	limits                                       Limits
	pool                                         torch.SetupOptions
}

func parse(args []string) (s settings, err error) {
	f := flag.NewFlagSet("service", flag.ContinueOnError)
	f.StringVar(&s.listen, "listen", "localhost:8080", "address")
	f.StringVar(&s.run, "run", "", "finished run whose readout predicts responses")
	f.StringVar(&s.subject, "subject", "", "whose readout, if the run has several")
	f.StringVar(&s.model, "model", "", "speech model for features; with --run, where the run's model is now")
	f.StringVar(&s.adapter, "adapter", "", "adapter in the speech model, without --run")
	f.IntVar(&s.layer, "layer", 9, "hidden state to serve, without --run")
	f.IntVar(&s.limits.Slots, "slots", 4, "requests whose audio is in memory at the same time")
	f.Int64Var(&s.limits.Bytes, "max-bytes", 64<<20, "greatest body")
	f.Float64Var(&s.limits.Seconds, "max-seconds", 600, "longest clip")
	f.IntVar(&s.pool.Workers, "workers", 1, "forward passes at the same time")
	f.IntVar(&s.pool.Threads, "threads", 0, "threads of each; 0: as many as cores")
	f.StringVar(&s.device, "device", "auto", "auto, cpu, cuda or cuda:N")
	s.pool.Reexec = true
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if s.run == "" && s.model == "" {
		return s, fault.New(fault.Usage, "service", "", "neither --run nor --model is given")
	}
	return s, nil
}

// open loads what is to be served.
func (s settings) open(ctx context.Context) (Source, error) {
	device, err := torch.OpenDevice(s.device)
	if err != nil {
		return nil, err
	}
	if s.run != "" {
		p, err := predict.Open(ctx, s.run, predict.Options{Subject: s.subject, Model: s.model, Device: device})
		if err != nil {
			return nil, err
		}
		return responses{p}, nil
	}
	m, err := extract.OpenModel(ctx, s.model, s.adapter, speech.Options{Device: device})
	if err != nil {
		return nil, err
	}
	if n := m.Model.Architecture().Layers; s.layer < 0 || s.layer > n {
		m.Close()
		return nil, fault.New(fault.Usage, "service", "layer", "there is no hidden state %d, the model has 0 to %d",
			s.layer, n)
	}
	return features{m, extract.Options{Layers: []int{s.layer}}}, nil
}

// serve answers until the context ends.
func serve(ctx context.Context, s settings, ready func(address string)) error {
	source, err := s.open(ctx)
	if err != nil {
		return err
	}
	service := NewService(source, s.limits)
	defer service.Close()
	listener, err := net.Listen("tcp", s.listen)
	if err != nil {
		return fault.Wrap(fault.Unavailable, "service", s.listen, err)
	}
	// How long an answer may take is not limited, since a request may wait long for its slot.
	server := &http.Server{Handler: service, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	ready(listener.Addr().String())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	service.Close() // the requests that run end now,
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return server.Shutdown(patience) // and their answers are sent
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := parse(os.Args[1:])
	if err == nil {
		err = torch.Setup(s.pool)
	}
	if err == nil {
		err = serve(ctx, s, func(address string) { log.Printf("listening on http://%s", address) })
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "service:", err)
		os.Exit(int(fault.KindOf(err)))
	}
}
