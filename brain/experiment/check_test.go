package experiment

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

func TestValidate(t *testing.T) {
	cases := []struct{ set, want string }{
		{"model.layer=-1", "model.layer: -1 is not in 0 to 1000"},
		{"model.layer=0",
			"model.layer: below layer 0 there is no layer to adapt; read a higher layer, or set train.mode: readout"},
		{"model.window_seconds=.024", "model.window_seconds: 0.024 is not in 0.025 to 3600"},
		{"model.window_seconds=.nan", "model.window_seconds: .nan is not in 0.025 to 3600"},
		{"model.stride_seconds=0", "model.stride_seconds: 0 is not a finite number above 0"},
		{"model.stride_seconds=5", "model.stride_seconds: 5 s leaves gaps of audio between windows of 4 s; give a " +
			"stride of at most model.window_seconds"},
		{"model.pooling=lst", `model.pooling: "lst" is not one of last, first, mean, index:N; did you mean last?`},
		{"model.pooling=index:3", ""},
		{"model.pooling=index:-1", ""},
		{"model.pooling=index:x", `model.pooling: "index:x": want index:N with a whole number N`},
		{"model.pooling=index:1.5", `model.pooling: "index:1.5": want index:N with a whole number N`},
		{"model.reinit_layers=auto", `model.reinit_layers: want a whole number, got the text "auto"`},
		{"model.reinit_layers=[1, 0]", "model.reinit_layers: 0 after 1: the list must rise"},
		{"readout.bias=ones", `readout.bias: "ones" is not one of zeros, uniform`},
		{"readout.init=/r.npy", `readout.init: "/r.npy" does not end in .safetensors`},
		{"train.epoch_by=mean", `train.epoch_by: "mean" is not one of pooled, story_mean`},
		{"train.order=random", `train.order: "random" is not one of shuffled, listed`},
		{"train.last_block=drop", `train.last_block: "drop" is not one of merge, keep`},
		{"train.save_features=some", `train.save_features: "some" is not one of none, layer, all; did you mean none?`},
		{"eval.chunks=half", `eval.chunks: "half" is not one of all, whole; did you mean all?`},
		{"eval.metric=mse", `eval.metric: "mse" is not one of r, r2, signed_root`},
		{"eval.ties=first", `eval.ties: "first" is not one of larger, smaller`},
		{"eval.zscore=train", `eval.zscore: "train" is not one of none, story`},
		{"eval.held_out_chunks=/c.txt", `eval.held_out_chunks: "/c.txt" does not end in .json`},
		{"model.normalise=zzzzzz", `model.normalise: "zzzzzz" is not one of auto, story, window, none`},
		{"model.downsample=mean", `model.downsample: "mean" is not one of lanczos, average`},
		{"model.path='a\\0'", ""},
		{`model.path="/a\0"`, `model.path: "/a " holds a NUL character`},
		{"adapter.type=dora", `adapter.type: "dora" is not one of lora, rslora; did you mean lora?`},
		{"adapter.r=0", "adapter.r: 0 is not in 1 to 4096"},
		{"adapter.alpha=.inf", "adapter.alpha: .inf is not a finite number above 0"},
		{"adapter.dropout=1", "adapter.dropout: 1 is not a probability from 0 to below 1"},
		{"adapter.targets=[]", "adapter.targets: the list is empty"},
		{"adapter.targets=[q_proj, q_proj]", `adapter.targets: "q_proj" is named twice`},
		{"adapter.targets=[q_proj, all-linear]", "adapter.targets: all-linear stands alone"},
		{"adapter.targets=[auto, q_proj]", "adapter.targets: auto stands alone"},
		{"adapter.targets=[attention, all-linear]", "adapter.targets: attention stands alone"},
		{"adapter.layers=[]", "adapter.layers: the list is empty"},
		{"adapter.layers=[1, 1]", "adapter.layers: 1 after 1: the list must rise"},
		{"adapter.layers=[-1]", "adapter.layers: -1 is not in 0 to 1000"},
		{"adapter.layers=[0, 9]",
			"adapter.layers: layer 9 is not run, since model.layer is 9; name layers 0 to 8, or auto"},
		{"adapter.layers=[0, 8]", ""},
		{"data.subjects=[]", "data.subjects is missing; add it, or start from experiment.Template"},
		{`data.subjects=[a, ""]`, "data.subjects: a name is empty"},
		{"data.train=[a, a]", `data.train: "a" is named twice`},
		{"data.train=a[10:200", `data.train: "a[10:200" is neither STORY nor STORY[FROM:TO]`},
		{"data.val=a[10-200]", `data.val: "a[10-200]" is neither STORY nor STORY[FROM:TO]`},
		{"data.val=a[-1:5]", `data.val: "a[-1:5]" is neither STORY nor STORY[FROM:TO]`},
		{"data.test=a[5:5]", `data.test: "a[5:5]" has no rows`},
		{"data.test=a[0:99999999999999999999]", `data.test: "a[0:99999999999999999999]" has no rows`},
		{"data.detrend=legendre:21", `data.detrend: "legendre:21" is neither none nor legendre:N with N from 0 to 20`},
		{"data.detrend=linear", `data.detrend: "linear" is neither none nor legendre:N with N from 0 to 20`},
		{"data.zscore=run", `data.zscore: "run" is not one of story, train, none`},
		{"data.trim=[-1, 0]", "data.trim: -1 is not in 0 to 1000000"},
		{"readout.bottleneck=-1", "readout.bottleneck: -1 is not in 0 to 1048576"},
		{"readout.delays_seconds=[]", "readout.delays_seconds: the list is empty"},
		{"readout.delays_seconds=[4, 2]", "readout.delays_seconds: 2 after 4: the list must rise"},
		{"readout.delays_seconds=[-2]", "readout.delays_seconds: -2 is not in 0 to 120"},
		{"train.mode=Lora", `train.mode: "Lora" is not one of lora, full, readout; did you mean lora?`},
		{"train.loss=l2", `train.loss: "l2" is not one of auto, spatial, temporal, mse, cosine_l2, nt_xent`},
		{"train.loss=ntxent",
			`train.loss: "ntxent" is not one of auto, spatial, temporal, mse, cosine_l2, nt_xent; did you mean ` +
				`nt_xent?`},
		{"train.cosine_share=1.1", "train.cosine_share: 1.1 is not in 0 to 1"},
		{"train.temperature=0", "train.temperature: 0 is not in 0.001 to 100"},
		{"train.reliability=ccmax", `train.reliability: "ccmax" is not one of none, train, val, test`},
		{"train.weights=/w.txt", `train.weights: "/w.txt" does not end in .npy`},
		{"train.weights=w-{subject}.npy", ""},
		{"data.allow_shared=[a]", `data.allow_shared: "a" is not a pair STORY:STORY`},
		{"data.allow_shared=[\"a:b:c\"]", `data.allow_shared: "a:b:c" is not a pair STORY:STORY`},
		{"data.allow_shared=[\"[a:b\"]", `data.allow_shared: "[a" is not a pattern`},
		{"data.roi_balance=[a, a]", `data.roi_balance: "a" is named twice`},
		{"train.joint=both", `train.joint: "both" is not one of shared, sequential`},
		{"train.epochs=0", "train.epochs: 0 is not in 1 to 1000000"},
		{"train.block_rows=0", "train.block_rows: 0 is not in 1 to 1000000"},
		{"train.context_rows=-1", "train.context_rows: -1 is not in 0 to 1000"},
		{"train.unit_windows=0", "train.unit_windows: 0 is not in 1 to 1000000"},
		{"train.lr=-1e-4", "train.lr: -0.0001 is not a finite number above 0"},
		{"train.readout_lr=.nan", "train.readout_lr: .nan is not a finite number above 0"},
		{"train.dropout=-.1", "train.dropout: -0.1 is not a probability from 0 to below 1"},
		{"train.layerdrop=1", "train.layerdrop: 1 is not a probability from 0 to below 1"},
		{"train.spec_augment=2", "train.spec_augment: 2 is not a probability from 0 to below 1"},
		{"readout.mode=rige", `readout.mode: "rige" is not one of trained, ridge; did you mean ridge?`},
		{"readout.refit_steps=3", "readout.refit_steps: only ridge readouts are refitted; set readout.mode: ridge"},
		{"readout.layer_weights=area", `readout.layer_weights: "area" is not one of none, voxel, roi`},
		{"train.retain_weight=-1", "train.retain_weight: -1 is not in 0 to 1e+06"},
		{"train.retain_margin=2", "train.retain_margin: 2 is not in 0 to 1"},
		{"train.layer_weights_lr=0", "train.layer_weights_lr: 0 is not a finite number above 0"},
		{"eval.layer=best", `eval.layer: "best" is not one of model, voxel, stack`},
		{"eval.alphas=[0, 1]", "eval.alphas: 0 is no penalty at all"},
		{"eval.alphas=[2, 1]", "eval.alphas: 1 after 2: the list must rise"},
		{"eval.alphas=logspace(1, 13, 2)", "eval.alphas: 1e+13 is not in 0 to 1e+12"},
		{"eval.boots=0", "eval.boots: 0 is not in 1 to 10000"},
		{"eval.chunk_rows=0", "eval.chunk_rows: 0 is not in 1 to 1000000"},
		{"eval.held_out=1", "eval.held_out: 1 is not a share between 0 and 1"},
		{"device=gpu", `device: "gpu" is not one of auto, cpu, cuda, cuda:N`},
		{"dtype=fp16", `dtype: "fp16" is not one of auto, f32, bf16; did you mean bf16?`},
		{"readout.lags_ms=[80, 0]", "readout.lags_ms: 0 after 80: the list must rise"},
		{"readout.lag_windows=[early]",
			`readout.lag_windows: "early" is no window NAME=FROM:TO of lags from 0 to 120000 ms`},
		{"readout.lag_windows=[a=80:0]",
			`readout.lag_windows: "a=80:0" is no window NAME=FROM:TO of lags from 0 to 120000 ms`},
		{"readout.lag_windows=[a=-5:0]",
			`readout.lag_windows: "a=-5:0" is no window NAME=FROM:TO of lags from 0 to 120000 ms`},
		{"readout.lag_windows=[a/b=0:5]",
			`readout.lag_windows: "a/b=0:5" is no window NAME=FROM:TO of lags from 0 to 120000 ms`},
		{"readout.lag_windows=[a=0:40, a=40:80]", `readout.lag_windows: "a" is named twice`},
		{`out=""`, "out is missing; add it, or start from experiment.Template"},
	}
	for _, c := range cases {
		t.Run(c.set, func(t *testing.T) {
			_, err := load(t, enough, c.set)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, "experiment: setting "+shorten(c.set)+": "+c.want)
			assert.Equal(t, fault.Usage, fault.KindOf(err))
		})
	}
}

func TestValidateBetweenKeys(t *testing.T) {
	cases := []struct {
		sets []string
		want string
	}{
		{[]string{"model.extraction=chunks", "model.chunk_seconds=7.99"},
			"model.chunk_seconds: chunks of 7.99 s overlap by a window of 4 s"},
		{[]string{"readout.mode=ridge", "train.mode=readout"},
			"readout.mode: a ridge readout is not trained, and in train.mode readout nothing else is"},
		{[]string{"readout.mode=ridge", "readout.layer_weights=voxel"},
			"readout.layer_weights: they are trained with the readout"},
		{[]string{"train.mode=readout", "model.layer=0", "readout.layer_weights=voxel"},
			"readout.layer_weights: with model.layer 0 there is one hidden state"},
		{[]string{"train.retain_roi=[a]", "train.mode=readout"},
			"train.retain_roi: in train.mode readout the features stay as they are"},
		{[]string{"train.retain_roi=[a]", "train.block_rows=2"},
			"train.block_rows: the retention constraint correlates over the rows of a block and needs at least 3"},
		{[]string{"train.retain_roi=[a]", "train.last_block=keep"},
			"train.last_block: the retention constraint correlates over the rows of a block, and keep allows 2"},
		{[]string{"model.reinit_layers=[0]"},
			"model.reinit_layers: in train.mode lora the layers are not trained, so they would stay at random"},
		{[]string{"adapter.init=a", "train.mode=full"}, "adapter.init: train.mode full has no adapter"},
		{[]string{"readout.init=r.safetensors", "readout.mode=ridge"},
			"readout.init: only a trained readout of one hidden state takes initial values"},
		{[]string{"eval.reuse_alphas=true", "eval.layer=stack"}, "eval.reuse_alphas: with eval.layer: stack"},
		{[]string{"eval.held_out_chunks=chunks.json", "eval.layer=stack"},
			"eval.held_out_chunks: eval.layer: stack chooses penalties"},
		{[]string{"eval.reuse_alphas=true", "eval.layer=voxel"},
			"eval.reuse_alphas: eval.layer: voxel chooses the hidden state by cross-validation"},
		{[]string{"train.retain_roi=[a]", "compat=release"}, "compat: with the switch block_zscore"},
		{[]string{"readout.mode=ridge", "compat=block_zscore"}, "compat: with the switch block_zscore"},
		{[]string{"eval.layer=voxel", "eval.alphas=[3]"}, "eval.alphas: eval.layer: voxel chooses by cross-validation"},
		{[]string{"train.loss=nt_xent", "train.block_rows=1"},
			"train.block_rows: in a block of 1 row nt_xent has no other row to contrast with"},
	}
	for _, c := range cases {
		_, err := load(t, enough, c.sets...)
		require.ErrorContains(t, err, c.want)
		require.ErrorContains(t, err, "; ", "and what to do")
		assert.Equal(t, fault.Usage, fault.KindOf(err))
	}
	_, err := load(t, enough, "model.extraction=chunks", "model.chunk_seconds=8")
	require.NoError(t, err, "chunks of exactly two windows")
	_, err = load(t, enough, "model.chunk_seconds=1")
	require.NoError(t, err, "chunks are not used")
	_, err = load(t, enough, "readout.mode=ridge", "readout.refit_steps=3", "train.retain_roi=[a]", "eval.layer=voxel")
	require.NoError(t, err)
}

func TestValidatePointsIntoTheFile(t *testing.T) {
	_, err := load(t, enough+"train:\n  epochs: -3\n")
	require.EqualError(t, err, "experiment: exp.yaml:10:11: train.epochs: -3 is not in 1 to 1000000")
}

func TestEveryRequiredKeyIsMissed(t *testing.T) {
	for _, k := range keys {
		if !k.required() {
			continue
		}
		_, leaf := k.split()
		without := strings.ReplaceAll(strings.ReplaceAll(enough, "  "+leaf+": ", "  #"), "{path: m}", "{path: m}")
		if k.name == "model.path" {
			without = strings.Replace(enough, "{path: m}", "{}", 1)
		}
		if k.name == "out" {
			without = strings.Replace(enough, "out: o", "", 1)
		}
		_, err := load(t, without)
		require.EqualError(t, err,
			"experiment: exp.yaml: "+k.name+" is missing; add it, or start from experiment.Template")
	}
}

func TestValidateWithoutAFile(t *testing.T) {
	e := Default()
	e.Model.Path, e.Data.Path, e.Out = "m", "d", "o"
	e.Data.Subjects, e.Data.Train, e.Data.Val, e.Data.Test = []string{"s"}, []string{"a"}, []string{"b"}, []string{"c"}
	require.NoError(t, e.Validate())
	e.Train.LR = math.Inf(1)
	require.EqualError(t, e.Validate(), "experiment: train.lr: .inf is not a finite number above 0")
	e.Train.LR, e.Compat.BlockZScore, e.Train.BlockRows = 1, true, 1
	require.EqualError(t, e.Validate(),
		"experiment: train.block_rows: the switch block_zscore needs at least 2 rows; give a longer block")
	e.Train.BlockRows, e.Out = 2, "a\xff"
	require.EqualError(t, e.Validate(), "experiment: out: \"a\uFFFD\" is not UTF-8")
}

func TestBadSet(t *testing.T) {
	cases := []struct{ set, want string }{
		{"train.lr", "there is no =; write key=value, such as train.epochs=5"},
		{"train={lr: 1}", "train is a section; set one of its keys"},
		{"trian.lr=1", "unknown key trian.lr; did you mean train.lr?"},
		{"train.lr=", "train.lr has no value; give one, or remove the key to have the default"},
		{"train.lr=fast", `train.lr: want a number, got the text "fast"`},
		{"data.subjects=*", `the value is not YAML: did not find expected alphabetic or numeric character; ` +
			`quote it as YAML does, as in data.subjects=["sub-1*"]`},
		{"xxxxxxxxx.yyyyyyyy=1",
			"unknown key xxxxxxxxx.yyyyyyyy; known here: model, adapter, data, readout, train, eval"},
	}
	for _, c := range cases {
		err := Default().Set(c.set)
		require.EqualError(t, err, "experiment: setting "+c.set+": "+c.want)
		assert.Equal(t, fault.Usage, fault.KindOf(err))
	}
}

func TestSetWinsAndTheLastSetWinsMost(t *testing.T) {
	e, err := load(t, enough+"train: {epochs: 3}\n", "train.epochs=4", "train.epochs=5", `data.subjects=["sub-1*", b]`)
	require.NoError(t, err)
	assert.Equal(t, 5, e.Train.Epochs)
	assert.Equal(t, FromSet, e.Origin("train.epochs"))
	assert.Equal(t, []string{"sub-1*", "b"}, e.Data.Subjects)
}
