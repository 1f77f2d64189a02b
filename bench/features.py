"""Runs `bwlm features --windows 4 --stride .25` and transformers in turn on the same recording and prints a table in Markdown.

    python bench/features.py [--seconds 30] [--rounds 3] [--batch 21]

A WavLM Base with random weights reads noise. Seconds are those of the whole process, from its start to the file; of the peer also
those of its reading alone (peer_features.py), without the start of Python and the loading of the model. 21 windows in a pass are
what bwlm chooses here by itself. The features must agree to 1e-3 of their largest, else there is no table.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import wave

import numpy as np
from safetensors.numpy import load_file

from ridge import run

ROOT = pathlib.Path(__file__).resolve().parent.parent


def prepare(folder, seconds):
    """A model and a recording, of which 16 bits are kept so that both read the same."""
    script = ("import sys, torch; from transformers import WavLMConfig, WavLMModel; torch.manual_seed(0); "
              "WavLMModel(WavLMConfig()).save_pretrained(sys.argv[1])")
    subprocess.run([sys.executable, "-c", script, folder / "model"], check=True, stderr=subprocess.DEVNULL)
    noise = np.random.default_rng(0).standard_normal(int(seconds * 16000)) * 3000
    pcm = noise.clip(-32768, 32767).astype("<i2")
    with wave.open(str(folder / "noise.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16000)
        out.writeframes(pcm.tobytes())
    np.save(folder / "noise.npy", pcm.astype("float32") / 32768)


def main():
    parser = argparse.ArgumentParser()
    for name, value in dict(seconds=30, rounds=3, batch=21, threads=2).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--bwlm", default=ROOT / "bin" / "bwlm")
    args = parser.parse_args()

    ours, peer = [], []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        prepare(folder, args.seconds)
        common = ["--model", folder / "model", "--windows", "4", "--stride", "0.25"]
        for n in range(args.rounds):
            ours.append(run([args.bwlm, "features", *common, "--layers", "9", "--device", "cpu", "--out", folder / "f.safetensors",
                             "--json", "--quiet", folder / "noise.wav"], args.threads))
            peer.append(run([sys.executable, ROOT / "bench" / "peer_features.py", *common, "--batch", args.batch,
                             "--out", folder / "f.npy", folder / "noise.npy"], args.threads))
            a, b = load_file(folder / "f.safetensors")["features.9"], np.load(folder / "f.npy")
            if a.shape != b.shape:
                sys.exit(f"{a.shape} and {b.shape} features: this is no comparison")
            difference = np.abs(a - b).max() / np.abs(b).max()
            print(f"round {n + 1} of {args.rounds}: {ours[-1]['wall']:.1f} s, {peer[-1]['answer']['seconds']:.1f} s; features differ by "
                  f"{difference:.1e}", file=sys.stderr)
            if not difference < 1e-3:
                sys.exit("the features differ: this is no comparison")

    def row(name, seconds, runs):
        print(f"| {name} | {statistics.median(seconds):.1f} | {min(seconds):.1f} - {max(seconds):.1f} | {max(r['mb'] for r in runs):.0f} |")

    def ratio(theirs):
        return statistics.median(p / o for o, p in zip(mine, theirs))

    mine, whole, reading = [r["wall"] for r in ours], [r["wall"] for r in peer], [r["answer"]["seconds"] for r in peer]
    print(f"Features of {args.seconds} s, windows of 4 s every .25 s ({ours[0]['answer']['windows']}), hidden state 9, f32, "
          f"{args.threads} threads, {args.rounds} rounds in turn.\n")
    print("| | median s | from - to | peak MB |\n|---|--:|--:|--:|")
    row("bwlm features", mine, ours)
    row("transformers", whole, peer)
    row("its reading alone", reading, peer)
    print(f"\nbwlm is {ratio(whole):.2f} times as fast, {ratio(reading):.2f} times as the reading alone.")


if __name__ == "__main__":
    main()
