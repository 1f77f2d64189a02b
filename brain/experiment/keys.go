package experiment

import (
	"iter"
	"slices"
	"strings"
)

// key is one row of the table: everything there is to know about one key of the file.
type key struct {
	name    string                // "section.leaf", or "leaf" at the top level
	doc     string                // for the template; a line break where the comment breaks
	example string                // YAML shown in the template; only required keys have one
	path    bool                  // a file name, made absolute
	field   func(*Experiment) any // pointer to the field
	check   func(v any) string    // given that pointer, what is wrong with the value, or ""
}

func (k *key) required() bool { return k.example != "" }

// split gives section and leaf; a top-level key has no section.
func (k *key) split() (section, leaf string) {
	if section, leaf, ok := strings.Cut(k.name, "."); ok {
		return section, leaf
	}
	return "", k.name
}

// find gives the row of a key, nil if there is none.
func find(name string) *key {
	for i := range keys {
		if keys[i].name == name {
			return &keys[i]
		}
	}
	return nil
}

// names goes through the full names of the keys that keep returns true for.
func names(keep func(section, leaf string) bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range keys {
			if keep(keys[i].split()) && !yield(keys[i].name) {
				return
			}
		}
	}
}

// sections orders the file and heads each section of the template.
var sections = []struct{ name, doc string }{
	{"model", "The speech model and how its frames become one vector of features per fMRI volume (TR)."},
	{"adapter", "The low-rank adapters that are tuned (train.mode: lora)."},
	{"data", "Whose responses to which stories."},
	{"readout", "From features to voxels: FIR delays, then a bottleneck."},
	{"train", "Tuning."},
	{"eval", "The ridge regression that scores base and tuned features."},
	{"", ""},
}

// sectionNames lists the sections, without the top level.
func sectionNames() []string {
	var out []string
	for _, s := range sections {
		if s.name != "" {
			out = append(out, s.name)
		}
	}
	return out
}

func isSection(name string) bool { return slices.Contains(sectionNames(), name) }

// keys is the table. The defaults of window, layer, rank, bottleneck, rates and ridge are those of the code that the
// authors of BrainWavLM released (chengemily1/brain-id-abstract, scripts/finetuning/brain_finetune.py and
// brain_refit_linear.py); where that code has a trap, the default is the sound choice and compat brings the trap back.
var keys = []key{
	{"model.path", "Directory of the speech model in Hugging Face's form: config.json, model.safetensors.",
		"models/wavlm-base-plus", true, func(e *Experiment) any { return &e.Model.Path }, given},
	{"model.layer", "Which hidden state is read: 0 is the input of the first block, 9 the output of the ninth.",
		"", false, func(e *Experiment) any { return &e.Model.Layer }, whole(0, 1000)},
	{"model.window_seconds", "Seconds of audio behind one feature vector. At a story's start windows are shorter.",
		"", false, func(e *Experiment) any { return &e.Model.WindowSeconds }, within(0.025, 3600)},
	{"model.stride_seconds", "Seconds from one window's end to the next one's.",
		"", false, func(e *Experiment) any { return &e.Model.StrideSeconds }, above(0)},
	{"model.mode", "windows (each goes through the model by itself) | block (windows are read from longer clips, which overlap\n" +
		"by a window: many times cheaper, not the same numbers; see bwlm plan).",
		"", false, func(e *Experiment) any { return &e.Model.Mode }, oneOf("windows", "block")},
	{"model.block_seconds", "Seconds of a clip in mode block. A row's audio then reaches a clip ahead and back: splits need gaps.",
		"", false, func(e *Experiment) any { return &e.Model.BlockSeconds }, within(0.05, 3600)},
	{"model.token", "Frame that stands for a window: first | last | mean.",
		"", false, func(e *Experiment) any { return &e.Model.Token }, oneOf("first", "last", "mean")},
	{"model.normalise", "Waveform to mean 0 and SD 1: auto | story | window | none. auto: over the story if the model was made\n" +
		"for it (preprocessor_config.json). Over windows, loudness between windows is lost.",
		"", false, func(e *Experiment) any { return &e.Model.Normalise }, oneOf("auto", "story", "window", "none")},
	{"model.downsample", "From windows to TRs: lanczos (3 lobes, cutoff 1/TR) | average.",
		"", false, func(e *Experiment) any { return &e.Model.Downsample }, oneOf("lanczos", "average")},

	{"adapter.type", "lora (scale alpha/r) | rslora (scale alpha/sqrt(r)).",
		"", false, func(e *Experiment) any { return &e.Adapter.Type }, oneOf("lora", "rslora")},
	{"adapter.r", "Rank.",
		"", false, func(e *Experiment) any { return &e.Adapter.R }, whole(1, 4096)},
	{"adapter.alpha", "Numerator of the scale.",
		"", false, func(e *Experiment) any { return &e.Adapter.Alpha }, above(0)},
	{"adapter.dropout", "Dropout on the adapter's input.",
		"", false, func(e *Experiment) any { return &e.Adapter.Dropout }, probability},
	{"adapter.targets", "Linear modules that get an adapter, or all-linear.",
		"", false, func(e *Experiment) any { return &e.Adapter.Targets }, targetNames},
	{"adapter.layers", "Encoder layers, the first is 0. auto: all below model.layer. Layers above are never run.",
		"", false, func(e *Experiment) any { return &e.Adapter.Layers }, layerList},

	{"data.path", "Directory of the data set, which holds dataset.yaml.",
		"data/alice", true, func(e *Experiment) any { return &e.Data.Path }, given},
	{"data.subjects", "People: names, globs, or all. Text that begins with * needs quotes.",
		"all", false, func(e *Experiment) any { return &e.Data.Subjects }, someNames},
	{"data.train", "Stories, or rows (TRs) of one story, the end not included. In a list with quotes: [\"a[10:200]\", b].",
		"alice[10:200]", false, func(e *Experiment) any { return &e.Data.Train }, storyRows},
	{"data.val", "As train. The epoch is chosen here.",
		"alice[210:240]", false, func(e *Experiment) any { return &e.Data.Val }, storyRows},
	{"data.test", "As train. Scored once, at the end. Splits that share audio are refused.",
		"alice[250:362]", false, func(e *Experiment) any { return &e.Data.Test }, storyRows},
	{"data.roi", "Regions of the data set that are tuned on. []: all voxels. a&b is what two regions have in common.",
		"", false, func(e *Experiment) any { return &e.Data.ROI }, distinct},
	{"data.roi_balance", "Regions that weigh the same in the loss, whatever their number of voxels; others are not tuned on.\n" +
		"[]: each voxel weighs the same.",
		"", false, func(e *Experiment) any { return &e.Data.ROIBalance }, distinct},
	{"data.detrend", "Slow drift removed per voxel over the whole run: none | legendre:N (polynomials up to degree N).",
		"", false, func(e *Experiment) any { return &e.Data.Detrend }, detrend},
	{"data.zscore", "Responses to mean 0 and SD 1 by the statistics of: story | train | none.",
		"", false, func(e *Experiment) any { return &e.Data.ZScore }, oneOf("story", "train", "none")},
	{"data.trim", "Rows dropped from start and end of a whole story. Explicit row ranges are taken as they are.",
		"", false, func(e *Experiment) any { return &e.Data.Trim }, trim},
	{"data.allow_leak", "true: go on where splits share audio, which is refused otherwise. The manifest and all results say so.",
		"", false, func(e *Experiment) any { return &e.Data.AllowLeak }, anything},

	{"readout.mode", "trained (with the model, by gradient) | pinned (a direct map by ridge on the features as they are,\n" +
		"fitted anew at the end of each epoch, never trained).",
		"", false, func(e *Experiment) any { return &e.Readout.Mode }, oneOf("trained", "pinned")},
	{"readout.refresh_steps", "Fit a pinned readout anew every so many steps, too; each time reads all training stories. 0: do not.",
		"", false, func(e *Experiment) any { return &e.Readout.RefreshSteps }, whole(0, 1_000_000)},
	{"readout.layer_mix", "none | voxel | region: who has a soft choice among hidden states 0 to model.layer, trained with the\n" +
		"readout. Scores still read model.layer; see eval.layer.",
		"", false, func(e *Experiment) any { return &e.Readout.LayerMix }, oneOf("none", "voxel", "region")},
	{"readout.bottleneck", "Width of the bottleneck; 0: one direct linear map.",
		"", false, func(e *Experiment) any { return &e.Readout.Bottleneck }, whole(0, 1<<20)},
	{"readout.delays_seconds", "How much later a voxel may answer. Rounded to TRs.",
		"", false, func(e *Experiment) any { return &e.Readout.DelaysSeconds }, rising(0, 120)},

	{"train.mode", "lora (adapters and readout) | full (the whole model and readout) | readout (the model stays as it is).",
		"", false, func(e *Experiment) any { return &e.Train.Mode }, oneOf("lora", "full", "readout")},
	{"train.loss", "auto | spatial | temporal | mse | cosine_l2 | nt_xent. auto: spatial with 50 voxels or more, else temporal.\n" +
		"spatial: r across voxels. temporal: r across the rows of a block. nt_xent: which row of the block is it?",
		"", false, func(e *Experiment) any { return &e.Train.Loss }, oneOf("auto", "spatial", "temporal", "mse", "cosine_l2", "nt_xent")},
	{"train.cosine_share", "Share of the cosine across voxels in cosine_l2; the rest is the mean square.",
		"", false, func(e *Experiment) any { return &e.Train.CosineShare }, within(0, 1)},
	{"train.temperature", "Temperature of nt_xent: the lower, the more the most similar rows count.",
		"", false, func(e *Experiment) any { return &e.Train.Temperature }, within(1e-3, 100)},
	{"train.reliability", "Weigh voxels in the loss by CC_max squared, from repeats in a split: none | train | val | test.\n" +
		"test is not independent of the scores, and the run says so.",
		"", false, func(e *Experiment) any { return &e.Train.Reliability }, oneOf("none", "train", "val", "test")},
	{"train.weights", "An .npy file with a weight from 0 for each voxel in the loss; {subject} stands for the name.",
		"", true, func(e *Experiment) any { return &e.Train.Weights }, optionalFile(".npy")},
	{"train.guard_roi", "Regions that must not get worse than in the untuned model: a penalty in the loss, and a condition on\n" +
		"the epoch that is chosen. []: none.",
		"", false, func(e *Experiment) any { return &e.Train.GuardROI }, distinct},
	{"train.guard_weight", "Weight of the penalty: loss for each r that the guarded regions lose.",
		"", false, func(e *Experiment) any { return &e.Train.GuardWeight }, within(0, 1e6)},
	{"train.guard_margin", "How much r the guarded regions may lose.",
		"", false, func(e *Experiment) any { return &e.Train.GuardMargin }, within(0, 1)},
	{"train.joint", "Several subjects: shared (one forward per block, losses averaged) | sequential (one step each).",
		"", false, func(e *Experiment) any { return &e.Train.Joint }, oneOf("shared", "sequential")},
	{"train.epochs", "Passes over the training rows. The best on val is kept; epoch 0, untuned, is a candidate.",
		"", false, func(e *Experiment) any { return &e.Train.Epochs }, whole(1, 1_000_000)},
	{"train.block_trs", "Rows of one optimizer step.",
		"", false, func(e *Experiment) any { return &e.Train.BlockTRs }, whole(1, 1_000_000)},
	{"train.halo_trs", "Rows of features computed before a block, so that its first rows have their history.",
		"", false, func(e *Experiment) any { return &e.Train.HaloTRs }, whole(0, 1000)},
	{"train.lr", "Learning rate of the adapters (of the model in mode full).",
		"", false, func(e *Experiment) any { return &e.Train.LR }, above(0)},
	{"train.readout_lr", "Learning rate of the readout.",
		"", false, func(e *Experiment) any { return &e.Train.ReadoutLR }, above(0)},
	{"train.mix_lr", "Learning rate of the readout's layer mix.",
		"", false, func(e *Experiment) any { return &e.Train.MixLR }, above(0)},
	{"train.dropout", "Dropout inside the model.",
		"", false, func(e *Experiment) any { return &e.Train.Dropout }, probability},
	{"train.layerdrop", "Probability that a layer is passed over in a step.",
		"", false, func(e *Experiment) any { return &e.Train.LayerDrop }, probability},
	{"train.spec_augment", "Probability that a frame starts a masked span.",
		"", false, func(e *Experiment) any { return &e.Train.SpecAugment }, probability},
	{"train.seed", "Same seed, same machine, same thread count: same bits.",
		"", false, func(e *Experiment) any { return &e.Train.Seed }, anything},

	{"eval.layer", "model (all voxels are read from model.layer) | voxel (each from the hidden state up to it that\n" +
		"cross-validation on the training rows likes best, before and after tuning).",
		"", false, func(e *Experiment) any { return &e.Eval.Layer }, oneOf("model", "voxel")},
	{"eval.alphas", "Candidates for each voxel, as a list or logspace(FROM, TO, N). The penalty is alpha squared.",
		"", false, func(e *Experiment) any { return &e.Eval.Alphas }, risingAbove0},
	{"eval.boots", "Bootstrap folds.",
		"", false, func(e *Experiment) any { return &e.Eval.Boots }, whole(1, 10_000)},
	{"eval.chunk_trs", "Rows that stay together in a fold.",
		"", false, func(e *Experiment) any { return &e.Eval.ChunkTRs }, whole(1, 1_000_000)},
	{"eval.held_out", "Share of the training chunks held out in each fold.",
		"", false, func(e *Experiment) any { return &e.Eval.HeldOut }, share},

	{"compat", "none | paper | a list of switches that bring back single habits of the authors' code:\n" +
		strings.Join(switchNames()[:5], ", ") + ",\n" + strings.Join(switchNames()[5:], ", ") +
		".\nA key given in this file wins over a switch.",
		"", false, func(e *Experiment) any { return &e.Compat }, anything},
	{"device", "auto (a GPU if there is one) | cpu | cuda | cuda:N.",
		"", false, func(e *Experiment) any { return &e.Device }, device},
	{"dtype", "f32 | bf16: numbers in which linear layers multiply | auto (bf16 where the device has it); the run's settings\n" +
		"have what was chosen. bf16 takes less time and memory and has 8 bits, see docs/performance.md.",
		"", false, func(e *Experiment) any { return &e.DType }, oneOf("auto", "f32", "bf16")},
	{"max_memory", "none | 8GiB or the like: most memory of the process. How much is computed at once and kept goes by it.",
		"", false, func(e *Experiment) any { return &e.MaxMemory }, memory},
	{"out", "Directory of the run: settings, checkpoints, adapter, scores.",
		"runs/alice", true, func(e *Experiment) any { return &e.Out }, given},
}
