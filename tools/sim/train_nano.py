"""Trains the nano WavLM of the simulated study on synthetic speech and writes it as a Hugging Face directory.

Development-time only; the result is committed in internal/sim/nano. Needs torch, transformers, numpy, scipy, flac.

    python train_nano.py --lexicon ../../internal/sim/lexicon --out ../../internal/sim/nano

The model is a WavLM (architecture of Base, nano size) that names the phone of each 20 ms frame and, with a small
weight, gives its spectrum, in stories composed from the tuning voices. It is trained for about a minute on purpose:
it must know something about speech and leave something to learn. It is "trained on synthetic speech", never
"pretrained"; it never hears the test and probe voices.
"""
import argparse
import json
import pathlib
import subprocess

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import WavLMConfig, WavLMModel

import make_lexicon

RATE, CLIP, FRAMES = 16000, 2, 99  # a clip of 2 s has 99 frames


class Lexicon:
    """The spoken words of one role: sound[v][w] is voice v saying word w, peak 1 per voice."""

    def __init__(self, folder, role):
        index = json.loads((folder / "index.json").read_text())
        self.words, self.phones, self.sound = index["words"], index["phones"], []
        for voice in (v for v in index["voices"] if v["role"] == role):
            raw = subprocess.run(["flac", "-d", "-s", "-c", "--force-raw-format", "--endian=little", "--sign=signed",
                                  folder / (voice["name"] + ".flac")], capture_output=True, check=True).stdout
            x = np.frombuffer(raw, "<i2").astype("f4")
            x /= np.abs(x).max()
            s = voice["starts"]
            self.sound.append([x[a:z] for a, z in zip(s, s[1:])])


def story(lexicon, seconds, r):
    """One story: samples (mean 0, SD 1 over the story) and its events (start, duration, word), seconds."""
    n = int(seconds * RATE)
    y, events, t = np.zeros(n, "f4"), [], .2
    while True:
        w, v = r.integers(len(lexicon.words)), r.integers(len(lexicon.sound))
        x, i = lexicon.sound[v][w], int(t * RATE)
        if i + len(x) > n:
            break
        y[i:i + len(x)] += x * r.uniform(.5, 1.2)
        events.append((i / RATE, len(x) / RATE, w))
        t += len(x) / RATE + r.uniform(.05, .5)
    y = y * (.9 / np.abs(y).max()) + r.normal(0, .002, n).astype("f4")
    return y, events


def normalise(y):
    return (y - y.mean()) / np.sqrt(y.var() + 1e-7)


def labels(events, phones, names, clips):
    """The phone of each frame (clips, FRAMES), 0 for silence; a word's phones share its time equally."""
    out = np.zeros((clips, FRAMES), int)
    for start, duration, w in events:
        step = duration / len(phones[w])
        for k, p in enumerate(phones[w]):
            a, z = start + k * step, start + (k + 1) * step
            c = int(a // CLIP)
            f = int((a - c * CLIP) * 50)
            out[c, f:min(max(f + 1, int((z - c * CLIP) * 50)), FRAMES)] = 1 + names.index(p)
    return out


def config():
    return WavLMConfig(hidden_size=96, num_hidden_layers=4, num_attention_heads=4, intermediate_size=384,
                       conv_dim=[64] * 7, num_conv_pos_embeddings=32, num_conv_pos_embedding_groups=8,
                       attention_dropout=0., hidden_dropout=0., activation_dropout=0., feat_proj_dropout=0.,
                       final_dropout=0., layerdrop=0., apply_spec_augment=False, initializer_range=.08)


def train(lexicon, epochs, stories, minutes, weight, seed, rate=1e-3, log=print):
    torch.manual_seed(seed)
    model = WavLMModel(config())
    r = np.random.default_rng(seed)
    names = sorted({p for w in lexicon.phones for p in w})
    phone, bands = torch.nn.Linear(96, len(names) + 1), torch.nn.Linear(96, 9)
    heads = [*phone.parameters(), *bands.parameters()]
    opt = torch.optim.AdamW([*model.parameters(), *heads], rate)
    clips = minutes * 60 // CLIP
    material = [story(lexicon, minutes * 60, r) for _ in range(stories)]
    for epoch in range(epochs):
        total = right = steps = 0
        for y, events in material:
            want = labels(events, lexicon.phones, names, clips)
            s = np.repeat(make_lexicon.spectrum(y), 5, 0).reshape(clips, 100, 9)[:, :FRAMES]
            s = torch.tensor((s - s.mean((0, 1))) / s.std((0, 1)), dtype=torch.float32)
            x = torch.tensor(normalise(y)).view(clips, -1)
            for i in np.array_split(r.permutation(clips), max(1, clips // 15)):
                h = model(x[i]).last_hidden_state
                logits, t = phone(h), torch.tensor(want[i])
                loss = F.cross_entropy(logits.flatten(0, 1), t.flatten()) + weight * F.mse_loss(bands(h), s[i])
                opt.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
                opt.step()
                total += loss.item()
                right += (logits.argmax(-1) == t)[t > 0].float().mean().item()
                steps += 1
        log(f"epoch {epoch}: loss {total / steps:.3f}, phones right {right / steps:.3f}", flush=True)
    return model.eval()


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--lexicon", type=pathlib.Path, required=True)
    args.add_argument("--out", type=pathlib.Path, required=True)
    args.add_argument("--epochs", type=int, default=3)
    args.add_argument("--stories", type=int, default=20)
    args.add_argument("--weight", type=float, default=.1, help="of the spectrum beside the phones")
    args.add_argument("--seed", type=int, default=1)
    args = args.parse_args()
    torch.set_num_threads(1)
    model = train(Lexicon(args.lexicon, "tune"), args.epochs, args.stories, 2, args.weight, args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(args.out)
    (args.out / "preprocessor_config.json").write_text(json.dumps({
        "feature_extractor_type": "Wav2Vec2FeatureExtractor", "feature_size": 1, "sampling_rate": RATE,
        "padding_side": "right", "padding_value": 0.0, "do_normalize": True, "return_attention_mask": False},
        indent=2) + "\n")


if __name__ == "__main__":
    main()
