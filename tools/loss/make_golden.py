"""Losses of package brain and their gradients by PyTorch, for brain/loss_test.go.

    pip install torch==2.15.0
    python tools/loss/make_golden.py          # writes brain/testdata/losses.json

Everything in float64, from float32 data, by autograd. Weights, where there are any, have mean 1 and one of them is 0.
"""
import json
import pathlib

import torch
import torch.nn.functional as F

ROWS, VOXELS, SHARE, TEMPERATURE = 6, 9, 0.3, 0.2


def pearson(p, y, w):
    """Weighted Pearson along the last dimension, the weights being those of numpy.cov's aweights."""
    def centred(x):
        return x - (w * x).sum(-1, keepdim=True) / w.sum()
    p, y = centred(p), centred(y)
    return (w * p * y).sum(-1) / ((w * p * p).sum(-1) * (w * y * y).sum(-1)).sqrt()


def cosine(p, y, w):
    return F.cosine_similarity(p * w.sqrt(), y * w.sqrt(), dim=-1)


def nt_xent(p, y, w):
    s = cosine(p[:, None], y[None], w) / TEMPERATURE
    target = torch.arange(len(p))
    return (F.cross_entropy(s, target) + F.cross_entropy(s.T, target)) / 2


def mse(p, y, w):
    return (w * (p - y) ** 2).mean()


LOSSES = {
    "spatial": lambda p, y, w: -pearson(p, y, w).mean(),
    "temporal": lambda p, y, w: -(w * pearson(p.T, y.T, torch.ones(len(p)).to(p))).mean(),
    "mse": mse,
    "cosine_l2": lambda p, y, w: SHARE * (1 - cosine(p, y, w).mean()) + (1 - SHARE) * mse(p, y, w),
    "nt_xent": nt_xent,
}


def main():
    torch.manual_seed(1)
    want = torch.randn(ROWS, VOXELS)
    pred = (want + torch.randn(ROWS, VOXELS) + 0.5).contiguous()
    weights = torch.rand(VOXELS)
    weights[3] = 0
    weights *= VOXELS / weights.sum()
    cases = []
    for name, loss in LOSSES.items():
        for w in (None, weights):
            p = pred.double().requires_grad_()
            value = loss(p, want.double(), torch.ones(VOXELS).double() if w is None else w.double())
            value.backward()
            cases.append({"loss": name, "weighted": w is not None, "value": value.item(), "grad": p.grad.flatten().tolist()})
    out = {"versions": {"torch": torch.__version__}, "rows": ROWS, "voxels": VOXELS, "share": SHARE, "temperature": TEMPERATURE,
           "pred": pred.flatten().tolist(), "want": want.flatten().tolist(), "weights": weights.tolist(), "cases": cases}
    path = pathlib.Path(__file__).parents[2] / "brain" / "testdata" / "losses.json"
    path.write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
