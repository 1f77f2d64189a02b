// Package peft adapts models built with torch/nn by small trainable additions, and reads and writes
// them in the files of Hugging Face PEFT (adapter_config.json, adapter_model.safetensors; peft
// 0.21.2). It knows no model.
//
// An [Adapter] is an nn.Adapter. When a view of a model is built with it, it wraps the layers that
// its [Config] targets, and replaces parameters that are trained as they are by its own copies. The
// base weights are shared and unchanged, so a model with the adapter and one without it, or with
// others, exist side by side.
//
// The config's [Method] decides how layers are adapted: [LoRA] (with rsLoRA and DoRA), [IA3],
// [VeRA], [NormTuning] or [BitFit]. docs/adapters.md compares them.
//
// The steps are: [New] or [Load]; build a view of the model with the adapter; [Adapter.Check];
// train the parameters of [Adapter.Store]; [Adapter.Save]. A speech encoder's WithAdapter does the
// second and third. [Merge] adds adapters to the base weights, for programs that know no adapters.
// [Combine] makes one adapter of several, and nn.Stack makes several active in one view.
//
// An adapter that cannot change its model fails without an error: LoRA on the attention projections
// of WavLM in Hugging Face transformers is an example (huggingface/transformers#48773).
// [Adapter.CheckTrains] runs one batch and returns an error unless every parameter gets a gradient
// and the output changes. [Adapter.Inactive] lists the layers in which an adapter changes nothing.
//
// # Caveats
//
// Reading is strict where PEFT warns. An unknown option that is switched on, an unexpected key, a
// missing tensor and a shape that does not fit are errors. Regular expressions are RE2, so patterns
// with look-around or back-references are refused.
//
// Several adapters may change one layer if their order has no influence: additions (LoRA, VeRA) or
// factors (IA3), but not both, and nothing else next to DoRA or a copy.
//
// PiSSA and OLoRA start at a part of the weights, which PEFT subtracts from the base weights. The
// base weights stay unchanged here, and such an adapter is saved as a plain LoRA of twice the rank.
//
// PEFT sorts the keys of rank_pattern and alpha_pattern when it saves, although the first key that
// matches counts. This package keeps their order, which PEFT reads correctly, too.
package peft
