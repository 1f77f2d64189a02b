"""Runs bwlm and its peers in turn and prints a table in Markdown.

    python bench/compare.py [--rounds 3] [--dtypes f32,bf16] [--prototype prototype_step.py] -- --windows 16 --voxels 20000 --steps 5

They take turns because a machine is rarely as fast in one minute as in the next. Times are the median of the rounds' medians
and, as spread, the least and the most of them; memory is the most of any round. Ratios are medians of the rounds' ratios to the
peer in f32.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def systems(args):
    """Name, type and command of all that is compared; the first is what the others are compared with."""
    scripts = [("transformers + peft", ROOT / "bench" / "peer_train_step.py")]
    if args.prototype:
        scripts.append(("prototype", args.prototype))
    for name, script in scripts:
        for dtype in args.dtypes.split(","):
            yield name, dtype, [sys.executable, script, *args.step, "--dtype", dtype]
    for dtype in args.dtypes.split(","):
        yield "bwlm", dtype, [ROOT / "bin" / "bwlm", "bench", "step", "--json", "--quiet", *args.step, "--dtype", dtype]


def run(command):
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dtypes", default="f32,bf16")
    parser.add_argument("--prototype", help="a script with the options and the answer of peer_train_step.py")
    parser.add_argument("step", nargs="*", help="options of the step, after --")
    args = parser.parse_args()

    compared = list(systems(args))
    answers = [[] for _ in compared]
    for n in range(args.rounds):
        for (name, dtype, command), runs in zip(compared, answers):
            runs.append(run(command))
            print(f"round {n + 1} of {args.rounds}: {name} {dtype} {runs[-1]['median_s']:.2f} s", file=sys.stderr)

    ours = answers[-1][0]
    print(f"One step: {ours['windows']} windows of {ours['seconds']:g} s, {ours['voxels']} voxels, {ours['threads']} threads, "
          f"{args.rounds} rounds in turn.\n")
    print("| | | median s | from - to | times as fast | peak MB | of the memory | share of peak |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    first = answers[0]
    most = lambda runs: max(r["peak_rss_mb"] for r in runs)
    for (name, dtype, _), runs in zip(compared, answers):
        medians = [r["median_s"] for r in runs]
        speed = statistics.median(f["median_s"] / r["median_s"] for f, r in zip(first, runs))
        share = ""
        if "peak_share" in runs[0]:
            share = f"{100 * statistics.median(r['peak_share'] for r in runs):.0f} %"
        print(f"| {name} | {dtype} | {statistics.median(medians):.2f} | {min(medians):.2f} - {max(medians):.2f} | {speed:.2f} "
              f"| {most(runs)} | {most(runs) / most(first):.2f} | {share} |")


if __name__ == "__main__":
    main()
