package experiment

import (
	"cmp"
	"iter"
	"strings"
)

// key is one row of the table: a key of the file with its documentation, field and check.
type key struct {
	name    string                // "section.leaf", or "leaf" at the top level
	doc     string                // for the template; a line break where the comment breaks
	example string                // YAML shown in the template; only required keys have one
	path    bool                  // a file name, made absolute
	field   func(*Experiment) any // pointer to the field
	check   func(v any) string    // given that pointer, what is wrong with the value, or ""
}

func (k *key) required() bool { return k.example != "" }

// split returns section and leaf; a top-level key has no section.
func (k *key) split() (section, leaf string) {
	if section, leaf, ok := strings.Cut(k.name, "."); ok {
		return section, leaf
	}
	return "", k.name
}

// find returns the row of a key, or nil.
func find(name string) *key {
	for i := range keys {
		if keys[i].name == name {
			return &keys[i]
		}
	}
	return nil
}

// names iterates over the full names of the keys for which keep returns true.
func names(keep func(section, leaf string) bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range keys {
			if keep(keys[i].split()) && !yield(keys[i].name) {
				return
			}
		}
	}
}

// keys is the table. The defaults of window, layer, rank, bottleneck, rates and ridge are those of the code that the
// authors of BrainWavLM released (chengemily1/brain-id-abstract, scripts/finetuning/brain_finetune.py and
// brain_refit_linear.py). Where that code is unsound, the default is the sound choice and compat reproduces that code.
var keys = []key{
	{"model.path", "Directory of the speech model in Hugging Face's format: config.json, model.safetensors.",
		"models/wavlm-base-plus", true, func(e *Experiment) any { return &e.Model.Path }, given},
	{"model.layer", "Hidden state that is read: 0 is the input of the first block, 9 the output of the ninth.",
		"", false, func(e *Experiment) any { return &e.Model.Layer }, whole(0, 1000)},
	{"model.window_seconds", "Seconds of audio behind one feature vector. At a story's start windows are shorter.",
		"", false, func(e *Experiment) any { return &e.Model.WindowSeconds }, within(0.025, 3600)},
	{"model.stride_seconds", "Seconds from one window's end to the next one's.",
		"", false, func(e *Experiment) any { return &e.Model.StrideSeconds }, above(0)},
	{"model.extraction",
		"windows (each goes through the model by itself) | chunks (windows are read from longer chunks of audio,\n" +
			"which overlap by a window: many times cheaper, but not the same numbers; see docs/chunks.md) | clip\n" +
			"(design series: one pass over each clip, frames averaged in bins. Acausal: a bin depends on all of its\n" +
			"clip).",
		"", false, func(e *Experiment) any { return &e.Model.Extraction },
		oneOf(ExtractWindows, ExtractChunks, ExtractClip)},
	{"model.chunk_seconds",
		"Seconds of a chunk, at least two windows. The stimulus window of a row then extends by a chunk to both\n" +
			"sides: splits need gaps.",
		"", false, func(e *Experiment) any { return &e.Model.ChunkSeconds }, within(0.05, 3600)},
	{"model.pooling",
		"From the frames of a window to its vector: last | first | mean | index:N (frame N from 0, or from the end\n" +
			"if negative; in a window of fewer frames the nearest).",
		"", false, func(e *Experiment) any { return &e.Model.Pooling }, pooling},
	{"model.normalise",
		"Waveform to mean 0 and SD 1: auto | story | window | none. auto: over the story if the model was made\n" +
			"for it (preprocessor_config.json). Over windows, loudness between windows is lost.",
		"", false, func(e *Experiment) any { return &e.Model.Normalise },
		oneOf(NormaliseAuto, NormaliseStory, NormaliseWindow, NormaliseNone)},
	{"model.context",
		"What a window or chunk is heard in: auto | 30s | window. A Whisper pads it to 30 s (auto, 30s), as in its\n" +
			"training, or hears it alone: several times cheaper, and not the same numbers. Other models: window.",
		"", false, func(e *Experiment) any {
			e.Model.Context = cmp.Or(e.Model.Context, ContextAuto) // a program may not name it
			return &e.Model.Context
		}, oneOf(ContextAuto, Context30s, ContextWindow)},
	{"model.downsample", "From windows to TRs: lanczos (3 lobes, cutoff 1/TR) | average.",
		"", false, func(e *Experiment) any { return &e.Model.Downsample }, oneOf(DownsampleLanczos, DownsampleAverage)},
	{"model.clip_window",
		"Design event: the seconds of each clip that are read, such as [0.5, 1.5]. []: the whole clip. It is one\n" +
			"window, so that window_seconds, stride_seconds and downsample have no part; pooling is mean unless given.",
		"", false, func(e *Experiment) any { return &e.Model.ClipWindow }, clipWindow},
	{"model.reinit_layers",
		"Encoder layers, the first is 0, that tuning starts at random (train.mode: full). Scores compare with the\n" +
			"model as it was pretrained.",
		"", false, func(e *Experiment) any { return (*numbers)(&e.Model.ReinitLayers) }, listedLayers},

	{"adapter.type", "lora (scale alpha/r) | rslora (scale alpha/sqrt(r)).",
		"", false, func(e *Experiment) any { return &e.Adapter.Type }, oneOf("lora", "rslora")},
	{"adapter.r", "Rank.",
		"", false, func(e *Experiment) any { return &e.Adapter.R }, whole(1, 4096)},
	{"adapter.alpha", "Numerator of the scale.",
		"", false, func(e *Experiment) any { return &e.Adapter.Alpha }, above(0)},
	{"adapter.dropout", "Dropout on the adapter's input.",
		"", false, func(e *Experiment) any { return &e.Adapter.Dropout }, probability},
	{"adapter.targets",
		"Linear layers that get an adapter: auto (the model family's usual choice; in WavLM query, key and value) |\n" +
			"attention (all projections of attention) | all-linear | a list of names, or of ends of names.",
		"", false, func(e *Experiment) any { return &e.Adapter.Targets }, targetNames},
	{"adapter.layers", "Encoder layers, the first is 0. auto: all below model.layer. Layers above it are not run.",
		"", false, func(e *Experiment) any { return &e.Adapter.Layers }, layerList},
	{"adapter.init",
		"Folder of an adapter in PEFT's format whose values tuning starts from; layers that it has beyond these are\n" +
			"left out. \"\": drawn, B being 0.",
		"", true, func(e *Experiment) any { return &e.Adapter.Init }, given},

	{"data.path", "Directory of the data set, which holds dataset.yaml.",
		"data/alice", true, func(e *Experiment) any { return &e.Data.Path }, given},
	{"data.subjects", "Subjects: names, globs, or all. Text that begins with * needs quotes.",
		"all", false, func(e *Experiment) any { return &e.Data.Subjects }, someNames},
	{"data.train",
		"Stories, or rows (TRs) of one story, the end not included. In a list with quotes: [\"a[10:200]\", b].\n" +
			"Of clips: their names, or labels such as category=music, fold!=0, or \"group=vocal&fold!=0\".",
		"alice[10:200]", false, func(e *Experiment) any { return &e.Data.Train }, storyRows},
	{"data.val", "As train. The epoch is chosen here.",
		"alice[210:240]", false, func(e *Experiment) any { return &e.Data.Val }, storyRows},
	{"data.test", "As train. Scored once, at the end. Splits that share audio are refused.",
		"alice[250:362]", false, func(e *Experiment) any { return &e.Data.Test }, storyRows},
	{"data.roi", "ROIs of the data set that are tuned on. []: all voxels. a&b is the intersection of two ROIs.",
		"", false, func(e *Experiment) any { return &e.Data.ROI }, distinct},
	{"data.roi_balance",
		"ROIs that have the same total weight in the loss, whatever their number of voxels; others are not\n" +
			"tuned on. []: each voxel has the same weight.",
		"", false, func(e *Experiment) any { return &e.Data.ROIBalance }, distinct},
	{"data.detrend", "Slow drift removed per voxel over the whole run: none | legendre:N (polynomials up to degree N).",
		"", false, func(e *Experiment) any { return &e.Data.Detrend }, detrend},
	{"data.zscore", "Responses to mean 0 and SD 1 by the statistics of: story | train | none.",
		"", false, func(e *Experiment) any { return &e.Data.ZScore }, oneOf(ZScoreStory, ZScoreTrain, ZScoreNone)},
	{"data.trim", "Rows dropped from start and end of a whole story. Explicit row ranges are taken as they are.\n" +
		"The default is not applied to a data set that says trimmed: true.",
		"", false, func(e *Experiment) any { return &e.Data.Trim }, trim},
	{"data.allow_leak",
		"true: allow splits that share audio and responses under two names. Manifest and all results say so.",
		"", false, func(e *Experiment) any { return &e.Data.AllowLeak }, anything},
	{"data.use_test_repeats",
		"true: allow train.reliability: test, which is refused otherwise. With four repeats or more, weights and\n" +
			"ceilings come from odd and scores from even ones. All tables say so.",
		"", false, func(e *Experiment) any { return &e.Data.UseTestRepeats }, anything},
	{"data.allow_truncated", "true: read recordings that end early, or MP3 whose data are missing in places, as far\n" +
		"as they go, with a note in all results. They are refused otherwise.",
		"", false, func(e *Experiment) any { return &e.Data.AllowTruncated }, anything},
	{"data.allow_shared",
		"Pairs of stories in different splits that may share audio, such as a signature tune: [\"a:b\"], or globs.\n" +
			"Others are refused beyond 5 s, or 1 % of a story. Recorded in the manifest.",
		"", false, func(e *Experiment) any { return &e.Data.AllowShared }, storyPairs},

	{"readout.mode",
		"trained (by gradient, with the model) | ridge (closed form: the ridge on the features as they are,\n" +
			"refitted at the end of each epoch; no gradient reaches it).",
		"", false, func(e *Experiment) any { return &e.Readout.Mode }, oneOf(ReadoutTrained, ReadoutRidge)},
	{"readout.refit_steps",
		"Optimizer steps between refits of a ridge readout within an epoch; each reads all training stories.\n" +
			"0: none within an epoch.",
		"", false, func(e *Experiment) any { return &e.Readout.RefitSteps }, whole(0, 1_000_000)},
	{"readout.layer_weights",
		"none | voxel | roi: each of them has a weighted sum of hidden states 0 to model.layer, whose softmax\n" +
			"weights are learned with the readout. Scores still read model.layer; see eval.layer.",
		"", false, func(e *Experiment) any { return &e.Readout.LayerWeights },
		oneOf(LayerWeightsNone, LayerWeightsVoxel, LayerWeightsROI)},
	{"readout.bottleneck", "Width of the bottleneck; 0: one direct linear map.",
		"", false, func(e *Experiment) any { return &e.Readout.Bottleneck }, whole(0, 1<<20)},
	{"readout.bias", "Initial biases: zeros | uniform (within 1/sqrt(inputs), as PyTorch's Linear).",
		"", false, func(e *Experiment) any { return &e.Readout.Bias }, oneOf("zeros", "uniform")},
	{"readout.init",
		"A .safetensors file of a readout, such as a run writes, whose values tuning starts from; {subject} stands\n" +
			"for the name. \"\": drawn.",
		"", true, func(e *Experiment) any { return &e.Readout.Init }, optionalFile(".safetensors")},
	{"readout.delays_seconds", "FIR delays of the responses after the stimulus. Rounded to TRs.",
		"", false, func(e *Experiment) any { return &e.Readout.DelaysSeconds }, rising(0, 120)},
	{"readout.lags_ms",
		"Design series: lags of the responses after the stimulus in ms, multiples of bin_ms.",
		"", false, func(e *Experiment) any { return &e.Readout.LagsMS }, rising(0, 120_000)},
	{"readout.lag_windows",
		"Design series: windows of lags, NAME=FROM:TO in ms, such as [early=0:80, late=160:240], with both ends.\n" +
			"Each is scored by itself, with all multiples of bin_ms in it, for a table of channels.",
		"", false, func(e *Experiment) any { return &e.Readout.LagWindows }, lagWindows},

	{"train.mode",
		"lora (adapters and readout) | full (the whole model and readout) | readout (the model stays as it is).",
		"", false, func(e *Experiment) any { return &e.Train.Mode }, oneOf(TrainLoRA, TrainFull, TrainReadout)},
	{"train.loss",
		"auto | spatial | temporal | mse | cosine_l2 | nt_xent. auto: spatial with 50 voxels or more, else\n" +
			"temporal. spatial: r across voxels. temporal: r across the rows of a block. nt_xent: contrastive.",
		"", false, func(e *Experiment) any { return &e.Train.Loss },
		oneOf(LossAuto, LossSpatial, LossTemporal, LossMSE, LossCosineL2, LossNTXent)},
	{"train.cosine_share", "Weight of the cosine across voxels in cosine_l2; the rest is the mean squared error.",
		"", false, func(e *Experiment) any { return &e.Train.CosineShare }, within(0, 1)},
	{"train.temperature", "Temperature of nt_xent.",
		"", false, func(e *Experiment) any { return &e.Train.Temperature }, within(1e-3, 100)},
	{"train.reliability",
		"Weight voxels in the loss by CC_max squared, estimated from the repeats of a split: none | train | val |\n" +
			"test. test is not independent of the scores, and refused without data.use_test_repeats.",
		"", false, func(e *Experiment) any { return &e.Train.Reliability }, oneOf("none", "train", "val", "test")},
	{"train.weights", "An .npy file with a weight from 0 for each voxel in the loss; {subject} stands for the name.",
		"", true, func(e *Experiment) any { return &e.Train.Weights }, optionalFile(".npy")},
	{"train.retain_roi",
		"Retention constraint: ROIs that must not fall below the untuned model, by a penalty in the loss and a\n" +
			"condition on the epoch that is chosen. []: none.",
		"", false, func(e *Experiment) any { return &e.Train.RetainROI }, distinct},
	{"train.retain_weight", "Weight of the penalty: loss per r that the retained ROIs lose beyond the margin.",
		"", false, func(e *Experiment) any { return &e.Train.RetainWeight }, within(0, 1e6)},
	{"train.retain_margin", "Loss of r that the constraint allows.",
		"", false, func(e *Experiment) any { return &e.Train.RetainMargin }, within(0, 1)},
	{"train.joint",
		"Several subjects: shared (one forward pass per block, losses averaged) | sequential (one step each).",
		"", false, func(e *Experiment) any { return &e.Train.Joint }, oneOf(JointShared, JointSequential)},
	{"train.epochs", "Passes over the training rows. The best epoch on val is kept; epoch 0, untuned, is a candidate.",
		"", false, func(e *Experiment) any { return &e.Train.Epochs }, whole(1, 1_000_000)},
	{"train.epoch_by",
		"Score that chooses the epoch: pooled (r over the validation rows of all stories) | story_mean (mean over\n" +
			"stories of r over the rows of each).",
		"", false, func(e *Experiment) any { return &e.Train.EpochBy }, oneOf("pooled", "story_mean")},
	{"train.order",
		"Blocks of an epoch: shuffled (anew in each epoch) | listed (story by story as data.train lists them, the\n" +
			"same in each epoch).",
		"", false, func(e *Experiment) any { return &e.Train.Order }, oneOf("shuffled", "listed")},
	{"train.block_rows", "Contiguous rows of one optimizer step.",
		"", false, func(e *Experiment) any { return &e.Train.BlockRows }, whole(1, 1_000_000)},
	{"train.last_block",
		"Rows that are left at the end: merge (less than half a block joins the block before) | keep (2 rows or\n" +
			"more are a block, 1 row is left out).",
		"", false, func(e *Experiment) any { return &e.Train.LastBlock }, oneOf("merge", "keep")},
	{"train.context_rows",
		"Rows of features computed before a block, so that the delays of its first rows have their history.",
		"", false, func(e *Experiment) any { return &e.Train.ContextRows }, whole(0, 1000)},
	{"train.unit_windows",
		"Windows are computed in units of this many, so that max_memory changes no bit of a result. A memory\n" +
			"bound that does not hold one unit is refused.",
		"", false, func(e *Experiment) any { return &e.Train.UnitWindows }, whole(1, 1_000_000)},
	{"train.lr", "Learning rate of the adapters (of the model in mode full).",
		"", false, func(e *Experiment) any { return &e.Train.LR }, above(0)},
	{"train.readout_lr", "Learning rate of the readout.",
		"", false, func(e *Experiment) any { return &e.Train.ReadoutLR }, above(0)},
	{"train.layer_weights_lr", "Learning rate of the readout's layer weights.",
		"", false, func(e *Experiment) any { return &e.Train.LayerWeightsLR }, above(0)},
	{"train.dropout", "Dropout inside the model.",
		"", false, func(e *Experiment) any { return &e.Train.Dropout }, probability},
	{"train.layerdrop", "Probability that a layer is skipped in a step.",
		"", false, func(e *Experiment) any { return &e.Train.LayerDrop }, probability},
	{"train.spec_augment",
		"Share of the frames of a window that SpecAugment masks, in spans of 10 frames that may overlap; where it\n" +
			"is above 0, at least 2 spans (mask_time_prob of transformers).",
		"", false, func(e *Experiment) any { return &e.Train.SpecAugment }, probability},
	{"train.convolutions",
		"true: train.mode full trains the convolutional front end, too, whose output can then not be cached.",
		"", false, func(e *Experiment) any { return &e.Train.Convolutions }, anything},
	{"train.checkpoint_minutes",
		"A checkpoint is saved within an epoch, too, once so many minutes have passed since the last; 0: at the end\n" +
			"of epochs alone.",
		"", false, func(e *Experiment) any { return &e.Train.CheckpointMinutes }, within(0, 1e6)},
	{"train.keep_epochs", "true: keep the adapter or model and the readout of each epoch, as epochs/N of the run.",
		"", false, func(e *Experiment) any { return &e.Train.KeepEpochs }, anything},
	{"train.save_features",
		"Features at rows, neither standardised nor delayed, that are written at the end of each epoch for all\n" +
			"stories, as features/epoch-N of the run: none | layer (model.layer) | all (all hidden states).",
		"", false, func(e *Experiment) any { return &e.Train.SaveFeatures },
		oneOf("none", "layer", "all")},
	{"train.seed", "Same seed, machine and number of threads: bit-identical results.",
		"", false, func(e *Experiment) any { return &e.Train.Seed }, anything},

	{"eval.layer",
		"model (all voxels are scored from model.layer) | voxel (each from the hidden state up to it that is best\n" +
			"in cross-validation on the training rows, before and after tuning) | stack (each from all of them:\n" +
			"the sum of their predictions with weights from 0 on that add up to 1, found on held-out training rows).",
		"", false, func(e *Experiment) any { return &e.Eval.Layer },
		oneOf(EvalLayerModel, EvalLayerVoxel, EvalLayerStack)},
	{"eval.folds",
		"none | stories (cross-validation: each story of data.train, data.val and data.test is tested once, with a\n" +
			"tuning on the others of its own; as many as data.val has, the next ones, validate) | label:COLUMN\n" +
			"(of clips: so is each label of a column, such as fold, category or group, instead of stories).",
		"", false, func(e *Experiment) any { return &e.Eval.Folds }, foldsOf},
	{"eval.features",
		"Features of the data set that are scored beside the model, on the same rows by the same ridge, and are\n" +
			"components of variance partitioning. Of clips, columns of labels, too, such as category.",
		"", false, func(e *Experiment) any { return &e.Eval.Features }, distinct},
	{"eval.alphas", "Candidates for each voxel, as a list or logspace(FROM, TO, N). The penalty is alpha squared.",
		"", false, func(e *Experiment) any { return &e.Eval.Alphas }, risingAbove0},
	{"eval.boots", "Bootstrap folds.",
		"", false, func(e *Experiment) any { return &e.Eval.Boots }, whole(1, 10_000)},
	{"eval.chunk_rows", "Contiguous rows that stay together in a fold.",
		"", false, func(e *Experiment) any { return &e.Eval.ChunkRows }, whole(1, 1_000_000)},
	{"eval.held_out", "Share of the training chunks held out in each fold.",
		"", false, func(e *Experiment) any { return &e.Eval.HeldOut }, share},
	{"eval.held_out_chunks",
		"A .json file with the numbers, from 0, of the chunks that each fold holds out, such as [[2], [0, 3]],\n" +
			"instead of eval.boots random ones. Chunks run across stories.",
		"", true, func(e *Experiment) any { return &e.Eval.HeldOutChunks }, optionalFile(".json")},
	{"eval.chunks",
		"Chunks that a fold may hold out: all (the last, shorter one, too; their number is rounded) | whole (whole\n" +
			"ones; their number is rounded down).",
		"", false, func(e *Experiment) any { return &e.Eval.Chunks }, oneOf("all", "whole")},
	{"eval.metric",
		"Score by which an alpha wins, averaged over folds: r | r2 | signed_root (sign(d) sqrt|d| with d =\n" +
			"1 - var(residual)/var(response), as HuthLab's code without use_corr).",
		"", false, func(e *Experiment) any { return &e.Eval.Metric }, oneOf("r", "r2", "signed_root")},
	{"eval.ties", "Alpha of those with equal scores: larger | smaller.",
		"", false, func(e *Experiment) any { return &e.Eval.Ties }, oneOf("larger", "smaller")},
	{"eval.intercept",
		"true: features and responses are centred by the training rows. false: a ridge without an intercept.",
		"", false, func(e *Experiment) any { return &e.Eval.Intercept }, anything},
	{"eval.reuse_alphas",
		"true: epochs are compared with the alphas of epoch 0. The scores of the chosen one have alphas of its own.",
		"", false, func(e *Experiment) any { return &e.Eval.ReuseAlphas }, anything},
	{"eval.zscore",
		"Responses to mean 0 and SD 1 for the ridge and its scores alone, over the rows of each story: none | story.",
		"", false, func(e *Experiment) any { return &e.Eval.ZScore }, oneOf("none", "story")},

	{"compat", "none | release | a list of switches that reproduce single properties of the authors' released code:\n" +
		switchLines() + ".\nA key given in this file wins over a switch.",
		"", false, func(e *Experiment) any { return &e.Compat }, anything},
	{"device", "auto (a GPU if there is one) | cpu | cuda | cuda:N.",
		"", false, func(e *Experiment) any { return &e.Device }, device},
	{"dtype",
		"Compute dtype of linear layers: f32 | bf16 | auto (bf16 where the device supports it); the run's settings\n" +
			"record the choice. bf16 takes less time and memory and has 8 significant bits, see docs/performance.md.",
		"", false, func(e *Experiment) any { return &e.DType }, oneOf("auto", "f32", "bf16")},
	{"max_memory",
		"Memory bound of the process: none, or a size such as 8GiB. Units of windows computed at once and caches\n" +
			"follow from it.",
		"", false, func(e *Experiment) any { return &e.MaxMemory }, memory},
	{"out", "Directory of the run: settings, checkpoints, adapter, scores.",
		"runs/alice", true, func(e *Experiment) any { return &e.Out }, given},
}
