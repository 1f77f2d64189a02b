#!/usr/bin/env python3
"""Goldens of PEFT's methods beside LoRA, and the check of adapters written by bwlm in PEFT.

    python methods.py                                 # writes ../../peft/testdata/methods
    python methods.py --verify DIR... [--variant base]  # says good or bad of each; bad, and exit 1, if PEFT misses or does not
                                                        # know a key, or gives an output more than 1e-4 from DIR's expected one

Made with python 3.11, torch 2.15.0, transformers 5.23.0, peft 0.21.2 on the CPU. The golden models, clips and loss are
those of ../../testdata/golden/make_goldens.py, and so is the attention that calls its projections.
"""
import argparse
import copy
import json
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "testdata", "golden"))
sys.dont_write_bytecode = True

import make_goldens as g  # noqa: E402
import peft  # noqa: E402
import safetensors.torch as st  # noqa: E402
import torch  # noqa: E402

OUT = os.path.join(HERE, "..", "..", "peft", "testdata", "methods")
CASES = {
    "ia3": peft.IA3Config(target_modules=["k_proj", "v_proj", "output_dense"], feedforward_modules=["output_dense"]),
    "vera": peft.VeraConfig(target_modules=["q_proj", "v_proj", "intermediate_dense", "output_dense"], r=6, projection_prng_key=3),
    "vera_bias": peft.VeraConfig(target_modules=["q_proj", "v_proj"], r=6, bias="vera_only", layers_to_transform=[0, 2]),
    "norms": peft.LNTuningConfig(target_modules=["layer_norm", "final_layer_norm"], exclude_modules=["feature_projection.layer_norm"]),
    "bitfit": peft.LoraConfig(target_modules="dummy-target-modules", bias="all"),
    "lora_bias_all": peft.LoraConfig(target_modules=["v_proj"], bias="all", r=3, lora_alpha=5),
    "adalora": peft.AdaLoraConfig(target_modules=["q_proj", "output_dense"], init_r=5, lora_alpha=7, total_step=10),
}


def fill(model, tag):
    """Gives every parameter of an adapter a value that matters."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.requires_grad:
                scale = 0.3 if "vera_lambda" in name else 0.1
                p.add_(g.randn(f"{tag}/{name}", *p.shape, scale=scale))


def forward(model, wav, mask):
    with g.adapter_visible_attention():
        return model(wav, attention_mask=mask, output_hidden_states=True)


def make(name, config):
    _, cfg, base = g.build("base")
    wav, mask, lens = g.waves()
    frames = g.spec_out_lengths(cfg, lens[0])
    mix, target = g.loss_terms("base", cfg, frames)
    torch.manual_seed(0)
    model = peft.get_peft_model(copy.deepcopy(base), config).eval()
    fill(model, name)
    folder = os.path.join(OUT, name)
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    os.remove(os.path.join(folder, "README.md"))
    path = os.path.join(folder, "adapter_config.json")
    written = json.load(open(path))
    for key, value in written.items():  # sets are written in the order of their hashes
        if key.endswith("_modules") and isinstance(value, list):
            written[key] = sorted(value)
    json.dump(written, open(path, "w"), indent=2, sort_keys=True)

    out = forward(model, wav, mask)
    loss = g.mixed_loss(g.hf4_list(out, cfg.do_stable_layer_norm), g.frame_mask(model, frames, mask), mix, target)
    loss.backward()
    tensors = {"last_hidden_state": out.last_hidden_state, "loss": loss.reshape(1)}
    for key, p in model.named_parameters():
        if p.grad is not None:
            tensors["grad/" + key.replace(".default", "")] = p.grad
    with torch.no_grad():
        moved = g.maxdiff(base(wav, attention_mask=mask).last_hidden_state, out.last_hidden_state)
        again = peft.PeftModel.from_pretrained(copy.deepcopy(base), folder).eval()
        assert g.maxdiff(forward(again, wav, mask).last_hidden_state, out.last_hidden_state) == 0
        merged = copy.deepcopy(model).merge_and_unload()
        tensors["merged/last_hidden_state"] = merged(wav, attention_mask=mask).last_hidden_state
        for key, value in merged.state_dict().items():
            if not torch.equal(value, base.state_dict()[key]):
                tensors["merged/" + key] = value
    assert moved > 0.1, moved
    assert g.maxdiff(tensors["merged/last_hidden_state"], out.last_hidden_state) < 5e-5
    st.save_file({k: v.detach().contiguous().clone() for k, v in tensors.items()}, os.path.join(folder, "expected.safetensors"))
    print(f"{name}: moves the output by {moved:.2f}, {sum(v.numel() for v in tensors.values())} numbers")


def verify(folder, variant):
    _, _, model = g.build(variant)
    wav, mask, _ = g.waves()
    adapted = peft.get_peft_model(model, peft.PeftConfig.from_pretrained(folder)).eval()
    weights = peft.load_peft_weights(folder, device="cpu")
    found = peft.set_peft_model_state_dict(adapted, weights)
    written = set(peft.get_peft_model_state_dict(adapted))
    missing, unexpected = sorted(written - set(weights)), sorted(set(weights) - written) + list(found.unexpected_keys)
    with torch.no_grad():
        got = forward(adapted, wav, mask).last_hidden_state
        merged = adapted.merge_and_unload()(wav, attention_mask=mask).last_hidden_state
    want = st.load_file(os.path.join(folder, "expected.safetensors"))["last_hidden_state"]
    diff = g.maxdiff(got, want)
    good = not missing and not unexpected and diff <= 1e-4 and g.maxdiff(merged, want) <= 1e-4  # not so for NaN
    print(os.path.basename(folder), "good" if good else "bad", "missing:", missing, "unexpected:", unexpected, "max abs diff:", diff)
    return good


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--verify", metavar="DIR", nargs="+")
    p.add_argument("--variant", default="base")
    args = p.parse_args()
    if args.verify:
        sys.exit(0 if all([verify(folder, args.variant) for folder in args.verify]) else 1)
    for name, config in CASES.items():
        make(name, config)


if __name__ == "__main__":
    main()
