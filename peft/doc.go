// Package peft adapts any model built with torch/nn by small trainable additions, and reads and writes them in the files
// of Hugging Face PEFT (adapter_config.json, adapter_model.safetensors; peft 0.21.2).
//
// An [Adapter] is an nn.Adapter: give it to the construction of a model's view and it wraps the layers that its
// [Config] targets, and puts its own copies in the place of parameters that are trained themselves. The base weights are
// shared and untouched, so a model with and one without the adapter, or with others, stand side by side.
//
// How layers are adapted is up to the config's [Method]: [LoRA] (with rsLoRA and DoRA), [IA3], [VeRA], [NormTuning] or
// [BitFit]. Each is one file, and so is the next. docs/adapters.md compares them.
//
// The steps are: [New] or [Load]; build a view of the model with the adapter; [Adapter.Check]; train the parameters
// of [Adapter.Store]; [Adapter.Save]. [Merge] adds adapters to the base weights, for programs that know none. A [Set]
// holds several by name, [Stack] makes several active at once, [Combine] makes one of several.
//
// An adapter that cannot change its model is the worst of failures, because everything else looks right: it is
// what stock Hugging Face WavLM does to LoRA on its attention projections (huggingface/transformers#48773).
// [Adapter.Prove] shows on one batch that every parameter gets a gradient and that the output moves; [Adapter.Idle] finds
// layers in which a trained one changes nothing.
//
// # Caveats
//
// Reading is strict where PEFT warns: an unknown option that is switched on, an unexpected key, a missing tensor or a
// shape that does not fit is an error. Regular expressions are RE2: patterns with look-around or back-references are
// refused. What would depend on the order of adapters is refused, too (see [Effect]).
//
// PiSSA and OLoRA start at a part of the weights, which PEFT takes out of them. Here the base stays what it is, and they
// are saved as a plain LoRA of twice the rank.
//
// PEFT sorts the keys of rank_pattern and alpha_pattern when it saves, although the first that fits counts; here
// their order is kept, which PEFT too reads as it stands.
package peft
