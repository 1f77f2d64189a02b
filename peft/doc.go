// Package peft adapts the linear layers of any model built with torch/nn by small trainable additions, and reads
// and writes them in the files of Hugging Face PEFT (adapter_config.json, adapter_model.safetensors; peft 0.21.2).
//
// An [Adapter] is an nn.Adapter: give it to the construction of a model's view and it wraps the layers that its
// [Config] targets. The base weights are shared and untouched, so a model with and one without the adapter, or
// with another one, stand side by side.
//
// LoRA (Hu et al. 2021, arXiv 2106.09685) adds to a frozen layer a product of two thin matrices,
//
//	y = W x + b + s·B(A x),  s = alpha/r, or alpha/√r for rsLoRA (Kalajdzievski 2023, arXiv 2312.03732)
//
// with A (r, in) drawn at random and B (out, r) zero at the start, so that training begins at the base model.
//
// The steps are: [New] or [Load]; build a view of the model with the adapter; [Adapter.Check]; train the parameters
// of [Adapter.Store]; [Adapter.Save]. [Adapter.Merge] adds the adapter to the base weights, for programs that know
// no adapters.
//
// An adapter that cannot change its model is the worst of failures, because everything else looks right: it is
// what stock Hugging Face WavLM does to LoRA on its attention projections (huggingface/transformers#48773).
// [Adapter.Prove] shows on one batch that every matrix gets a gradient and that the output moves.
//
// # Caveats
//
// Reading is strict where PEFT warns: an unknown option that is switched on, an unexpected key, a missing pair or
// a rank that does not fit is an error. Of PEFT's methods there is LoRA on linear layers, without DoRA, biases and
// modules_to_save; files with those are refused. Regular expressions are RE2: patterns with look-around or
// back-references are refused.
//
// PEFT sorts the keys of rank_pattern and alpha_pattern when it saves, although the first that fits counts; here
// their order is kept, which PEFT too reads as it stands.
package peft
