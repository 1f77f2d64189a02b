// Package wavlm is the speech encoder WavLM (Chen et al. 2022), Base, Base+ and Large, in the layout of Hugging
// Face transformers; Wav2Vec2, HuBERT and data2vec-audio are the same code less the gated position bias, the last with
// positional convolutions of its own. config.json says which; a family that is none of these is refused by name.
//
// A model has two halves. The [FrontEnd] turns a waveform into one vector per 20 ms by seven convolutions; it is
// usually frozen, so its output can be computed once and kept. The [Encoder] is the transformer; it runs only up
// to the layer that is read. [Load] reads a model's folder, [Fresh] makes one with random weights, and [Model.View]
// is a second model over the same weights, with an adapter in its linear layers:
//
//	model, err := wavlm.Load(ctx, dir, wavlm.Options{})
//	...
//	err = model.Session().Infer(ctx, func(s *torch.Scope) error {
//		wave := s.FromFloat32(model.Preprocessor.Apply(samples), 1, len(samples)) // (1, S)
//		hidden := model.Encoder.Forward(model.FrontEnd.Forward(wave), 9, wavlm.Pass{})
//		last := hidden[9].Select(1, -1) // (1, E), the newest frame of layer 9
//		...
//	})
//
// The reference is transformers 5.23.0, models/wavlm/modeling_wavlm.py, from which the names of all parameters
// come; results equal its own to 1e-4, gradients to 1e-3 of their size.
//
// # Caveats
//
// Weights. They are read from safetensors or, without running the pickle in it, from pytorch_model.bin, whole or in
// shards, and widened to f32 where they are halves. NaN, infinities and matrices of zeros are refused unless
// [Options].AnyValues is set. Microsoft's own .pt of a WavLM has another layout: [Convert] makes a Hugging Face folder
// of it.
//
// Padding. Clips of several lengths can share a batch ([Pass].Lengths). Models whose convolutions have layer norm
// (Large) give each clip what it gets alone. Models with group norm (Base, Base+) do not, here as in transformers:
// the first convolution is normalised over time, padding included. Run their clips of different length one by one.
// Frames of padding hold numbers without meaning and must never be pooled.
//
// Adapters. Every linear layer is called, never its weight read, so that an adapter on it takes part. In stock
// transformers adapters on q_proj, k_proj, v_proj and out_proj of a WavLM do nothing until merged.
//
// The last hidden state of models with stable layer norm (Large) is given before the encoder's final norm, as
// transformers 5 does; transformers 4 gave it after. [PostNorm] asks for that.
//
// Batch norm, which some HuBERTs have before the positional convolution, goes by the statistics of the checkpoint, in
// training too, where transformers would go by those of the batch.
//
// SpecAugment and layer drop draw from the scope's seed: they follow the reference's rules, not its random numbers.
package wavlm
