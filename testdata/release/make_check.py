#!/usr/bin/env python3
"""Computes everything under want/ again, from model/, data/, init/ and the definitions of README.md alone, and compares.

    python make_check.py [--variant released_rates|temporal|mse] [--double] [--steps N] [--no-train]

Needs numpy, torch, safetensors, soundfile. Neither transformers nor peft nor anybody's encoding-model code is used.
Exit status 1 if a number is outside its tolerance (the tolerances are those of README.md).
"""
import argparse, json, math, sys
from pathlib import Path
import numpy as np, soundfile as sf, torch
import torch.nn.functional as F
from safetensors.numpy import load_file

ap = argparse.ArgumentParser()
ap.add_argument("--double", action="store_true", help="the model and its training in float64")
ap.add_argument("--steps", type=int, help="only so many steps of training, then stop")
ap.add_argument("--no-train", action="store_true", help="take the adapters of want/ for the features, do not train")
ap.add_argument("--variant", help="a folder of want/variants/: another loss, other rates")
ap.add_argument("--threads", type=int, default=1)
opt = ap.parse_args()
HERE = Path(__file__).resolve().parent
torch.set_num_threads(opt.threads)
DT = torch.float64 if opt.double else torch.float32
WANT, BAD = HERE / "want", []
BASE = WANT / "variants" / opt.variant if opt.variant else WANT


def check(what, got, want, tol, note=""):
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    assert got.shape == want.shape, (what, got.shape, want.shape)
    d = float(np.abs(got - want).max()) if want.size else 0.
    ok = d <= tol
    if not ok: BAD.append(what)
    print(f"{'ok  ' if ok else 'BAD '} {what}: largest difference {d:.1e} (tolerance {tol:.0e}; largest value {np.abs(want).max():.3g}) {note}", flush=True)


# ------------------------------------------------------------------ the setting
setting = json.loads((HERE / "setting.json").read_text())
TRAIN, VAL, TEST = setting["train_order"], setting["val"], setting["test"]
HELD = sorted(VAL + TEST)
LAYER, R, TR, BLOCK, SR = setting["layer"], setting["rank"], 2.0, 10, 16000
SCALE = setting["lora_alpha"] / R
if opt.variant: setting.update(json.loads((BASE / "variant.json").read_text()))
times = {s: np.array(t) for s, t in json.loads((HERE / "data/tr_times.json").read_text()).items()}
resp = {s: np.load(HERE / f"data/responses/{s}.npy") for s in times}
wave = {s: torch.from_numpy(sf.read(HERE / f"data/stories/{s}.flac", dtype="float32")[0]) for s in times}
P = {k: torch.from_numpy(v).to(DT) for k, v in load_file(HERE / "model/model.safetensors").items()}
C = json.loads((HERE / "model/config.json").read_text())


# ------------------------------------------------------------------ WavLM (base, eval = train: no noise anywhere)
def front(x):
    """Waveforms (n, samples) -> input of the first layer (n, frames, width)."""
    h = x[:, None]
    for i, (k, s) in enumerate(zip(C["conv_kernel"], C["conv_stride"])):
        h = F.conv1d(h, P[f"feature_extractor.conv_layers.{i}.conv.weight"], stride=s)
        if i == 0:   # each channel by its own mean and variance over the frames of one window
            m, v = h.mean(2, keepdim=True), h.var(2, unbiased=False, keepdim=True)
            h = (h - m) / torch.sqrt(v + 1e-5) * P["feature_extractor.conv_layers.0.layer_norm.weight"][:, None] + P["feature_extractor.conv_layers.0.layer_norm.bias"][:, None]
        h = F.gelu(h)
    h = norm(h.transpose(1, 2), "feature_projection.layer_norm") @ P["feature_projection.projection.weight"].T + P["feature_projection.projection.bias"]
    g, v = P["encoder.pos_conv_embed.conv.parametrizations.weight.original0"], P["encoder.pos_conv_embed.conv.parametrizations.weight.original1"]
    k = C["num_conv_pos_embeddings"]
    w = g * v / torch.sqrt((v * v).sum((0, 1), keepdim=True))
    p = F.conv1d(h.transpose(1, 2), w, P["encoder.pos_conv_embed.conv.bias"], padding=k // 2, groups=C["num_conv_pos_embedding_groups"])
    if k % 2 == 0: p = p[:, :, :-1]
    return norm(h + F.gelu(p).transpose(1, 2), "encoder.layer_norm")


def norm(h, name):
    return F.layer_norm(h, h.shape[-1:], P[name + ".weight"], P[name + ".bias"], C["layer_norm_eps"])


def buckets(n):
    nb, far = C["num_buckets"] // 2, C["max_bucket_distance"]
    d = np.arange(n)[None] - np.arange(n)[:, None]               # key minus query
    a, exact = np.abs(d), nb // 2
    # in float32, as everywhere: a distance on the border of two buckets must fall the same way
    big = (torch.log(torch.from_numpy(np.maximum(a, 1)).float() / exact) / math.log(far / exact) * (nb - exact) + exact).long().numpy()
    return torch.from_numpy((d > 0) * nb + np.where(a < exact, a, np.minimum(big, nb - 1)))


def layer(i, h, bias, lora):
    n, T, D = h.shape
    A, pre = C["num_attention_heads"], f"encoder.layers.{i}."
    hd = D // A

    def linear(x, name, adapted=False):
        w = P[pre + name + ".weight"]
        if adapted and lora is not None: w = w + SCALE * lora[f"{i}.{name[10:]}.B"] @ lora[f"{i}.{name[10:]}.A"]
        return x @ w.T + P[pre + name + ".bias"]

    heads = lambda x: x.view(n, T, A, hd).transpose(1, 2)
    q, k, v = (heads(linear(h, f"attention.{p}_proj", True)) for p in "qkv")
    # gate of the position bias, from the input of the layer cut into heads
    u = linear(heads(h), "attention.gru_rel_pos_linear").view(n, A, T, 2, 4).sum(-1).sigmoid()
    gate = u[..., :1] * (u[..., 1:] * P[pre + "attention.gru_rel_pos_const"] - 1) + 2
    a = (q / math.sqrt(hd)) @ k.transpose(2, 3) + gate * bias
    o = linear((a.softmax(-1) @ v).transpose(1, 2).reshape(n, T, D), "attention.out_proj")
    h = norm(h + o, pre + "layer_norm")
    return norm(h + linear(F.gelu(linear(h, "feed_forward.intermediate_dense")), "feed_forward.output_dense"), pre + "final_layer_norm")


def states(h, upto, lora=None):
    """The states after the front (0) and after each layer."""
    out = [h]
    bias = P["encoder.layers.0.attention.rel_attn_embed.weight"][buckets(h.shape[1])].permute(2, 0, 1)
    for i in range(upto): out.append(layer(i, out[-1], bias, lora))
    return out


# ------------------------------------------------------------------ windows, Lanczos, delays
def windows(n):
    """Start and end of each window, in samples: it ends at every quarter second and starts 4 s earlier, or at 0."""
    e = np.arange(SR // 4, n + 1, SR // 4)
    return np.stack([np.maximum(e - 4 * SR, 0), e], 1)


def kernel(row_times, ends, cutoff):
    t = (row_times[:, None] - ends) * cutoff
    with np.errstate(all="ignore"): w = 3 * np.sin(np.pi * t) * np.sin(np.pi * t / 3) / (np.pi * t) ** 2
    w[t == 0] = 1
    w[np.abs(t) > 3] = 0
    return w


def clipped(s):
    row = times[s][10:-5]
    w = kernel(row, win[s][:, 1] / SR, 1 / np.mean(np.diff(row))).astype(np.float32)
    w[w < 1e-10] = 0
    return w


def full(s):
    return kernel(times[s], win[s][:, 1] / SR, 1 / np.mean(np.diff(times[s])))[10:-5]


def delayed(x):
    """Columns: the row before, two before, three, four; zeros before the first row."""
    z = torch.zeros_like if torch.is_tensor(x) else np.zeros_like
    cat = torch.cat if torch.is_tensor(x) else np.concatenate
    return cat([cat([z(x[:d]), x[:len(x) - d]], 0)[:len(x)] for d in (1, 2, 3, 4)], 1)


win = {s: windows(len(w)) for s, w in wave.items()}
H0 = {}


def h0(s):
    """State 0 of all windows of a story; nothing in it is trained. A list of (n, frames, width), by window length."""
    if s not in H0:
        out = []
        with torch.no_grad():
            for n in sorted({int(b - a) for a, b in win[s]}):
                w = [wave[s][a:b] for a, b in win[s] if b - a == n]
                out.append(torch.cat([front(torch.stack(w[i:i + 16]).to(DT)) for i in range(0, len(w), 16)]))
        H0[s] = out
    return H0[s]


def tokens(s, lo, hi, lora, layers=(LAYER,)):
    """First token of windows lo..hi at some layers, (hi-lo, width) each."""
    out, at = [], 0
    for h in h0(s):
        a, b = max(lo - at, 0), min(hi - at, len(h))
        for i in range(a, b, 64):
            st = states(h[i:min(i + 64, b)], max(layers), lora)
            out.append([st[l][:, 0] for l in layers])
        at += len(h)
    return [torch.cat(x) for x in zip(*out)]


# ------------------------------------------------------------------ one block
def block(s, a, b, lora, ro, keep=None):
    w = clipped(s)[a:b]
    cols = np.nonzero(w.any(0))[0]
    lo, hi = cols[0], cols[-1] + 1
    f = tokens(s, lo, hi, lora)[0]
    rows = torch.from_numpy(w[:, lo:hi]).to(DT) @ f
    z = (rows - rows.mean(0)) / torch.sqrt(rows.var(0, unbiased=False) + 1e-5)
    d = delayed(z)
    p = (d @ ro["bottleneck.weight"].T + ro["bottleneck.bias"]) @ ro["linear.weight"].T + ro["linear.bias"]
    if keep is not None: keep.update(window_features=f, first_window=torch.tensor([lo]), rows=rows, normed=z, delayed=d, pred=p)
    return p


def standard(x, dim):
    s = x.std(dim, keepdim=True, unbiased=True)
    return (x - x.mean(dim, keepdim=True)) / torch.where(s > 1e-8, s, torch.ones_like(s))   # a constant one: centred only


def mean_r(p, y, dim):
    """Mean over rows (dim 1) or voxels (dim 0) of r (n-1)/n."""
    return (standard(p, dim) * standard(y, dim)).mean(dim).mean()


def loss_of(p, y):
    if setting["loss"] == "mse": return ((p - y) ** 2).mean()
    return -mean_r(p, y, {"spatial": 1, "temporal": 0}[setting["loss"]])


def Y(s, a, b):
    return torch.from_numpy(resp[s][a:b]).to(DT)


def validate(lora, ro):
    out = {}
    with torch.no_grad():
        for s in VAL:
            n = min(BLOCK, len(resp[s]))
            p = block(s, 0, n, lora, ro)
            out[s] = (loss_of(p, Y(s, 0, n)).item(), mean_r(p, Y(s, 0, n), 0).item(), p)
    return out


def read_state(adapter, readout):
    a = load_file(HERE / adapter)
    lora = {}
    for k, v in a.items():
        q = k.split(".")
        lora[f"{q[q.index('layers') + 1]}.{q[-3]}.{q[-2][-1]}"] = torch.from_numpy(v).to(DT)
    return lora, {k: torch.from_numpy(v).to(DT) for k, v in load_file(HERE / readout).items() if k != "columns"}


def compare_state(what, lora, ro, folder, tol):
    folder = HERE / folder
    l, r = read_state(folder / "adapter/adapter_model.safetensors", folder / "readout.safetensors")
    check(f"{what}: adapter", np.concatenate([lora[k].detach().numpy().ravel() for k in sorted(l)]), np.concatenate([l[k].numpy().ravel() for k in sorted(l)]), tol)
    for k in sorted(r):
        if setting["loss"] == "temporal" and k.endswith("bias"):   # no gradient but rounding: see README.md
            print(f"     {what}: {k}: differs by {float((ro[k].detach() - r[k]).abs().max()):.1e} (not compared: the temporal loss does not see it)"); continue
        check(f"{what}: {k}", ro[k].detach().numpy(), r[k].numpy(), tol)


def blocks():
    for e in (1, 2):
        for s in TRAIN:
            for a in range(0, len(resp[s]), BLOCK):
                b = min(a + BLOCK, len(resp[s]))
                if b - a >= 2: yield e, s, a, b


T = {**json.loads((HERE / "tolerances.json").read_text()), **setting.get("tolerances", {})}
# ------------------------------------------------------------------ Lanczos and the order
L = load_file(WANT / "lanczos.safetensors")
for s in ("alpha", "charlie"):
    for kind, w in (("clipped", clipped(s)), ("full", full(s))):
        if f"{s}.{kind}.row" not in L: continue
        m = np.zeros_like(w)
        m[L[f"{s}.{kind}.row"], L[f"{s}.{kind}.window"]] = L[f"{s}.{kind}.weight"]
        check(f"Lanczos, {s}, {kind}", w, m, T["lanczos"])
        assert kind == "full" or ((w != 0) == (m != 0)).all()
order = json.loads((WANT / "order.json").read_text())
assert [list(x) for x in blocks()] == order, "order of the blocks"
print("ok   order of the blocks:", len(order), "steps")

# ------------------------------------------------------------------ the first step with biases that are zero
Z = load_file(WANT / "zero_bias_step1.safetensors")
lora, ro = read_state("init/adapter/adapter_model.safetensors", "init/readout.safetensors")
for k in ro:
    if k.endswith("bias"): ro[k] = torch.zeros_like(ro[k])
    ro[k].requires_grad_(True)
s, a, b = order[0][1:]
loss = -mean_r(block(s, a, b, lora, ro), Y(s, a, b), 1)
loss.backward()
check("zero biases: loss of step 1", loss.item(), Z["loss"], T["loss"])
for k in ro: check(f"zero biases: gradient of {k}", ro[k].grad.numpy(), Z["readout." + k], T["gradient"] * np.abs(Z["readout." + k]).max())
# ------------------------------------------------------------------ training
lora, ro = read_state("init/adapter/adapter_model.safetensors", "init/readout.safetensors")
after = {0: {k: v.clone() for k, v in lora.items()}}
val = json.loads((BASE / "val.json").read_text())


def compare_val(e):
    v = validate(lora, ro)
    p = load_file(WANT / "val_pred.safetensors") if BASE is WANT else {}
    for s in VAL:
        check(f"epoch {e}, {s}: loss and encperf of rows 0..9", v[s][:2], [val[str(e)][s]["loss"], val[str(e)][s]["encperf"]], T["val"])
        if p: check(f"epoch {e}, {s}: predictions", v[s][2].numpy(), p[f"epoch{e}.{s}"], T["val_pred"])
    check(f"epoch {e}: val_loss, val_encperf", [np.mean([v[s][i] for s in VAL]) for i in (0, 1)], [val[str(e)]["val_loss"], val[str(e)]["val_encperf"]], T["val"])


if opt.no_train:
    assert BASE is WANT
    for e in (0, 1, 2):
        lora, ro = read_state(f"want/epoch{e}/adapter/adapter_model.safetensors" if e else "init/adapter/adapter_model.safetensors", f"want/epoch{e}/readout.safetensors" if e else "init/readout.safetensors")
        after[e] = lora
        compare_val(e)
else:
    params = {**{"lora." + k: v for k, v in lora.items()}, **{"readout." + k: v for k, v in ro.items()}}
    for p in params.values(): p.requires_grad_(True)
    M = {k: (torch.zeros_like(p), torch.zeros_like(p)) for k, p in params.items()}
    want_loss = np.load(BASE / "losses.npy")
    compare_val(0)
    losses = []
    for t, (e, s, a, b) in enumerate(order[:opt.steps], 1):
        keep = {} if t == 1 else None
        for p in params.values(): p.grad = None
        loss = loss_of(block(s, a, b, lora, ro, keep), Y(s, a, b))
        loss.backward()
        losses.append(loss.item())
        if t == 1 and BASE is WANT:
            f = load_file(WANT / "step1_forward.safetensors")
            for k in f: check(f"step 1: {k}", keep[k].detach().numpy(), f[k], T["forward"])
            gr = load_file(WANT / "step1_gradient.safetensors")
            for k in sorted(gr):
                n = k if k.startswith("readout.") else "lora.%s.%s.%s" % (k.split(".")[4], k.split(".")[6], k.split(".")[7][-1])
                check(f"step 1: gradient of {k}", params[n].grad.numpy(), gr[k], T["gradient"] * max(1e-12, np.abs(gr[k]).max()) + 1e-12)
        with torch.no_grad():
            for k, p in params.items():
                if p.grad is None: continue            # adapters of layers above the one that is read: never moved
                m, v = M[k]
                m.mul_(.9).add_(p.grad, alpha=.1)
                v.mul_(.999).addcmul_(p.grad, p.grad, value=.001)
                lr = setting["lora_lr"] if k.startswith("lora.") else setting["readout_lr"]
                p -= lr / (1 - .9 ** t) * m / (v.sqrt() / math.sqrt(1 - .999 ** t) + 1e-8)
        if t == 1 and BASE is WANT: compare_state("after step 1", lora, ro, "want/step1", T["state1"])
        if t in (18, 36):
            if BASE is WANT or e == 2: compare_state(f"after epoch {e}", lora, ro, BASE / f"epoch{e}", T["state"])
            after[e] = {k: v.detach().clone() for k, v in lora.items()}
            check(f"losses of epoch {e}", losses[-18:], want_loss[t - 18:t], T["loss"])
            compare_val(e)
    if opt.steps:
        check(f"losses of steps 1 to {opt.steps}", losses, want_loss[:opt.steps], T["loss"])
        print("; ".join(f"{x - y:+.1e}" for x, y in zip(losses, want_loss)))
        sys.exit(bool(BAD))

# ------------------------------------------------------------------ features at rows
feats = {}
for e in (0, 1, 2):
    w = load_file(WANT / f"features_epoch{e}.safetensors")
    deep = load_file(WANT / f"all_layers_epoch{e}.safetensors") if e == 0 or e == 2 and BASE is WANT else {}
    for s in TRAIN + HELD:
        many = range(C["num_hidden_layers"] + 1) if s in TEST and deep else (LAYER,)
        with torch.no_grad(): x = tokens(s, 0, len(win[s]), after[e], tuple(many))
        x = {l: (full(s) @ v.numpy().astype(np.float64)).astype(np.float32) for l, v in zip(many, x)}
        feats[e, s] = x[LAYER]
        if s in TEST:
            for l in deep: check(f"features, epoch {e}, {s}, {l}", x[int(l.split('.')[1])], deep[l], T["features"])
    if e == 0 or BASE is WANT: check(f"features, epoch {e}, layer {LAYER}, all stories", np.concatenate([feats[e, s] for s in TRAIN + HELD]), np.concatenate([w[s] for s in TRAIN + HELD]), T["features"])


# ------------------------------------------------------------------ ridge
def zs(x):
    x = x.astype(np.float64)
    return (x - x.mean(0)) / x.std(0)


def r_columns(p, y):
    return (zs(p) * zs(y)).mean(0)


def solve(X, y, a):
    return np.linalg.solve(X.T @ X + a * a * np.eye(X.shape[1]), X.T @ y)


def fit(X, y, al):
    w = np.zeros((X.shape[1], y.shape[1]))
    for a in np.unique(al): w[:, al == a] = solve(X, y[:, al == a], a)
    return w


def cross_validate(X, y, alphas, chunk, held):
    S = np.zeros((len(alphas), y.shape[1], len(held)))
    for b, chunks in enumerate(held):
        h = np.concatenate([np.arange(c * chunk, (c + 1) * chunk) for c in chunks])
        t = np.setdiff1d(np.arange(len(X)), h)
        for i, a in enumerate(alphas): S[i, :, b] = r_columns(X[h] @ solve(X[t], y[t], a), y[h])
    return S, alphas[S.mean(2).argmax(0)]


def study(name, e, alphas, chunk, held, reuse=None):
    X = np.concatenate([delayed(zs(feats[e, s])) for s in TRAIN]); y = np.concatenate([zs(resp[s]) for s in TRAIN])
    f = load_file((WANT if name.startswith("epoch0") else BASE) / f"ridge/{name}.safetensors")
    al = reuse
    if reuse is None:
        n = int(len(X) * .25 / chunk)
        assert all(len(h) == n and max(h) < len(X) // chunk for h in held)
        S, al = cross_validate(X, y, alphas, chunk, held)
        check(f"{name}: r of each alpha, voxel and draw", S, f["cv_r"], T["cv_r"])
        other = np.nonzero(al != f["alpha"])[0]
        gap = 0.
        for v in other:   # a tie within rounding?
            m = S.mean(2)[:, v]; gap = max(gap, m.max() - m[np.nonzero(alphas == f["alpha"][v])[0][0]])
        print(f"{'ok  ' if gap < T['tie'] else 'BAD '} {name}: alphas; {len(other)} of {len(al)} voxels differ, by at most {gap:.1e} in the r that chooses")
        if gap >= T["tie"]: BAD.append(name + " alphas")
        al = f["alpha"]
    else:
        assert (f["alpha"] == al).all()
    w = fit(X, y, al)
    if "weights" in f: check(f"{name}: weights", w, f["weights"], T["weights"])
    P = {s: delayed(zs(feats[e, s])) @ w for s in HELD}
    for s in HELD: check(f"{name}: r per voxel, {s}", r_columns(P[s], resp[s]), f["r." + s], T["r"])
    check(f"{name}: r per voxel, held-out stories end to end", r_columns(np.concatenate([P[s] for s in HELD]), np.concatenate([zs(resp[s]) for s in HELD])), f["r.all_held_out"], T["r"])
    return al, np.mean([r_columns(P[s], resp[s]) for s in VAL], 0)


rs, choice = (json.loads((x / "ridge/ridge.json").read_text()) for x in (WANT, BASE))
alphas = np.load(WANT / "ridge/alphas.npy")
check("ten alphas", 10. ** np.linspace(1, 4, 10), alphas, 1e-9)
al0, score0 = study("epoch0", 0, alphas, 40, rs["held_out_chunks"])
scores = [score0] + [study(f"epoch{e}_alphas_of_epoch0", e, alphas, 40, None, al0)[1] for e in (1, 2)]
check("validation r per epoch and voxel", np.stack(scores), np.load(BASE / "ridge/val_r.npy"), T["r"])
best = int(np.argmax(np.mean(scores, 1)))
check("validation r per epoch", np.mean(scores, 1), choice["score"], T["r"])
print(f"{'ok  ' if best == choice['best_epoch'] else 'BAD '} epoch chosen: {best}; validation r {np.mean(scores, 1)}")
if best != choice["best_epoch"]: BAD.append("best epoch")
own = 2 if BASE is WANT else best
if own: study(f"epoch{own}_own_alphas", own, alphas, 40, rs["held_out_chunks"])
study("epoch0_id_hparams", 0, 10. ** np.linspace(1, 4, 15), 20, rs["held_out_chunks_id_hparams"])
print("the golden of the release: " + (f"{len(BAD)} NUMBERS DIFFER: " + "; ".join(BAD) if BAD else "the README suffices; everything agrees"))
sys.exit(bool(BAD))
