#!/usr/bin/env python3
"""Make the goldens of weight files that testdata/golden lacks. Run:

    python tools/weights/make_weights.py [--microsoft DIR]

With --microsoft, where DIR holds WavLM.py and modules.py of microsoft/unilm (folder wavlm), that code then loads microsoft/*.pt
and must compute the hidden states of testdata/golden: all keys matched and the largest difference was 2.1e-6 with commit
768a3c873f598bb9b4d4dfb9267b099e35f8fe56.

Needs torch, transformers, peft (imported by make_goldens.py, which it builds on), safetensors and numpy; the versions used
are in testdata/weights/versions.json. What it makes:

    data2vec/     data2vec-audio: weights and what transformers computes at every stage
    hubert_bn/    HuBERT with conv_pos_batch_norm and without feat_proj_layer_norm, the same
    f16/ bf16/    a WavLM in half precision, in each container: model.safetensors, bin/pytorch_model.bin, and in bf16/shards
                  two shards of it; io.safetensors is what transformers computes with these weights widened to f32
    microsoft/    the weights of testdata/golden/base and large under the names of microsoft/unilm's wavlm/WavLM.py, in a .pt
                  with its cfg; what they compute is in testdata/golden
"""
import importlib.util
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
spec = importlib.util.spec_from_file_location("make_goldens", os.path.join(ROOT, "testdata", "golden", "make_goldens.py"))
mg = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mg)

import torch
from safetensors.torch import load_file, save_file
from transformers import Data2VecAudioConfig, Data2VecAudioModel, HubertConfig, HubertModel, WavLMConfig, WavLMModel

OUT = mg.OUT = os.path.join(ROOT, "testdata", "weights")
LENGTHS = [3000, 2000]
SMALL = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24, conv_dim=[8] * 7,
             num_conv_pos_embedding_groups=4, hidden_dropout=0.0, activation_dropout=0.0, attention_dropout=0.0,
             feat_proj_dropout=0.0, final_dropout=0.0, layerdrop=0.0, mask_time_prob=0.05)


def waves():
    wav, mask, _ = mg.waves()
    wav, mask = wav[:, : LENGTHS[0]].clone(), mask[:, : LENGTHS[0]].clone()
    wav[1, LENGTHS[1]:], mask[1, LENGTHS[1]:] = 0, 0
    return wav, mask


def computed(model, fam):
    """What transformers computes, in the form of testdata/golden's io.safetensors."""
    cfg = model.config
    wav, mask = waves()
    frames = [mg.spec_out_lengths(cfg, n) for n in LENGTHS]
    masked = torch.zeros(2, frames[0], dtype=torch.bool)
    masked[0, 2:5] = True
    masked[1, 1:3] = True
    io = {"input_values": wav}
    for case, w, m, kw in [("masked", wav, mask, {}), ("nomask", wav, None, {}),
                           ("clip0", wav[:1, : LENGTHS[0]], None, {}), ("clip1", wav[1:, : LENGTHS[1]], None, {}),
                           ("spec_augment", wav, mask, {"mask_time_indices": masked})]:
        with torch.no_grad():
            _, cap = mg.run_capture(model, cfg, fam, w, m, **kw)
        for k, v in cap.items():
            if k.startswith("conv."):
                v = v[..., :64]
            if case == "masked" or k.startswith(("hidden_states", "last_hidden_state")):
                io[f"{case}/{k}"] = v
        if kw:
            io[f"{case}/mask_time_indices"] = masked.to(torch.uint8)
    return io, {"lengths": LENGTHS, "frames": frames}


def family(name, fam, model):
    mg.randomize(model, name)
    for n, b in model.named_buffers():  # statistics of a batch norm
        if n.endswith("running_mean"):
            b.copy_(mg.randn(f"{name}/{n}", *b.shape, scale=0.3))
        if n.endswith("running_var"):
            b.copy_(mg.randn(f"{name}/{n}", *b.shape, scale=0.3).abs() + 0.5)
    model.eval()
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(os.path.join(OUT, name))
    mg.save(f"{name}/model.safetensors", model.state_dict())
    mg.save(f"{name}/io.safetensors", *computed(model, fam))


def half(name, dtype):
    model = WavLMModel(WavLMConfig(**SMALL, num_conv_pos_embeddings=6, num_buckets=32, max_bucket_distance=20)).eval()
    mg.randomize(model, "half")
    model.to(dtype)
    state = model.state_dict()
    d = os.path.join(OUT, name)
    model.config.architectures = ["WavLMModel"]
    model.config.dtype = dtype
    for sub in ("", "bin", "shards")[: 3 if name == "bf16" else 2]:
        model.config.save_pretrained(os.path.join(d, sub))
    save_file({k: v.contiguous() for k, v in state.items()}, os.path.join(d, "model.safetensors"), metadata={"format": "pt"})
    torch.save(state, os.path.join(d, "bin", "pytorch_model.bin"))
    if name == "bf16":
        keys = list(state)
        parts = {f"pytorch_model-0000{i}-of-00002.bin": keys[i - 1:: 2] for i in (1, 2)}
        for file, names in parts.items():
            torch.save({k: state[k].clone() for k in names}, os.path.join(d, "shards", file))
        index = {"metadata": {"total_size": sum(2 * v.numel() for v in state.values())},
                 "weight_map": {k: file for file, names in parts.items() for k in names}}
        with open(os.path.join(d, "shards", "pytorch_model.bin.index.json"), "w") as f:
            json.dump(index, f, indent=1, sort_keys=True)
    io, meta = computed(model.float(), "wavlm")
    mg.save(f"{name}/io.safetensors", {k: v for k, v in io.items() if "hidden_state" in k or k == "input_values"
                                       or k.endswith("mask_time_indices")}, meta)


def microsoft_name(key, group):
    """The name in wavlm/WavLM.py of a parameter of transformers' WavLMModel."""
    for a, b in [("feature_projection.projection", "post_extract_proj"), ("feature_projection.layer_norm", "layer_norm"),
                 ("masked_spec_embed", "mask_emb"), ("encoder.pos_conv_embed.conv", "encoder.pos_conv.0"),
                 ("parametrizations.weight.original0", "weight_g"), ("parametrizations.weight.original1", "weight_v"),
                 (".attention.gru_rel_pos_linear", ".self_attn.grep_linear"), (".attention.gru_rel_pos_const", ".self_attn.grep_a"),
                 (".attention.rel_attn_embed", ".self_attn.relative_attention_bias"),
                 (".feed_forward.intermediate_dense", ".fc1"), (".feed_forward.output_dense", ".fc2")]:
        key = key.replace(a, b)
    if key.startswith("feature_extractor"):
        key = key.replace(".conv.", ".0.").replace(".layer_norm.", ".2." if group else ".2.1.")
    elif key.startswith("encoder.layers."):
        key = key.replace(".attention.", ".self_attn.").replace(".layer_norm.", ".self_attn_layer_norm.")
    return key


def microsoft(name):
    d = os.path.join(ROOT, "testdata", "golden", name)
    with open(os.path.join(d, "config.json")) as f:
        c = json.load(f)
    group = c["feat_extract_norm"] == "group"
    width = c["conv_dim"][0]
    # conv layers as the published files write them: a Python expression
    cfg = {"extractor_mode": "default" if group else "layer_norm", "encoder_layers": c["num_hidden_layers"],
           "encoder_embed_dim": c["hidden_size"], "encoder_ffn_embed_dim": c["intermediate_size"],
           "encoder_attention_heads": c["num_attention_heads"], "activation_fn": "gelu",
           "layer_norm_first": c["do_stable_layer_norm"], "conv_bias": c["conv_bias"], "feature_grad_mult": 0.1,
           "conv_feature_layers": f"[({width},10,5)] + [({width},3,2)] * 4 + [({width},2,2)] * 2",
           "normalize": not group, "dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0,
           "encoder_layerdrop": 0.05, "dropout_input": 0.1, "dropout_features": 0.1, "mask_length": 10, "mask_prob": 0.8,
           "mask_selection": "static", "mask_other": 0.0, "no_mask_overlap": False, "mask_min_space": 1,
           "mask_channel_length": 10, "mask_channel_prob": 0.0, "conv_pos": c["num_conv_pos_embeddings"],
           "conv_pos_groups": c["num_conv_pos_embedding_groups"], "relative_position_embedding": True,
           "num_buckets": c["num_buckets"], "max_distance": c["max_bucket_distance"], "gru_rel_pos": True,
           "expand_attention_head_size": -1, "label_rate": 50.0, "input_feature": None}
    model = torch.nn.Module()
    state = model.state_dict()  # an OrderedDict with _metadata
    for k, v in sorted(load_file(os.path.join(d, "model.safetensors")).items()):
        state[microsoft_name(k, group)] = v
    os.makedirs(os.path.join(OUT, "microsoft"), exist_ok=True)
    torch.save({"cfg": cfg, "model": state}, os.path.join(OUT, "microsoft", f"{name}.pt"))


def check_microsoft(code):
    sys.path.insert(0, code)
    from WavLM import WavLM, WavLMConfig
    for name in ("base", "large"):
        file = torch.load(os.path.join(OUT, "microsoft", f"{name}.pt"), weights_only=True)
        model = WavLM(WavLMConfig(file["cfg"])).eval()
        model.load_state_dict(file["model"])
        want = load_file(os.path.join(ROOT, "testdata", "golden", name, "io.safetensors"))
        with torch.no_grad():
            (_, layers), _ = model.extract_features(want["input_values"], output_layer=file["cfg"]["encoder_layers"],
                                                    ret_layer_results=True)
        worst = max(mg.maxdiff(h.transpose(0, 1), want[f"nomask/hidden_states.{i}"]) for i, (h, _) in enumerate(layers))
        print(f"{name}: microsoft/unilm computes the golden's hidden states to {worst:.2g}")
        assert worst < 1e-5


def main():
    torch.manual_seed(0)
    family("data2vec", "data2vec-audio",
           Data2VecAudioModel(Data2VecAudioConfig(**SMALL, num_conv_pos_embeddings=3, conv_pos_kernel_size=5)))
    family("hubert_bn", "hubert", HubertModel(HubertConfig(
        **SMALL, num_conv_pos_embeddings=6, feat_proj_layer_norm=False, conv_pos_batch_norm=True,
        feat_extract_norm="group", do_stable_layer_norm=False)))
    half("f16", torch.float16)
    half("bf16", torch.bfloat16)
    microsoft("base")
    microsoft("large")
    with open(os.path.join(OUT, "versions.json"), "w") as f:
        import transformers
        json.dump({"python": sys.version.split()[0], "torch": torch.__version__, "transformers": transformers.__version__}, f)
        f.write("\n")
    if sys.argv[1:2] == ["--microsoft"]:
        check_microsoft(sys.argv[2])


if __name__ == "__main__":
    main()
