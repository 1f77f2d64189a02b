// Command ownmodel adapts a model of its own by LoRA: a small network learns one function, its
// weights are frozen, and an adapter teaches it another one. The adapter is saved in the files of
// Hugging Face PEFT, the network's weights as safetensors, and both are read back.
//
//	go run ./examples/ownmodel -out adapter
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// network maps numbers to numbers. A model that can be adapted needs a constructor that declares
// its layers with a Builder, and a forward function that calls them; it knows nothing of adapters.
type network struct{ in, hidden, out nn.Linear }

func newNetwork(b *nn.Builder) *network {
	n := &network{}
	b.Linear(&n.in, "in", 1, 32)
	b.Linear(&n.hidden, "hidden", 32, 32)
	b.Linear(&n.out, "out", 32, 1)
	return n
}

func (n *network) forward(x *torch.Tensor) *torch.Tensor { // (N, 1)
	h := n.hidden.Forward(n.in.Forward(x).Tanh()).Tanh() // (N, 32)
	return n.out.Forward(h)                              // (N, 1)
}

const points = 64

// loss is the mean squared error on points between -1 and 1.
func (n *network) loss(s *torch.Scope, f func(float64) float64) *torch.Tensor {
	var x, y []float32
	for i := range points {
		at := 2*float64(i)/(points-1) - 1
		x, y = append(x, float32(at)), append(y, float32(f(at)))
	}
	return n.forward(s.FromFloat32(x, points, 1)).Sub(s.FromFloat32(y, points, 1)).Square().Mean()
}

// train minimises the loss over the parameters of a store.
func (n *network) train(ctx context.Context, ss *nn.Session, st *nn.Store, f func(float64) float64, steps int) error {
	var adam *nn.Adam
	for step := range steps {
		err := ss.Train(ctx, uint64(step), func(s *torch.Scope) error {
			if adam == nil {
				adam = nn.NewAdam(s, nn.AdamOptions{}, nn.Group{LR: .01}.With("", st, nil))
			}
			n.loss(s, f).Backward()
			adam.Step()
			adam.ClearGrad()
			return nil
		})
		if err != nil {
			return err
		}
	}
	adam.Close()
	return nil
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("ownmodel", flag.ContinueOnError)
	out := flags.String("out", "adapter", "directory to make: the adapter and base.safetensors")
	if err := flags.Parse(args); err != nil {
		return err
	}
	wave := func(x float64) float64 { return math.Sin(3 * x) }
	other := func(x float64) float64 { return math.Sin(3*x+1) + .3 }

	store := nn.NewStore()
	defer store.Close()
	var base *network
	err := torch.Do(ctx, torch.Mode{Seed: 1}, func(s *torch.Scope) error {
		return store.Build(s, nn.Fresh{}, nil, func(b *nn.Builder) { base = newNetwork(b) })
	})
	if err != nil {
		return err
	}
	store.Train(nil)
	session := &nn.Session{Stores: []*nn.Store{store}}
	if err := base.train(ctx, session, store, wave, 500); err != nil {
		return err
	}
	store.Freeze()

	adapter, err := peft.New(peft.Config{Method: &peft.LoRA{R: 4, Alpha: 8},
		TargetModules: peft.Targets("in", "hidden", "out")})
	if err != nil {
		return err
	}
	defer adapter.Close()
	tuned, err := view(ctx, store, nil, adapter)
	if err != nil {
		return err
	}
	session = &nn.Session{Stores: []*nn.Store{store, adapter.Store()}}
	if err := tuned.train(ctx, session, adapter.Store(), other, 500); err != nil {
		return err
	}
	if err := adapter.Save(*out); err != nil {
		return err
	}
	saved, err := peft.Load(*out)
	if err != nil {
		return err
	}
	defer saved.Close()
	weights := filepath.Join(*out, "base.safetensors")
	if err := store.Save(ctx, weights); err != nil {
		return err
	}
	file, err := nn.Open(weights)
	if err != nil {
		return err
	}
	defer file.Close()
	read := nn.NewStore()
	defer read.Close()
	again, err := view(ctx, read, file, saved)
	if err != nil {
		return err
	}
	session = &nn.Session{Stores: []*nn.Store{store, adapter.Store(), read, saved.Store()}}
	return session.Infer(ctx, func(s *torch.Scope) error {
		fmt.Fprintf(stdout, "%d parameters, %d in the adapter\n", store.Numel(), adapter.Store().Numel())
		fmt.Fprintf(stdout, "first function:  base %.4f\n", base.loss(s, wave).Item())
		fmt.Fprintf(stdout, "second function: base %.4f, tuned %.4f, read back %.4f\n",
			base.loss(s, other).Item(), tuned.loss(s, other).Item(), again.loss(s, other).Item())
		return nil
	})
}

// view builds the network over the weights of a store, which come from src if it has none yet, with an
// adapter in it.
func view(ctx context.Context, store *nn.Store, src nn.Source, adapter *peft.Adapter) (n *network, err error) {
	err = torch.Do(ctx, torch.Mode{Seed: 2}, func(s *torch.Scope) error {
		return store.Build(s, src, adapter, func(b *nn.Builder) { n = newNetwork(b) })
	})
	if err != nil {
		return nil, err
	}
	return n, adapter.Check()
}

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ownmodel:", err)
		os.Exit(int(fault.KindOf(err)))
	}
}
