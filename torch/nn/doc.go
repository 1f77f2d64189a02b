// Package nn has the building blocks of models: named parameters, layers and the optimizer Adam.
//
// A [Store] is an ordered list of parameters. A model's constructor takes a [Builder], which is a
// store and a path in it, and names each parameter once. The name is the key in a checkpoint:
//
//	func newFeedForward(b *nn.Builder, in, hidden int) *feedForward {
//		f := &feedForward{}
//		b.Linear(&f.in, "in", in, hidden)
//		b.Linear(&f.out, "out", hidden, in)
//		return f
//	}
//
// [Store.Build] runs a constructor. With [Fresh] as the source it makes a new model, with a checkpoint
// as the source it loads one. Run again over the same store, without a source, it makes a second view of
// the same weights. With an [Adapter], each layer and parameter passes through the adapter, so that a
// model with an adapter and the model without it share their weights (package peft has such adapters).
//
// A [Session] runs closures over stores: any number of inferences at the same time, or one training
// step.
//
// # Caveats
//
//   - A model must call Layer.Forward and not use a layer's weight itself; otherwise an adapter has no
//     effect on that layer.
//   - A layer's slot must not change after construction.
//   - Parameters must only change in Session.Train. Code that changes them elsewhere must keep
//     inferences away itself.
//   - Parameters live until [Store.Close]. Using them later is an error that matches fault.ErrClosed.
package nn
