// Package nn has what models are built of: named parameters, layers, optimizers.
//
// A [Store] is an ordered list of parameters. A model's constructor takes a [Builder], which is a store and a
// path, and names each parameter once; the name is the key of the checkpoint:
//
//	func newFeedForward(b *nn.Builder, in, hidden int) *feedForward {
//		f := &feedForward{}
//		b.Linear(&f.in, "up", in, hidden)
//		b.Linear(&f.out, "down", hidden, in)
//		return f
//	}
//
// The same constructor loads a checkpoint and makes a fresh model: that is the [Source]'s affair. It also makes
// views: run again over a full store it gives a second model over the same weights, and with an [Adapter] each
// layer and parameter passes through it, so a model with and one without an adapter stand side by side. A
// layer's slot never changes after construction. Model code calls layer.Forward and never touches the weight,
// else an adapter on it would have no effect.
//
// A [Session] runs closures over stores: any number infer at the same time, one trains alone.
package nn
