"""Runs `bwlm ridge` and himalaya in turn on the same simulated data and prints a table in Markdown.

    python bench/ridge.py [--rows 4000] [--features 3072] [--voxels 5000] [--folds 5] [--rounds 3] [--threads 2] [--targets-batch N]

They take turns because a machine is rarely as fast in one minute as in the next. Seconds of bwlm are those of the whole
process, from reading X.npy to writing coef.npy; seconds of the peer are those of its fit alone. Processor seconds, of the whole
processes, tell more where others use the machine. The mean scores on the held-out folds must agree to 1e-4.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent


def simulate(args, folder):
    """Gaussian features; responses of which about a fifth of the variance is linear in them."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((args.rows, args.features), dtype="float32")
    w = rng.standard_normal((args.features, args.voxels), dtype="float32") / np.float32(args.features**0.5)
    y = x @ w + 2 * rng.standard_normal((args.rows, args.voxels), dtype="float32")
    np.save(folder / "X.npy", x)
    np.save(folder / "Y.npy", y)


def run(command, threads):
    """The answer of a command, with the time and the memory of its process. Memory of children is their maximum so far, so each
    command is started by a process of its own."""
    child = ("import json, resource, subprocess, sys, time\n"
             "start = time.perf_counter()\n"
             "done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True, check=True)\n"
             "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
             "print(json.dumps({'wall': time.perf_counter() - start, 'cpu': used.ru_utime + used.ru_stime,\n"
             "                  'mb': used.ru_maxrss / 1024, 'answer': json.loads(done.stdout)}))\n")
    env = dict(os.environ, OMP_NUM_THREADS=str(threads))
    done = subprocess.run([sys.executable, "-c", child, *map(str, command)], stdout=subprocess.PIPE, text=True, check=True, env=env)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    for name, value in dict(rows=4000, features=3072, voxels=5000, folds=5, rounds=3, threads=2).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--targets-batch", type=int, help="columns at once of himalaya, so that memory suffices")
    parser.add_argument("--bwlm", default=ROOT / "bin" / "bwlm")
    args = parser.parse_args()
    lambdas = ",".join(f"{10 ** (2 * (1 + 3 * i / 9)):.6g}" for i in range(10))

    batch = ["--targets-batch", args.targets_batch] if args.targets_batch else []

    ours, peer = [], []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        simulate(args, folder)
        data = ["--x", folder / "X.npy", "--y", folder / "Y.npy", "--lambdas", lambdas, "--folds", args.folds]
        for n in range(args.rounds):
            ours.append(run([args.bwlm, "ridge", *data, "--out", folder / "out", "--json", "--quiet"], args.threads))
            ours[-1]["seconds"] = ours[-1]["wall"]
            peer.append(run([sys.executable, ROOT / "bench" / "peer_ridge.py", *data, *batch], args.threads))
            peer[-1]["seconds"] = peer[-1]["answer"]["seconds"]
            difference = abs(ours[-1]["answer"]["mean_cv_score"] - peer[-1]["answer"]["mean_cv_score"])
            print(f"round {n + 1} of {args.rounds}: {ours[-1]['seconds']:.1f} s, {peer[-1]['seconds']:.1f} s; processor "
                  f"{ours[-1]['cpu']:.0f} s, {peer[-1]['cpu']:.0f} s; mean scores differ by {difference:.1e}", file=sys.stderr)
            if difference > 1e-4:
                sys.exit("the scores differ: this is no comparison")

    def row(name, runs):
        middle = {key: statistics.median(r[key] for r in runs) for key in ["seconds", "cpu"]}
        memory = max(r["mb"] for r in runs)
        print(f"| {name} | {middle['seconds']:.1f} | {middle['cpu']:.1f} | {memory:.0f} |")
        return memory

    print(f"{args.rows} rows, {args.features} features, {args.voxels} voxels, 10 lambdas, {args.folds} folds, {args.threads} threads, "
          f"{args.rounds} rounds in turn.\n")
    print("| | median s | processor s | peak MB |\n|---|--:|--:|--:|")
    own = row("bwlm ridge", ours)
    other = row("himalaya, torch", peer)
    for key, what in [("seconds", "as fast"), ("cpu", "as fast by processor time")]:
        print(f"\nbwlm is {statistics.median(p[key] / o[key] for o, p in zip(ours, peer)):.2f} times {what},", end="")
    print(f" in {own / other:.2f} of the memory.")


if __name__ == "__main__":
    main()
