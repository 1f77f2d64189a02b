package experiment

import (
	"slices"

	"github.com/brainwavlm/bwlm/fault"
)

// Validate checks every key and what must hold between keys. The first fault is returned as a *fault.Error of kind
// Usage; its Where is the file, line and column of the value, or the setting that gave it.
func (e *Experiment) Validate() error {
	for i := range keys {
		k := &keys[i]
		v := k.field(e)
		if k.required() && empty(v) {
			return e.bad(k.name, "%s is missing", k.name).
				WithHint("add it, or start from experiment.Template")
		}
		if is := successor(k.name, encode(v)); is != "" {
			return e.bad(k.name, "%s: %s", k.name, retiredName{encode(v), is})
		}
		if why := k.check(v); why != "" {
			return e.bad(k.name, "%s: %s", k.name, why)
		}
	}
	return e.between()
}

// between checks constraints between keys.
func (e *Experiment) between() error {
	m, r, t := e.Model, e.Readout, e.Train
	switch {
	case m.StrideSeconds > m.WindowSeconds:
		return e.bad("model.stride_seconds", "model.stride_seconds: %s s leaves gaps of audio between windows of %s s",
			number(m.StrideSeconds), number(m.WindowSeconds)).WithHint("give a stride of at most model.window_seconds")
	case m.Extraction == ExtractChunks && m.ChunkSeconds < 2*m.WindowSeconds:
		return e.bad("model.chunk_seconds",
			"model.chunk_seconds: chunks of %s s overlap by a window of %s s, which leaves too little of them",
			number(m.ChunkSeconds), number(m.WindowSeconds)).WithHint("give at least twice model.window_seconds")
	case t.Mode == TrainLoRA && m.Layer == 0:
		return e.bad("model.layer", "model.layer: below layer 0 there is no layer to adapt").
			WithHint("read a higher layer, or set train.mode: readout")
	case t.Mode == TrainLoRA && len(e.Adapter.Layers) > 0 && slices.Max(e.Adapter.Layers) >= m.Layer:
		return e.bad("adapter.layers", "adapter.layers: layer %d is not run, since model.layer is %d",
			slices.Max(e.Adapter.Layers), m.Layer).WithHint("name layers 0 to %d, or auto", m.Layer-1)
	case r.Mode == ReadoutRidge && t.Mode == TrainReadout:
		return e.bad("readout.mode",
			"readout.mode: a ridge readout is not trained, and in train.mode readout nothing else is").
			WithHint("set train.mode: lora, or readout.mode: trained")
	case r.Mode == ReadoutRidge && r.LayerWeights != LayerWeightsNone:
		return e.bad("readout.layer_weights",
			"readout.layer_weights: they are trained with the readout, and a ridge readout is not trained").
			WithHint("set readout.mode: trained, or readout.layer_weights: none")
	case r.Mode == ReadoutTrained && r.RefitSteps > 0:
		return e.bad("readout.refit_steps",
			"readout.refit_steps: only ridge readouts are refitted").WithHint("set readout.mode: ridge")
	case r.LayerWeights != LayerWeightsNone && m.Layer == 0:
		return e.bad("readout.layer_weights", "readout.layer_weights: with model.layer 0 there is one hidden state").
			WithHint("read a higher layer")
	case len(t.RetainROI) > 0 && t.Mode == TrainReadout:
		return e.bad("train.retain_roi",
			"train.retain_roi: in train.mode readout the features stay as they are, so no ROI can lose").
			WithHint("remove it")
	case len(t.RetainROI) > 0 && t.BlockRows < 3:
		return e.bad("train.block_rows",
			"train.block_rows: the retention constraint correlates over the rows of a block and needs at least 3").
			WithHint("give a longer block")
	case e.Compat.BlockZScore && (len(t.RetainROI) > 0 || r.Mode == ReadoutRidge):
		return e.bad("compat", "compat: with the switch block_zscore, features in training differ from those that a "+
			"ridge readout or the retention "+
			"constraint is fitted to").WithHint("leave block_zscore out")
	case e.Eval.Layer == EvalLayerVoxel && len(e.Eval.Alphas) < 2:
		return e.bad("eval.alphas",
			"eval.alphas: eval.layer: voxel chooses by cross-validation, which one alpha does without").
			WithHint("give at least 2")
	case len(t.RetainROI) > 0 && t.LastBlock == "keep":
		return e.bad("train.last_block", "train.last_block: the retention constraint correlates over the rows of a "+
			"block, and keep allows 2").
			WithHint("set train.last_block: merge")
	case len(m.ReinitLayers) > 0 && t.Mode != TrainFull:
		return e.bad("model.reinit_layers", "model.reinit_layers: in train.mode %s the layers are not trained, so "+
			"they would stay at random", t.Mode).
			WithHint("set train.mode: full")
	case e.Adapter.Init != "" && t.Mode != TrainLoRA:
		return e.bad("adapter.init", "adapter.init: train.mode %s has no adapter",
			t.Mode).WithHint("set train.mode: lora, or remove it")
	case r.Init != "" && (r.Mode != ReadoutTrained || r.LayerWeights != LayerWeightsNone):
		return e.bad("readout.init", "readout.init: only a trained readout of one hidden state takes initial values").
			WithHint("set readout.mode: trained and readout.layer_weights: none, or remove it")
	case e.Eval.ReuseAlphas && e.Eval.Layer == EvalLayerVoxel:
		return e.bad("eval.reuse_alphas", "eval.reuse_alphas: eval.layer: voxel chooses the hidden state by "+
			"cross-validation, which given alphas do without").
			WithHint("set one of them to its default")
	case e.Eval.ReuseAlphas && e.Eval.Layer == EvalLayerStack:
		return e.bad("eval.reuse_alphas", "eval.reuse_alphas: with eval.layer: stack each fold and hidden state has "+
			"penalties of its own").WithHint("set one of them to its default")
	case e.Eval.HeldOutChunks != "" && e.Eval.Layer == EvalLayerStack:
		return e.bad("eval.held_out_chunks", "eval.held_out_chunks: eval.layer: stack chooses penalties without "+
			"some of the training rows, which have other chunks").WithHint("set one of them to its default")
	case t.Loss == LossNTXent && t.BlockRows < 2:
		return e.bad("train.block_rows",
			"train.block_rows: in a block of 1 row nt_xent has no other row to contrast with").
			WithHint("give a longer block")
	case e.Compat.BlockZScore && t.BlockRows < 2:
		return e.bad("train.block_rows", "train.block_rows: the switch block_zscore needs at least 2 rows").
			WithHint("give a longer block")
	}
	return nil
}

// bad makes an error about a key, placed where its value was given.
func (e *Experiment) bad(key, why string, args ...any) *fault.Error {
	where := e.name
	if w := e.where[key]; w != "" {
		where = w
	}
	return fault.New(fault.Usage, "experiment", where, why, args...)
}
