"""Runs `bwlm train` by one process of one thread and by two, in turn, on the same study, and prints a table in Markdown.

    python bench/ranks.py [--rounds 3] [--rows 96] [--voxels 6000] [--model base] [--mode lora]

The model is WavLM Base with random weights, the study two stories of noise for one subject. A training of one epoch is taken from
one of two, so that processor seconds, bytes and waiting are those of an epoch's steps and of its validation alone. Processor
seconds tell more than seconds where others use the machine. The tuned weights must be equal, byte for byte.
"""

import argparse
import hashlib
import os
import pathlib
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import wave

import numpy as np
import torch
from transformers import WavLMConfig, WavLMModel

ROOT = pathlib.Path(__file__).resolve().parent.parent
TR, BLOCK = 2, 16
SIZES = {"base": {}, "nano": dict(hidden_size=32, num_hidden_layers=10, num_attention_heads=4, intermediate_size=64)}
EXPERIMENT = """
model: {{path: {folder}/model, layer: 9}}
data: {{path: {folder}/data, subjects: all, train: one, val: two, test: "two"}}
readout: {{bottleneck: 100}}
eval: {{chunk_rows: 8}}
train: {{block_rows: {block}, checkpoint_minutes: 0, mode: {mode}}}
out: {folder}/run
"""


def study(args, folder):
    """A model with random weights, and noise for ears and brain."""
    torch.manual_seed(0)
    WavLMModel(WavLMConfig(**SIZES[args.model])).save_pretrained(folder / "model")
    rng = np.random.default_rng(0)
    (folder / "data").mkdir()
    lists = {"stories": "", "responses": ""}
    for name, rows in [("one", args.rows), ("two", 24), ("three", 24)]:
        with wave.open(str(folder / "data" / f"{name}.wav"), "wb") as file:
            file.setnchannels(1), file.setsampwidth(2), file.setframerate(16000)
            file.writeframes((3000 * rng.standard_normal(rows * TR * 16000)).astype("<i2").tobytes())
        np.save(folder / "data" / f"{name}.npy", rng.standard_normal((rows, args.voxels), dtype="float32"))
        lists["stories"] += f"  {name}: {{audio: {name}.wav}}\n"
        lists["responses"] += f"    {name}: {name}.npy\n"
    (folder / "data" / "dataset.yaml").write_text(
        f"tr_seconds: {TR}\nstories:\n{lists['stories']}subjects:\n  ada:\n{lists['responses']}")
    text = EXPERIMENT.format(folder=folder, block=BLOCK, mode=args.mode).replace('"two"', "three")
    (folder / "study.yaml").write_text(text)


def train(folder, world, epochs):
    """Processor seconds, seconds, what rank 0 sent in MB and waited, and a hash of the tuned weights."""
    subprocess.run(["rm", "-rf", folder / "run"], check=True)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    begun, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    ranks = []
    for rank in range(world):
        env = dict(os.environ, OMP_NUM_THREADS="1")
        if world > 1:
            env |= dict(RANK=str(rank), WORLD_SIZE=str(world), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        ranks.append(subprocess.Popen([ROOT / "bin" / "bwlm", "train", folder / "study.yaml", "--set", f"train.epochs={epochs}",
                                       "--cache-dir", "none"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
    said = [rank.communicate()[1] for rank in ranks]
    if any(rank.returncode for rank in ranks):
        sys.exit("\n".join(said))
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    note = re.search(r"sent ([0-9.]+) MB in \d+ exchanges and waited ([0-9.]+) s", said[0])
    weights = next(file for file in [folder / "run" / "adapter" / "adapter_model.safetensors",
                                     folder / "run" / "model" / "model.safetensors"] if file.exists())
    return dict(cpu=now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime, seconds=time.perf_counter() - begun,
                sent=float(note[1]) if note else 0, waited=float(note[2]) if note else 0,
                weights=hashlib.sha256(weights.read_bytes()).hexdigest())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=96)
    parser.add_argument("--voxels", type=int, default=6000)
    parser.add_argument("--model", choices=SIZES, default="base")
    parser.add_argument("--mode", choices=["lora", "full"], default="lora")
    args = parser.parse_args()
    steps = -(-args.rows // BLOCK)
    runs = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        study(args, folder)
        for n in range(args.rounds):
            for world, list_ in runs.items():
                one, two = train(folder, world, 1), train(folder, world, 2)
                list_.append({key: (two[key] - one[key]) / steps for key in ["cpu", "seconds", "sent", "waited"]} |
                             {"weights": two["weights"]})
                print(f"round {n + 1} of {args.rounds}, {world} processes: {list_[-1]}", file=sys.stderr)
    if len({run["weights"] for list_ in runs.values() for run in list_}) > 1:
        sys.exit("the weights differ: this is no comparison")
    print(f"WavLM {args.model}, {args.mode}, {steps} steps of {BLOCK} rows in an epoch, {args.voxels} voxels, one thread a process, {args.rounds} "
          f"rounds in turn; medians for a step.\n")
    print("| processes | processor s | s | MB sent | s waited |\n|--:|--:|--:|--:|--:|")
    middle = {world: {key: statistics.median(r[key] for r in list_) for key in ["cpu", "seconds", "sent", "waited"]}
              for world, list_ in runs.items()}
    for world, m in middle.items():
        print(f"| {world} | {m['cpu']:.2f} | {m['seconds']:.2f} | {m['sent']:.2f} | {m['waited']:.2f} |")
    print(f"\nTwo processes take {middle[1]['cpu'] / middle[2]['cpu']:.2f} of the steps of one for a processor second.")


if __name__ == "__main__":
    main()
