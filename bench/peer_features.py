"""Features of a recording as a Python user would read them, to be measured beside `bwlm features --windows 4 --stride .25`.

WavLM of transformers, the last frame of hidden state 9 for each window, windows as bwlm cuts them: window i ends at (i+1) strides
and begins 4 s before, or with the audio; shorter ones run by themselves. Seconds are those of the reading alone, without the
start of Python and the loading of the model.

    python bench/peer_features.py --model DIR --out features.npy AUDIO.npy
"""

import argparse
import json
import resource
import time

import numpy as np
import torch
from transformers import WavLMModel

RATE = 16000
LEAST = 400  # samples that give a frame


def windows(samples, seconds, stride):
    """Start and end of each window."""
    found = []
    for i in range(int(samples / (stride * RATE))):
        end = round((i + 1) * stride * RATE)
        start = max(0, end - round(seconds * RATE))
        if end - start >= LEAST:
            found.append((start, end))
    return found


def batches(found, size):
    """Yields batches of at most size windows of one length."""
    batch = []
    for start, end in found:
        if batch and (len(batch) == size or batch[0][1] - batch[0][0] != end - start):
            yield batch
            batch = []
        batch.append((start, end))
    if batch:
        yield batch


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--windows", type=float, default=4)
    parser.add_argument("--stride", type=float, default=0.25)
    parser.add_argument("--layer", type=int, default=9)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("audio", help=".npy, 16 kHz")
    args = parser.parse_args()

    model = WavLMModel.from_pretrained(args.model).eval()
    sound = torch.from_numpy(np.load(args.audio))
    start = time.perf_counter()
    vectors = []
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.dtype == "bf16"):
        for batch in batches(windows(len(sound), args.windows, args.stride), args.batch):
            clips = torch.stack([sound[a:b] for a, b in batch])
            hidden = model(clips, output_hidden_states=True).hidden_states[args.layer]
            vectors.append(hidden[:, -1].float())
    seconds = time.perf_counter() - start
    np.save(args.out, torch.cat(vectors).numpy())
    print(json.dumps({"seconds": seconds, "windows": sum(map(len, vectors)),
                      "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


if __name__ == "__main__":
    main()
