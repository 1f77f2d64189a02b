// Package wavlm is the speech encoder WavLM (Chen et al. 2022), Base, Base+ and Large, in the
// layout of Hugging Face transformers. wav2vec 2.0, HuBERT and data2vec-audio are the same code
// without the gated position bias; data2vec-audio has positional convolutions of its own.
// config.json names the family, and Load refuses other families by name.
//
// A [Model] implements speech.Encoder. Its front end turns a waveform into one vector per 20 ms by
// seven convolutions. It is usually frozen, so its output can be computed once and cached. The
// transformer runs only up to the layer that is read. [Load] reads a model's folder, [Fresh] makes
// a model with random weights, and [Model.WithAdapter] returns a view over the same weights with an
// adapter in its linear layers:
//
//	model, err := wavlm.Load(ctx, dir, speech.Options{})
//	...
//	hidden, err := model.HiddenStates(ctx, samples, 9) // (T, E), one recording in one pass
//	...
//	err = model.Session().Infer(ctx, func(s *torch.Scope) error {
//		wave := s.FromFloat32(samples, 1, len(samples)) // (1, S)
//		hidden := model.Forward(model.FrontEnd(wave), 0, 9, speech.Pass{})
//		last := hidden[9].Select(1, -1) // (1, E), the last frame of hidden state 9
//		...
//	})
//
// The reference is transformers 5.23.0, models/wavlm/modeling_wavlm.py. Parameters have its names.
// Results equal its results to 1e-4, gradients to 1e-3 of their size.
//
// # Caveats
//
// Weights are read from safetensors or pytorch_model.bin (without running its pickle), whole or in
// shards, and half precision is widened to float32. NaN, infinities and matrices of zeros are
// refused unless speech.Options has AnyValues. Microsoft's own .pt of a WavLM has another layout:
// [Convert] makes a Hugging Face folder of it.
//
// Clips of several lengths can share a batch (Lengths of speech.Pass). Models whose convolutions
// have layer norm (Large) then return what each clip alone returns. Models with group norm (Base,
// Base+) do not, here as in transformers, since the first convolution is normalised over time with
// the padding. Run their clips of different lengths one by one. Frames of padding have no meaning
// and must never be pooled.
//
// All linear layers are called, and their weights are never read directly, so that adapters on them
// take part. In stock transformers, adapters on q_proj, k_proj, v_proj and out_proj of a WavLM have
// no effect until they are merged.
//
// The last hidden state of models with stable layer norm (Large) is taken before the encoder's
// final norm, as in transformers 5. transformers 4 took it after the norm; speech.PostNorm does.
//
// Batch norm, which some HuBERTs have before the positional convolution, uses the statistics of the
// checkpoint in training, too, where transformers uses those of the batch.
//
// SpecAugment and layer drop draw from the scope's seed. They follow the rules of the reference and
// not its random numbers.
package wavlm
