#!/usr/bin/env python3
"""Write adam.safetensors: steps of torch.optim.Adam and AdamW on given gradients.

Needs torch 2.15.0 and safetensors. Run: python make_adam.py

Every case has two groups with learning rates of their own; in group 1, "sometimes" has no gradient at odd steps and
"never" has none at all. Keys: CASE/param/STEP/NAME before each step and after the last, CASE/grad/STEP/NAME,
CASE/state/NAME.exp_avg and so on after the last step.
"""
import json
import os

import safetensors
import safetensors.torch
import torch

torch.manual_seed(0)
torch.set_num_threads(1)

STEPS = 6
SHAPES = {"matrix": (3, 5), "vector": (7,), "one": (1,), "sometimes": (2, 2), "never": (3,)}
GROUPS = [["matrix", "vector"], ["one", "sometimes", "never"]]
CASES = {
    "adam": dict(kind="Adam"),
    "adam_decay": dict(kind="Adam", weight_decay=0.1),
    "adamw": dict(kind="AdamW", weight_decay=0.1),
    "adamw_no_decay": dict(kind="AdamW", weight_decay=0.0),
    "adam_betas": dict(kind="Adam", betas=(0.5, 0.7), eps=1e-3),
}


def main():
    out, meta = {}, {"steps": STEPS, "groups": GROUPS, "lrs": [[0.1, 0.02]] * 3 + [[0.01, 0.02]] * 3, "cases": CASES,
                     "torch": torch.__version__}
    for case, c in CASES.items():
        p = {n: torch.nn.Parameter(torch.randn(s)) for n, s in SHAPES.items()}
        kind = getattr(torch.optim, c["kind"])
        opt = kind([{"params": [p[n] for n in g], "lr": lr} for g, lr in zip(GROUPS, meta["lrs"][0])], foreach=False,
                   betas=c.get("betas", (0.9, 0.999)), eps=c.get("eps", 1e-8), weight_decay=c.get("weight_decay", 0.0))
        for step in range(STEPS):
            for group, lr in zip(opt.param_groups, meta["lrs"][step]):
                group["lr"] = lr
            opt.zero_grad(set_to_none=True)
            for n in p:
                out[f"{case}/param/{step}/{n}"] = p[n].detach().clone()
                if n == "never" or n == "sometimes" and step % 2 == 1:
                    continue
                p[n].grad = torch.randn(p[n].shape) * 10 ** torch.randn(()).item()
                out[f"{case}/grad/{step}/{n}"] = p[n].grad.clone()
            opt.step()
        for n in p:
            out[f"{case}/param/{STEPS}/{n}"] = p[n].detach().clone()
            for k, v in opt.state[p[n]].items():
                out[f"{case}/state/{n}.{k}"] = v.detach().clone().reshape(p[n].shape if v.numel() > 1 or k != "step" else ())
    here = os.path.dirname(os.path.abspath(__file__))
    meta["safetensors"] = safetensors.__version__
    safetensors.torch.save_file(out, os.path.join(here, "adam.safetensors"), {"meta": json.dumps(meta)})


if __name__ == "__main__":
    main()
