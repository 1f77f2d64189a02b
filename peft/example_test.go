package peft_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// network is a model of two layers. It knows no adapters: it only calls its layers.
type network struct{ up, down nn.Linear }

func newNetwork(b *nn.Builder) *network {
	n := &network{}
	b.Linear(&n.up, "up", 2, 8)
	b.Linear(&n.down, "down", 8, 1)
	return n
}

// forward maps x (N, 2) to (N, 1).
func (n *network) forward(x *torch.Tensor) *torch.Tensor {
	return n.down.Forward(n.up.Forward(x).Tanh())
}

// A frozen network learns to multiply two numbers by an adapter. A model needs a constructor that
// takes an nn.Builder and a forward function that calls its layers; nothing else.
func Example() {
	ctx := context.Background()
	store := nn.NewStore()
	defer store.Close()
	adapter, err := peft.New(peft.Config{Method: &peft.LoRA{R: 4, Alpha: 8}, TargetModules: peft.Targets("up", "down")})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer adapter.Close()

	var base, tuned *network // over the same weights
	err = torch.Do(ctx, torch.Mode{Seed: 1}, func(s *torch.Scope) error {
		if err := store.Build(s, nn.Fresh{}, nil, func(b *nn.Builder) { base = newNetwork(b) }); err != nil {
			return err
		}
		return store.Build(s, nil, adapter, func(b *nn.Builder) { tuned = newNetwork(b) })
	})
	if err == nil {
		err = adapter.Check()
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(adapter)

	loss := func(s *torch.Scope, n *network) *torch.Tensor {
		x := s.FromFloat32([]float32{1, 1, 1, -1, -1, 1, -1, -1, 0, 1, .5, .5}, 6, 2)
		want := s.FromFloat32([]float32{1, -1, -1, 1, 0, .25}, 6, 1)
		return n.forward(x).Sub(want).Square().Mean()
	}
	session := &nn.Session{Stores: []*nn.Store{store, adapter.Store()}}
	err = adapter.CheckTrains(ctx, session, 1, func(s *torch.Scope) *torch.Tensor { return loss(s, tuned) })
	fmt.Println("it trains:", err == nil)

	var adam *nn.Adam
	for step := range 300 {
		err := session.Train(ctx, uint64(step), func(s *torch.Scope) error {
			if adam == nil {
				adam = nn.NewAdam(s, nn.AdamOptions{}, nn.Group{LR: .02}.With("", adapter.Store(), nil))
			}
			loss(s, tuned).Backward()
			adam.Step()
			adam.ClearGrad()
			return nil
		})
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	defer adam.Close()
	show := func(when string) {
		_ = session.Infer(ctx, func(s *torch.Scope) error {
			fmt.Println(when, "- base learnt:", loss(s, base).Item() < .01, "tuned learnt:",
				loss(s, tuned).Item() < .01)
			return nil
		})
	}
	show("trained")

	merged, err := peft.Merge(ctx, session, adapter)
	if err != nil {
		fmt.Println(err)
		return
	}
	show("merged")
	if err := merged.Unmerge(ctx); err != nil {
		fmt.Println(err)
		return
	}
	show("unmerged")

	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	fmt.Println("saved:", adapter.Save(filepath.Join(dir, "product")) == nil)

	// Output:
	// up r=4 scale=2 parameters=40
	// down r=4 scale=2 parameters=36
	// it trains: true
	// trained - base learnt: false tuned learnt: true
	// merged - base learnt: true tuned learnt: true
	// unmerged - base learnt: false tuned learnt: true
	// saved: true
}
