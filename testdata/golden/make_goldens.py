#!/usr/bin/env python3
"""Generate small golden files for a WavLM + PEFT re-implementation.

Needs: torch, transformers, peft, safetensors, numpy (CPU only).  Run:

    python make_goldens.py [--out DIR]

Everything is seeded by name, so adding a case does not change the others.
Every tensor is float32 and comes from the HF/PEFT code path unless the manifest says otherwise.
For most tensors the same case is also run in float64; the manifest records
max|f32 - f64| ("noise"), which is the honest floor for a tolerance.

The script also holds an independent functional implementation of the written spec
(`spec_forward`, `spec_lora_*`, `spec_adamw`), driven only by state_dict + config, and asserts
that it agrees with HF / PEFT.  If one of those asserts fails, the spec (not just the golden) is wrong.

Fact that shapes the PEFT part: transformers' WavLM attention passes q_proj.weight etc. straight into
torch.nn.functional.multi_head_attention_forward, so a PEFT LoRA layer on q/k/v/out_proj is never called and
has no effect until it is merged (huggingface/transformers#48773).  The adapter goldens are therefore made with an
attention that calls the projection modules; the script asserts that without adapter this equals HF, and that with
adapter it equals HF run on merge_and_unload() weights.
"""
import argparse
import contextlib
import copy
import hashlib
import io
import json
import math
import os
import pickletools
import shutil
import struct
import sys
import warnings
import zipfile

warnings.filterwarnings("ignore")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import numpy as np
import torch
import torch.nn.functional as F
import safetensors
import safetensors.torch as st
import transformers
import peft
from transformers import (HubertConfig, HubertModel, Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model,
                          WavLMConfig, WavLMModel)
from transformers.models.wavlm import modeling_wavlm as hfw
from peft import LoraConfig, PeftModel, get_peft_model

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

MANIFEST = {"versions": {}, "files": {}, "noise_f32_vs_f64": {}, "checks": {}, "notes": []}
OUT = None


# ------------------------------------------------------------------ helpers
def rng(tag):
    return np.random.default_rng(int.from_bytes(hashlib.sha256(tag.encode()).digest()[:8], "little"))


def randn(tag, *shape, scale=1.0, loc=0.0):
    return torch.from_numpy((loc + scale * rng(tag).standard_normal(shape)).astype(np.float32))


def path(*p):
    d = os.path.join(OUT, *p)
    os.makedirs(os.path.dirname(d), exist_ok=True)
    return d


def save(name, tensors, meta=None):
    fn = path(name)
    t = {k: v.detach().contiguous().clone() for k, v in tensors.items()}
    # one metadata key only: the writer orders several of them at random, which would change the file hash
    m = {"meta": json.dumps(meta, sort_keys=True)} if meta else {"format": "pt"}
    st.save_file(t, fn, metadata=m)


def save_json(name, obj):
    with open(path(name), "w") as f:
        json.dump(obj, f, indent=1, sort_keys=True)
        f.write("\n")


def maxdiff(a, b):
    return float((a.double() - b.double()).abs().max()) if a.numel() else 0.0


def check(name, value, limit):
    MANIFEST["checks"][name] = value
    assert value <= limit, f"{name}: {value} > {limit}"


def noise(case, f32, f64):
    MANIFEST["noise_f32_vs_f64"].setdefault(case, {})
    for k in f32:
        if f32[k].is_floating_point():
            MANIFEST["noise_f32_vs_f64"][case][k] = [
                float(f"{maxdiff(f32[k], f64[k]):.2e}"), float(f"{float(f64[k].abs().max()) if f64[k].numel() else 0.0:.2e}")]


def randomize(model, tag):
    """Give every parameter a discriminating value (HF's own init leaves LayerNorms at 1/0 and is tiny)."""
    with torch.no_grad():
        for n, p in model.named_parameters():
            t = f"{tag}/{n}"
            if n.endswith("layer_norm.weight") or n.endswith("batch_norm.weight"):
                v = randn(t, *p.shape, scale=0.1, loc=1.0)
            elif n.endswith(".bias") or n == "bias":
                v = randn(t, *p.shape, scale=0.05)
            elif n.endswith("original0"):
                v = randn(t, *p.shape, scale=0.2).abs() + 0.5
            elif n.endswith("original1"):
                v = randn(t, *p.shape, scale=0.1)
            elif n.endswith("gru_rel_pos_const"):
                v = randn(t, *p.shape, scale=0.2, loc=1.0)
            elif n.endswith("rel_attn_embed.weight"):
                v = randn(t, *p.shape, scale=0.5)
            elif n == "masked_spec_embed":
                v = randn(t, *p.shape, scale=0.5)
            elif p.dim() == 3:
                v = randn(t, *p.shape, scale=math.sqrt(2.0 / (p.shape[1] * p.shape[2])))
            else:
                v = randn(t, *p.shape, scale=math.sqrt(1.0 / p.shape[-1]))
            p.copy_(v)


def waves():
    """Two mono clips, 8000 and 5200 samples at 16 kHz, right padded with zeros."""
    out = torch.zeros(2, 8000)
    lens = [8000, 5200]
    for i, n in enumerate(lens):
        t = np.arange(n) / 16000.0
        g = rng(f"wave{i}")
        x = 0.02 + 0.3 * np.sin(2 * np.pi * (180 + 60 * i) * t) * (0.4 + 0.6 * np.sin(2 * np.pi * 3 * t) ** 2)
        x += 0.1 * np.sin(2 * np.pi * 1130 * t + i) + 0.05 * g.standard_normal(n)
        out[i, :n] = torch.from_numpy(x.astype(np.float32))
    mask = torch.zeros(2, 8000, dtype=torch.long)
    for i, n in enumerate(lens):
        mask[i, :n] = 1
    return out, mask, lens


# ------------------------------------------------------------------ the spec, as code
def spec_out_lengths(cfg, n):
    for k, s in zip(cfg.conv_kernel, cfg.conv_stride):
        n = (n - k) // s + 1
    return n


def spec_bucket(rel, num_buckets, max_distance):
    """rel = key index - query index (int64)."""
    nb = num_buckets // 2
    exact = nb // 2
    out = (rel > 0).long() * nb
    d = rel.abs()
    big = torch.log(d.clamp(min=1).float() / exact) / math.log(max_distance / exact) * (nb - exact)
    big = torch.clamp((exact + big).long(), max=nb - 1)
    return out + torch.where(d < exact, d, big)


def spec_ln(x, w, b, eps):
    mu = x.mean(-1, keepdim=True)
    var = ((x - mu) ** 2).mean(-1, keepdim=True)
    y = (x - mu) / torch.sqrt(var + eps)
    return y if w is None else y * w + b


def spec_gelu(x):
    return 0.5 * x * (1.0 + torch.erf(x / math.sqrt(2.0)))


def spec_pos_weight(sd):
    p = "encoder.pos_conv_embed.conv."
    if p + "weight_g" in sd:
        g, v = sd[p + "weight_g"], sd[p + "weight_v"]
    else:
        g, v = sd[p + "parametrizations.weight.original0"], sd[p + "parametrizations.weight.original1"]
    norm = torch.sqrt((v * v).sum(dim=(0, 1), keepdim=True))  # one norm per kernel tap -> (1,1,K)
    return v * (g / norm)


def spec_forward(sd, cfg, wav, sample_mask=None, mask_time=None, family="wavlm", adapters=(), capture=None):
    """adapters: list of dicts name -> {A,B,scaling[,m][,bB]} ; capture: dict filled with intermediates."""
    cap = capture if capture is not None else {}
    eps = cfg.layer_norm_eps

    def lin(name, x):
        w, b = sd[name + ".weight"], sd.get(name + ".bias")
        y = F.linear(x, w, b)
        for ad in adapters:
            if name not in ad:
                continue
            a = ad[name]
            lo = F.linear(F.linear(x, a["A"]), a["B"])
            if a.get("m") is None:
                y = y + a["scaling"] * lo
                if a.get("bB") is not None:
                    y = y + a["scaling"] * a["bB"]
            else:
                col = a["m"] / torch.linalg.vector_norm(w + a["scaling"] * a["B"] @ a["A"], dim=1).detach()
                y = y + (col - 1) * F.linear(x, w) + col * a["scaling"] * lo
        return y

    # 1. feature encoder
    x = wav[:, None, :]
    for i, s in enumerate(cfg.conv_stride):
        p = f"feature_extractor.conv_layers.{i}."
        x = F.conv1d(x, sd[p + "conv.weight"], sd.get(p + "conv.bias"), stride=s)
        if cfg.feat_extract_norm == "group" and i == 0:
            mu = x.mean(-1, keepdim=True)
            var = ((x - mu) ** 2).mean(-1, keepdim=True)
            x = (x - mu) / torch.sqrt(var + 1e-5)
            x = x * sd[p + "layer_norm.weight"][:, None] + sd[p + "layer_norm.bias"][:, None]
        elif cfg.feat_extract_norm == "layer":
            x = spec_ln(x.transpose(1, 2), sd[p + "layer_norm.weight"], sd[p + "layer_norm.bias"], 1e-5).transpose(1, 2)
        x = spec_gelu(x)
        cap[f"conv.{i}"] = x
    feats = x.transpose(1, 2)
    B, T, _ = feats.shape

    # 2. frame mask
    fmask = None
    if sample_mask is not None:
        lens = torch.tensor([spec_out_lengths(cfg, int(n)) for n in sample_mask.sum(-1)])
        assert bool((lens >= 1).all()), "clip shorter than the receptive field"
        fmask = torch.arange(T)[None, :] < lens[:, None]

    # 3. projection
    normed = spec_ln(feats, sd["feature_projection.layer_norm.weight"], sd["feature_projection.layer_norm.bias"], eps)
    h = lin("feature_projection.projection", normed)
    cap["extract_features"], cap["projected"] = normed, h
    if mask_time is not None:
        h = torch.where(mask_time[..., None], sd["masked_spec_embed"].expand_as(h), h)

    # 4. positional convolution
    if fmask is not None:
        h = torch.where(fmask[..., None], h, torch.zeros_like(h))
    K, G = cfg.num_conv_pos_embeddings, cfg.num_conv_pos_embedding_groups
    pc = F.conv1d(h.transpose(1, 2), spec_pos_weight(sd), sd["encoder.pos_conv_embed.conv.bias"], padding=K // 2, groups=G)
    if K % 2 == 0:
        pc = pc[..., :-1]
    pc = spec_gelu(pc).transpose(1, 2)
    cap["pos_conv"] = pc
    h = h + pc
    enc_ln = (sd["encoder.layer_norm.weight"], sd["encoder.layer_norm.bias"])
    stable = cfg.do_stable_layer_norm
    if not stable:
        h = spec_ln(h, *enc_ln, eps)
    hs = [h]

    # 5. layers
    H = cfg.num_attention_heads
    D = cfg.hidden_size // H
    pos = None
    if family == "wavlm":
        ar = torch.arange(T)
        bk = spec_bucket(ar[None, :] - ar[:, None], cfg.num_buckets, cfg.max_bucket_distance)
        pos = sd["encoder.layers.0.attention.rel_attn_embed.weight"][bk].permute(2, 0, 1)  # (H,T,T)
        cap["bucket"], cap["position_bias"] = bk, pos
    keep = None if fmask is None else torch.zeros(B, 1, 1, T, dtype=h.dtype).masked_fill(~fmask[:, None, None, :], -math.inf)

    def attn(i, x):
        p = f"encoder.layers.{i}.attention."
        split = lambda z: z.view(B, T, H, D).transpose(1, 2)
        q, k, v = (split(lin(p + n, x)) for n in ("q_proj", "k_proj", "v_proj"))
        s = (q * D ** -0.5) @ k.transpose(-1, -2)
        if pos is not None:
            g = split(x) @ sd[p + "gru_rel_pos_linear.weight"].T + sd[p + "gru_rel_pos_linear.bias"]  # (B,H,T,8)
            g = torch.sigmoid(g.view(B, H, T, 2, 4).sum(-1))
            gate = g[..., 0] * (g[..., 1] * sd[p + "gru_rel_pos_const"].view(1, H, 1) - 1.0) + 2.0  # (B,H,T)
            cap[f"gate.{i}"] = gate
            s = s + gate[..., None] * pos
        if keep is not None:
            s = s + keep
        o = (torch.softmax(s, -1) @ v).transpose(1, 2).reshape(B, T, H * D)
        return lin(p + "out_proj", o)

    def ffn(i, x):
        p = f"encoder.layers.{i}.feed_forward."
        return lin(p + "output_dense", spec_gelu(lin(p + "intermediate_dense", x)))

    for i in range(cfg.num_hidden_layers):
        p = f"encoder.layers.{i}."
        ln1 = (sd[p + "layer_norm.weight"], sd[p + "layer_norm.bias"])
        ln2 = (sd[p + "final_layer_norm.weight"], sd[p + "final_layer_norm.bias"])
        if stable:
            h = h + attn(i, spec_ln(h, *ln1, eps))
            h = h + ffn(i, spec_ln(h, *ln2, eps))
        else:
            h = spec_ln(h + attn(i, h), *ln1, eps)
            h = spec_ln(h + ffn(i, h), *ln2, eps)
        hs.append(h)
    last = spec_ln(h, *enc_ln, eps) if stable else h
    return last, hs, fmask


def spec_adamw(p, g, state, lr, b1=0.9, b2=0.999, eps=1e-8, wd=0.01):
    state["t"] += 1
    t = state["t"]
    p = p * (1 - lr * wd)
    state["m"] = b1 * state["m"] + (1 - b1) * g
    state["v"] = b2 * state["v"] + (1 - b2) * g * g
    denom = state["v"].sqrt() / math.sqrt(1 - b2 ** t) + eps
    return p - (lr / (1 - b1 ** t)) * state["m"] / denom


def spec_pattern(patterns, name, default):
    """rank_pattern / alpha_pattern look-up: first key (insertion order) whose regex matches a dotted suffix."""
    import re
    for k, v in patterns.items():
        if re.match(rf"(.*\.)?({k})$", name):
            return v
    return default


def spec_read_adapter(folder):
    """Adapter directory -> ({module: factors}, config, other tensors); keys follow the written rules only."""
    cfg = json.load(open(os.path.join(folder, "adapter_config.json")))
    raw = st.load_file(os.path.join(folder, "adapter_model.safetensors"))
    mods, rest = {}, {}
    for k, v in raw.items():
        assert k.startswith("base_model.model."), k
        n = k[len("base_model.model."):]
        for suffix, slot in ((".lora_A.weight", "A"), (".lora_B.weight", "B"), (".lora_B.bias", "bB"),
                             (".lora_magnitude_vector", "m")):
            if n.endswith(suffix):
                mods.setdefault(n[: -len(suffix)], {})[slot] = v
                break
        else:
            rest[n] = v
    for n, a in mods.items():
        r = spec_pattern(cfg["rank_pattern"], n, cfg["r"])
        alpha = spec_pattern(cfg["alpha_pattern"], n, cfg["lora_alpha"])
        assert a["A"].shape[0] == r and a["B"].shape[1] == r, (n, r, a["A"].shape)
        a["scaling"] = alpha / math.sqrt(r) if cfg["use_rslora"] else alpha / r
    return mods, cfg, rest


def spec_merge(w, a, bias=None):
    A, Bm, s = a["A"], a["B"], a["scaling"]
    if w.dim() == 3:  # Conv1d: A (r,in,K), B (out,r,1)
        d = s * torch.einsum("or,rik->oik", Bm[..., 0], A)
        return w + d, bias
    d = s * (Bm @ A)
    if a.get("m") is not None:
        col = a["m"] / torch.linalg.vector_norm(w + d, dim=1)
        return col[:, None] * (w + d), bias
    if a.get("bB") is not None:
        bias = bias + s * a["bB"]
    return w + d, bias


# ------------------------------------------------------------------ HF side
def module_calling_attention(self, hidden_states, attention_mask, gated_position_bias):
    """Same numbers as HF's wrapper, but goes through the projection modules so that PEFT layers are seen."""
    B, T, E = hidden_states.shape
    H = self.num_heads
    D = E // H
    q, k, v = (m(hidden_states).view(B, T, H, D).transpose(1, 2) for m in (self.q_proj, self.k_proj, self.v_proj))
    s = (q * D ** -0.5) @ k.transpose(-1, -2) + gated_position_bias.view(B, H, T, T)
    if attention_mask is not None:
        s = s.masked_fill(attention_mask.ne(1)[:, None, None, :], -math.inf)
    w = torch.dropout(torch.softmax(s, -1), self.dropout, self.training)
    o = (w @ v).transpose(1, 2).reshape(B, T, E)
    return self.out_proj(o), w


@contextlib.contextmanager
def adapter_visible_attention():
    old = hfw.WavLMAttention.torch_multi_head_self_attention
    hfw.WavLMAttention.torch_multi_head_self_attention = module_calling_attention
    try:
        yield
    finally:
        hfw.WavLMAttention.torch_multi_head_self_attention = old


def tiny(family="wavlm", **kw):
    d = dict(hidden_size=48, num_hidden_layers=3, num_attention_heads=4, intermediate_size=80,
             conv_dim=[24] * 7, conv_kernel=[10, 3, 3, 3, 3, 2, 2], conv_stride=[5, 2, 2, 2, 2, 2, 2],
             num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4,
             hidden_dropout=0.0, activation_dropout=0.0, attention_dropout=0.0, feat_proj_dropout=0.0,
             final_dropout=0.0, layerdrop=0.0, mask_time_prob=0.05, mask_feature_prob=0.0)
    d.update(kw)
    if family == "wavlm":
        return WavLMConfig(**d), WavLMModel
    for k in ("num_buckets", "max_bucket_distance"):
        d.pop(k, None)
    return (Wav2Vec2Config(**d), Wav2Vec2Model) if family == "wav2vec2" else (HubertConfig(**d), HubertModel)


VARIANTS = {
    # name: (family, config changes)
    "base": ("wavlm", dict(feat_extract_norm="group", do_stable_layer_norm=False, conv_bias=False,
                           num_buckets=32, max_bucket_distance=20)),
    "large": ("wavlm", dict(feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=False,
                            num_buckets=320, max_bucket_distance=800)),
    # odd positional kernel (no SamePad trim), conv bias, other strides/widths, 2 layers
    "odd": ("wavlm", dict(feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True, num_hidden_layers=2,
                          conv_dim=[12, 16, 20, 24], conv_kernel=[10, 5, 3, 2], conv_stride=[5, 4, 4, 4],
                          num_conv_pos_embeddings=15, num_buckets=24, max_bucket_distance=15)),
    "wav2vec2_large": ("wav2vec2", dict(feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True)),
    "hubert_base": ("hubert", dict(feat_extract_norm="group", do_stable_layer_norm=False, conv_bias=False)),
}


def build(name):
    fam, kw = VARIANTS[name]
    cfg, cls = tiny(fam, **kw)
    torch.manual_seed(0)
    m = cls(cfg).eval()
    randomize(m, name)
    return fam, cfg, m


def loss_terms(tag, cfg, T):
    """loss = mean over valid frames and channels of (sum_l mix[l]*hs[l] - target)^2 ; hs uses the HF4 list."""
    mix = torch.softmax(randn(f"{tag}/mix", cfg.num_hidden_layers + 1, scale=0.5), 0)
    target = randn(f"{tag}/target", 2, T, cfg.hidden_size, scale=0.5)
    return mix, target


def mixed_loss(hs, fmask, mix, target):
    y = sum(w * h for w, h in zip(mix.to(hs[0].dtype), hs))
    d = (y - target.to(y.dtype))[fmask]
    return (d * d).mean()


def hf4_list(out, stable):
    """transformers 4.x list: N+1 entries, last one is last_hidden_state (after the final LayerNorm if stable)."""
    return list(out.hidden_states[:-1]) + [out.last_hidden_state] if stable else list(out.hidden_states)


def run_capture(model, cfg, fam, wav, mask, **kw):
    cap, hooks = {}, []

    def reg(mod, fn):
        hooks.append(mod.register_forward_hook(fn))

    for i, c in enumerate(model.feature_extractor.conv_layers):
        reg(c, lambda m, a, o, i=i: cap.__setitem__(f"conv.{i}", o.clone()))
    reg(model.feature_projection, lambda m, a, o: cap.__setitem__("projected", (o[0] if isinstance(o, tuple) else o).clone()))
    reg(model.encoder.pos_conv_embed, lambda m, a, o: cap.__setitem__("pos_conv", o.clone()))
    for i, l in enumerate(model.encoder.layers):
        def f(m, a, o, i=i):
            cap[f"attn_out.{i}"] = o[0].clone()
            if fam == "wavlm" and i == 0:
                cap["position_bias"] = o[2][: cfg.num_attention_heads].clone()  # HF repeats it B times
        reg(l.attention, f)
        reg(l.feed_forward, lambda m, a, o, i=i: cap.__setitem__(f"ffn_out.{i}", o.clone()))
    try:
        out = model(wav, attention_mask=mask, output_hidden_states=True, **kw)
    finally:
        for h in hooks:
            h.remove()
    if getattr(out, "extract_features", None) is not None:
        cap["extract_features"] = out.extract_features
    for i, h in enumerate(out.hidden_states):
        cap[f"hidden_states.{i}"] = h
    cap["last_hidden_state"] = out.last_hidden_state
    return out, cap


def backbone(name):
    fam, cfg, m = build(name)
    wav, mask, lens = waves()
    d = name
    os.makedirs(os.path.join(OUT, d), exist_ok=True)
    cfg.architectures = [type(m).__name__]
    m.config.save_pretrained(os.path.join(OUT, d))
    sd = {k: v.detach().clone() for k, v in m.state_dict().items()}
    save(f"{d}/model.safetensors", sd)
    if name == "base":  # historic key names, as in the Hub checkpoints of 2021
        old = {k.replace("parametrizations.weight.original0", "weight_g").replace("parametrizations.weight.original1", "weight_v"): v
               for k, v in sd.items()}
        save(f"{d}/model_weight_g_v.safetensors", old)
    m64 = copy.deepcopy(m).double()

    cases = {"masked": (wav, mask, {}), "nomask": (wav, None, {}),
             "clip0": (wav[:1, : lens[0]], None, {}), "clip1": (wav[1:, : lens[1]], None, {})}
    T = spec_out_lengths(cfg, lens[0])
    if fam == "wavlm":
        mt = torch.zeros(2, T, dtype=torch.bool)
        mt[0, 3:7] = True
        mt[1, 1:3] = True
        cases["spec_augment"] = (wav, mask, {"mask_time_indices": mt})
    res = {}
    for cname, (w, mk, kw) in cases.items():
        with torch.no_grad():
            out, cap = run_capture(m, cfg, fam, w, mk, **kw)
            _, cap64 = run_capture(m64, cfg, fam, w.double(), mk, **kw)
            sp_cap = {}
            last, hs, fmask = spec_forward(sd, cfg, w, mk, kw.get("mask_time_indices"), fam, capture=sp_cap)
        n = cfg.num_hidden_layers
        check(f"{name}/{cname}: spec vs HF last_hidden_state", maxdiff(last, out.last_hidden_state), 2e-5)
        for i in range(n + 1):
            check(f"{name}/{cname}: spec vs HF hidden_states[{i}]", maxdiff(hs[i], out.hidden_states[i]), 2e-5)
        for k in cap:
            if k in sp_cap:
                check(f"{name}/{cname}: spec vs HF {k}", maxdiff(sp_cap[k], cap[k]), 2e-5)
        if cname in ("masked", "spec_augment"):
            hff = m._get_feature_vector_attention_mask(T, mk)
            assert bool((hff == fmask).all())
            cap["frame_mask"] = hff.to(torch.uint8)
        for k in list(sp_cap):
            if k.startswith("gate.") and cname == "masked":
                cap[k] = sp_cap[k]  # computed by the spec code, checked indirectly through attn_out
        if cname == "masked":
            full = dict(cap)
            f64 = {k: v for k, v in cap64.items()}
            noise(f"{name}/{cname}", {k: v for k, v in cap.items() if k in f64}, f64)
        else:
            full = {k: cap[k] for k in cap if k.startswith("hidden_states") or k in ("last_hidden_state", "frame_mask")}
        if "mask_time_indices" in kw:
            full["mask_time_indices"] = kw["mask_time_indices"].to(torch.uint8)
        res[cname] = (cap, full)
    io_t = {"input_values": wav, "attention_mask": mask.to(torch.int64)}
    for cname, (_, full) in res.items():
        for k, v in full.items():
            if k.startswith("conv."):
                if fam != "wavlm":
                    continue
                v = v[..., :64]  # first 64 time steps are enough to localise an error
            io_t[f"{cname}/{k}"] = v
    save(f"{d}/io.safetensors", io_t, {"lengths": lens, "frames": [spec_out_lengths(cfg, n) for n in lens]})

    # padding behaviour: valid frames of the padded batch against the clip alone
    t1 = spec_out_lengths(cfg, lens[1])
    pad = maxdiff(res["masked"][0]["last_hidden_state"][1, :t1], res["clip1"][0]["last_hidden_state"][0])
    MANIFEST["checks"][f"{name}: padded batch vs clip alone, valid frames (no limit for group norm)"] = pad
    if cfg.feat_extract_norm == "layer":
        assert pad < 2e-5, pad
    else:
        assert pad > 1e-3, pad  # group norm sees the padding; expected to differ

    if fam != "wavlm":
        return
    # gradients of every parameter and of the waveform
    mix, target = loss_terms(name, cfg, T)
    grads = {}
    for tag, mod, x in (("f32", m, wav), ("f64", m64, wav.double())):
        mod.zero_grad(set_to_none=True)
        x = x.clone().requires_grad_(True)
        out = mod(x, attention_mask=mask, output_hidden_states=True)
        fm = mod._get_feature_vector_attention_mask(T, mask)
        loss = mixed_loss(hf4_list(out, cfg.do_stable_layer_norm), fm, mix, target)
        loss.backward()
        g = {"loss": loss.detach().reshape(1), "grad/input_values": x.grad}
        for n, p in mod.named_parameters():
            if p.grad is not None:
                g[f"grad/{n}"] = p.grad
        grads[tag] = g
    noise(f"{name}/grads", grads["f32"], grads["f64"])
    # the spec's own gradient, to prove the written loss
    psd = {k: v.clone().requires_grad_(v.is_floating_point()) for k, v in sd.items()}
    last, hs, fm = spec_forward(psd, cfg, wav, mask, None, fam)
    ls = mixed_loss(hs[:-1] + [last], fm, mix, target)
    ls.backward()
    for n in ("encoder.layers.1.attention.v_proj.weight", "encoder.layers.0.layer_norm.weight"):
        check(f"{name}: spec grad {n}", maxdiff(psd[n].grad, grads["f32"][f"grad/{n}"]), 2e-6)
    if fam == "wavlm":
        n = "encoder.layers.0.attention.rel_attn_embed.weight"
        check(f"{name}: spec grad {n}", maxdiff(psd[n].grad, grads["f32"][f"grad/{n}"]), 2e-6)
    save(f"{d}/grads.safetensors", {**grads["f32"], "mix": mix, "target": target},
         {"loss": "mean((sum_l mix[l]*hs[l]-target)^2) over valid frames and channels; hs = 4.x list "
                  "(last entry is last_hidden_state); attention_mask used; eval mode"})

    # three AdamW steps on everything but the feature encoder
    if fam == "wavlm" and name in ("base", "large"):
        train_case(f"{d}/train_full", copy.deepcopy(m), cfg, wav, mask, mix, target, T, lr=1e-3,
                   trainable=lambda n: not n.startswith("feature_extractor") and n != "masked_spec_embed",
                   keep=lambda n: ("layers.1." in n or "pos_conv" in n or "rel_attn_embed" in n) and "k_proj.bias" not in n)
    return fam, cfg, m, sd


def train_case(fn, model, cfg, wav, mask, mix, target, T, lr, trainable, keep, steps=3, ref=False):
    if not ref:
        t64, l64 = train_case(fn, copy.deepcopy(model).double(), cfg, wav.double(), mask, mix, target, T, lr, trainable, keep, steps, True)
    model.train()
    for mod in model.modules():
        if isinstance(mod, hfw.WavLMModel):
            mod.config.apply_spec_augment = False
    ps = []
    for n, p in model.named_parameters():
        p.requires_grad_(bool(trainable(n)))
        if p.requires_grad:
            ps.append((n, p))
    opt = torch.optim.AdamW([p for _, p in ps], lr=lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01, foreach=False)
    losses, st_spec = [], {n: {"t": 0, "m": torch.zeros_like(p), "v": torch.zeros_like(p)} for n, p in ps}
    out_t, spec_err = {}, 0.0
    for s in range(steps + 1):
        opt.zero_grad(set_to_none=True)
        o = model(input_values=wav, attention_mask=mask, output_hidden_states=True)
        fm = frame_mask(model, T, mask)
        loss = mixed_loss(hf4_list(o, cfg.do_stable_layer_norm), fm, mix, target)
        losses.append(float(loss.detach()))
        if s == steps:
            break
        loss.backward()
        exp = {}
        for n, p in ps:
            if p.grad is None:
                continue
            exp[n] = spec_adamw(p.detach(), p.grad, st_spec[n], lr)
            if s == 0 and keep(n):
                out_t[f"grad0/{n}"] = p.grad.clone()
        opt.step()
        for n, p in ps:
            if n in exp:
                spec_err = max(spec_err, maxdiff(exp[n], p))
    for n, p in ps:
        if keep(n):
            out_t[f"param3/{n}"] = p.detach()
    if ref:
        return out_t, losses
    check(f"{fn}: spec AdamW vs torch", spec_err, 1e-6)
    noise(fn, out_t, t64)
    MANIFEST["noise_f32_vs_f64"][fn]["losses"] = [max(abs(a - b) for a, b in zip(losses, l64)), max(losses)]
    save(fn + ".safetensors", out_t, {"losses": losses, "lr": lr, "betas": [0.9, 0.999], "eps": 1e-8,
                                      "weight_decay": 0.01, "steps": steps,
                                      "trainable": [n for n, _ in ps] if len(ps) < 80 else "all but feature_extractor.* and masked_spec_embed"})
    MANIFEST.setdefault("train_losses", {})[fn] = losses
    return losses


def frame_mask(model, T, mask):
    for mod in model.modules():
        if isinstance(mod, hfw.WavLMModel):
            return mod._get_feature_vector_attention_mask(T, mask)


# ------------------------------------------------------------------ PEFT
REGEX_ALL = r"encoder\.layers\.\d+\.(attention\.(q_proj|k_proj|v_proj|out_proj)|feed_forward\.(intermediate_dense|output_dense))"
ADAPTERS = {
    "lora_qkv": dict(target_modules=["q_proj", "k_proj", "v_proj"], r=4, lora_alpha=8),
    "rslora_qv": dict(target_modules=["q_proj", "v_proj"], r=4, lora_alpha=8, use_rslora=True),
    "dora_attn": dict(target_modules=["q_proj", "k_proj", "v_proj", "out_proj"], r=4, lora_alpha=8, use_dora=True),
    "lora_pattern": dict(target_modules=REGEX_ALL, r=4, lora_alpha=8,
                         rank_pattern={"q_proj": 2, r"layers\.1\.attention\.v_proj": 6},
                         alpha_pattern={"k_proj": 16, r"^encoder\.layers\.2\.feed_forward\.output_dense": 1}),
    "lora_layers": dict(target_modules=["q_proj", "v_proj"], r=4, lora_alpha=8, layers_to_transform=[1, 2], layers_pattern="layers"),
    "lora_bias_mts": dict(target_modules=["q_proj", "v_proj"], r=4, lora_alpha=8, bias="lora_only",
                          modules_to_save=["feature_projection.projection"]),
    "lora_all_linear_excl": dict(target_modules="all-linear", exclude_modules=["gru_rel_pos_linear", "projection"], r=4, lora_alpha=8),
    "lora_bias_B": dict(target_modules=["output_dense"], r=4, lora_alpha=8, lora_bias=True),
    "lora_conv": dict(target_modules=r"feature_extractor\.conv_layers\.[56]\.conv", r=4, lora_alpha=8),
}


def fill_adapter(pm, tag):
    with torch.no_grad():
        for n, p in pm.named_parameters():
            t = f"{tag}/{n}"
            if ".lora_A." in n:
                p.copy_(randn(t, *p.shape, scale=1.0 / math.sqrt(p[0].numel())))
            elif ".lora_B." in n:
                p.copy_(randn(t, *p.shape, scale=0.15))
            elif "lora_magnitude_vector" in n:
                p.mul_(randn(t, *p.shape, scale=0.1, loc=1.0))
            elif ".modules_to_save." in n or (".base_layer.bias" in n and p.requires_grad):
                p.add_(randn(t, *p.shape, scale=0.05))


def adapter_cases(base_name, names):
    fam, cfg, m0 = build(base_name)
    wav, mask, lens = waves()
    T = spec_out_lengths(cfg, lens[0])
    mix, target = loss_terms(base_name, cfg, T)
    sd0 = {k: v.detach().clone() for k, v in m0.state_dict().items()}
    with torch.no_grad():
        base_out = m0(wav, attention_mask=mask).last_hidden_state
        with adapter_visible_attention():
            check(f"{base_name}: module-calling attention vs HF, no adapter",
                  maxdiff(m0(wav, attention_mask=mask).last_hidden_state, base_out), 2e-5)
    summary = {}
    for an in names:
        kw = ADAPTERS[an]
        d = f"{base_name}/peft/{an}"
        torch.manual_seed(0)
        pm = get_peft_model(copy.deepcopy(m0), LoraConfig(**copy.deepcopy(kw))).eval()
        fill_adapter(pm, f"{base_name}/{an}")
        targeted = list(pm.base_model.targeted_module_names)
        folder = os.path.join(OUT, d)
        shutil.rmtree(folder, ignore_errors=True)
        pm.save_pretrained(folder)
        if os.path.exists(os.path.join(folder, "README.md")):
            os.remove(os.path.join(folder, "README.md"))
        # PEFT writes target_modules sets in hash order; keep the golden stable
        cj = json.load(open(os.path.join(folder, "adapter_config.json")))
        for k in ("target_modules", "exclude_modules"):
            if isinstance(cj.get(k), list):
                cj[k] = sorted(cj[k])
        json.dump(cj, open(os.path.join(folder, "adapter_config.json"), "w"), indent=2, sort_keys=True)
        # round trip through PEFT's own loader
        back = PeftModel.from_pretrained(copy.deepcopy(m0), folder).eval()
        t = {}
        with torch.no_grad():
            plain = pm(wav, attention_mask=mask).last_hidden_state
            with adapter_visible_attention():
                o = pm(wav, attention_mask=mask, output_hidden_states=True)
                o2 = back(wav, attention_mask=mask)
                check(f"{d}: PEFT reload", maxdiff(o.last_hidden_state, o2.last_hidden_state), 0.0)
            t["last_hidden_state"] = o.last_hidden_state
        # spec reader + spec forward
        mods, acfg, rest = spec_read_adapter(folder)
        assert sorted(mods) == sorted(targeted), (sorted(mods), sorted(targeted))
        sdx = dict(sd0)
        for k, v in rest.items():
            sdx[k.replace(".base_layer.", ".")] = v
        if an != "lora_conv":
            with torch.no_grad():
                last, _, _ = spec_forward(sdx, cfg, wav, mask, None, fam, adapters=[mods])
            check(f"{d}: spec adapter forward vs PEFT", maxdiff(last, o.last_hidden_state), 5e-5)
        # merge
        mm = copy.deepcopy(pm).merge_and_unload(safe_merge=True)
        msd = {k: v for k, v in mm.state_dict().items()}
        assert set(msd) == set(sd0)
        changed = {k: v for k, v in msd.items() if not torch.equal(v, sd0[k])}
        for n, a in mods.items():
            w, b = spec_merge(sdx[n + ".weight"], a, sdx.get(n + ".bias"))
            check(f"{d}: spec merge {n}", maxdiff(w, msd[n + ".weight"]), 1e-6)
            if b is not None:
                check(f"{d}: spec merge bias {n}", maxdiff(b, msd[n + ".bias"]), 1e-6)
        with torch.no_grad():
            mo = mm(wav, attention_mask=mask).last_hidden_state
        check(f"{d}: merged (stock HF attention) vs adapter", maxdiff(mo, o.last_hidden_state), 5e-5)
        t["merged/last_hidden_state"] = mo
        for k, v in changed.items():
            t[f"merged/{k}"] = v
        # merge then unmerge in place
        pu = copy.deepcopy(pm)
        pu.merge_adapter()
        pu.unmerge_adapter()
        un = max(maxdiff(dict(pu.named_parameters())[k], v) for k, v in pm.named_parameters())
        # gradients of the trainable parameters
        g = {}
        for tag, mod, x in (("f32", pm, wav), ("f64", copy.deepcopy(pm).double(), wav.double())):
            mod.zero_grad(set_to_none=True)
            with adapter_visible_attention():
                oo = mod(x, attention_mask=mask, output_hidden_states=True)
                loss = mixed_loss(hf4_list(oo, cfg.do_stable_layer_norm), frame_mask(mod, T, mask), mix, target)
                loss.backward()
            g[tag] = {"loss": loss.detach().reshape(1)}
            for n, p in mod.named_parameters():
                if p.grad is not None:
                    g[tag][f"grad/{n.replace('.default', '')}"] = p.grad
        noise(f"{d}/grads", g["f32"], g["f64"])
        t.update(g["f32"])
        save(f"{d}/expected.safetensors", t, {"attention": "adapter-visible", "targeted_modules": targeted})
        summary[an] = {
            "targeted_modules": targeted,
            "trainable": sorted(n.replace(".default", "") for n, p in pm.named_parameters() if p.requires_grad),
            "keys": {k: list(v.shape) for k, v in sorted(st.load_file(os.path.join(folder, "adapter_model.safetensors")).items())},
            "max_abs_effect_on_last_hidden_state": maxdiff(o.last_hidden_state, base_out),
            "stock_hf_attention_with_unmerged_adapter_differs_from_adapter_visible_by": maxdiff(plain, o.last_hidden_state),
            "stock_hf_attention_with_unmerged_adapter_differs_from_base_by": maxdiff(plain, base_out),
            "unmerge_max_abs_error": un,
            "scaling": {n: a["scaling"] for n, a in mods.items()},
        }
        if an in ("lora_qkv", "rslora_qv", "dora_attn"):
            with adapter_visible_attention():
                train_case(f"{d}/train", copy.deepcopy(pm), cfg, wav, mask, mix, target, T, lr=1e-2,
                           trainable=lambda n: ".lora_" in n, keep=lambda n: True)
    save_json(f"{base_name}/peft/summary.json", summary)

    # several adapters at once, and weighted combination
    if base_name == "base":
        pm = get_peft_model(copy.deepcopy(m0), LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"]), adapter_name="a").eval()
        pm.add_adapter("b", LoraConfig(r=4, lora_alpha=2, target_modules=["q_proj", "v_proj"]))
        fill_adapter(pm, "base/multi")
        pm.base_model.set_adapter(["a", "b"])
        name = "encoder.layers.0.attention.q_proj"
        layer = pm.base_model.model.encoder.layers[0].attention.q_proj
        t = {}
        for ad in "ab":
            t[f"{ad}/A"], t[f"{ad}/B"] = layer.lora_A[ad].weight, layer.lora_B[ad].weight
        with torch.no_grad(), adapter_visible_attention():
            t["both_active/last_hidden_state"] = pm(wav, attention_mask=mask).last_hidden_state
        ws = [0.7, -0.4]
        combos = {"cat": {}, "linear": {}, "svd_rank4": dict(combination_type="svd", svd_rank=4),
                  "svd_rank8": dict(combination_type="svd", svd_rank=8),
                  "ties": dict(density=0.5), "ties_frequency": dict(combination_type="ties", density=0.5, majority_sign_method="frequency"),
                  "magnitude_prune": dict(density=0.5)}
        for c, kw in combos.items():
            kw = dict(kw)
            ct = kw.pop("combination_type", c)
            pm.add_weighted_adapter(["a", "b"], ws, c, combination_type=ct, **kw)
            t[f"{c}/delta"] = layer.get_delta_weight(c)
            if c in ("cat", "linear", "ties", "ties_frequency", "magnitude_prune"):
                t[f"{c}/A"], t[f"{c}/B"] = layer.lora_A[c].weight, layer.lora_B[c].weight
        exact = sum(w * layer.scaling[ad] * layer.lora_B[ad].weight @ layer.lora_A[ad].weight for w, ad in zip(ws, "ab"))
        t["exact_weighted_delta"] = exact
        check("multi: cat is exact", maxdiff(t["cat/delta"], exact), 1e-6)
        check("multi: svd at full rank is exact", maxdiff(t["svd_rank8/delta"], exact), 1e-5)
        save("base/peft/multi.safetensors", t, {"module": name, "weights": ws, "alpha": {"a": 8, "b": 2}, "r": 4, "combos": {k: dict(v) for k, v in combos.items()}})

    # weight-derived initialisations; only sign-invariant products are stored
    if base_name == "base":
        t = {}
        for init in ("pissa", "olora"):
            pm = get_peft_model(copy.deepcopy(m0), LoraConfig(r=4, lora_alpha=8, target_modules=["layers.0.attention.q_proj"], init_lora_weights=init)).eval()
            l = pm.base_model.model.encoder.layers[0].attention.q_proj
            t[f"{init}/BA"] = l.lora_B["default"].weight @ l.lora_A["default"].weight
            t[f"{init}/base_weight_after"] = l.base_layer.weight
            t[f"{init}/A_abs"], t[f"{init}/B_abs"] = l.lora_A["default"].weight.abs(), l.lora_B["default"].weight.abs()
        t["W"] = sd0["encoder.layers.0.attention.q_proj.weight"]
        torch.manual_seed(1234)
        a = torch.empty(4, 48)
        torch.nn.init.kaiming_uniform_(a, a=math.sqrt(5))
        t["kaiming_uniform_a_sqrt5_seed1234_4x48"] = a
        assert float(a.abs().max()) <= 1 / math.sqrt(48)
        save("base/peft/init.safetensors", t, {"r": 4, "lora_alpha": 8})


# ------------------------------------------------------------------ small tables
def tables():
    t = {}
    rel = torch.arange(-1500, 1501)
    for nb, md in ((320, 800), (32, 20), (24, 15)):
        a = hfw.WavLMAttention(8, 2, num_buckets=nb, max_distance=md)
        hf = a._relative_positions_bucket(rel)
        assert torch.equal(hf, spec_bucket(rel, nb, md))
        t[f"bucket_{nb}_{md}"] = hf.to(torch.int32)
    t["relative_position"] = rel.to(torch.int32)
    cfg = WavLMConfig()
    ns = [400, 401, 719, 720, 1039, 1040, 8000, 5200, 16000, 23840, 32000, 80000, 160000, 480000]
    lengths = {str(n): spec_out_lengths(cfg, n) for n in ns}
    m = WavLMModel(tiny()[0])
    for n in ns:
        assert int(m._get_feat_extract_output_lengths(torch.tensor(n))) == lengths[str(n)]
    save("tables/tables.safetensors", t)
    save_json("tables/lengths.json", lengths)
    # waveform normalisation
    wav, mask, lens = waves()
    lens = [1600, 1000]
    raw = [wav[i, :n].numpy() * (3.0 if i else 1.0) + (0.2 if i else 0.0) for i, n in enumerate(lens)]
    fe = Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True)
    a = fe(raw, sampling_rate=16000, padding=True, return_tensors="pt")
    fe2 = Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=False)
    b = fe2(raw, sampling_rate=16000, padding=True, return_tensors="pt")
    for i, n in enumerate(lens):
        x = raw[i].astype(np.float64)
        e = (x - x.mean()) / np.sqrt(x.var() + 1e-7)
        check(f"normalise clip {i}", float(np.abs(e - a["input_values"][i, :n].numpy()).max()), 2e-5)
    assert float(a["input_values"][1, lens[1]:].abs().max()) == 0.0
    save("tables/normalize.safetensors", {
        "raw0": torch.from_numpy(raw[0]), "raw1": torch.from_numpy(raw[1]),
        "with_mask/input_values": a["input_values"].float(), "with_mask/attention_mask": a["attention_mask"].to(torch.int64),
        "without_mask/input_values": b["input_values"].float()})


# ------------------------------------------------------------------ container formats
def st_bytes(header, data, pad=True, raw_header=None, n=None):
    h = raw_header if raw_header is not None else json.dumps(header, separators=(",", ":")).encode()
    if pad and raw_header is None:
        h += b" " * (-len(h) % 8)
    return struct.pack("<Q", len(h) if n is None else n) + h + data


def safetensors_cases():
    f4 = lambda n: np.arange(n, dtype="<f4").tobytes()
    I = lambda d, s, a, b: {"dtype": d, "shape": s, "data_offsets": [a, b]}
    c = {}
    c["ok_basic"] = st_bytes({"a": I("F32", [2, 2], 0, 16)}, f4(4))
    c["ok_metadata"] = st_bytes({"__metadata__": {"format": "pt", "x": "1"}, "a": I("F32", [2], 0, 8)}, f4(2))
    c["ok_empty_dict"] = st_bytes({}, b"")
    c["ok_scalar"] = st_bytes({"a": I("F32", [], 0, 4)}, f4(1))
    c["ok_zero_dim"] = st_bytes({"a": I("F32", [0, 3], 0, 0), "b": I("F32", [1], 0, 4)}, f4(1))
    c["ok_unsorted_keys"] = st_bytes({"b": I("F32", [1], 4, 8), "a": I("F32", [1], 0, 4)}, f4(2))
    c["ok_unpadded_header"] = st_bytes({"a": I("F32", [1], 0, 4)}, f4(1), pad=False)
    c["ok_nan_values"] = st_bytes({"a": I("F32", [2], 0, 8)}, struct.pack("<ff", math.nan, math.inf))
    c["ok_all_dtypes"] = st_bytes({k: I(k, [1], o, o + s) for k, s, o in zip(
        ("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "F64", "I64", "U64"),
        (1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 8, 8, 8),
        np.cumsum([0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 8, 8]).tolist())}, b"\0" * 49)
    c["policy_unknown_tensor_field"] = st_bytes({"a": {**I("F32", [1], 0, 4), "extra": 1}}, f4(1))
    c["bad_short_file"] = b"\x08\0\0\0"
    c["bad_empty_file"] = b""
    c["bad_header_len_past_eof"] = st_bytes({"a": I("F32", [1], 0, 4)}, f4(1), n=10_000)
    c["bad_header_len_over_100mb"] = struct.pack("<Q", 100_000_001) + b"{}"
    c["bad_header_len_huge"] = struct.pack("<Q", 2 ** 63 + 5) + b"{}"
    c["bad_not_json"] = st_bytes(None, b"", raw_header=b"hello   ")
    c["bad_not_utf8"] = st_bytes(None, b"", raw_header=b'{"\xff":1}  ')
    c["bad_leading_space"] = st_bytes(None, f4(1), raw_header=b' {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}')
    c["bad_trailing_garbage_in_header"] = st_bytes(None, f4(1), raw_header=b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}xx')
    c["bad_json_array"] = st_bytes(None, b"", raw_header=b"[]      ")
    c["bad_hole"] = st_bytes({"a": I("F32", [1], 0, 4), "b": I("F32", [1], 8, 12)}, f4(3))
    c["bad_leading_hole"] = st_bytes({"a": I("F32", [1], 4, 8)}, f4(2))
    c["bad_overlap"] = st_bytes({"a": I("F32", [2], 0, 8), "b": I("F32", [2], 4, 12)}, f4(3))
    c["bad_same_range_twice"] = st_bytes({"a": I("F32", [2], 0, 8), "b": I("F32", [2], 0, 8)}, f4(2))
    c["bad_trailing_bytes"] = st_bytes({"a": I("F32", [1], 0, 4)}, f4(2))
    c["bad_truncated_data"] = st_bytes({"a": I("F32", [4], 0, 16)}, f4(3))
    c["bad_begin_after_end"] = st_bytes({"a": I("F32", [1], 4, 0)}, f4(1))
    c["bad_size_mismatch"] = st_bytes({"a": I("F32", [3], 0, 16)}, f4(4))
    c["bad_negative_offset"] = st_bytes({"a": I("F32", [1], -4, 0)}, f4(1))
    c["bad_negative_dim"] = st_bytes({"a": I("F32", [-1], 0, 4)}, f4(1))
    c["bad_float_dim"] = st_bytes({"a": I("F32", [1.0], 0, 4)}, f4(1))
    c["bad_overflow_shape"] = st_bytes({"a": I("F32", [2 ** 62, 8], 0, 0)}, b"")
    c["bad_overflow_times_zero"] = st_bytes({"a": I("F32", [2 ** 40, 2 ** 40, 0], 0, 0)}, b"")
    c["bad_unknown_dtype"] = st_bytes({"a": I("F33", [1], 0, 4)}, f4(1))
    c["bad_missing_offsets"] = st_bytes({"a": {"dtype": "F32", "shape": [1]}}, f4(1))
    c["bad_three_offsets"] = st_bytes({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 4]}}, f4(1))
    c["bad_metadata_not_string"] = st_bytes({"__metadata__": {"x": 1}, "a": I("F32", [1], 0, 4)}, f4(1))
    c["bad_metadata_nested"] = st_bytes({"__metadata__": {"x": {"y": "z"}}}, b"")
    c["bad_subbyte_misaligned"] = st_bytes({"a": I("F4", [3], 0, 2)}, b"\0\0")
    dup = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    c["dup_key_same"] = st_bytes(None, f4(1), raw_header=dup + b" " * (-len(dup) % 8))
    dup2 = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
    c["dup_key_different"] = st_bytes(None, f4(2), raw_header=dup2 + b" " * (-len(dup2) % 8))
    dupm = b'{"__metadata__":{"x":"1","x":"2"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    c["dup_metadata_key"] = st_bytes(None, f4(1), raw_header=dupm + b" " * (-len(dupm) % 8))
    esc = json.dumps({"a\n\u00e9\"x": I("F32", [1], 0, 4)}).encode()
    c["escaped_name"] = st_bytes(None, f4(1), raw_header=esc + b" " * (-len(esc) % 8))
    deep = b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}"
    c["bad_deep_json"] = st_bytes(None, b"", raw_header=deep)
    rows = {}
    for k, b in c.items():
        with open(path("containers", "safetensors", k + ".safetensors"), "wb") as f:
            f.write(b)
        try:
            names = sorted(st.load(b))
            rows[k] = {"reference": "accept", "names": names}
        except BaseException as e:
            rows[k] = {"reference": "reject", "error": f"{type(e).__name__}: {str(e)[:160]}"}
        rows[k]["want"] = ("reject" if k.startswith(("bad_", "dup_")) else
                           "policy: reference accepts, the published JSON schema forbids" if k.startswith("policy_") else "accept")
    save_json("containers/safetensors/expected.json", rows)


def zip_with(entries, compress=zipfile.ZIP_STORED):
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", compress) as z:
        for n, d in entries:
            z.writestr(zipfile.ZipInfo(n), d, compress)
    return b.getvalue()


def pickle_of_one(sizes, strides, numel, offset=0, storage="FloatStorage", tail=b""):
    """Protocol-2 pickle of {'a': tensor}, written opcode by opcode so bad values can be put in."""
    def i(v):
        if v < 0 or v >= 2 ** 31:
            b = v.to_bytes(9, "little", signed=True)
            return b"\x8a" + bytes([len(b)]) + b
        return b"K" + bytes([v]) if v < 256 else b"J" + struct.pack("<i", v)

    u = lambda s: b"X" + struct.pack("<I", len(s)) + s.encode()
    tup = lambda xs: b"(" + b"".join(i(x) for x in xs) + b"t"
    p = b"\x80\x02}" + u("a") + b"ctorch._utils\n_rebuild_tensor_v2\n("
    p += b"(" + u("storage") + b"ctorch\n" + storage.encode() + b"\n" + u("0") + u("cpu") + i(numel) + b"tQ"
    p += i(offset) + tup(sizes) + tup(strides) + b"\x89" + b"ccollections\nOrderedDict\n)R" + b"tRs" + tail + b"."
    return p


def bin_cases(m):
    sd = {k: v.detach().clone() for k, v in m.state_dict().items()}
    small = {k: v for k, v in sd.items() if "pos_conv" in k or "layers.0.attention" in k or "masked_spec" in k}
    small = {k.replace("parametrizations.weight.original0", "weight_g").replace("parametrizations.weight.original1", "weight_v"): v for k, v in small.items()}
    info = {}

    def disasm(data):
        ops, glob, last = {}, set(), []
        for op, arg, pos in pickletools.genops(data):
            ops[op.name] = ops.get(op.name, 0) + 1
            if op.name == "GLOBAL":
                glob.add(arg)
        return ops, sorted(glob)

    os.makedirs(os.path.join(OUT, "containers", "bin"), exist_ok=True)
    p = path("containers", "bin", "ok_zip.bin")
    torch.save(small, p)
    with zipfile.ZipFile(p) as z:
        root = z.namelist()[0].split("/")[0]
        ops, glob = disasm(z.read(root + "/data.pkl"))
        info["ok_zip"] = {"entries": [(i.filename, i.compress_type, i.file_size, i.flag_bits) for i in z.infolist()], "opcodes": ops, "globals": glob}
    par = {k: torch.nn.Parameter(v) for k, v in list(small.items())[:2]}
    par["int64"] = torch.arange(6).reshape(2, 3)
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    par["view_of_shared_storage"] = base[1:3, 2:5]
    par["transposed_view"] = base.t()
    par["half"] = torch.ones(3, dtype=torch.float16)
    par["bf16"] = torch.ones(3, dtype=torch.bfloat16)
    p2 = path("containers", "bin", "ok_zip_params_views.bin")
    torch.save(par, p2)
    with zipfile.ZipFile(p2) as z:
        root = z.namelist()[0].split("/")[0]
        ops, glob = disasm(z.read(root + "/data.pkl"))
        info["ok_zip_params_views"] = {"opcodes": ops, "globals": glob}
    p3 = path("containers", "bin", "ok_legacy.bin")
    torch.save(small, p3, _use_new_zipfile_serialization=False)
    save("containers/bin/expected.safetensors", {f"zip/{k}": v for k, v in small.items()} | {f"views/{k}": v.detach().contiguous() for k, v in par.items()})

    d16 = np.arange(4, dtype="<f4").tobytes()
    A = "archive/"
    good = [(A + "data.pkl", pickle_of_one([2, 2], [2, 1], 4)), (A + "data/0", d16), (A + "version", b"3\n")]
    c = {"ok_handmade": zip_with(good)}
    c["bad_global_os_system"] = zip_with([(A + "data.pkl", b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R."), (A + "version", b"3\n")])
    c["bad_global_builtins_eval"] = zip_with([(A + "data.pkl", b"\x80\x02cbuiltins\neval\nX\x01\0\0\x001\x85R."), (A + "version", b"3\n")])
    c["bad_opcode_inst"] = zip_with([(A + "data.pkl", b"(X\x04\0\0\0trueios\nsystem\n."), (A + "version", b"3\n")])
    c["bad_stack_global_proto4"] = zip_with([(A + "data.pkl", b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R."), (A + "version", b"3\n")])
    c["bad_stride_out_of_storage"] = zip_with([(A + "data.pkl", pickle_of_one([2, 2], [100, 1], 4)), (A + "data/0", d16), (A + "version", b"3\n")])
    c["bad_negative_stride"] = zip_with([(A + "data.pkl", pickle_of_one([2, 2], [-2, 1], 4)), (A + "data/0", d16), (A + "version", b"3\n")])
    c["bad_negative_size"] = zip_with([(A + "data.pkl", pickle_of_one([-2, 2], [2, 1], 4)), (A + "data/0", d16), (A + "version", b"3\n")])
    c["bad_negative_storage_offset"] = zip_with([(A + "data.pkl", pickle_of_one([2, 2], [2, 1], 4, offset=-1)), (A + "data/0", d16), (A + "version", b"3\n")])
    c["bad_offset_past_storage"] = zip_with([(A + "data.pkl", pickle_of_one([2, 2], [2, 1], 4, offset=2)), (A + "data/0", d16), (A + "version", b"3\n")])
    c["bad_numel_larger_than_entry"] = zip_with([(A + "data.pkl", pickle_of_one([2, 2], [2, 1], 4000)), (A + "data/0", d16), (A + "version", b"3\n")])
    c["bad_expand_bomb_stride0"] = zip_with([(A + "data.pkl", pickle_of_one([2 ** 40], [0], 4)), (A + "data/0", d16), (A + "version", b"3\n")])
    c["bad_missing_storage"] = zip_with([(A + "data.pkl", pickle_of_one([2, 2], [2, 1], 4)), (A + "version", b"3\n")])
    c["bad_missing_data_pkl"] = zip_with([(A + "data/0", d16), (A + "version", b"3\n")])
    c["bad_unknown_storage_class"] = zip_with([(A + "data.pkl", pickle_of_one([2, 2], [2, 1], 4, storage="EvilStorage")), (A + "data/0", d16), (A + "version", b"3\n")])
    c["bad_truncated_pickle"] = zip_with([(A + "data.pkl", pickle_of_one([2, 2], [2, 1], 4)[:-20]), (A + "data/0", d16), (A + "version", b"3\n")])
    c["bad_memo_miss"] = zip_with([(A + "data.pkl", b"\x80\x02h\x07."), (A + "version", b"3\n")])
    c["bad_stack_underflow"] = zip_with([(A + "data.pkl", b"\x80\x02s."), (A + "version", b"3\n")])
    c["bad_unclosed_mark"] = zip_with([(A + "data.pkl", b"\x80\x02" + b"(" * 200 + b"}" + b"."), (A + "version", b"3\n")])
    c["bad_string_len_4gb"] = zip_with([(A + "data.pkl", b"\x80\x02X\xff\xff\xff\xff" + b"abc."), (A + "version", b"3\n")])
    c["bad_odd_setitems"] = zip_with([(A + "data.pkl", b"\x80\x02}(K\x01u."), (A + "version", b"3\n")])
    c["bad_traversal_entry"] = zip_with(good + [("archive/../../evil", b"x")])
    c["policy_compressed_entries"] = zip_with(good, zipfile.ZIP_DEFLATED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        c["policy_duplicate_entry"] = zip_with(good + [(A + "data/0", b"\xff" * 16)])
    c["bad_not_zip"] = b"PK\x03\x04" + b"\0" * 60
    c["bad_raw_pickle_os_system"] = b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R."
    rows = {}
    for k, b in c.items():
        fn = path("containers", "bin", k + ".bin")
        with open(fn, "wb") as f:
            f.write(b)
        if k == "bad_expand_bomb_stride0":
            rows[k] = {"reference": "not run here (the reference makes a lazy view; materialising it needs 4 TiB)"}
        else:
            try:
                o = torch.load(fn, weights_only=True)
                rows[k] = {"reference": "accept", "result": str({kk: (vv.tolist() if hasattr(vv, "tolist") else str(vv)) for kk, vv in o.items()} if isinstance(o, dict) else type(o).__name__)[:160]}
            except BaseException as e:
                rows[k] = {"reference": "reject", "error": f"{type(e).__name__}: {str(e).splitlines()[0][:160] if str(e) else ''}"}
        rows[k]["want"] = "accept" if k.startswith("ok_") else ("reject" if k.startswith("bad_") else "policy: reject is the safe choice")
    save_json("containers/bin/expected.json", {"cases": rows, "info": info})


# ------------------------------------------------------------------
def verify_adapter(folder, variant):
    """Reverse test: load an adapter folder written by another program with PEFT and print key problems.

    If the folder holds expected.safetensors with last_hidden_state, it is compared with PEFT's (adapter-visible
    attention). Returns the exit code: 1 if a key is missing or unexpected, or an output differs by more than 1e-4."""
    fam, cfg, m = build(variant)
    wav, mask, _ = waves()
    pm = get_peft_model(m, peft.PeftConfig.from_pretrained(folder)).eval()
    res = peft.set_peft_model_state_dict(pm, peft.load_peft_weights(folder, device="cpu"))
    missing = [k for k in res.missing_keys if "lora_" in k or "modules_to_save" in k]
    with torch.no_grad(), adapter_visible_attention():
        y = pm(wav, attention_mask=mask).last_hidden_state
    print("missing:", missing, "unexpected:", list(res.unexpected_keys))
    good = not missing and not res.unexpected_keys
    e = os.path.join(folder, "expected.safetensors")
    if os.path.exists(e):
        diff = maxdiff(y, st.load_file(e)["last_hidden_state"])
        print("max abs diff:", diff)
        good = good and diff <= 1e-4  # not so for NaN
    return 0 if good else 1


def main():
    global OUT
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", default=os.path.dirname(os.path.abspath(__file__)))
    ap.add_argument("--verify-adapter", metavar="DIR", help="load DIR with PEFT instead of generating")
    ap.add_argument("--variant", default="base")
    args = ap.parse_args()
    OUT = args.out
    if args.verify_adapter:
        sys.exit(verify_adapter(args.verify_adapter, args.variant))
    for d in list(VARIANTS) + ["tables", "containers"]:
        shutil.rmtree(os.path.join(OUT, d), ignore_errors=True)
    MANIFEST["versions"] = {"python": sys.version.split()[0], "torch": torch.__version__, "transformers": transformers.__version__,
                            "peft": peft.__version__, "safetensors": safetensors.__version__, "numpy": np.__version__,
                            "threads": torch.get_num_threads(), "device": "cpu"}
    tables()
    for v in VARIANTS:
        backbone(v)
    adapter_cases("base", list(ADAPTERS))
    adapter_cases("large", ["lora_qkv", "rslora_qv", "dora_attn"])
    safetensors_cases()
    bin_cases(build("base")[2])
    MANIFEST["notes"] = [
        "k_proj.bias has a mathematically zero gradient (softmax is shift invariant); its golden gradient is rounding noise. "
        "Compare with atol, and do not compare k_proj.bias after AdamW steps.",
        "hidden_states.N of stable-layer-norm models is BEFORE encoder.layer_norm (transformers 5.x); 4.x returned it after.",
        "peft/*/expected.safetensors come from an attention that calls the projection modules; stock transformers ignores an unmerged "
        "adapter on q/k/v/out_proj (see summary.json).",
        "PiSSA / OLoRA factors are stored as |A|, |B| and B@A because SVD/QR signs are arbitrary.",
    ]
    total = 0
    for root, _, files in os.walk(OUT):
        for f in sorted(files):
            p = os.path.join(root, f)
            rel = os.path.relpath(p, OUT)
            if rel in ("make_goldens.py", "manifest.json", "README.md") or rel.endswith(".pyc"):
                continue
            b = open(p, "rb").read()
            total += len(b)
            MANIFEST["files"][rel] = {"bytes": len(b), "sha256": hashlib.sha256(b).hexdigest()}
    MANIFEST["total_bytes"] = total
    save_json("manifest.json", MANIFEST)
    print(json.dumps({"versions": MANIFEST["versions"], "files": len(MANIFEST["files"]), "total_bytes": total,
                      "checks": len(MANIFEST["checks"])}, indent=1))


if __name__ == "__main__":
    main()
