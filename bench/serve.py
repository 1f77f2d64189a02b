"""Runs `bwlm serve` and a service of FastAPI and transformers (serve_peer.py) in turn and prints a table in Markdown for each model.

    python bench/serve.py [--requests 300] [--clients 8] [--rounds 3] [--threads 2] [--batch 16] [--seconds 4] [--whisper DIR]

Clients send sounds of equal length one after the other, and get one vector for each: the last hidden state at the last frame. The peer
runs with one request in a pass and with up to --batch, which is what bwlm does. Models are a WavLM Base with random
weights and, with --whisper, a folder of Whisper, which hears each sound in 30 s. A round starts each server anew; requests
before the first answer of each client are not counted. Memory is the most that the process ever had (VmHWM), processor seconds are
the server's from the first counted request to the last, and tell more where others use the machine. Vectors must agree to
1e-3 of their largest, else there is no table.
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

from features import prepare

ROOT = pathlib.Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def process(command, threads, address, logs):
    """A server, and the address that it prints as a line, which address() finds."""
    env = dict(os.environ, OMP_NUM_THREADS=str(threads))
    server = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE if logs == "stdout" else subprocess.DEVNULL,
                              stderr=subprocess.PIPE if logs == "stderr" else None, text=True, env=env)
    try:
        lines = getattr(server, logs)
        found = next(filter(None, map(address, lines)), None)
        if not found:
            sys.exit(f"{command[0]} ended")
        threading.Thread(target=lambda: [None for _ in lines], daemon=True).start()  # else its pipe fills up
        yield server.pid, found
    finally:
        server.terminate()
        server.wait()


def bwlm(args, folder, model):
    config = folder / "serve.yaml"
    config.write_text(json.dumps({  # which is YAML
        "models": {"m": {"model": str(model), "features": {"window_seconds": args.seconds, "stride_seconds": args.seconds}}},
        "batching": {"windows": args.batch}, "listen": "127.0.0.1:0", "admin": "127.0.0.1:0", "threads": args.threads, "device": "cpu",
        "limits": {"deadline": "10m"}}))

    def listening(line):
        said = json.loads(line)
        return said.get("http") if said["msg"] == "listening" else None
    return process([args.bwlm, "serve", config], args.threads, listening, "stderr")


def ours(sound):
    """Path, headers and body of a request, and what finds the vector in an answer: tensors follow the JSON as bytes."""
    head = json.dumps({"parameters": {"binary_data_output": True}, "inputs": [
        {"name": "samples", "datatype": "FP32", "shape": [len(sound)], "parameters": {"binary_data_size": sound.nbytes}}]}).encode()

    def vector(headers, body):
        n = int(headers["Inference-Header-Content-Length"])
        for output in json.loads(body[:n])["outputs"]:
            size = output["parameters"]["binary_data_size"]
            if output["name"].startswith("features."):
                return np.frombuffer(body[n:n + size], "<f4")
            n += size
    return "/v2/models/m/infer", {"Inference-Header-Content-Length": str(len(head))}, head + sound.tobytes(), vector


def theirs(sound):
    return "/infer", {}, sound.tobytes(), lambda headers, body: np.frombuffer(body, "<f4")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid):
    line = next(x for x in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def measure(server, request, sounds, clients):
    """What a server does with the sounds, sent by so many clients, and its vectors of the sounds."""
    pid, address = server
    took, vectors, left, lock = [], [None] * len(sounds), list(range(len(sounds)))[::-1], threading.Lock()

    def send(connection, n):
        path, headers, body, vector = request(sounds[n])
        start = time.perf_counter()
        connection.request("POST", path, body, {"Content-Type": "application/octet-stream", **headers})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            sys.exit(f"{address}{path}: {answer.status}: {text[:200]}")
        return time.perf_counter() - start, vector(answer.headers, text)

    def client():
        connection = http.client.HTTPConnection(address)
        send(connection, 0)
        ready.wait()
        while True:
            with lock:
                if not left:
                    return
                n = left.pop()
            seconds, vectors[n] = send(connection, n)
            took.append(seconds)

    ready = threading.Barrier(clients + 1)
    threads = [threading.Thread(target=client, daemon=True) for _ in range(clients)]
    for t in threads:
        t.start()
    ready.wait()
    start, cpu = time.perf_counter(), cpu_seconds(pid)
    for t in threads:
        t.join()
    seconds = time.perf_counter() - start
    if any(v is None for v in vectors):
        sys.exit(f"{address}: a request has no answer")
    took.sort()
    return {"rate": len(sounds) / seconds, "p50": took[len(took) // 2], "p99": took[len(took) * 99 // 100],
            "cpu": (cpu_seconds(pid) - cpu) / len(sounds), "mb": peak_mb(pid)}, np.stack(vectors)


def compare(args, folder, name, model):
    rng = np.random.default_rng(0)
    sounds = [(rng.standard_normal(int(args.seconds * 16000)) / 10).astype("<f4") for _ in range(args.requests)]
    found = {"bwlm serve": [], "FastAPI, one at a time": [], "FastAPI, batched": []}
    for n in range(args.rounds):
        for who, rows in found.items():
            peer = [sys.executable, ROOT / "bench" / "serve_peer.py", "--model", model, "--threads", args.threads, "--batch",
                    args.batch if who.endswith("batched") else 1]
            mine = who.startswith("bwlm")
            with bwlm(args, folder, model) if mine else process(peer, args.threads, str.strip, "stdout") as server:
                row, vectors = measure(server, ours if mine else theirs, sounds, args.clients)
            rows.append(row)
            if mine:
                want = vectors
                continue
            off = np.abs(vectors - want).max() / np.abs(want).max() if vectors.shape == want.shape else np.inf
            print(f"{name}, round {n + 1} of {args.rounds}: {who}: {row['rate']:.2f} a second, bwlm {found['bwlm serve'][-1]['rate']:.2f}; "
                  f"vectors differ by {off:.1e}", file=sys.stderr)
            if not off < 1e-3:
                sys.exit("the vectors differ: this is no comparison")

    def median(rows, key):
        return statistics.median(r[key] for r in rows)

    print(f"\n{name}: {args.requests} requests of {args.seconds:g} s by {args.clients} clients, f32, {args.threads} threads, "
          f"{args.rounds} rounds in turn.\n")
    print("| | median requests a second | from - to | p50 s | p99 s | processor s a request | peak MB |\n|---|--:|--:|--:|--:|--:|--:|")
    for who, rows in found.items():
        rates = [r["rate"] for r in rows]
        print(f"| {who} | {statistics.median(rates):.2f} | {min(rates):.2f} - {max(rates):.2f} | {median(rows, 'p50'):.2f} | "
              f"{median(rows, 'p99'):.2f} | {median(rows, 'cpu'):.3f} | {max(r['mb'] for r in rows):.0f} |")
    print()
    for who in list(found)[1:]:
        def ratio(key):
            return statistics.median(o[key] / p[key] for o, p in zip(found["bwlm serve"], found[who]))
        print(f"Beside {who}: {ratio('rate'):.2f} times the requests a second, {ratio('cpu'):.2f} of the processor time, "
              f"{ratio('mb'):.2f} of the memory.")


def main():
    parser = argparse.ArgumentParser()
    for name, value in dict(requests=300, clients=8, rounds=3, threads=2, batch=16).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--whisper", type=pathlib.Path)
    parser.add_argument("--bwlm", default=ROOT / "bin" / "bwlm")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        prepare(folder, 1)
        if args.whisper:
            compare(args, folder, args.whisper.resolve().name, args.whisper.resolve())
        compare(args, folder, "WavLM Base, random weights", folder / "model")


if __name__ == "__main__":
    main()
