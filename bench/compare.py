"""Runs bwlm and the peer in turn and prints a table in Markdown.

    python bench/compare.py [--rounds 3] -- --windows 16 --voxels 20000 --steps 5 --dtype f32

They take turns because a machine is rarely as fast in one minute as in the next. Times are the median of the rounds'
medians, memory is the most of any round; the ratio of times is the median of the rounds' ratios.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(command, step):
    done = subprocess.run([*command, *step], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("step", nargs="*", help="options of the step, after --")
    args = parser.parse_args()

    ours, peer = [], []
    for n in range(args.rounds):
        ours.append(run([ROOT / "bin" / "bwlm", "bench", "step", "--json"], args.step))
        peer.append(run([sys.executable, ROOT / "bench" / "peer_train_step.py"], args.step))
        print(f"round {n + 1} of {args.rounds}: {ours[-1]['median_s']:.2f} s, {peer[-1]['median_s']:.2f} s", file=sys.stderr)

    def row(name, runs):
        seconds = statistics.median(r["median_s"] for r in runs)
        fastest = min(r["min_s"] for r in runs)
        memory = max(r["peak_rss_mb"] for r in runs)
        print(f"| {name} | {seconds:.2f} | {fastest:.2f} | {memory} | {runs[0]['threads']} |")
        return memory

    first = ours[0]
    print(f"One step: {first['windows']} windows of 4 s, {first['voxels']} voxels, {first['dtype']}, {args.rounds} rounds in turn.\n")
    print("| | median s | fastest s | peak MB | threads |")
    print("|---|--:|--:|--:|--:|")
    own = row("bwlm", ours)
    other = row("transformers + peft", peer)
    speed = statistics.median(p["median_s"] / o["median_s"] for o, p in zip(ours, peer))
    print(f"\nbwlm is {speed:.2f} times as fast, in {own / other:.2f} of the memory.")


if __name__ == "__main__":
    main()
