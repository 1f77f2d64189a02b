#!/usr/bin/env python3
"""Goldens for a Whisper encoder with LoRA: log-mel, hidden states, adapters, gradients.

    python make_goldens.py [--out DIR]        torch 2.15, transformers 5.23, peft 0.21, safetensors, numpy; CPU

Everything is float32 from transformers' and PEFT's own code (whose attention calls its projection modules, so that adapters on
q_proj and v_proj are alive); `spec_*` below restates it from the weights alone and is asserted to agree.
"""
import argparse, json, math, os, warnings
warnings.filterwarnings("ignore"); os.environ.setdefault("HF_HUB_OFFLINE", "1"); os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
import numpy as np, torch, torch.nn.functional as F
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel

torch.set_num_threads(1); torch.use_deterministic_algorithms(True)


def clip(seconds, seed):
    """A sum of three chirps and noise with a silent gap; samples are multiples of 2^-15 so that a 16-bit WAV holds them exactly."""
    g = np.random.default_rng(seed); t = np.arange(int(seconds * 16000)) / 16000
    x = sum(a * np.sin(2 * np.pi * (f * t + s * t * t)) for a, f, s in ((.3, 150, 40), (.2, 700, -60), (.1, 2600, 300))) + .02 * g.standard_normal(len(t))
    x[len(x) // 2: len(x) // 2 + 1600] = 0
    return (np.round(x * 32768).clip(-32768, 32767) / 32768).astype(np.float32)


def spec_logmel(x, filters):
    """Slaney mel of |STFT|^2 (hann 400, hop 160, centred with reflection, the last frame dropped), log10, floor at 8 below the largest, (y+4)/4."""
    s = torch.stft(torch.from_numpy(x), 400, 160, window=torch.hann_window(400), center=True, pad_mode="reflect", return_complex=True)[..., :-1].abs() ** 2
    y = (filters.T @ s).clamp(min=1e-10).log10()
    return (torch.maximum(y, y.max() - 8) + 4) / 4                                          # (mel, frames)


def spec_encoder(w, c, mel, lora=None):
    """Hidden states 0..N (N = after the last layer, before the final norm) and the normed last one, for mel (M, frames); positions are cut to the frames there are."""
    h = F.gelu(F.conv1d(mel[None], w["conv1.weight"], w["conv1.bias"], padding=1))
    h = F.gelu(F.conv1d(h, w["conv2.weight"], w["conv2.bias"], stride=2, padding=1))[0].T    # (T, C)
    h = h + w["embed_positions.weight"][: len(h)]; out = [h]; H = c.encoder_attention_heads; D = c.d_model // H
    norm = lambda h, k: F.layer_norm(h, (c.d_model,), w[k + ".weight"], w[k + ".bias"], 1e-5)
    for n in range(c.encoder_layers):
        p = f"layers.{n}."; a = norm(h, p + "self_attn_layer_norm")
        def lin(k):
            y = F.linear(a, w[p + f"self_attn.{k}_proj.weight"], w.get(p + f"self_attn.{k}_proj.bias"))
            if lora and (n, k) in lora:
                A, B, s = lora[n, k]; y = y + s * (a @ A.T @ B.T)
            return y
        q, k, v = lin("q") * D ** -.5, lin("k"), lin("v"); sp = lambda z: z.reshape(-1, H, D).transpose(0, 1)
        o = (torch.softmax(sp(q) @ sp(k).transpose(1, 2), -1) @ sp(v)).transpose(0, 1).reshape(-1, c.d_model)
        h = h + F.linear(o, w[p + "self_attn.out_proj.weight"], w[p + "self_attn.out_proj.bias"])
        a = norm(h, p + "final_layer_norm"); h = h + F.linear(F.gelu(F.linear(a, w[p + "fc1.weight"], w[p + "fc1.bias"])), w[p + "fc2.weight"], w[p + "fc2.bias"]); out.append(h)
    return out, norm(h, "layer_norm")


def main():
    a = argparse.ArgumentParser(); a.add_argument("--out", default=os.path.dirname(os.path.abspath(__file__))); a = a.parse_args()
    os.makedirs(a.out, exist_ok=True); torch.manual_seed(7)
    c = WhisperConfig(d_model=32, encoder_layers=3, encoder_attention_heads=4, encoder_ffn_dim=96, num_mel_bins=80, decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=48,
                      vocab_size=64, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1, max_target_positions=16)
    m = WhisperModel(c).eval()
    with torch.no_grad():
        for n, p in m.named_parameters():
            if "norm" in n: p.add_(torch.randn_like(p) * .1)
            elif "positions" not in n: p.mul_(3.0)
            if n.endswith("bias") and "norm" not in n: p.add_(torch.randn_like(p) * .05)
    m.save_pretrained(f"{a.out}/model"); fe = WhisperFeatureExtractor(feature_size=80); fe.save_pretrained(f"{a.out}/model")
    w = {k: v.detach() for k, v in m.encoder.state_dict().items()}; filters = torch.tensor(fe.mel_filters, dtype=torch.float32)   # (201, mel)
    save_file({"mel_filters": filters.contiguous()}, f"{a.out}/filters.safetensors"); note = {}
    for name, sec in (("short", 1.3), ("window", 4.0), ("full", 30.0)):
        x = clip(sec, len(name)); t = {}
        if name != "full": t["samples"] = torch.from_numpy(x)
        padded = np.zeros(480000, np.float32); padded[: len(x)] = x
        mel = torch.tensor(fe(x, sampling_rate=16000, return_tensors="np").input_features[0])         # (80, 3000): what transformers does, 30 s always
        got = spec_logmel(padded, filters); note[f"{name}.logmel"] = float((got - mel).abs().max()); assert note[f"{name}.logmel"] < 2e-5
        with torch.no_grad():
            hs = m.encoder(mel[None], output_hidden_states=True); hs = [*hs.hidden_states]
            mine, last = spec_encoder(w, c, mel)
        # transformers' last hidden state is taken after the final norm
        err = max(float((b - s[0]).abs().max()) for b, s in zip(mine[:-1] + [last], hs)); note[f"{name}.hidden"] = err; assert err < 2e-4, err
        keep = torch.arange(0, 1500, 1 if name != "full" else 50)[: max(int(sec * 50) + 10, 40) if name != "full" else 30]
        t["frames"] = keep.int(); t["logmel_frames"] = (keep[:40] * 2).int(); t["logmel"] = mel[:, keep[:40] * 2].contiguous()
        for l, h in enumerate(mine): t[f"padded.hidden_states.{l}"] = h[keep].contiguous()
        t["padded.last_norm"] = last[keep].contiguous()
        if name != "full":   # the clip alone: log-mel of its own samples, positions from 0, no 30 s of silence
            own = spec_logmel(x, filters)[:, : len(x) // 160 // 2 * 2]
            with torch.no_grad(): hs, last = spec_encoder(w, c, own)
            for l, h in enumerate(hs): t[f"alone.hidden_states.{l}"] = h.contiguous()
            t["alone.last_norm"] = last.contiguous(); t["alone.logmel"] = own.contiguous()
        save_file(t, f"{a.out}/{name}.safetensors")
    # LoRA on q and v, r = 4, alpha = 8, in PEFT's files; B is random, so that something happens
    pm = get_peft_model(WhisperModel.from_pretrained(f"{a.out}/model").eval().encoder, LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"]))
    with torch.no_grad():
        for n, p in pm.named_parameters():
            if "lora_B" in n: p.copy_(torch.randn_like(p) * .2)
    pm.save_pretrained(f"{a.out}/adapter"); os.remove(f"{a.out}/adapter/README.md"); f = f"{a.out}/adapter/adapter_config.json"; s = open(f).read().replace(f"{a.out}/model", "model"); open(f, "w").write(s); x = clip(4.0, len("window")); mel = torch.tensor(fe(x, sampling_rate=16000, return_tensors="np").input_features)
    hs = pm.base_model.model(mel, output_hidden_states=True).hidden_states; y = hs[2][0, :200]; target = torch.sin(torch.arange(y.numel()).float()).reshape(y.shape)
    loss = ((y - target) ** 2).mean(); loss.backward(); t = {"loss": loss.detach(), "hidden_states.2": y.detach().contiguous()}
    for n, p in pm.named_parameters():
        if p.grad is not None: t["grad." + n] = p.grad.contiguous()
    lora = {(n, k): (pm.get_parameter(f"base_model.model.layers.{n}.self_attn.{k}_proj.lora_A.default.weight").detach(), pm.get_parameter(f"base_model.model.layers.{n}.self_attn.{k}_proj.lora_B.default.weight").detach(), 2.0) for n in range(3) for k in "qv"}
    with torch.no_grad(): mine, _ = spec_encoder(w, c, mel[0], lora)
    note["lora.hidden"] = float((mine[2][:200] - y).abs().max()); assert note["lora.hidden"] < 2e-4; note["lora.grad_layers"] = sorted({n.split("layers.")[1][0] for n in t if n.startswith("grad.")})
    save_file(t, f"{a.out}/lora.safetensors")
    import transformers, peft
    json.dump({"versions": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}, "largest_difference_of_spec": note}, open(f"{a.out}/manifest.json", "w"), indent=1)
    print(json.dumps(note, indent=1))


if __name__ == "__main__":
    main()
